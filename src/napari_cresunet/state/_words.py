"""The count in words."""

from dataclasses import dataclass

from napari_cresunet.state._run import Result

OUTDATED = "from before you changed the choices: press Run."


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What the dock shows large, and beside and below it."""

    headline: str
    """Such as "112 cells"."""
    change: str
    """Since the last setting, such as "+3"; empty if there is nothing to compare."""
    detail: str
    """What the count is of."""


NOTHING = Words(
    headline="No count yet", change="", detail="Press Run to count the cells."
)
COMING = Words(headline="Counting…", change="", detail="You can go on working.")


def describe_count(
    result: Result | None,
    *,
    reference: int | None,
    plane: int,
    is_outdated: bool,
    is_running: bool,
) -> Words:
    """Put a result's count into words.

    Parameters
    ----------
    result : Result or None
        None before the first run.
    reference : int or None
        The count before the last change.
    plane : int
        Number of the plane that is shown.
    is_outdated : bool
        Whether the choices are no longer those of the run.
    is_running : bool
        Whether a run is going on.

    Returns
    -------
    Words
        For the dock.
    """
    if result is None:
        return COMING if is_running else NOTHING
    return Words(
        headline="1 cell" if result.count == 1 else f"{result.count:,} cells",
        change="" if reference is None else _signed(result.count - reference),
        detail=OUTDATED if is_outdated else _extent(result, plane),
    )


def _signed(change: int) -> str:
    return f"{change:+,}".replace("-", "\N{MINUS SIGN}") if change else "±0"


def _extent(result: Result, plane: int) -> str:
    where = "in the field of view" if result.request.region else ""
    pinned = f", {result.n_pinned:,} pinned by hand" if result.n_pinned else ""
    counts = result.plane_counts
    if len(counts) == 1:
        return (where or "in the whole image") + pinned
    here = counts[min(plane, len(counts) - 1)]
    where = f"in {len(counts)} planes, {here:,} in this plane {where}".strip()
    return where + pinned

"""What was done to a label image by hand, one line for each step."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One step: who and when are not recorded, what was done is."""

    kind: str
    """Such as "merge", "paint" (with a tool of napari) or "undo"."""
    before: tuple[int, ...] = ()
    """Labels of the cells that were changed."""
    after: tuple[int, ...] = ()
    """Labels of the cells that have come of them; none if they are gone."""
    plane: int = 0
    """Number of the plane, counted through all leading axes."""
    row: float = 0.0
    column: float = 0.0
    """Middle of what was changed, in px of the label image."""
    changed_px: int = 0
    """Pixels that got another label."""

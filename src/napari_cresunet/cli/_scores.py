"""Scores as a table for people and as JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari_cresunet.cli._terminal import stdout_console

if TYPE_CHECKING:
    from napari_cresunet.evaluation import Scores
    from napari_cresunet.export import Evaluation

DASH = "\N{EN DASH}"
PROMISED = (
    *("f1", "precision", "recall", "accuracy", "mae", "medae", "mpe"),
    *("tp", "fp", "fn", "n_images"),
)
"""What `evaluate --json` begins with."""
_COLUMNS = {
    "true_count": "True",
    "predicted_count": "Predicted",
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
}
_OVERLAP_COLUMNS = {"ap_0.5": "AP 0.5", "map": "mAP", "dice": "Dice"}


def scores_json(
    evaluation: "Evaluation", failures: Sequence[Mapping[str, str]], *, overlaps: bool
) -> dict[str, Any]:
    """Return the scores ready for JSON; None where one is undefined.

    Parameters
    ----------
    evaluation : Evaluation
        At least one image.
    failures : sequence of mapping
        "name" and "error" of what could not be compared.
    overlaps : bool
        Whether scores by shared pixels are wanted.

    Returns
    -------
    dict
        First what is promised, then n_without_mpe, true_count, predicted_count,
        intervals (low and high end of each, empty for one image), overlaps (only if
        wanted; None if no truth has outlines), images (one dict each) and failed.
    """
    from napari_cresunet.export import score_rows

    *rows, pooled = score_rows(evaluation)
    values = {name: pooled[name] for name in PROMISED}
    further = ("n_without_mpe", "true_count", "predicted_count")
    values |= {name: pooled[name] for name in further}
    values["intervals"] = {
        name: [pooled[f"{name}_low"], pooled[f"{name}_high"]]
        for name in evaluation.intervals
    }
    if overlaps:
        scores = evaluation.overlaps
        known = scores.to_dict() if scores else {}
        values["overlaps"] = {name: pooled[name] for name in known} or None
    bounds = {name for name in pooled if name.endswith(("_low", "_high"))}
    values["images"] = [
        {name: value for name, value in row.items() if name not in bounds}
        for row in rows
    ]
    return values | {"failed": list(failures)}


def print_scores(
    evaluation: "Evaluation", failures: Sequence[Mapping[str, str]], *, overlaps: bool
) -> None:
    """Print the scores of each image and of all, and what else is to be known.

    Parameters
    ----------
    evaluation : Evaluation
        At least one image.
    failures : sequence of mapping
        "name" and "error" of what could not be compared.
    overlaps : bool
        Whether scores by shared pixels are wanted.
    """
    from rich.table import Table

    from napari_cresunet.export import score_rows

    *rows, pooled = score_rows(evaluation)
    has_outlines = overlaps and evaluation.overlaps is not None
    columns = _COLUMNS | (_OVERLAP_COLUMNS if has_outlines else {})
    table = Table()
    table.add_column("Image", overflow="fold")
    for title in columns.values():
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(row["name"], *(number_text(row[name]) for name in columns))
    for failure in failures:
        table.add_row(failure["name"], "failed")
    table.add_section()
    shown = [_with_interval(pooled, name) for name in columns]
    table.add_row(f"all {len(rows)}", *shown)
    console = stdout_console()
    console.print(table)
    for line in _remarks(evaluation, pooled, wants_outlines=overlaps):
        console.print(line, soft_wrap=True, markup=False)


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    low, high = (row.get(f"{name}_{end}") for end in ("low", "high"))
    if low is None:
        return number_text(row[name])
    return f"{number_text(row[name])}\n{low:.2f} to {high:.2f}"


def _remarks(
    evaluation: "Evaluation", pooled: Mapping[str, Any], *, wants_outlines: bool
) -> list[str]:
    """Return what goes below the table, one line each."""
    lines = [count_errors(evaluation.scores, evaluation.intervals)]
    if evaluation.intervals:
        lines.append("Second lines are 95 % intervals, by resampling the images.")
    lines.append(_failures_line(pooled))
    if wants_outlines and evaluation.overlaps is None:
        lines.append("The truth is points, which have no outlines to compare.")
    n_masks = sum(one.comparison.true.is_mask for one in evaluation.images)
    if n_masks:
        lines.append(
            f"The truth of {n_masks} of {len(evaluation.images)} images is a mask, in "
            "which cells that touch count as one: the true count may be too low."
        )
    return lines


def count_errors(
    scores: "Scores", intervals: Mapping[str, tuple[float, float]] | None = None
) -> str:
    """Return MAE, MedAE and MPE as a sentence.

    Parameters
    ----------
    scores : Scores
        Of one image or pooled.
    intervals : mapping, optional
        Low and high ends.

    Returns
    -------
    str
        One line.
    """
    ends = intervals or {}
    said = [
        f"MAE {scores.mae:.3g}{_between(ends.get('mae'))}",
        f"MedAE {scores.medae:.3g}{_between(ends.get('medae'))}",
        f"MPE {percent_text(scores.mpe)}{_between(ends.get('mpe'), percent_text)}",
    ]
    left_out = (
        f" ({scores.n_without_mpe} without true cells left out)"
        if scores.n_without_mpe and scores.n_images > 1
        else ""
    )
    return f"Error of the counts: {', '.join(said)}{left_out}."


def _between(ends: tuple[float, float] | None, show: Any = "{:.3g}".format) -> str:
    return "" if ends is None else f" ({show(ends[0])} to {show(ends[1])})"


def _failures_line(pooled: Mapping[str, Any]) -> str:
    from napari_cresunet.evaluation import KINDS
    from napari_cresunet.export import kind_column

    counts = [f"{pooled[kind_column(kind)]} {kind}" for kind in KINDS]
    return f"Cases: {', '.join(counts)}."


def number_text(value: Any) -> str:
    """Return a number as people read it; a dash for None."""
    if value is None:
        return DASH
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def percent_text(fraction: float) -> str:
    """Return a fraction in percent with its sign; a dash for NaN."""
    return DASH if fraction != fraction else f"{100 * fraction:+.1f} %"

"""An evaluation of several images, as one thing, and its tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_cresunet._typing import Image
from napari_cresunet._writing import as_plain
from napari_cresunet.evaluation import (
    KINDS,
    CaseTable,
    Comparison,
    OverlapScores,
    Scores,
    SweepRow,
    aggregate,
    aggregate_overlaps,
    bootstrap_intervals,
    bootstrap_overlap_intervals,
)

POOLED = "all"
"""What the row of all images is called."""
_WITH_INTERVALS = ("f1", "precision", "recall", "accuracy", "mae", "medae", "mpe")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evaluated:
    """One image beside its truth."""

    name: str
    comparison: Comparison
    cases: CaseTable
    """From `list_cases`."""
    image: Image | None = None
    """(..., Y, X) or (..., Y, X, 3 or 4), as it was opened; for pictures only."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evaluation:
    """All that tables, figures and reports are made of."""

    images: tuple[Evaluated, ...]
    """At least one."""
    sweep: tuple[SweepRow, ...] = ()
    """Scores at many thresholds."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """The setting of the labels: threshold, min_size, max_distance, as far as known."""
    distances: tuple[SweepRow, ...] = ()
    """Scores of the chosen setting at several matching distances."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How it came about, ready for JSON: version, model, weights_hash, time, ...;
    "unit" is that of distances, px if it is not there."""

    @property
    def unit(self) -> str:
        """Unit of distances."""
        return str(self.record.get("unit", "px"))

    @property
    def scores(self) -> Scores:
        """The pooled scores."""
        return aggregate([one.comparison.scores for one in self.images])

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the pooled scores; empty for a single image."""
        if len(self.images) < 2:
            return {}
        return bootstrap_intervals([one.comparison.scores for one in self.images])

    @property
    def overlaps(self) -> OverlapScores | None:
        """The pooled scores by shared pixels; None without any true outline."""
        known = _known_overlaps(self.images)
        return aggregate_overlaps(known) if known else None

    @property
    def cases(self) -> dict[str, Any]:
        """Columns of all case tables joined, those that all of them have."""
        tables = [one.cases for one in self.images]
        return {
            name: np.concatenate([table[name] for table in tables])
            for name in tables[0]
            if all(name in table for table in tables)
        }


def score_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the scores as a table, one row for each image and a last one for all.

    Parameters
    ----------
    evaluation : Evaluation
        At least one image.

    Returns
    -------
    list of dict
        All rows have the same columns, and None where a number is undefined or unknown:

        - name: of the image; "all" in the last row;
        - f1, precision, recall, accuracy, mae, medae, mpe, tp, fp, fn, true_count,
          predicted_count, n_images, n_without_mpe: see `Scores`;
        - n_hit, n_false_positive, n_missed, ...: cases of each of `KINDS`;
        - f1_low, f1_high, ...: 95 % intervals of all ratios and errors, by resampling
          the images; in the last row, if there are at least two images;
        - dice, map, ap_0.5, f1_0.5, pq_0.5, ...: see `OverlapScores`, if at least one
          truth has outlines; and dice_low, dice_high, ... if two have.
    """
    images = evaluation.images
    rows = [_row(one.name, one.comparison.scores, [one]) for one in images]
    rows.append(_row(POOLED, evaluation.scores, images))
    rows[-1] |= _bounds(evaluation.intervals or dict.fromkeys(_WITH_INTERVALS))
    overlaps = _known_overlaps(images)
    for row, one in zip(rows, images, strict=False):  # all but the last
        row |= _overlap_values([one])
    rows[-1] |= _overlap_values(images)
    if len(overlaps) > 1:
        rows[-1] |= _bounds(bootstrap_overlap_intervals(overlaps))
    names = dict.fromkeys(name for row in reversed(rows) for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def case_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return all cases as a table, hits included.

    Parameters
    ----------
    evaluation : Evaluation
        The images.

    Returns
    -------
    list of dict
        "name" of the image, and the columns of `list_cases`; None for what is unknown.
        All rows have the same columns.
    """
    names = dict.fromkeys(name for one in evaluation.images for name in one.cases)
    return [
        {"name": one.name}
        | {
            name: as_plain(one.cases[name][row]) if name in one.cases else None
            for name in names
        }
        for one in evaluation.images
        for row in range(len(one.cases["kind"]))
    ]


def sweep_rows_table(rows: Iterable[SweepRow]) -> list[dict[str, Any]]:
    """Return a sweep as a table.

    Parameters
    ----------
    rows : iterable of SweepRow
        From `sweep`.

    Returns
    -------
    list of dict
        threshold, min_size, max_distance and the pooled scores; None for what is
        undefined.
    """
    return [plain_values(row.to_dict()) for row in rows]


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers as Python's own, ready for JSON and CSV; unknown is None."""
    return {name: as_plain(value) for name, value in values.items()}


def _row(name: str, scores: Scores, images: Sequence[Evaluated]) -> dict[str, Any]:
    """Return one row without overlaps and bounds."""
    kinds = np.concatenate([one.cases["kind"] for one in images])
    numbers = {kind_column(kind): int((kinds == kind).sum()) for kind in KINDS}
    return {"name": name} | plain_values(scores.to_dict()) | numbers


def kind_column(kind: str) -> str:
    """Return the column that counts a kind, such as "n_false_positive"."""
    return f"n_{kind.replace(' ', '_')}"


def _known_overlaps(images: Iterable[Evaluated]) -> list[OverlapScores]:
    found = (one.comparison.overlap_scores() for one in images)
    return [one for one in found if one is not None]


def _overlap_values(images: Sequence[Evaluated]) -> dict[str, Any]:
    known = _known_overlaps(images)
    return plain_values(aggregate_overlaps(known).to_dict()) if known else {}


def _bounds(
    intervals: Mapping[str, tuple[float, float] | None],
) -> dict[str, Any]:
    """Return the ends of intervals as columns; None where there is no interval."""
    return {
        f"{name}_{end}": None if ends is None else as_plain(ends[number])
        for name, ends in intervals.items()
        for number, end in enumerate(("low", "high"))
    }

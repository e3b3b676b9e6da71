"""Every failure and every hit as one row of a table: where, how large, how bright."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.evaluation._comparison import (
    MERGED,
    SPLIT,
    Comparison,
    containment,
    pair_ious,
)
from napari_cresunet.evaluation._measuring import (
    Outline,
    as_planes,
    gray_planes,
    measure_brightness,
    measure_mean,
)

CaseTable: TypeAlias = Mapping[str, NDArray[Any]]
"""Columns of equal length; see `list_cases`."""


@dataclass(frozen=True, slots=True)
class Case:
    """Cells that belong together: a pair, one alone, or several that are merged."""

    kind: str
    """One of `KINDS`."""
    pred: tuple[int, ...]
    """Rows of the predictions, the one that tells most first."""
    true: tuple[int, ...]
    """Rows of the true cells, likewise."""

    @property
    def is_by_pred(self) -> bool:
        """Whether the prediction tells where it is: no true cell does, or many do."""
        return len(self.true) != 1


def group_cases(comparison: Comparison) -> list[Case]:
    """Gather the cells into cases; each is in one of them.

    Parameters
    ----------
    comparison : Comparison
        From `compare`.

    Returns
    -------
    list of Case
        By plane, then row, then column.
    """
    pred_kinds, true_kinds = comparison.pred_kinds, comparison.true_kinds
    inside, covered = containment(comparison.pred, comparison.true, comparison.overlaps)
    cases = [
        Case(MERGED, (row,), others)
        for row, others in _joined(comparison, covered, MERGED, by_pred=True)
    ]
    cases += [
        Case(SPLIT, others, (row,))
        for row, others in _joined(comparison, inside, SPLIT, by_pred=False)
    ]
    told = (MERGED, SPLIT)
    is_alone = [~np.isin(kinds, told) for kinds in (pred_kinds, true_kinds)]
    for ours, theirs in comparison.partners.pairs.tolist():
        if is_alone[0][ours] and is_alone[1][theirs]:
            cases.append(Case(str(pred_kinds[ours]), (ours,), (theirs,)))
            is_alone[0][ours] = is_alone[1][theirs] = False
    for row in np.flatnonzero(is_alone[0]).tolist():
        cases.append(Case(str(pred_kinds[row]), (row,), ()))
    for row in np.flatnonzero(is_alone[1]).tolist():
        cases.append(Case(str(true_kinds[row]), (), (row,)))
    planes, places = case_places(comparison, cases)
    return [cases[k] for k in np.lexsort((places[:, 1], places[:, 0], planes))]


def _joined(
    comparison: Comparison, related: NDArray[np.bool_], kind: str, *, by_pred: bool
) -> list[tuple[int, tuple[int, ...]]]:
    """Return each cell of a kind with those of the other side that are its members."""
    overlaps = comparison.overlaps
    is_kind = (comparison.pred_kinds[overlaps.pred] == kind) & (
        comparison.true_kinds[overlaps.true] == kind
    )
    rows = np.flatnonzero(related & is_kind)
    rows = rows[np.argsort(-overlaps.pixels[rows], kind="stable")]
    one, other = overlaps.pred[rows], overlaps.true[rows]
    if not by_pred:
        one, other = other, one
    members: dict[int, tuple[int, ...]] = {}
    for row, member in zip(one.tolist(), other.tolist(), strict=True):
        members[row] = (*members.get(row, ()), member)
    return list(members.items())


def case_places(
    comparison: Comparison, cases: Sequence[Case]
) -> tuple[Indices, NDArray[np.float64]]:
    """Return where cases are.

    Parameters
    ----------
    comparison : Comparison
        What they are of.
    cases : sequence of Case
        From `group_cases`.

    Returns
    -------
    planes : ndarray of shape (N,)
        Counted through all leading axes.
    places : ndarray of float64, shape (N, 2)
        Row and column in px of the true cell, or of the prediction where there is no
        true cell or several.
    """
    sides = (comparison.true, comparison.pred)
    centers = [comparison.rule.centers_of(side) for side in sides]
    planes = np.zeros(len(cases), np.intp)
    places = np.zeros((len(cases), 2))
    for number, case in enumerate(cases):
        row = case.pred[0] if case.is_by_pred else case.true[0]
        planes[number] = sides[case.is_by_pred].planes[row]
        places[number] = centers[case.is_by_pred][row]
    return planes, places


def list_cases(
    comparison: Comparison,
    *,
    image: ArrayLike | None = None,
    probability: ArrayLike | None = None,
) -> dict[str, NDArray[Any]]:
    """List what became of the cells, one row for each case.

    Parameters
    ----------
    comparison : Comparison
        From `compare`.
    image : array_like of shape (..., Y, X) or (..., Y, X, 3 or 4), optional
        For the brightness; of colors the brightest channel counts.
    probability : array_like of shape (..., Y, X), optional
        For the probability of "cell".

    Returns
    -------
    dict of str to ndarray of shape (N,)
        By plane, then row, then column. A merged prediction with its true cells, a
        split cell with its predictions, and a pair are one case each.

        - kind: one of `KINDS`;
        - plane, row, column: where it is, in px; the center of the true cell, or of
          the prediction where there is no true cell or several;
        - predicted, true: label of the prediction and of the true cell (of a point its
          number from 1), 0 where there is none; of several the one that shares most;
        - n_predicted, n_true: how many cells it has on each side;
        - distance: of a single pair, in the unit of the rule; else NaN;
        - iou: intersection over union of a single pair; else NaN;
        - area: px of the outline that is measured: the true one, or the predicted one
          where there is no true outline or several; NaN where there is none at all;
        - n_neighbors: other true cells within the rule's `max_distance`;
        - on_border: whether that outline touches the edge of the image;
        - brightness, background, contrast: mean in that outline, median of the pixels
          around it that belong to no cell, and their difference, in the image's unit;
        - mean_probability: in that outline.

        The last four are there only if `image` and `probability` are given.

    Raises
    ------
    InputError
        If image or probability have another shape than the labels.

    Notes
    -----
    "Around" is the bounding box, larger by half its longer side on each side. A true
    point without a prediction is measured in a disc as wide as the usual prediction.

    Memory and time grow with the number of cells, and with their areas.
    """
    cases = group_cases(comparison)
    outlines = [outline_of(comparison, case) for case in cases]
    table = _describe(comparison, cases, outlines)
    shape = comparison.pred.shape
    if image is not None:
        brightness = gray_planes(image, shape)
        table |= measure_brightness(comparison, outlines, brightness)
    if probability is not None:
        chance = as_planes(probability, shape, "probability")
        table["mean_probability"] = measure_mean(comparison, outlines, chance)
    return table


def outline_of(comparison: Comparison, case: Case) -> Outline:
    """Return the outline that stands for a case.

    Parameters
    ----------
    comparison : Comparison
        What it is of.
    case : Case
        From `group_cases`.

    Returns
    -------
    Outline
        The true one, or the predicted one where there is none or several.
    """
    is_drawn = comparison.true.index is not None
    is_pred = bool(case.pred) and (case.is_by_pred or not is_drawn)
    return Outline(is_pred, case.pred[0] if is_pred else case.true[0])


def _describe(
    comparison: Comparison, cases: Sequence[Case], outlines: Sequence[Outline]
) -> dict[str, NDArray[Any]]:
    """Return what is known without the pixels of image and probability."""
    pred, true = comparison.pred, comparison.true
    planes, places = case_places(comparison, cases)
    sides = (true, pred)
    borders = (true.touches_border, pred.touches_border)
    areas = [sides[one.is_pred].areas[one.row] for one in outlines]
    pairs = _pair_numbers(comparison, cases)
    ious = pair_ious(comparison.partners, comparison.overlaps, true)
    first = int(true.index is None)  # points are numbered from 0
    return {
        "kind": np.array([case.kind for case in cases], comparison.pred_kinds.dtype),
        "plane": planes,
        "row": places[:, 0],
        "column": places[:, 1],
        "predicted": _ids(pred.ids, [case.pred for case in cases]),
        "true": _ids(true.ids + first, [case.true for case in cases]),
        "n_predicted": np.array([len(case.pred) for case in cases], np.intp),
        "n_true": np.array([len(case.true) for case in cases], np.intp),
        "distance": _picked(comparison.partners.distances, pairs),
        "iou": _picked(ious, pairs),
        "area": np.array([area or nan for area in areas], np.float64),
        "n_neighbors": _n_neighbors(comparison, cases, planes, places),
        "on_border": np.array(
            [borders[one.is_pred][one.row] for one in outlines], np.bool_
        ),
    }


def _ids(ids: Indices, members: Sequence[tuple[int, ...]]) -> Indices:
    return np.array([ids[rows[0]] if rows else 0 for rows in members], np.intp)


def _pair_numbers(comparison: Comparison, cases: Sequence[Case]) -> list[int]:
    """Return the row of the matches for each case that is a single pair, else -1."""
    known = {
        tuple(pair): number
        for number, pair in enumerate(comparison.partners.pairs.tolist())
    }
    return [
        known.get((*case.pred, *case.true), -1)
        if len(case.pred) == len(case.true) == 1
        else -1
        for case in cases
    ]


def _picked(values: NDArray[np.float64], numbers: Sequence[int]) -> NDArray[np.float64]:
    """Return values by number; NaN for -1."""
    return np.append(values, nan)[np.array(numbers, np.intp)]


def _n_neighbors(
    comparison: Comparison,
    cases: Sequence[Case],
    planes: Indices,
    places: NDArray[np.float64],
) -> Indices:
    """Count the true cells around each case that are not of it."""
    from scipy.spatial import KDTree

    rule, true = comparison.rule, comparison.true
    if not len(true) or not cases:
        return np.zeros(len(cases), np.intp)
    far = 2 * rule.max_distance + 1.0  # no plane reaches another
    places = np.column_stack([planes * far, places * rule.sides])
    centers = np.column_stack([true.planes * far, rule.centers_of(true) * rule.sides])
    near = KDTree(centers).query_ball_point(places, rule.max_distance)
    counts = [
        sum(row not in case.true for row in rows)
        for case, rows in zip(cases, near, strict=True)
    ]
    return np.array(counts, np.intp)

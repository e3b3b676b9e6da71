"""Which cells are right and which are wrong, and in what way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.evaluation._matching import Matches, match_centers
from napari_cresunet.evaluation._objects import Objects, as_objects
from napari_cresunet.evaluation._overlaps import (
    IOU_THRESHOLDS,
    Overlaps,
    OverlapScores,
    overlap_pairs,
    overlaps_of,
    score_overlaps,
)
from napari_cresunet.evaluation._rule import MatchRule
from napari_cresunet.evaluation._scores import (
    Scores,
    score_pairs,
    scores_from_counts,
)

HIT, FALSE_POSITIVE, MISSED = "hit", "false positive", "missed"
MERGED, SPLIT = "merged", "split"
POOR_OUTLINE, BORDER = "poor outline", "border"
KINDS = (HIT, FALSE_POSITIVE, MISSED, MERGED, SPLIT, POOR_OUTLINE, BORDER)
"""What can be said of a cell; all but the first are failures."""

LEAST_IOU = 0.5
"""A pair below this has a poor outline."""
_PART = 0.5
"""A cell lies in another with more than this part of its pixels."""

Kinds = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The cells of one image beside their truth, each with what became of it.

    A kind tells what a person would have to mend; `scores` count pairs of centers, as
    the papers do. So a merged prediction may well be a true positive of the scores.
    """

    pred: Objects
    true: Objects
    rule: MatchRule
    matches: Matches
    """Pairs of centers, from which the scores are."""
    partners: Matches
    """Pairs from which the kinds are: first of outlines, then of centers."""
    overlaps: Overlaps
    scores: Scores
    pred_kinds: Kinds
    """(P,): one of `KINDS` for each prediction, never "missed"."""
    true_kinds: Kinds
    """(T,): one of `KINDS` for each true cell, never "false positive"."""

    def plane_scores(self) -> list[Scores]:
        """Return the scores of each plane, as of an image of its own.

        Returns
        -------
        list of Scores
            One for each plane, counted through all leading axes; without the pairs.
        """
        n_planes = math.prod(self.pred.shape[:-2])
        paired = self.pred.planes[self.matches.pairs[:, 0]]
        counts = [
            np.bincount(planes, minlength=n_planes)
            for planes in (paired, self.pred.planes, self.true.planes)
        ]
        return [
            scores_from_counts(int(tp), int(n_pred), int(n_true))
            for tp, n_pred, n_true in zip(*counts, strict=True)
        ]

    def overlap_scores(
        self, thresholds: Sequence[float] = IOU_THRESHOLDS
    ) -> OverlapScores | None:
        """Return the scores by shared pixels; None where the truth is points.

        Parameters
        ----------
        thresholds : sequence of float, optional
            As for `evaluate_overlaps`.

        Returns
        -------
        OverlapScores or None
            The scores.
        """
        if self.true.index is None:
            return None
        return score_overlaps(self.pred, self.true, self.overlaps, thresholds)


def compare(
    labels: ArrayLike | Objects,
    truth: ArrayLike | Objects,
    rule: MatchRule | None = None,
) -> Comparison:
    """Match the cells of an image with their truth and say of each what became of it.

    Parameters
    ----------
    labels : array_like of int, shape (..., Y, X), or Objects
        Predicted label image.
    truth : array_like or Objects
        As for `evaluate`.
    rule : MatchRule, optional
        When a prediction and a true cell are a pair; that of `evaluate` by default.

    Returns
    -------
    Comparison
        Scores, pairs, and one kind for each cell.

    Raises
    ------
    InputError
        If the shapes differ or points lie outside of the image.

    Notes
    -----
    The first that holds is said of a cell:

    - merged: a prediction that covers two or more true cells, each with more than half
      of its pixels, and those true cells;
    - split: a true cell in which two or more predictions lie, each with more than half
      of its pixels, and those predictions;
    - hit: a pair with an intersection over union of at least 0.5, or with a point;
    - border: at the edge of the image, where a part of the cell is missing and nobody
      can judge;
    - poor outline: a pair with a lower intersection over union;
    - false positive, missed: all others.

    Outlines that fit, with centers within `max_distance`, are a pair for the kinds even
    where the scores pair one of them with another cell, to make as many pairs as
    possible.

    Points have no outline: a prediction is merged if it covers two of them, and no
    cell is split or has a poor outline.

    Examples
    --------
    One prediction covers two true cells, and one cell is missed:

    >>> labels = [[0, 1, 1, 1, 0, 0, 0, 0]]
    >>> truth = [[0, 1, 2, 2, 0, 0, 3, 0]]
    >>> found = compare([[0] * 8, *labels, [0] * 8], [[0] * 8, *truth, [0] * 8])
    >>> found.pred_kinds.tolist(), found.true_kinds.tolist()
    (['merged'], ['merged', 'merged', 'missed'])
    """
    rule = rule or MatchRule()
    pred, true = as_objects(labels, truth)
    matches, overlaps = rule.match(pred, true), overlaps_of(pred, true)
    partners = _partners(pred, true, rule, matches, overlaps)
    pred_kinds, true_kinds = _kinds(pred, true, partners, overlaps)
    return Comparison(
        pred=pred,
        true=true,
        rule=rule,
        matches=matches,
        partners=partners,
        overlaps=overlaps,
        scores=score_pairs(pred, true, matches),
        pred_kinds=pred_kinds,
        true_kinds=true_kinds,
    )


def _partners(
    pred: Objects,
    true: Objects,
    rule: MatchRule,
    matches: Matches,
    overlaps: Overlaps,
) -> Matches:
    """Pair outlines that fit, and all other cells by their centers."""
    rows = overlap_pairs(overlaps, LEAST_IOU, len(pred), len(true))
    fitting = np.stack([overlaps.pred[rows], overlaps.true[rows]], axis=1)
    ours, theirs = rule.placed(pred), rule.placed(true)
    apart = np.linalg.norm(ours[fitting[:, 0]] - theirs[fitting[:, 1]], axis=1)
    is_near = apart <= rule.max_distance
    fitting, apart = fitting[is_near], apart[is_near]
    known = matches.pairs[:, 0] * len(true) + matches.pairs[:, 1]
    if np.isin(fitting[:, 0] * len(true) + fitting[:, 1], known).all():
        return matches  # as nearly always
    left = [
        np.setdiff1d(np.arange(len(side)), fitting[:, column])
        for column, side in enumerate((pred, true))
    ]
    others = match_centers(
        ours[left[0]], theirs[left[1]], rule.max_distance, matching=rule.matching
    )
    pairs = np.column_stack([left[0][others.pairs[:, 0]], left[1][others.pairs[:, 1]]])
    pairs = np.concatenate([fitting, pairs])
    order = np.argsort(pairs[:, 0])
    return Matches(pairs[order], np.concatenate([apart, others.distances])[order])


def _kinds(
    pred: Objects, true: Objects, matches: Matches, overlaps: Overlaps
) -> tuple[Kinds, Kinds]:
    longest = f"U{max(map(len, KINDS))}"
    pred_kinds = np.full(len(pred), FALSE_POSITIVE, longest)
    true_kinds = np.full(len(true), MISSED, longest)
    # From what is said last to what is said first.
    told_pred, told_true = _merged_and_split(pred, true, overlaps)
    ours, theirs = matches.pairs.T
    is_pair = (told_pred[ours] == "") & (told_true[theirs] == "")
    is_poor = pair_ious(matches, overlaps, true) < LEAST_IOU
    touches = pred.touches_border[ours] | true.touches_border[theirs]
    said = np.where(is_poor, np.where(touches, BORDER, POOR_OUTLINE), HIT)
    pred_kinds[pred.touches_border] = true_kinds[true.touches_border] = BORDER
    pred_kinds[ours[is_pair]] = true_kinds[theirs[is_pair]] = said[is_pair]
    for kinds, told in ((pred_kinds, told_pred), (true_kinds, told_true)):
        kinds[told != ""] = told[told != ""]
    return pred_kinds, true_kinds


def _merged_and_split(
    pred: Objects, true: Objects, overlaps: Overlaps
) -> tuple[Kinds, Kinds]:
    """Say which cells are merged or split; "" of all others."""
    inside, covered = containment(pred, true, overlaps)
    ours, theirs = overlaps.pred, overlaps.true
    merged = np.bincount(ours[covered], minlength=len(pred)) >= 2
    in_merged = np.zeros(len(true), np.bool_)
    in_merged[theirs[covered & merged[ours]]] = True
    is_piece = inside & ~merged[ours] & ~in_merged[theirs]
    split = np.bincount(theirs[is_piece], minlength=len(true)) >= 2
    in_split = np.zeros(len(pred), np.bool_)
    in_split[ours[is_piece & split[theirs]]] = True
    return (
        np.where(merged, MERGED, np.where(in_split, SPLIT, "")),
        np.where(in_merged, MERGED, np.where(split, SPLIT, "")),
    )


def pair_ious(
    matches: Matches, overlaps: Overlaps, true: Objects
) -> NDArray[np.float64]:
    """Return the IoU of each pair; 0 where it shares no pixel, NaN for points.

    Parameters
    ----------
    matches : Matches
        The pairs.
    overlaps : Overlaps
        Of the same cells.
    true : Objects
        The true cells.

    Returns
    -------
    ndarray of float64, shape (N,)
        One for each pair.
    """
    ious = np.zeros(len(matches.pairs))
    if true.index is None:
        return np.full_like(ious, np.nan)
    known = overlaps.pred * len(true) + overlaps.true  # sorted
    if known.size:
        wanted = matches.pairs[:, 0] * len(true) + matches.pairs[:, 1]
        places = np.minimum(np.searchsorted(known, wanted), known.size - 1)
        is_known = known[places] == wanted
        ious[is_known] = overlaps.iou[places[is_known]]
    return ious


def containment(
    pred: Objects, true: Objects, overlaps: Overlaps
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell of each overlap whether one of the two lies in the other.

    Parameters
    ----------
    pred, true : Objects
        The cells.
    overlaps : Overlaps
        Of these.

    Returns
    -------
    inside : ndarray of bool, shape (K,)
        Whether more than half of the prediction lies in the true cell.
    covered : ndarray of bool, shape (K,)
        Whether more than half of the true cell, or the point, lies in the prediction.
    """
    inside = overlaps.pixels > _PART * pred.areas[overlaps.pred]
    covered = overlaps.pixels > _PART * true.areas[overlaps.true]
    if true.index is None:
        inside = np.zeros_like(inside)
    return inside, covered

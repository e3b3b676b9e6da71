"""Scores by shared pixels, as StarDist and Cellpose give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.config import check_bounds
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._matching import Candidates, assign
from napari_cresunet.evaluation._objects import Objects, as_objects

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
"""0.5, 0.55, ... 0.95, as in COCO and the Data Science Bowl 2018."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """All pairs of a prediction and a true cell that share pixels."""

    pred: Indices
    """(K,): row of the prediction."""
    true: Indices
    """(K,): row of the true cell."""
    pixels: Indices
    """(K,): pixels that both have; of a true point inside of a prediction 1."""
    iou: NDArray[np.float64]
    """(K,): intersection over union; NaN for points."""


def overlaps_of(pred: Objects, true: Objects) -> Overlaps:
    """Find which predictions and true cells share pixels.

    Parameters
    ----------
    pred : Objects
        With pixels.
    true : Objects
        May be points.

    Returns
    -------
    Overlaps
        By prediction, then by true cell.

    Raises
    ------
    InputError
        If the predictions are points.
    """
    if pred.index is None:
        raise InputError("Predictions are points: give labels, which have pixels.")
    if true.index is None:
        rows, columns = true.boxes[:, 0], true.boxes[:, 1]
        inside = pred.index[true.planes, rows, columns].astype(np.intp)
        points = np.flatnonzero(inside)
        order = np.argsort(inside[points], kind="stable")
        points = points[order]
        return Overlaps(
            pred=inside[points] - 1,
            true=points,
            pixels=np.ones(len(points), np.intp),
            iou=np.full(len(points), nan),
        )
    places = np.flatnonzero(pred.index)
    seen = true.index.ravel()[places].astype(np.int64)
    codes = pred.index.ravel()[places].astype(np.int64) * (len(true) + 1) + seen
    codes, pixels = np.unique(codes[seen > 0], return_counts=True)
    ours, theirs = (part - 1 for part in np.divmod(codes, len(true) + 1))
    union = pred.areas[ours] + true.areas[theirs] - pixels
    return Overlaps(
        pred=ours.astype(np.intp),
        true=theirs.astype(np.intp),
        pixels=pixels,
        iou=pixels / union,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class OverlapScores:
    """How well outlines agree, in one image or over many.

    Ratios with a zero denominator are NaN.
    """

    thresholds: tuple[float, ...]
    """Least intersection over union (IoU) of a pair, one for each set of scores."""
    tp: tuple[int, ...]
    """Pairs at each threshold."""
    iou_sums: tuple[float, ...]
    """Sum of the pairs' IoU at each threshold."""
    predicted_count: int
    true_count: int
    shared_pixels: int
    """Pixels of a cell on both sides."""
    predicted_pixels: int
    true_pixels: int
    n_images: int = 1

    @property
    def average_precision(self) -> tuple[float, ...]:
        """TP / (TP + FP + FN) at each threshold, as StarDist and Cellpose define it."""
        both = self.predicted_count + self.true_count
        return tuple(_ratio(tp, both - tp) for tp in self.tp)

    @property
    def mean_average_precision(self) -> float:
        """Mean of `average_precision` over the thresholds."""
        return float(np.mean(self.average_precision))

    @property
    def f1(self) -> tuple[float, ...]:
        """2 TP / (2 TP + FP + FN) at each threshold."""
        both = self.predicted_count + self.true_count
        return tuple(_ratio(2 * tp, both) for tp in self.tp)

    @property
    def panoptic_quality(self) -> tuple[float, ...]:
        """Mean IoU of the pairs times F1 at each threshold (Kirillov et al. 2019)."""
        both = self.predicted_count + self.true_count
        return tuple(_ratio(2 * total, both) for total in self.iou_sums)

    @property
    def dice(self) -> float:
        """2 |A ∩ B| / (|A| + |B|) of the pixels of all cells, whichever they are of."""
        return _ratio(2 * self.shared_pixels, self.predicted_pixels + self.true_pixels)

    def to_dict(self) -> dict[str, Any]:
        """Return all scores as a flat dict, such as "ap_0.5" and "f1_0.75"."""
        known: dict[str, Any] = {"dice": self.dice, "map": self.mean_average_precision}
        for name, values in (
            ("ap", self.average_precision),
            ("f1", self.f1),
            ("pq", self.panoptic_quality),
        ):
            for threshold, value in zip(self.thresholds, values, strict=True):
                known[f"{name}_{threshold:g}"] = value
        return known


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else nan


def evaluate_overlaps(
    labels: "ArrayLike | Objects",
    truth: "ArrayLike | Objects",
    *,
    thresholds: Sequence[float] = IOU_THRESHOLDS,
) -> OverlapScores:
    """Compare the cells of one image with its truth by the pixels that they share.

    Parameters
    ----------
    labels : array_like of int, shape (..., Y, X), or Objects
        Predicted label image or mask.
    truth : array_like of the same shape, or Objects
        True label image or mask. Points have no outline to compare.
    thresholds : sequence of float, optional
        Least intersection over union (IoU) of a pair, inclusive, each in (0, 1].

    Returns
    -------
    OverlapScores
        One set of scores for each threshold, and Dice.

    Raises
    ------
    InputError
        If the shapes differ, the truth is points, or a threshold is out of its bounds.

    Notes
    -----
    Each cell is used once: there are as many pairs as possible and, among all ways to
    make that many, those with the largest total IoU. At thresholds above 0.5 no other
    pairs are possible.

    Average precision is that of StarDist (Schmidt et al. 2018) and Cellpose (Stringer
    et al. 2021), TP / (TP + FP + FN), which is not COCO's area below a curve.

    Examples
    --------
    >>> scores = evaluate_overlaps([[1, 1, 0, 2]], [[1, 1, 1, 0]], thresholds=[0.5])
    >>> scores.tp, scores.average_precision, round(scores.dice, 3)
    ((1,), (0.5,), 0.667)
    """
    pred, true = as_objects(labels, truth)
    if true.index is None:
        raise InputError(
            "Points have no outlines to compare: give labels or a mask as truth, or "
            "compare centers."
        )
    return score_overlaps(pred, true, overlaps_of(pred, true), thresholds)


def score_overlaps(
    pred: Objects, true: Objects, overlaps: Overlaps, thresholds: Sequence[float]
) -> OverlapScores:
    """Score what is known to overlap.

    Parameters
    ----------
    pred, true : Objects
        The cells.
    overlaps : Overlaps
        From `overlaps_of` the two.
    thresholds : sequence of float
        As for `evaluate_overlaps`.

    Returns
    -------
    OverlapScores
        The scores.

    Raises
    ------
    InputError
        If there is no threshold, or one out of its bounds.
    """
    if not len(thresholds):
        raise InputError("Give at least one threshold of IoU, such as 0.5.")
    counts, sums = [], []
    for threshold in thresholds:
        check_bounds("threshold", threshold, 1e-9, 1)
        rows = overlap_pairs(overlaps, threshold, len(pred), len(true))
        counts.append(len(rows))
        sums.append(float(overlaps.iou[rows].sum()))
    return OverlapScores(
        thresholds=tuple(thresholds),
        tp=tuple(counts),
        iou_sums=tuple(sums),
        predicted_count=len(pred),
        true_count=len(true),
        shared_pixels=int(overlaps.pixels.sum()),
        predicted_pixels=int(pred.areas.sum()),
        true_pixels=int(true.areas.sum()),
    )


def overlap_pairs(
    overlaps: Overlaps, threshold: float, n_pred: int, n_true: int
) -> Indices:
    """Return which overlaps become pairs, each cell in at most one.

    Parameters
    ----------
    overlaps : Overlaps
        All of an image.
    threshold : float
        Least IoU, inclusive.
    n_pred, n_true : int
        How many cells there are.

    Returns
    -------
    ndarray of shape (N,)
        Rows of the overlaps.
    """
    rows = np.flatnonzero(overlaps.iou >= threshold)
    if threshold > 0.5:
        return rows  # each cell can be in one such pair only
    pred, true = overlaps.pred[rows], overlaps.true[rows]
    pairs = assign(Candidates(pred, true, 1 - overlaps.iou[rows]), n_pred, n_true)
    wanted = pairs[:, 0] * n_true + pairs[:, 1]
    return rows[np.isin(pred * n_true + true, wanted)]


def aggregate_overlaps(scores: Sequence[OverlapScores]) -> OverlapScores:
    """Pool the scores of many images by summing their counts.

    Parameters
    ----------
    scores : sequence of OverlapScores
        One for each image, all at the same thresholds.

    Returns
    -------
    OverlapScores
        Ratios follow from the sums.

    Raises
    ------
    InputError
        If there is no image, a score is pooled already, or the thresholds differ.
    """
    if not scores:
        raise InputError("There are no scores to pool; evaluate at least one image.")
    if any(one.n_images != 1 for one in scores):
        raise InputError("Pool the scores of single images, not scores pooled before.")
    if len({one.thresholds for one in scores}) > 1:
        raise InputError("Pool scores at the same thresholds.")
    return OverlapScores(
        thresholds=scores[0].thresholds,
        tp=tuple(np.sum([one.tp for one in scores], axis=0).tolist()),
        iou_sums=tuple(np.sum([one.iou_sums for one in scores], axis=0).tolist()),
        predicted_count=sum(one.predicted_count for one in scores),
        true_count=sum(one.true_count for one in scores),
        shared_pixels=sum(one.shared_pixels for one in scores),
        predicted_pixels=sum(one.predicted_pixels for one in scores),
        true_pixels=sum(one.true_pixels for one in scores),
        n_images=sum(one.n_images for one in scores),
    )

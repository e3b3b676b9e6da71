"""Detection and counting scores: counts first, ratios from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._matching import match_centers


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """How well predicted cells agree with the truth, in one image or over many.

    Ratios with a zero denominator are NaN. An image with neither true nor predicted
    cells is a perfect image: its count error is 0.
    """

    tp: int
    """Predictions that have a true cell."""
    fp: int
    """Predictions without one."""
    fn: int
    """True cells without a prediction."""
    n_images: int = 1
    mae: float = nan
    """Mean absolute error of the counts."""
    medae: float = nan
    """Median absolute error of the counts."""
    mpe: float = nan
    """Mean of (predicted - true) / true, a fraction: positive means too many."""
    n_without_mpe: int = 0
    """Images left out of the MPE because they have no true cell."""
    pairs: NDArray[np.intp] = field(
        default_factory=lambda: np.empty((0, 2), np.intp), compare=False
    )
    """(N, 2): matched predicted and true labels; empty for many images."""

    @property
    def true_count(self) -> int:
        """True cells."""
        return self.tp + self.fn

    @property
    def predicted_count(self) -> int:
        """Predicted cells."""
        return self.tp + self.fp

    @property
    def precision(self) -> float:
        """TP / (TP + FP)."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """TP / (TP + FN)."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def accuracy(self) -> float:
        """TP / (TP + FP + FN)."""
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as a plain dict, ready for JSON but for NaN."""
        names = (
            *("f1", "precision", "recall", "accuracy", "mae", "medae", "mpe"),
            *("tp", "fp", "fn", "true_count", "predicted_count"),
            *("n_images", "n_without_mpe"),
        )
        return {name: getattr(self, name) for name in names}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else nan


def evaluate(
    labels: ArrayLike,
    truth: ArrayLike,
    *,
    max_distance: float = 40.0,
    matching: str = "optimal",
) -> Scores:
    """Compare the cells of one image with its truth by the distance of their centers.

    Parameters
    ----------
    labels : array_like of int, shape (..., Y, X)
        Predicted label image.
    truth : array_like
        Label image or boolean mask of the shape of `labels`, or an (N, D) array of
        points in row, column order. In a mask, cells that touch count as one.
    max_distance : float, optional
        Largest distance of two matching centers in px, inclusive.
    matching : {"optimal", "greedy"}, optional
        See `match_centers`.

    Returns
    -------
    Scores
        Counts and ratios of this image.

    Raises
    ------
    InputError
        If the shapes differ.

    Notes
    -----
    The center of an object is the center of its bounding box, as in Morelli et al.,
    Sci Rep 11:22920 (2021).

    Examples
    --------
    >>> scores = evaluate([[1, 0, 0, 2]], [[1, 0, 0, 0]], max_distance=1)
    >>> scores.tp, scores.fp, scores.fn, scores.precision
    (1, 1, 0, 0.5)
    """
    labels, truth = np.asarray(labels), np.asarray(truth)
    pred_ids, pred = _centers(labels)
    is_points = truth.shape != labels.shape and (
        truth.ndim == 2 and truth.shape[1] == labels.ndim
    )
    if is_points:
        true_ids, true = np.arange(len(truth)), truth
    elif truth.shape == labels.shape:
        true_ids, true = _centers(truth)
    else:
        raise InputError(
            f"Labels and truth differ in shape: {labels.shape} and {truth.shape}."
        )
    matches = match_centers(pred, true, max_distance, matching=matching)
    n_pairs = len(matches.pairs)
    n_pred, n_true = len(pred), len(true)
    return Scores(
        tp=n_pairs,
        fp=n_pred - n_pairs,
        fn=n_true - n_pairs,
        mae=float(abs(n_pred - n_true)),
        medae=float(abs(n_pred - n_true)),
        mpe=_ratio(n_pred - n_true, n_true),
        n_without_mpe=int(n_true == 0),
        pairs=np.stack(
            [pred_ids[matches.pairs[:, 0]], true_ids[matches.pairs[:, 1]]], axis=1
        ),
    )


def _centers(
    labels: NDArray[Any],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the label values and the centers of their bounding boxes."""
    if labels.dtype == bool:
        labels, _ = ndimage.label(labels, np.ones((3,) * labels.ndim))
    boxes = ndimage.find_objects(labels.astype(np.int64, copy=False))
    ids = [number for number, box in enumerate(boxes, start=1) if box is not None]
    centers = [
        [(side.start + side.stop - 1) / 2 for side in box] for box in boxes if box
    ]
    return np.array(ids, np.intp), np.array(centers).reshape(-1, labels.ndim)


def aggregate(scores: Sequence[Scores]) -> Scores:
    """Pool the scores of many images.

    Parameters
    ----------
    scores : sequence of Scores
        One for each image.

    Returns
    -------
    Scores
        TP, FP and FN are summed, ratios follow from the sums; MAE, MedAE and MPE are
        taken over the images' counts. Images without true cells have no percentage
        error: they are left out of the MPE, and `n_without_mpe` says how many.

    Raises
    ------
    InputError
        If there is no image.

    Examples
    --------
    >>> both = aggregate([Scores(tp=3, fp=1, fn=0), Scores(tp=1, fp=0, fn=4)])
    >>> both.tp, both.mae, both.medae, round(both.mpe, 3)
    (4, 2.5, 2.5, -0.233)
    """
    if not scores:
        raise InputError("There are no scores to pool; evaluate at least one image.")
    if any(one.n_images != 1 for one in scores):
        raise InputError("Pool the scores of single images, not scores pooled before.")
    errors = np.array([one.predicted_count - one.true_count for one in scores])
    true = np.array([one.true_count for one in scores])
    relative = errors[true > 0] / true[true > 0]
    return Scores(
        tp=sum(one.tp for one in scores),
        fp=sum(one.fp for one in scores),
        fn=sum(one.fn for one in scores),
        n_images=len(scores),
        mae=float(np.abs(errors).mean()),
        medae=float(np.median(np.abs(errors))),
        mpe=float(relative.mean()) if relative.size else nan,
        n_without_mpe=int((true == 0).sum()),
    )

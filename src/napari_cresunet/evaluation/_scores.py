"""Detection and counting scores: counts first, ratios from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._matching import Matches
from napari_cresunet.evaluation._objects import Objects, as_objects
from napari_cresunet.evaluation._rule import MatchRule


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
        default_factory=lambda: np.empty((0, 2), np.intp),
        compare=False,
        repr=False,
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
    labels: ArrayLike | Objects,
    truth: ArrayLike | Objects,
    *,
    max_distance: float = 40.0,
    matching: str = "optimal",
    center: str = "box",
    spacing: float | Sequence[float] = 1.0,
) -> Scores:
    """Compare the cells of one image with its truth by the distance of their centers.

    Parameters
    ----------
    labels : array_like of int, shape (..., Y, X), or Objects
        Predicted label image.
    truth : array_like or Objects
        Label image or mask of the shape of `labels`, or an (N, D) array of points in
        px, one coordinate for each axis of `labels`, rows and columns last. In a mask,
        cells that touch count as one.
    max_distance : float, optional
        Largest distance of two matching centers in the unit of `spacing`, inclusive.
    matching : {"optimal", "greedy"}, optional
        See `match_centers`.
    center : {"box", "centroid"}, optional
        Center of a cell: of its bounding box, as in Morelli et al., Sci Rep 11:22920
        (2021), or the mean of its pixels.
    spacing : float or pair of float, optional
        Height and width of a pixel, such as in µm; 1 for distances in px.

    Returns
    -------
    Scores
        Counts and ratios of this image.

    Raises
    ------
    InputError
        If the shapes differ, points lie outside of the image, or an option is out of
        its bounds.

    See Also
    --------
    aggregate : For many images.
    evaluate_overlaps : By shared pixels instead of centers.
    compare : Which cells are right and which are wrong.

    Notes
    -----
    Leading axes are planes: cells are matched within their own plane only, and a label
    in two planes is two cells.

    Examples
    --------
    >>> scores = evaluate([[1, 0, 0, 2]], [[1, 0, 0, 0]], max_distance=1)
    >>> scores.tp, scores.fp, scores.fn, scores.precision
    (1, 1, 0, 0.5)
    """
    rule = MatchRule(
        max_distance=max_distance, matching=matching, center=center, spacing=spacing
    )
    pred, true = as_objects(labels, truth)
    return score_pairs(pred, true, rule.match(pred, true))


def score_pairs(pred: Objects, true: Objects, matches: Matches) -> Scores:
    """Return the scores of one image whose cells are matched.

    Parameters
    ----------
    pred, true : Objects
        The cells.
    matches : Matches
        Rows of the two that are pairs.

    Returns
    -------
    Scores
        Counts and ratios.
    """
    scores = scores_from_counts(len(matches.pairs), len(pred), len(true))
    ids = (pred.ids[matches.pairs[:, 0]], true.ids[matches.pairs[:, 1]])
    return replace(scores, pairs=np.stack(ids, axis=1))


def scores_from_counts(n_pairs: int, n_pred: int, n_true: int) -> Scores:
    """Return the scores of one image from three counts.

    Parameters
    ----------
    n_pairs, n_pred, n_true : int
        Pairs, predictions and true cells.

    Returns
    -------
    Scores
        Without the pairs themselves.
    """
    error = float(abs(n_pred - n_true))
    return Scores(
        tp=n_pairs,
        fp=n_pred - n_pairs,
        fn=n_true - n_pairs,
        mae=error,
        medae=error,
        mpe=_ratio(n_pred - n_true, n_true),
        n_without_mpe=int(n_true == 0),
    )


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

"""How far pooled scores may be off by the choice of images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.config import check_bounds
from napari_cresunet.evaluation._overlaps import OverlapScores, aggregate_overlaps
from napari_cresunet.evaluation._scores import Scores, aggregate


def bootstrap_intervals(
    scores: Sequence[Scores],
    *,
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return intervals of the pooled scores, by resampling the images.

    Parameters
    ----------
    scores : sequence of Scores
        One for each image.
    n_resamples : int, optional
        How often as many images are drawn, with replacement.
    level : float, optional
        Part of the resamples that lies within an interval, between 0 and 1.
    seed : int, optional
        The same seed and scores give the same intervals.

    Returns
    -------
    dict of str to tuple of float
        Low and high end of "f1", "precision", "recall", "accuracy", "mae", "medae" and
        "mpe", pooled as by `aggregate`.

    Raises
    ------
    InputError
        If there is no image, a score is pooled already, or a number is out of its
        bounds.

    See Also
    --------
    aggregate : The pooled scores themselves.

    Notes
    -----
    The percentile interval of Efron & Tibshirani, An Introduction to the Bootstrap
    (1993), chapter 13. Images are drawn and not cells, for cells of one image resemble
    each other. A resample in which a score is undefined, such as a precision without
    any predicted cell, is left out; if that is more than half of them, both ends are
    NaN. With few images intervals are too narrow; of one image both ends are equal.

    Memory grows with `n_resamples` times the number of images, 8 bytes each.

    Examples
    --------
    >>> counts = [(9, 1, 0), (4, 0, 4), (7, 2, 1), (0, 0, 0), (3, 1, 0)]
    >>> scores = [Scores(tp=tp, fp=fp, fn=fn) for tp, fp, fn in counts]
    >>> low, high = bootstrap_intervals(scores)["f1"]
    >>> low < aggregate(scores).f1 < high
    True
    """
    aggregate(scores)  # checks them
    times = _resamples(len(scores), n_resamples, level, seed)
    pooled = _ratios(scores, times) | _errors(scores, times)
    return {name: _interval(values, level) for name, values in pooled.items()}


def bootstrap_overlap_intervals(
    scores: Sequence[OverlapScores],
    *,
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return intervals of pooled scores by shared pixels, by resampling the images.

    Parameters
    ----------
    scores : sequence of OverlapScores
        One for each image.
    n_resamples, level, seed
        As for `bootstrap_intervals`.

    Returns
    -------
    dict of str to tuple of float
        Low and high end of what `OverlapScores.to_dict` names, pooled as by
        `aggregate_overlaps`.

    Raises
    ------
    InputError
        If there is no image, the thresholds differ, or a number is out of its bounds.
    """
    thresholds = aggregate_overlaps(scores).thresholds  # checks them
    times = _resamples(len(scores), n_resamples, level, seed)
    tp = times @ np.array([one.tp for one in scores])
    iou_sums = times @ np.array([one.iou_sums for one in scores])
    cells = times @ np.array([one.predicted_count + one.true_count for one in scores])
    pixels = np.array([one.predicted_pixels + one.true_pixels for one in scores])
    shared = np.array([one.shared_pixels for one in scores])
    pooled = {"dice": _divided(2 * times @ shared, times @ pixels)}
    precisions = [_divided(column, cells - column) for column in tp.T]
    pooled["map"] = np.mean(precisions, axis=0)
    for name, columns in (
        ("ap", precisions),
        ("f1", [_divided(2 * column, cells) for column in tp.T]),
        ("pq", [_divided(2 * column, cells) for column in iou_sums.T]),
    ):
        for threshold, column in zip(thresholds, columns, strict=True):
            pooled[f"{name}_{threshold:g}"] = column
    return {name: _interval(values, level) for name, values in pooled.items()}


def _resamples(n: int, n_resamples: int, level: float, seed: int) -> NDArray[np.int64]:
    """Return how often each of n images is in each resample."""
    check_bounds("n_resamples", n_resamples, 1, None)
    check_bounds("level", level, 0, 1)
    return np.random.default_rng(seed).multinomial(
        n, np.full(n, 1 / n), size=n_resamples
    )


def _ratios(
    scores: Sequence[Scores], times: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return the scores that follow from summed counts, for each resample."""
    counts = np.array([(one.tp, one.fp, one.fn) for one in scores])
    tp, fp, fn = (times @ counts).T
    return {
        "f1": _divided(2 * tp, 2 * tp + fp + fn),
        "precision": _divided(tp, tp + fp),
        "recall": _divided(tp, tp + fn),
        "accuracy": _divided(tp, tp + fp + fn),
    }


def _errors(
    scores: Sequence[Scores], times: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return the errors of the counts, for each resample."""
    true = np.array([one.true_count for one in scores])
    error = np.array([one.predicted_count for one in scores]) - true
    is_known = true > 0
    relative = np.where(is_known, error / np.maximum(true, 1), 0.0)
    return {
        "mae": times @ np.abs(error) / len(scores),
        "medae": _medians(np.abs(error), times),
        "mpe": _divided(times @ relative, times @ is_known),
    }


def _divided(
    part: NDArray[np.number[Any]], whole: NDArray[np.number[Any]]
) -> NDArray[np.float64]:
    """Divide; NaN where the whole is 0."""
    ratios = np.full(len(part), np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios


def _medians(
    values: NDArray[np.int64], times: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the median of each resample."""
    n = len(values)
    order = np.argsort(values)
    reached = np.cumsum(times[:, order], axis=1)
    # The one or two in the middle are the first ones with that many up to them.
    middle = [(reached > place).argmax(axis=1) for place in ((n - 1) // 2, n // 2)]
    medians: NDArray[np.float64] = values[order][middle].mean(axis=0)
    return medians


def _interval(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if 2 * len(known) < len(values):
        return (np.nan, np.nan)
    low, high = np.quantile(known, (0.5 - level / 2, 0.5 + level / 2))
    return (float(low), float(high))

"""How the count depends on the threshold, and thresholds chosen from that."""

from collections.abc import Generator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Mask
from napari_cresunet.errors import InputError
from napari_cresunet.segmentation._cells import Cells
from napari_cresunet.segmentation._live import LiveSegmenter
from napari_cresunet.steps import Step

HALVING_CHANGE = 0.05
"""A plateau over which the count changes by this part is worth half its width."""


def iter_count_curve(
    probability: ArrayLike,
    thresholds: ArrayLike,
    *,
    min_size: int | None,
    preset: str | None = None,
    min_distance: int | None = None,
    region: Mask | None = None,
) -> Generator[Step, None, NDArray[np.intp]]:
    """Count the cells at many thresholds.

    Parameters
    ----------
    probability : array_like of shape (..., Y, X), float
        Probability of "cell".
    thresholds : array_like of shape (N,)
        Each in [0, 1].
    min_size, preset, min_distance : optional
        As for `segment`.
    region : ndarray of bool, optional
        Count only cells whose centroid, rounded to whole px, lies in this mask, of the
        shape of `probability` or of one plane. Cells are found in the whole image all
        the same, so that none is cut at the region's border.

    Returns
    -------
    generator of Step
        One step for each threshold; returns the counts, an ndarray of shape (N,).

    Notes
    -----
    Raises `InputError` at once if `segment` would refuse an argument or `region` has
    another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_cresunet.steps import drain
    >>> probability = np.zeros((20, 40))
    >>> probability[5:15, 5:15] = 0.9
    >>> probability[5:15, 25:35] = 0.6
    >>> drain(iter_count_curve(probability, [0.5, 0.7, 0.9], min_size=40)).tolist()
    [2, 1, 0]
    """
    live = LiveSegmenter(probability, preset=preset, min_distance=min_distance)
    values = [float(value) for value in np.ravel(np.asarray(thresholds))]
    for value in values:
        live.iter_cells(value, min_size)
    masks = None if region is None else _region_planes(region, live.shape)
    return _iter_counts(live, values, min_size, masks)


def _iter_counts(
    live: LiveSegmenter,
    thresholds: list[float],
    min_size: int | None,
    masks: NDArray[np.bool_] | None,
) -> Generator[Step, None, NDArray[np.intp]]:
    counts = np.zeros(len(thresholds), dtype=np.intp)
    for i, threshold in enumerate(thresholds):
        for plane, cells in enumerate(live.iter_cells(threshold, min_size)):
            if masks is None:
                counts[i] += cells.count
            else:
                counts[i] += _count_inside(cells, masks[plane])
        yield Step(done=i + 1, total=len(thresholds))
    return counts


def _region_planes(region: Mask, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.asarray(region, dtype=bool)
    if mask.shape not in (shape, shape[-2:]):
        raise InputError(
            f"`region` must have the shape {shape} of the probability map or that of "
            f"one plane, got {mask.shape}."
        )
    return np.broadcast_to(mask, shape).reshape(-1, *shape[-2:])


def _count_inside(cells: Cells, mask: NDArray[np.bool_]) -> int:
    center = cells.centers()
    y, x = np.floor(np.array(center) + 0.5).astype(np.intp)
    return int(np.count_nonzero(mask[y, x]))


def plateau(thresholds: ArrayLike, counts: ArrayLike) -> tuple[float, float]:
    """Find the interval of thresholds over which the count is most stable.

    The widest interval over which the count changes least: the one with the largest
    width / (1 + change / 5 %), where the change is the difference of its highest and
    lowest count as a part of the highest. Thresholds without any cell are left out.

    Parameters
    ----------
    thresholds : array_like of shape (N,)
        Ascending, at least two.
    counts : array_like of shape (N,)
        Number of cells at each.

    Returns
    -------
    low, high : float
        Two of the thresholds; the lowest and the highest one where no cell is found or
        only at single thresholds.

    Notes
    -----
    Raises `InputError` if the two differ in length, are shorter than two, or the
    thresholds do not ascend.

    Examples
    --------
    >>> plateau([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [90, 41, 40, 40, 39, 12])
    (0.2, 0.5)
    """
    values, numbers = _as_curve(thresholds, counts, 2)
    best, found = 0.0, (float(values[0]), float(values[-1]))
    for first in range(len(values) - 1):
        highest = np.maximum.accumulate(numbers[first:])
        lowest = np.minimum.accumulate(numbers[first:])
        change = (highest - lowest) / np.maximum(highest, 1)
        worth = (values[first:] - values[first]) / (1 + change / HALVING_CHANGE)
        worth[lowest == 0] = 0
        last = int(np.argmax(worth))
        if worth[last] > best:
            best = float(worth[last])
            found = float(values[first]), float(values[first + last])
    return found


def threshold_for_count(
    thresholds: ArrayLike, counts: ArrayLike, count: float
) -> float:
    """Find the threshold that gives a count, as that of a hand-counted area.

    Parameters
    ----------
    thresholds : array_like of shape (N,)
        Ascending, at least one.
    counts : array_like of shape (N,)
        Number of cells at each.
    count : float
        The count wanted.

    Returns
    -------
    float
        Middle of the widest interval of thresholds that all give the count nearest to
        the one wanted; of equally wide ones the lowest.

    Notes
    -----
    Raises `InputError` if the two differ in length, are empty, or the thresholds do not
    ascend.

    Examples
    --------
    >>> threshold_for_count([0.1, 0.2, 0.3, 0.4, 0.5], [9, 5, 4, 4, 2], 4)
    0.35
    """
    values, numbers = _as_curve(thresholds, counts, 1)
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1) != 0)
    stops = np.r_[starts[1:], len(numbers)] - 1
    misses = np.abs(numbers[starts] - count)
    nearest = np.flatnonzero(misses == misses.min())
    widths = (values[stops] - values[starts])[nearest]
    widest = nearest[np.argmax(widths)]
    return float((values[starts[widest]] + values[stops[widest]]) / 2)


def _as_curve(
    thresholds: ArrayLike, counts: ArrayLike, shortest: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = np.asarray(thresholds, dtype=float)
    numbers = np.asarray(counts, dtype=float)
    if values.ndim != 1 or values.shape != numbers.shape or len(values) < shortest:
        raise InputError(
            f"`thresholds` and `counts` must be two lists of {shortest} or more "
            f"numbers each, got shapes {values.shape} and {numbers.shape}."
        )
    if not (np.diff(values) > 0).all():
        raise InputError("`thresholds` must ascend; sort them together with `counts`.")
    return values, numbers

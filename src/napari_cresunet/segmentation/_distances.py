"""Exact squared distance to the background for many regions at once."""

from typing import Any

import numpy as np
from edt import edtsq
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._runs import Regions

FAR = 46340
"""Px that stand for "no background in this row": its square fits into int32."""

LARGE = 181
"""Px of a box's diagonal from which on `edt` is faster."""

FLOAT32_INTEGERS = 2**24
"""Below this, float32 holds every integer."""


def squared_distances(regions: Regions, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Return each pixel's squared distance to the nearest background pixel.

    Parameters
    ----------
    regions : Regions
        At least one.
    shape : tuple of int
        Size of the plane. There is no background beyond its edge, but some within.

    Returns
    -------
    ndarray of int32
        For every pixel of the regions, run by run. Distances must be below 46,341 px.
    """
    boxes = regions.boxes
    is_large = ((boxes[:, 2:] - boxes[:, :2]) ** 2).sum(axis=1) >= LARGE**2
    if not is_large.any():
        return _of_small(regions, shape)
    squared = np.empty(regions.areas.sum(), dtype=np.int32)
    owners = np.repeat(is_large, regions.areas)
    if not is_large.all():
        squared[~owners] = _of_small(regions.take(np.flatnonzero(~is_large)), shape)
    large = np.flatnonzero(is_large)
    squared[owners] = np.concatenate(
        [_of_large(regions.take(large[i : i + 1]), shape) for i in range(len(large))]
    )
    return squared


def _of_small(regions: Regions, shape: tuple[int, int]) -> NDArray[np.int32]:
    size = int(regions.areas.sum())
    return _squared_distances(regions.runs, regions.offsets, regions.boxes, shape, size)


@compiled
def _squared_distances(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    boxes: Indices,
    shape: tuple[int, int],
    size: int,
) -> NDArray[np.int32]:
    """Return the squared distances of regions that are not large."""
    # Along rows from the ends of the runs, then up and down from each pixel while that
    # can still be nearer: for cells faster than algorithms whose time does not grow
    # with the distance.
    rows, columns, lengths = runs
    squared = np.empty(size, dtype=np.int32)
    pixel = 0
    for region in range(len(boxes)):
        top, left, bottom, right = boxes[region]
        # One row of background above and below, where there is any.
        first = max(top - 1, 0)
        along = np.zeros((min(bottom + 1, shape[0]) - first, right - left), np.int32)
        for run in range(offsets[region], offsets[region + 1]):
            row, column, length = rows[run] - first, columns[run], lengths[run]
            for i in range(length):
                before = FAR if column == 0 else i + 1
                after = FAR if column + length == shape[1] else length - i
                distance = min(before, after)
                along[row, column - left + i] = distance * distance
        for run in range(offsets[region], offsets[region + 1]):
            start = columns[run] - left
            for column in range(start, start + lengths[run]):
                squared[pixel] = _down_column(along, rows[run] - first, column)
                pixel += 1
    return squared


@compiled
def _down_column(along: NDArray[np.int32], row: int, column: int) -> int:
    """Return the least of a column's values plus their squared distance to a pixel."""
    nearest = int(along[row, column])
    step = 1
    while step * step < nearest:
        above, below = row - step, row + step
        if above >= 0:
            nearest = min(nearest, along[above, column] + step * step)
        if below < len(along):
            nearest = min(nearest, along[below, column] + step * step)
        step += 1
    return nearest


def _of_large(region: Regions, shape: tuple[int, int]) -> NDArray[Any]:
    """Return the squared distances of one region's pixels."""
    top, left, bottom, right = region.boxes[0]
    top, left = max(top - 1, 0), max(left - 1, 0)
    bottom, right = min(bottom + 1, shape[0]), min(right + 1, shape[1])
    crop = np.zeros((bottom - top, right - left), dtype=bool)
    own = region.flat_pixels(right - left) - top * (right - left) - left
    crop.ravel()[own] = True
    squared = edtsq(crop)
    if squared.max() >= FLOAT32_INTEGERS:
        from scipy import ndimage

        squared = np.rint(ndimage.distance_transform_edt(crop) ** 2)
    distances: NDArray[Any] = squared.ravel()[own]
    return distances

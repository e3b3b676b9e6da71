"""Exact squared distance to the background for many regions at once."""

from functools import partial
from typing import Any

import numpy as np
from edt import edtsq
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._runs import Regions, offsets_of

FAR = 46340
"""Px that stand for "no background in this row": its square fits into int32."""

LARGE = 181
"""Px of a box's diagonal from which on `edt` is faster. In smaller boxes, squared
distances to the ends of runs, and sums of two of them, fit `int16`."""

FRAME = 1
"""Px of background around each box of `framed_distances`."""

SQUARES = np.arange(1, LARGE + 1, dtype=np.int16) ** 2
FALLING_SQUARES = SQUARES[::-1].copy()
"""Squared distances of the pixels of a run from what is before it, and after it."""

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
    sides = regions.boxes[:, 2:] - regions.boxes[:, :2]
    is_large = (sides**2).sum(axis=1) >= LARGE**2
    is_framed = ~is_large & is_inside(regions.boxes, shape)
    if is_framed.all():
        return _of_framed(regions)
    squared = np.empty(regions.areas.sum(), dtype=np.int32)
    for which, ways in (
        (is_framed, _of_framed),
        (~is_large & ~is_framed, partial(_of_small, shape=shape)),
        (is_large, partial(_of_large, shape=shape)),
    ):
        if which.any():
            part = regions.take(np.flatnonzero(which))
            squared[np.repeat(which, regions.areas)] = ways(part)
    return squared


def is_inside(boxes: Indices, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which boxes have background on all sides, and not the edge of the plane.

    Parameters
    ----------
    boxes : ndarray of shape (N, 4)
        Top, left, bottom and right.
    shape : tuple of int
        Size of the plane.

    Returns
    -------
    ndarray of bool, shape (N,)
        One for each box.
    """
    return np.asarray(
        (boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < shape).all(axis=1)
    )


def framed_distances(regions: Regions) -> tuple[NDArray[np.int16], Indices]:
    """Return the squared distances to the background in the boxes of regions.

    Parameters
    ----------
    regions : Regions
        Smaller than `LARGE`, and inside.

    Returns
    -------
    heights : ndarray of int16
        The boxes, each in a frame of background, row by row and one after the other.
    bounds : ndarray of intp, shape (N + 1,)
        Where each one starts, and where the last one ends.
    """
    sides = regions.boxes[:, 2:] - regions.boxes[:, :2] + 2 * FRAME
    bounds = offsets_of(sides.prod(axis=1))
    return _framed(regions.runs, regions.offsets, regions.boxes, bounds), bounds


@compiled
def _framed(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    boxes: Indices,
    bounds: Indices,
) -> NDArray[np.int16]:
    # All rows are lowered at once, by all rows that are one px, then two px away, and
    # so on: many operations, but on many pixels at a time. Rows nearer than that to
    # the frame, which has been reached before, cannot be lowered any more.
    heights = np.empty(bounds[-1], dtype=np.int16)
    along = np.empty(np.max(bounds[1:] - bounds[:-1]), dtype=np.int16)
    for region in range(len(boxes)):
        top, left, bottom, right = boxes[region]
        width, height = right - left + 2 * FRAME, bottom - top + 2 * FRAME
        own = heights[bounds[region] : bounds[region + 1]]
        lines = along[: len(own)]
        owned = offsets[region : region + 2]
        highest = _draw(lines, runs, owned, (top, left, width))
        for i in range(len(own)):
            own[i] = lines[i]
        step = 1
        while step * step < highest and 2 * step < height:
            inner = own[step * width : (height - step) * width]
            below = lines[2 * step * width :]
            highest = int(_lower(inner, lines, below, np.int16(step * step)))
            step += 1
    return heights


@compiled
def _draw(
    along: NDArray[np.int16],
    runs: tuple[Indices, Indices, Indices],
    owned: Indices,
    place: tuple[int, int, int],
) -> int:
    """Write the squared distance to the nearest end of a pixel's run."""
    rows, columns, lengths = runs
    top, left, width = place
    for i in range(len(along)):
        along[i] = 0
    longest = 0
    for run in range(owned[0], owned[1]):
        longest = max(longest, (lengths[run] + 1) // 2)
        start = (rows[run] - top + FRAME) * width + columns[run] - left + FRAME
        line = along[start : start + lengths[run]]
        falling = FALLING_SQUARES[LARGE - len(line) :]
        for i in range(len(line)):
            line[i] = min(SQUARES[i], falling[i])
    return longest * longest


# A loop over whole arrays, of which the compiler makes operations on many numbers.
@compiled
def _lower(
    heights: NDArray[np.int16],
    above: NDArray[np.int16],
    below: NDArray[np.int16],
    more: np.int16,
) -> np.int16:
    """Lower heights to those above and below plus some; returns what is highest now."""
    highest = np.int16(0)
    for i in range(len(heights)):
        height = min(heights[i], np.int16(min(above[i], below[i]) + more))
        heights[i] = height
        highest = max(highest, height)
    return highest


def _of_framed(regions: Regions) -> NDArray[np.int32]:
    heights, bounds = framed_distances(regions)
    size = int(regions.areas.sum())
    return _unframed(
        heights, bounds, regions.runs, (regions.offsets, regions.boxes), size
    )


@compiled
def _unframed(
    heights: NDArray[np.int16],
    bounds: Indices,
    runs: tuple[Indices, Indices, Indices],
    regions: tuple[Indices, Indices],
    size: int,
) -> NDArray[np.int32]:
    """Return the pixels of the regions, run by run."""
    (rows, columns, lengths), (offsets, boxes) = runs, regions
    squared = np.empty(size, dtype=np.int32)
    pixel = 0
    for region in range(len(boxes)):
        top, left, _, right = boxes[region]
        width = right - left + 2 * FRAME
        own = heights[bounds[region] : bounds[region + 1]]
        for run in range(offsets[region], offsets[region + 1]):
            start = (rows[run] - top + FRAME) * width + columns[run] - left + FRAME
            for i in range(lengths[run]):
                squared[pixel + i] = own[start + i]
            pixel += lengths[run]
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


def _of_large(regions: Regions, shape: tuple[int, int]) -> NDArray[Any]:
    which = np.arange(len(regions))
    return np.concatenate(
        [_of_one(regions.take(which[i : i + 1]), shape) for i in which]
    )


def _of_one(region: Regions, shape: tuple[int, int]) -> NDArray[Any]:
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

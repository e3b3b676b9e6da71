"""Exact squared distance to the background for many regions at once."""

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
        At least one; none may fill the plane.
    shape : tuple of int
        Size of the plane. There is no background beyond its edge.

    Returns
    -------
    ndarray of int32
        For every pixel of the regions, run by run. Distances must be below 46,341 px.
    """
    large = are_large(regions)
    if not large.any():
        return _unframed(regions, *framed_distances(regions, shape))
    squared = np.empty(regions.areas.sum(), dtype=np.int32)
    which = np.flatnonzero(~large)
    if len(which):
        small = regions.take(which)
        is_small = np.repeat(~large, regions.areas)
        squared[is_small] = _unframed(small, *framed_distances(small, shape))
    ends = offsets_of(regions.areas)
    for i in np.flatnonzero(large):
        one = regions.take(np.array([i]))
        own = _unframed(one, *framed_distances_of_large(one, shape))
        squared[ends[i] : ends[i + 1]] = own
    return squared


def are_large(regions: Regions) -> NDArray[np.bool_]:
    """Tell which regions are too large for `framed_distances`."""
    sides = regions.boxes[:, 2:] - regions.boxes[:, :2]
    return np.asarray((sides**2).sum(axis=1) >= LARGE**2)


def framed_distances(
    regions: Regions, shape: tuple[int, int]
) -> tuple[NDArray[np.int16], Indices]:
    """Return the squared distances to the background in the boxes of regions.

    Parameters
    ----------
    regions : Regions
        None of them large; none may fill the plane.
    shape : tuple of int
        Size of the plane. There is no background beyond its edge.

    Returns
    -------
    heights : ndarray of int16
        The boxes, each in a frame of zeros, row by row and one after the other.
    bounds : ndarray of intp, shape (N + 1,)
        Where each one starts, and where the last one ends.
    """
    sides = regions.boxes[:, 2:] - regions.boxes[:, :2] + 2 * FRAME
    bounds = offsets_of(sides.prod(axis=1))
    heights = _framed(regions.runs, regions.offsets, regions.boxes, bounds, shape)
    return heights, bounds


def framed_distances_of_large(
    region: Regions, shape: tuple[int, int]
) -> tuple[NDArray[np.int32], Indices]:
    """Return the squared distances to the background in the box of one large region.

    Parameters
    ----------
    region : Regions
        One region, that does not fill the plane.
    shape : tuple of int
        Size of the plane. There is no background beyond its edge.

    Returns
    -------
    tuple of ndarray
        As of `framed_distances`, but int32.
    """
    (box,) = region.boxes
    low, high = box[:2] - FRAME, box[2:] + FRAME
    heights = np.zeros(high - low, dtype=np.int32)
    # The part of the frame that is beyond the edge is no background.
    within = tuple(
        slice(max(0, -one), min(other, length) - one)
        for one, other, length in zip(low, high, shape, strict=True)
    )
    mask = np.zeros(heights.shape, dtype=bool)
    width = high[1] - low[1]
    mask.ravel()[region.flat_pixels(width) - low[0] * width - low[1]] = True
    crop = np.ascontiguousarray(mask[within])
    squared = edtsq(crop)
    if squared.max() >= FLOAT32_INTEGERS:
        from scipy import ndimage

        squared = np.rint(ndimage.distance_transform_edt(crop) ** 2)
    heights[within] = squared
    return heights.ravel(), np.array([0, heights.size])


@compiled
def _framed(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    boxes: Indices,
    bounds: Indices,
    shape: tuple[int, int],
) -> NDArray[np.int16]:
    heights = np.empty(bounds[-1], dtype=np.int16)
    along = np.empty(np.max(bounds[1:] - bounds[:-1]), dtype=np.int16)
    for region in range(len(boxes)):
        top, left, bottom, right = boxes[region]
        own = heights[bounds[region] : bounds[region + 1]]
        owned = offsets[region : region + 2]
        if top and left and bottom < shape[0] and right < shape[1]:
            place = top, left, right - left + 2 * FRAME
            _set_within(own, along[: len(own)], runs, owned, place)
        else:
            _set_at_edge(own, runs, owned, boxes[region], shape)
    return heights


@compiled
def _set_within(
    heights: NDArray[np.int16],
    lines: NDArray[np.int16],
    runs: tuple[Indices, Indices, Indices],
    owned: Indices,
    place: tuple[int, int, int],
) -> None:
    """Write the squared distances of a region that has background on all sides."""
    # All rows are lowered at once, by all rows that are one px, then two px away, and
    # so on: many operations, but on many pixels at a time. Rows nearer than that to
    # the frame, which has been reached before, cannot be lowered any more.
    width = place[2]
    height = len(heights) // width
    highest = _draw(lines, runs, owned, place)
    for i in range(len(heights)):
        heights[i] = lines[i]
    step = 1
    while step * step < highest and 2 * step < height:
        inner = heights[step * width : (height - step) * width]
        below = lines[2 * step * width :]
        highest = int(_lower(inner, lines, below, np.int16(step * step)))
        step += 1


@compiled
def _set_at_edge(
    heights: NDArray[np.int16],
    runs: tuple[Indices, Indices, Indices],
    owned: Indices,
    box: Indices,
    shape: tuple[int, int],
) -> None:
    """Write the squared distances of a region at the edge of the plane."""
    top, left, bottom, right = box
    width = right - left + 2 * FRAME
    # One row of background above and below, where there is any.
    first, last = max(top - FRAME, 0), min(bottom + FRAME, shape[0])
    along = np.zeros((last - first) * width, np.int32)
    for run in range(owned[0], owned[1]):
        row, column, length = runs[0][run] - first, runs[1][run], runs[2][run]
        start = row * width + column - left + FRAME
        for i in range(length):
            before = FAR if column == 0 else i + 1
            after = FAR if column + length == shape[1] else length - i
            distance = min(before, after)
            along[start + i] = distance * distance
    lowered = along.copy()
    step, down = 1, width
    while step * step < np.max(lowered) and down < len(along):
        _lower_to(lowered[:-down], along[down:], np.int32(step * step))
        _lower_to(lowered[down:], along[:-down], np.int32(step * step))
        step, down = step + 1, down + width
    for i in range(len(heights)):
        heights[i] = 0
    start = (first - top + FRAME) * width
    for i in range(len(lowered)):
        heights[start + i] = lowered[i]


@compiled
def _lower_to(
    heights: NDArray[np.int32], others: NDArray[np.int32], more: np.int32
) -> None:
    for i in range(len(heights)):
        heights[i] = min(heights[i], others[i] + more)


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


def _unframed(
    regions: Regions, heights: NDArray[np.signedinteger[Any]], bounds: Indices
) -> NDArray[np.int32]:
    """Return the pixels of the regions, run by run."""
    size = int(regions.areas.sum())
    return _taken_out(
        heights, bounds, regions.runs, (regions.offsets, regions.boxes), size
    )


@compiled
def _taken_out(
    heights: NDArray[np.signedinteger[Any]],
    bounds: Indices,
    runs: tuple[Indices, Indices, Indices],
    regions: tuple[Indices, Indices],
    size: int,
) -> NDArray[np.int32]:
    offsets, boxes = regions
    squared = np.empty(size, dtype=np.int32)
    done = 0
    for region in range(len(boxes)):
        own = heights[bounds[region] : bounds[region + 1]]
        owned = offsets[region : region + 2]
        done += take_out(squared[done:], own, runs, owned, boxes[region])
    return squared


@compiled
def take_out(
    values: NDArray[np.int32],
    framed: NDArray[np.signedinteger[Any]],
    runs: tuple[Indices, Indices, Indices],
    owned: Indices,
    box: Indices,
) -> int:
    """Copy the pixels of a region's runs from its framed box; returns how many."""
    rows, columns, lengths = runs
    width = box[3] - box[1] + 2 * FRAME
    count = 0
    for run in range(owned[0], owned[1]):
        start = (rows[run] - box[0] + FRAME) * width + columns[run] - box[1] + FRAME
        for i in range(lengths[run]):
            values[count + i] = framed[start + i]
        count += lengths[run]
    return count

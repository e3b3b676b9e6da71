"""Loops over runs and pixels that numpy has no words for, compiled by numba.

The machine code is kept in numba's cache, so that only the first call after an
installation waits for the compiler. All of it is in one file, because the cache looks
at nothing else to tell whether it is still true.
"""

import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

FAR = 46340
"""Px that stand for "no background in this row": its square fits into int32."""

TIE_BREAK = 1e-6
"""By less than this, in px, markers are raised so that no two are equally high."""


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a function when it is first called."""
    made: Callable[Arguments, Result] = numba.njit(cache=True, nogil=True)(function)
    return made


@compiled
def _root(parents: Indices, node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def _join(parents: Indices, one: int, other: int) -> None:
    # The lower node stays root, so that components are in order of their first node.
    one, other = _root(parents, one), _root(parents, other)
    parents[max(one, other)] = min(one, other)


@compiled
def _components(parents: Indices) -> NDArray[np.int32]:
    labels = np.empty(len(parents), dtype=np.int32)
    count = 0
    for node in range(len(parents)):
        if parents[node] == node:
            labels[node] = count
            count += 1
        else:
            labels[node] = labels[parents[node]]
    return labels


@compiled
def connect(starts: Indices, stops: Indices, stride: int) -> NDArray[np.int32]:
    """Label runs that overlap with runs of the next row.

    Parameters
    ----------
    starts, stops : ndarray of intp
        Ascending flat indices of each run's first pixel, and of the one after its last.
    stride : int
        Px of a row; the last one is in no run.

    Returns
    -------
    ndarray of int32
        Region of each run, numbered from 0 in order of the first run.
    """
    parents = np.arange(len(starts))
    above = 0
    for run in range(len(starts)):
        while stops[above] <= starts[run] - stride:
            above += 1
        other = above
        while starts[other] < stops[run] - stride:
            _join(parents, other, run)
            other += 1
    return _components(parents)


@compiled
def connect_boxes(boxes: Indices, reach: int) -> NDArray[np.int32]:
    """Label boxes that have pixels within `reach` rows and columns of each other.

    Parameters
    ----------
    boxes : ndarray of shape (N, 4)
        Top, left, bottom and right, the last two exclusive, in order of the top.
    reach : int
        Px, at least 1.

    Returns
    -------
    ndarray of int32
        Cluster of each box, numbered from 0 in order of the first box.
    """
    parents = np.arange(len(boxes))
    for one in range(len(boxes)):
        _, left, bottom, right = boxes[one]
        for other in range(one + 1, len(boxes)):
            if boxes[other, 0] >= bottom + reach:
                break
            if left - boxes[other, 3] < reach and boxes[other, 1] - right < reach:
                _join(parents, one, other)
    return _components(parents)


@compiled
def squared_distances_of_small(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    boxes: Indices,
    shape: tuple[int, int],
) -> NDArray[np.int32]:
    """Return each pixel's squared distance to the nearest background pixel.

    Parameters
    ----------
    runs : tuple of ndarray of intp
        Row, first column and length of each run.
    offsets : ndarray of intp
        Region i owns the runs from offsets[i] up to offsets[i + 1].
    boxes : ndarray of shape (N, 4)
        Top, left, bottom and right of each region, the last two exclusive.
    shape : tuple of int
        Size of the plane. There is no background beyond its edge, but some within.

    Returns
    -------
    ndarray of int32
        For every pixel of the regions, run by run.

    Notes
    -----
    Along rows from the ends of the runs, then up and down from each pixel while that
    can still be nearer: for cells faster than algorithms whose time does not grow with
    the distance.
    """
    rows, columns, lengths = runs
    squared = np.empty(_total(lengths, 0, len(lengths)), dtype=np.int32)
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
def _total(values: Indices, low: int, high: int) -> int:
    total = 0
    for i in range(low, high):
        total += values[i]
    return total


@compiled
def _down_column(along: NDArray[np.int32], row: int, column: int) -> int:
    """Return the least of a column's values plus their squared distance to a pixel."""
    nearest = along[row, column]
    step = 1
    while step * step < nearest:
        above, below = row - step, row + step
        if above >= 0:
            nearest = min(nearest, along[above, column] + step * step)
        if below < len(along):
            nearest = min(nearest, along[below, column] + step * step)
        step += 1
    return nearest


@compiled
def number_cells(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    clusters: tuple[Indices, Indices],
    squared: NDArray[np.int32],
    recipe: tuple[int, int, int, int, int],
) -> NDArray[np.int32]:
    """Number the cells of every region.

    Parameters
    ----------
    runs : tuple of ndarray of intp
        Row, first column and length of each run.
    offsets : ndarray of intp
        Region i owns the runs from offsets[i] up to offsets[i + 1].
    clusters : tuple of ndarray of intp
        Offsets of the clusters into the regions, and the boxes of the clusters.
    squared : ndarray of int32
        Squared distance to the background of every pixel, run by run.
    recipe : tuple of int
        Distance between centers in px; or 0, and the sides of the maximum filter and of
        the square that a center is highest in; smallest marker in px; compactness.

    Returns
    -------
    ndarray of int32
        For every pixel, run by run: the number of its cell, counted from 1 in each
        region, or 0 in regions without marker.
    """
    min_distance, smoothing, window, min_marker_size, compactness = recipe
    cluster_offsets, boxes = clusters
    numbers = np.empty(len(squared), dtype=np.int32)
    low = 0
    for cluster in range(len(boxes)):
        one, end = cluster_offsets[cluster], cluster_offsets[cluster + 1]
        heights, places = _crop(
            runs, offsets[one], offsets[end], boxes[cluster], squared[low:]
        )
        if min_distance:
            is_marker = _peaks(heights, min_distance)
        else:
            is_marker = _smooth_peaks(heights, places, smoothing, window)
        labels = _label_markers(is_marker, places, heights.shape[1], min_marker_size)
        first = 0
        for region in range(one, end):
            last = first + _total(runs[2], offsets[region], offsets[region + 1])
            _number_region(heights, labels, places[first:last], compactness)
            first = last
        for i in range(len(places)):
            numbers[low + i] = labels[places[i]]
        low += len(places)
    return numbers


@compiled
def _crop(
    runs: tuple[Indices, Indices, Indices],
    first: int,
    last: int,
    box: Indices,
    squared: NDArray[np.int32],
) -> tuple[NDArray[np.int32], Indices]:
    """Paint a cluster; also returns the flat index of each of its pixels."""
    rows, columns, lengths = runs
    top, left, bottom, right = box
    # With a frame of background, so that every pixel has four neighbors.
    heights = np.zeros((bottom - top + 2, right - left + 2), dtype=np.int32)
    places = np.empty(_total(lengths, first, last), dtype=np.intp)
    count = 0
    for run in range(first, last):
        row, start = rows[run] - top + 1, columns[run] - left + 1
        for column in range(start, start + lengths[run]):
            heights[row, column] = squared[count]
            places[count] = row * heights.shape[1] + column
            count += 1
    return heights, places


@compiled
def _peaks(heights: NDArray[np.int32], min_distance: int) -> NDArray[np.bool_]:
    """Find the highest pixel of each square window, equally high ones thinned."""
    height, width = heights.shape
    is_peak = np.zeros(heights.shape, dtype=np.bool_)
    is_near = np.zeros(heights.shape, dtype=np.bool_)
    reach = min_distance - 1
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            # Most pixels are lower than a neighbor: no look at the whole window.
            value = heights[row, column]
            if (
                not value
                or heights[row - 1, column] > value
                or heights[row + 1, column] > value
                or heights[row, column - 1] > value
                or heights[row, column + 1] > value
                or is_near[row, column]
                or not _is_highest(heights, row, column, min_distance)
            ):
                continue
            is_peak[row, column] = True
            # Of equally high pixels that are nearer than the distance, the first stays.
            for y in range(row, min(row + reach + 1, height)):
                for x in range(max(column - reach, 0), min(column + reach + 1, width)):
                    is_near[y, x] = True
    return is_peak.ravel()


@compiled
def _is_highest(
    heights: NDArray[np.int32], row: int, column: int, reach: int
) -> bool:
    """Tell whether no pixel of a square window is higher than the one in its middle."""
    height, width = heights.shape
    value = heights[row, column]
    for y in range(max(row - reach, 0), min(row + reach + 1, height)):
        for x in range(max(column - reach, 0), min(column + reach + 1, width)):
            if heights[y, x] > value:
                return False
    return True


@compiled
def _smooth_peaks(
    heights: NDArray[np.int32], places: Indices, smoothing: int, window: int
) -> NDArray[np.bool_]:
    """Find the areas where the maximum filter is highest in its window."""
    filtered = window_max(heights, smoothing).ravel()
    smooth = np.zeros(heights.shape, dtype=np.int32)
    flat = smooth.ravel()
    for place in places:
        flat[place] = filtered[place]
    highest = window_max(smooth, window).ravel()
    is_marker = np.zeros(heights.size, dtype=np.bool_)
    for place in places:
        is_marker[place] = flat[place] == highest[place]
    return is_marker


@compiled
def window_max(image: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Return the maximum over a square window around each pixel.

    Parameters
    ----------
    image : ndarray of shape (Y, X), int32
        Not negative; beyond its edge everything is 0.
    size : int
        Side of the window in px. An even window reaches one px further up and left, as
        in scipy.

    Returns
    -------
    ndarray of shape (Y, X), int32
        The maxima.

    Notes
    -----
    Takes log2(size) passes in each direction, in which the processor works on many
    pixels at once.
    """
    height, width = image.shape
    before = size // 2
    # Window by window of 1, 2, 4, ... px, the last one of what is left; first down the
    # columns, then along the rows.
    tall = np.zeros((before + height, width), dtype=np.int32)
    for row in range(height):
        _copy(tall[before + row], image[row])
    reach = 1
    while reach < size:
        step = min(reach, size - reach)
        for row in range(len(tall) - step):
            _raise(tall[row], tall[row + step])
        reach += step
    maxima = np.empty((height, width), dtype=np.int32)
    line = np.empty(before + width, dtype=np.int32)
    moved = np.empty(before + width, dtype=np.int32)
    for row in range(height):
        line[:before] = 0
        _copy(line[before:], tall[row])
        reach = 1
        while reach < size:
            step = min(reach, size - reach)
            if step < len(line):
                _copy(moved[: len(line) - step], line[step:])
                _raise(line[: len(line) - step], moved[: len(line) - step])
            reach += step
        _copy(maxima[row], line[:width])
    return maxima


@compiled
def _raise(values: NDArray[np.int32], others: NDArray[np.int32]) -> None:
    for i in range(len(values)):
        values[i] = max(values[i], others[i])


@compiled
def _copy(values: NDArray[np.int32], others: NDArray[np.int32]) -> None:
    for i in range(len(values)):
        values[i] = others[i]


@compiled
def _label_markers(
    is_marker: NDArray[np.bool_], places: Indices, stride: int, min_size: int
) -> NDArray[np.int32]:
    """Number markers of connected pixels by their first one, without the small ones."""
    labels = np.zeros(len(is_marker), dtype=np.int32)
    found = np.empty(len(places), dtype=np.intp)
    count = 0
    for first in places:
        if not is_marker[first]:
            continue
        is_marker[first] = False
        found[0] = first
        done, size = 0, 1
        while done < size:
            place = found[done]
            done += 1
            for other in (place - stride, place - 1, place + 1, place + stride):
                if is_marker[other]:
                    is_marker[other] = False
                    found[size] = other
                    size += 1
        if size >= min_size:
            count += 1
            for i in range(size):
                labels[found[i]] = count
    return labels


@compiled
def _number_region(
    heights: NDArray[np.int32],
    labels: NDArray[np.int32],
    places: Indices,
    compactness: int,
) -> None:
    """Turn the markers of a region into its cells, in place."""
    seeds = np.empty(len(places), dtype=np.intp)
    size, lowest, highest = 0, 0, 0
    for place in places:
        label = labels[place]
        if label:
            # In order of their first pixel, so the first one is the lowest.
            lowest = lowest or label
            highest = max(highest, label)
            labels[place] = label - lowest + 1
            seeds[size] = place
            size += 1
    if lowest == highest:
        for place in places:
            labels[place] = min(size, 1)
    elif compactness:
        _flood_compactly(heights, labels, seeds[:size], len(places), compactness)
    else:
        _flood(heights, labels, seeds[:size])


@compiled
def _flood(
    heights: NDArray[np.int32], labels: NDArray[np.int32], seeds: Indices
) -> None:
    """Flood a region from its peaks, the highest pixels first, in place.

    The same order as in skimage.segmentation.watershed, whose cells these are: of
    equally high pixels the one that was reached first comes first. Heights are whole
    numbers, so each has a queue of its own.
    """
    stride = heights.shape[1]
    surface = heights.ravel()
    level = 0
    for seed in seeds:
        level = max(level, surface[seed])
    first, last = np.full(level + 1, -1), np.empty(level + 1, dtype=np.intp)
    following = np.empty(len(surface), dtype=np.intp)
    for seed in seeds:
        _append(first, last, following, surface[seed], seed)
    while level:
        place = first[level]
        if place < 0:
            level -= 1
            continue
        first[level] = following[place]
        for other in (place - stride, place - 1, place + 1, place + stride):
            if surface[other] and not labels[other]:
                labels[other] = labels[place]
                # Flooding goes on from what is flooded, so never higher than there.
                _append(first, last, following, min(surface[other], level), other)


@compiled
def _append(
    first: Indices, last: Indices, following: Indices, level: int, place: int
) -> None:
    """Add to the queue of a level."""
    if first[level] < 0:
        first[level] = place
    else:
        following[last[level]] = place
    last[level] = place
    following[place] = -1


@compiled
def _flood_compactly(
    heights: NDArray[np.int32],
    labels: NDArray[np.int32],
    seeds: Indices,
    area: int,
    compactness: int,
) -> None:
    """Flood a region from its markers, the highest and nearest pixels first, in place.

    As `_flood`, but heights are lowered by the distance from the seed, in px times the
    compactness. A pixel can be reached from each of its neighbors; the first counts.
    """
    stride = heights.shape[1]
    surface = heights.ravel()
    # What was reached, in that order; the heap holds indices into this.
    most = len(seeds) + 4 * area
    levels = np.empty(most)
    places, sources = np.empty(most, dtype=np.intp), np.empty(most, dtype=np.intp)
    heap = np.empty(most, dtype=np.intp)
    # The lowest level at which each pixel was reached.
    lowest = np.full(len(surface), np.inf)
    reached, waiting = 0, 0
    for rank in range(len(seeds)):
        seed = seeds[rank]
        raised = TIE_BREAK * (1 - rank / len(seeds))
        levels[reached] = -(math.sqrt(surface[seed]) + raised)
        places[reached] = sources[reached] = seed
        _push(heap, waiting, levels, reached)
        reached, waiting = reached + 1, waiting + 1
    while waiting:
        one = heap[0]
        waiting -= 1
        _pop(heap, waiting, levels)
        place, source = places[one], sources[one]
        if labels[place] and place != source:
            continue
        labels[place] = labels[source]
        for other in (place - stride, place - 1, place + 1, place + stride):
            if not surface[other] or labels[other]:
                continue
            down = other // stride - source // stride
            right = other - source - down * stride
            level = -math.sqrt(surface[other])
            level += compactness * math.sqrt(down * down + right * right)
            # Flooding goes on from what is flooded, so never higher than there.
            level = max(level, levels[one])
            if level < lowest[other]:
                lowest[other] = levels[reached] = level
                places[reached], sources[reached] = other, source
                _push(heap, waiting, levels, reached)
                reached, waiting = reached + 1, waiting + 1


@compiled
def _push(heap: Indices, size: int, levels: NDArray[np.float64], one: int) -> None:
    """Add to a binary heap of `size`."""
    child = size
    while child:
        parent = (child - 1) // 2
        other = heap[parent]
        if levels[one] > levels[other] or (levels[one] == levels[other] and one > other):
            break
        heap[child] = other
        child = parent
    heap[child] = one


@compiled
def _pop(heap: Indices, size: int, levels: NDArray[np.float64]) -> None:
    """Take the first one from a binary heap, and leave `size`."""
    last = heap[size]
    parent, child = 0, 1
    while child < size:
        one = heap[child]
        if child + 1 < size:
            other = heap[child + 1]
            if levels[other] < levels[one] or (
                levels[other] == levels[one] and other < one
            ):
                child, one = child + 1, other
        if levels[last] < levels[one] or (levels[last] == levels[one] and last < one):
            break
        heap[parent] = one
        parent, child = child, 2 * child + 1
    heap[parent] = last

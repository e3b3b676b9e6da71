"""Tell touching cells apart: distance transform, markers, watershed.

Nothing of what happens to a cluster depends on others. Markers of exactly the same
height, whose order scikit-image leaves to chance, flood in raster order.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._distances import (
    FRAME,
    LARGE,
    framed_distances,
    is_inside,
    squared_distances,
)
from napari_cresunet.segmentation._presets import Preset
from napari_cresunet.segmentation._runs import Clusters, Regions, offsets_of
from napari_cresunet.segmentation._side_by_side import side_by_side

TIE_BREAK = 1e-6
"""By less than this, in px, markers are raised so that no two are equally high."""

SOON = 32
"""How many high pixels before and after one in raster order are looked at."""

AT_ONCE = 256
"""Boxes of regions that are worked on together: few enough for the cache."""


def split(clusters: Clusters, preset: Preset, min_distance: int) -> NDArray[np.int32]:
    """Number the cells of every region.

    Parameters
    ----------
    clusters : Clusters
        At least one region; none may fill the plane.
    preset : Preset
        The recipe.
    min_distance : int
        Px between the centers of touching cells, for presets without windows.

    Returns
    -------
    ndarray of int32
        For every pixel of the regions, run by run: the number of its cell, counted from
        1 in each region, or 0 in regions without marker.
    """
    pixels = offsets_of(clusters.regions.areas)[clusters.offsets]
    parts = side_by_side(
        lambda first, last: _split(
            clusters.take(np.arange(first, last)), preset, min_distance
        ),
        pixels,
    )
    return np.concatenate(parts)


def _split(clusters: Clusters, preset: Preset, min_distance: int) -> NDArray[np.int32]:
    regions = clusters.regions
    if not len(regions):
        return np.zeros(0, dtype=np.int32)
    runs = regions.runs
    offsets = regions.offsets, offsets_of(regions.areas)
    squared = squared_distances(regions, clusters.shape)
    if preset.windows is None:
        return _split_at_peaks(runs, offsets, regions.boxes, squared, min_distance)
    recipe = (*preset.windows, preset.min_marker_size, preset.compactness)
    boxes = clusters.offsets, clusters.boxes
    return _split_at_smooth_peaks(runs, offsets, boxes, squared, recipe)


def are_single(
    regions: Regions, shape: tuple[int, int], min_distance: int
) -> NDArray[np.bool_]:
    """Tell which regions are one cell, as far as that can be told quickly.

    Parameters
    ----------
    regions : Regions
        At least one.
    shape : tuple of int
        Size of the plane.
    min_distance : int
        Px between the centers of touching cells, for presets without windows.

    Returns
    -------
    ndarray of bool
        False for the others, and where it is not known: for some crowds, for large
        regions, and at the edge of the plane.

    Notes
    -----
    A region with a single peak is one cell, whatever its pixels are.
    """
    boxes = regions.boxes
    is_small = ((boxes[:, 2:] - boxes[:, :2]) ** 2).sum(axis=1) < LARGE**2
    which = np.flatnonzero(is_small & is_inside(boxes, shape))
    single = np.zeros(len(regions), dtype=np.bool_)

    def tell(first: int, last: int) -> None:
        for start in range(first, last, AT_ONCE):
            some = which[start : min(start + AT_ONCE, last)]
            heights, bounds = framed_distances(regions.take(some))
            widths = boxes[some, 3] - boxes[some, 1] + 2 * FRAME
            single[some] = _have_one_peak(heights, bounds, widths, min_distance)

    side_by_side(tell, offsets_of(regions.areas[which]))
    return single


@compiled
def _have_one_peak(
    heights: NDArray[np.int16], bounds: Indices, widths: Indices, min_distance: int
) -> NDArray[np.bool_]:
    most = np.max(bounds[1:] - bounds[:-1])
    places = np.empty(most, dtype=np.intp)
    single = np.empty(len(widths), dtype=np.bool_)
    for region in range(len(widths)):
        own, width = heights[bounds[region] : bounds[region + 1]], widths[region]
        high = places[: _find_high(places, own, width)]
        single[region] = _is_one_peak(high, own, width, min_distance)
    return single


@compiled
def _find_high(
    places: Indices, heights: NDArray[np.signedinteger[Any]], width: int
) -> int:
    """Write the pixels that have no higher neighbor, and return how many there are."""
    first = width + 1
    size = len(heights) - 2 * first
    is_high = np.empty((size + 7) // 8 * 8, dtype=np.bool_)
    is_high[size:] = False
    _mark_high(is_high[:size], heights, width)
    count = 0
    # Few are high: eight pixels are looked at as one word.
    words = is_high.view(np.uint64)
    for word in range(len(words)):
        if words[word]:
            for i in range(8 * word, 8 * word + 8):
                # Without a branch, which could not be foreseen.
                places[count] = first + i
                count += is_high[i]
    return count


@compiled
def _mark_high(
    is_high: NDArray[np.bool_], heights: NDArray[np.signedinteger[Any]], width: int
) -> None:
    """Mark pixels without a higher neighbor, from the first one within the frame."""
    n = len(is_high)
    # A loop over whole arrays, of which the compiler makes operations on many pixels.
    above, own, below = heights, heights[width:], heights[2 * width :]
    for i in range(n):
        one = max(max(above[i], above[i + 1]), max(above[i + 2], own[i]))
        other = max(max(below[i], below[i + 1]), max(below[i + 2], own[i + 2]))
        is_high[i] = own[i + 1] >= max(max(one, other), np.int16(1))


@compiled
def _is_one_peak(
    places: Indices, heights: NDArray[np.int16], width: int, min_distance: int
) -> bool:
    """Tell whether of all pixels without a higher neighbor one is a peak."""
    highest = np.int16(0)
    for place in places:
        highest = max(highest, heights[place])
    first = -1
    for i in range(len(places)):
        place = places[i]
        if heights[place] < highest:
            # Most have a higher one near; others may be peaks of their own.
            if not _has_higher(places, heights, width, (i, min_distance)):
                return False
        elif first < 0:
            first = place
        elif not _is_near(place, first, width, min_distance - 1):
            return False
    return True


@compiled
def _has_higher(
    places: Indices,
    heights: NDArray[np.signedinteger[Any]],
    width: int,
    window: tuple[int, int],
) -> bool:
    """Tell whether a place in the window around one is higher, if it is soon found."""
    i, reach = window
    first, last = max(i - SOON, 0), min(i + SOON + 1, len(places))
    for other in places[first:last]:
        if heights[other] > heights[places[i]] and _is_near(
            other, places[i], width, reach
        ):
            return True
    return False


@compiled
def _is_near(one: int, other: int, width: int, reach: int) -> bool:
    down, right = one // width - other // width, one % width - other % width
    return abs(down) <= reach and abs(right) <= reach


@compiled
def _split_at_peaks(
    runs: tuple[Indices, Indices, Indices],
    offsets: tuple[Indices, Indices],
    boxes: Indices,
    squared: NDArray[np.int32],
    min_distance: int,
) -> NDArray[np.int32]:
    """Split regions, whose runs and pixels are given by offsets, one by one."""
    run_offsets, pixel_offsets = offsets
    numbers = np.empty(len(squared), dtype=np.int32)
    for region in range(len(boxes)):
        start, stop = pixel_offsets[region], pixel_offsets[region + 1]
        heights, places = _crop(
            runs, run_offsets[region], boxes[region], squared[start:stop]
        )
        is_peak, peaks = _peaks(heights, min_distance)
        labels = _label_markers(is_peak, peaks, heights.shape[1], 1)
        seeds, count = _rank_markers(labels, peaks)
        if count > 1:
            _flood(heights, labels, seeds)
        _write(numbers[start:stop], labels, places, count)
    return numbers


@compiled
def _split_at_smooth_peaks(
    runs: tuple[Indices, Indices, Indices],
    offsets: tuple[Indices, Indices],
    clusters: tuple[Indices, Indices],
    squared: NDArray[np.int32],
    recipe: tuple[int, int, int, int],
) -> NDArray[np.int32]:
    """Split the regions of clusters, which have markers in common windows."""
    smoothing, window, min_marker_size, compactness = recipe
    (run_offsets, pixel_offsets), (region_offsets, boxes) = offsets, clusters
    numbers = np.empty(len(squared), dtype=np.int32)
    for cluster in range(len(boxes)):
        one, end = region_offsets[cluster], region_offsets[cluster + 1]
        first, last = pixel_offsets[one], pixel_offsets[end]
        heights, places = _crop(
            runs, run_offsets[one], boxes[cluster], squared[first:last]
        )
        is_marker = _smooth_peaks(heights, places, smoothing, window)
        labels = _label_markers(is_marker, places, heights.shape[1], min_marker_size)
        known = np.zeros(heights.size, dtype=np.int32)
        for region in range(one, end):
            start, stop = pixel_offsets[region], pixel_offsets[region + 1]
            own = places[start - first : stop - first]
            seeds, count = _rank_markers(labels, own)
            if count > 1:
                _flood_compactly(heights, labels, seeds, known, len(own), compactness)
            _write(numbers[start:stop], labels, own, count)
    return numbers


@compiled
def _write(
    numbers: NDArray[np.int32], labels: NDArray[np.int32], places: Indices, count: int
) -> None:
    """Write the cells of a region that was flooded, or is its only marker's, if any."""
    for i in range(len(numbers)):
        numbers[i] = labels[places[i]] if count > 1 else count


@compiled
def _crop(
    runs: tuple[Indices, Indices, Indices],
    run: int,
    box: Indices,
    squared: NDArray[np.int32],
) -> tuple[NDArray[np.int32], Indices]:
    """Paint a cluster; also returns the flat index of each of its pixels."""
    rows, columns, lengths = runs
    top, left, bottom, right = box
    # With a frame of background, so that every pixel has four neighbors.
    heights = np.zeros((bottom - top + 2, right - left + 2), dtype=np.int32)
    places = np.empty(len(squared), dtype=np.intp)
    count = 0
    while count < len(squared):
        row, start = rows[run] - top + 1, columns[run] - left + 1
        for column in range(start, start + lengths[run]):
            heights[row, column] = squared[count]
            places[count] = row * heights.shape[1] + column
            count += 1
        run += 1
    return heights, places


@compiled
def _peaks(
    heights: NDArray[np.int32], min_distance: int
) -> tuple[NDArray[np.bool_], Indices]:
    """Find the highest pixel of each square window, as a mask and as flat indices."""
    height, width = heights.shape
    surface = heights.ravel()
    is_peak = np.zeros(heights.size, dtype=np.bool_)
    is_near = np.zeros(heights.shape, dtype=np.bool_)
    reach = min_distance - 1
    places = np.empty(heights.size, dtype=np.intp)
    high = places[: _find_high(places, surface, width)]
    peaks = np.empty(len(high), dtype=np.intp)
    count = 0
    for i in range(len(high)):
        place = high[i]
        row, column = place // width, place % width
        # Most have a higher one near: no look at the whole window.
        if (
            is_near[row, column]
            or _has_higher(high, surface, width, (i, min_distance))
            or not _is_highest(heights, row, column, min_distance)
        ):
            continue
        is_peak[place] = True
        peaks[count] = place
        count += 1
        # Of equally high pixels that are nearer than the distance, the first stays.
        for y in range(row, min(row + reach + 1, height)):
            for x in range(max(column - reach, 0), min(column + reach + 1, width)):
                is_near[y, x] = True
    return is_peak, peaks[:count]


@compiled
def _is_highest(heights: NDArray[np.int32], row: int, column: int, reach: int) -> bool:
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
    filtered = _window_max(heights, smoothing).ravel()
    smooth = np.zeros(heights.shape, dtype=np.int32)
    flat = smooth.ravel()
    for place in places:
        flat[place] = filtered[place]
    highest = _window_max(smooth, window).ravel()
    is_marker = np.zeros(heights.size, dtype=np.bool_)
    for place in places:
        is_marker[place] = flat[place] == highest[place]
    return is_marker


@compiled
def _window_max(image: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Return the maximum over a square window around each pixel; beyond is only 0."""
    height, width = image.shape
    # An even window reaches one px further up and left, as in scipy.
    before = size // 2
    # Windows of 1, 2, 4, ... px, the last one of what is left, down the columns, then
    # along the rows: few passes, in which the processor works on many pixels at once.
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


# Loops, because numba takes seconds to compile an assignment to a slice.
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
def _rank_markers(labels: NDArray[np.int32], places: Indices) -> tuple[Indices, int]:
    """Number a region's markers from 1, in place; returns their pixels and number."""
    # Labels are in order of their first pixel, so the first one is the lowest.
    seeds = np.empty(len(places), dtype=np.intp)
    size, lowest, count = 0, 0, 0
    for place in places:
        if labels[place]:
            lowest = lowest or labels[place]
            labels[place] -= lowest - 1
            count = max(count, labels[place])
            seeds[size] = place
            size += 1
    return seeds[:size], count


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
    first = np.full(level + 1, -1, dtype=np.int32)
    last = np.empty(level + 1, dtype=np.int32)
    following = np.empty(len(surface), dtype=np.int32)
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
    first: NDArray[np.int32],
    last: NDArray[np.int32],
    following: NDArray[np.int32],
    level: int,
    place: int,
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
    known: NDArray[np.int32],
    area: int,
    compactness: int,
) -> None:
    """Flood a region from its markers, the highest and nearest pixels first, in place.

    As `_flood`, but heights are lowered by the distance from the seed, in px times the
    compactness. A pixel can be reached from each of its neighbors; the first counts.
    `known` is 0 for each pixel of the region, and memory for this only.
    """
    stride = heights.shape[1]
    surface = heights.ravel()
    # What was reached, in that order; the heap holds indices into this. Memory that is
    # not written to costs nothing.
    most = len(seeds) + 4 * area
    levels = np.empty(most)
    places, sources = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
    heap = np.empty(most, dtype=np.int32)
    for rank in range(len(seeds)):
        raised = TIE_BREAK * (1 - rank / len(seeds))
        levels[rank] = -(math.sqrt(surface[seeds[rank]]) + raised)
        places[rank] = sources[rank] = seeds[rank]
        _push(heap, rank, levels, rank)
    count = waiting = len(seeds)
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
            level = compactness * _distance(source, other, stride)
            level -= math.sqrt(surface[other])
            # Flooding goes on from what is flooded, so never higher than there.
            level = max(level, levels[one])
            # Known is one more than when it was reached at its lowest level so far.
            if not known[other] or level < levels[known[other] - 1]:
                levels[count], places[count], sources[count] = level, other, source
                _push(heap, waiting, levels, count)
                count, waiting = count + 1, waiting + 1
                known[other] = count


@compiled
def _distance(one: int, other: int, stride: int) -> float:
    down = other // stride - one // stride
    right = other - one - down * stride
    return math.sqrt(down * down + right * right)


@compiled
def _comes_first(levels: NDArray[np.float64], one: int, other: int) -> bool:
    """Compare entries of the heap: lower levels come first, then older entries."""
    return levels[one] < levels[other] or (levels[one] == levels[other] and one < other)


@compiled
def _push(
    heap: NDArray[np.int32], size: int, levels: NDArray[np.float64], one: int
) -> None:
    """Add to a binary heap of `size`."""
    child = size
    while child:
        parent = (child - 1) // 2
        if _comes_first(levels, heap[parent], one):
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = one


@compiled
def _pop(heap: NDArray[np.int32], size: int, levels: NDArray[np.float64]) -> None:
    """Take the first one from a binary heap, and leave `size`."""
    last = heap[size]
    parent, child = 0, 1
    while child < size:
        if child + 1 < size and _comes_first(levels, heap[child + 1], heap[child]):
            child += 1
        if _comes_first(levels, last, heap[child]):
            break
        heap[parent] = heap[child]
        parent, child = child, 2 * child + 1
    heap[parent] = last

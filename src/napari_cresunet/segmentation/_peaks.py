"""Where cells have their peaks: markers from distances to the background."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices

SOON = 32
"""How many high pixels before and after one in raster order are looked at."""


@compiled
def find_high(
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
def is_one_peak(
    places: Indices,
    heights: NDArray[np.signedinteger[Any]],
    width: int,
    min_distance: int,
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
def find_peaks(
    heights: NDArray[np.signedinteger[Any]], high: Indices, min_distance: int
) -> tuple[NDArray[np.bool_], Indices]:
    """Find the highest pixel of each square window, as a mask and as flat indices."""
    height, width = heights.shape
    surface = heights.ravel()
    is_peak = np.zeros(heights.size, dtype=np.bool_)
    is_near = np.zeros(heights.shape, dtype=np.bool_)
    reach = min_distance - 1
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
def _is_highest(
    heights: NDArray[np.signedinteger[Any]], row: int, column: int, reach: int
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
def find_smooth_peaks(
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
def label_markers(
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
def rank_markers(labels: NDArray[np.int32], places: Indices) -> tuple[Indices, int]:
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

"""Flood a region from its markers: scikit-image's watershed, as compiled loops.

Markers of exactly the same height, whose order scikit-image leaves to chance, flood in
raster order.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices

TIE_BREAK = 1e-6
"""By less than this, in px, markers are raised so that no two are equally high."""


@compiled
def flood(
    heights: NDArray[np.signedinteger[Any]], labels: NDArray[np.int32], seeds: Indices
) -> None:
    """Flood a region from its peaks, the highest pixels first, in place.

    The same order as in skimage.segmentation.watershed, whose cells these are: of
    equally high pixels the one that was reached first comes first. Heights are whole
    numbers, so each has a queue of its own.
    """
    stride = heights.shape[1]
    # What is flooded is 0 here, as if it were outside: one look tells of both.
    left = heights.copy().ravel()
    size = len(left)
    highest = 0
    for seed in seeds:
        highest = max(highest, left[seed])
    # A queue begins with a place of its own, so that it is never without a last one.
    following = np.empty(size + highest + 1, dtype=np.int32)
    last = np.empty(highest + 1, dtype=np.int32)
    for level in range(highest + 1):
        last[level] = size + level
        following[size + level] = -1
    for seed in seeds:
        _append(last, following, left[seed], seed)
        left[seed] = 0
    for level in range(highest, 0, -1):
        place = following[size + level]
        while place >= 0:
            for other in (place - stride, place - 1, place + 1, place + stride):
                if left[other]:
                    labels[other] = labels[place]
                    # Flooding goes on from what is flooded, never higher than there.
                    _append(last, following, min(left[other], level), other)
                    left[other] = 0
            place = following[place]


@compiled
def _append(
    last: NDArray[np.int32], following: NDArray[np.int32], level: int, place: int
) -> None:
    """Add to the queue of a level."""
    following[last[level]] = place
    last[level] = place
    following[place] = -1


@compiled
def flood_compactly(
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

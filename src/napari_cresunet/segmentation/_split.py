"""Tell touching cells apart: distance transform, markers, watershed.

Nothing of what happens to a cluster depends on others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._cells import Splits, joined_splits, merge_splits
from napari_cresunet.segmentation._distances import (
    FRAME,
    are_large,
    framed_distances,
    framed_distances_of_large,
    squared_distances,
    take_out,
)
from napari_cresunet.segmentation._flood import flood, flood_compactly
from napari_cresunet.segmentation._peaks import (
    find_high,
    find_peaks,
    find_smooth_peaks,
    is_one_peak,
    label_markers,
    rank_markers,
)
from napari_cresunet.segmentation._presets import Preset
from napari_cresunet.segmentation._runs import Clusters, Regions, offsets_of
from napari_cresunet.segmentation._side_by_side import side_by_side

AT_ONCE = 256
"""Boxes of regions that are worked on together: few enough for the cache."""


def split(clusters: Clusters, preset: Preset, min_distance: int) -> Splits:
    """Number the cells of every cluster.

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
    Splits
        Of a cluster of several regions, its cells are counted region by region. Regions
        without marker have none.
    """
    if preset.windows is None:
        return _split_regions(clusters.regions, clusters.shape, min_distance)
    pixels = offsets_of(clusters.regions.areas)[clusters.offsets]
    parts = side_by_side(
        lambda first, last: _split_smoothly(
            clusters.take(np.arange(first, last)), preset
        ),
        pixels,
    )
    return Splits.from_numbers(clusters, np.concatenate(parts))


def _split_regions(
    regions: Regions, shape: tuple[int, int], min_distance: int
) -> Splits:
    is_large = are_large(regions)
    if not is_large.any():
        return _split_small(regions, shape, min_distance)
    large, small = np.flatnonzero(is_large), np.flatnonzero(~is_large)
    order = np.full(len(regions), -1)
    order[small] = np.arange(len(small))
    splits = []
    for i in large:
        one = regions.take(np.array([i]))
        heights = framed_distances_of_large(one, shape)
        splits.append(_split_at_peaks(one, heights, min_distance))
    found = _split_small(regions.take(small), shape, min_distance)
    return merge_splits(order, found, joined_splits(splits))


def _split_small(regions: Regions, shape: tuple[int, int], min_distance: int) -> Splits:
    def work(first: int, last: int) -> Splits:
        splits = []
        for start in range(first, last, AT_ONCE):
            some = regions.take(np.arange(start, min(start + AT_ONCE, last)))
            heights = framed_distances(some, shape)
            splits.append(_split_at_peaks(some, heights, min_distance))
        return joined_splits(splits)

    return joined_splits(side_by_side(work, offsets_of(regions.areas)))


def _split_at_peaks(
    regions: Regions,
    heights: tuple[NDArray[np.signedinteger[Any]], Indices],
    min_distance: int,
) -> Splits:
    counts, numbers = _cells_at_peaks(
        regions.runs,
        (regions.offsets, regions.areas, regions.boxes),
        *heights,
        min_distance,
    )
    return Splits(
        counts=counts,
        offsets=offsets_of(np.where(counts > 1, regions.areas, 0)),
        numbers=numbers,
    )


@compiled
def _cells_at_peaks(
    runs: tuple[Indices, Indices, Indices],
    regions: tuple[Indices, Indices, Indices],
    heights: NDArray[np.signedinteger[Any]],
    bounds: Indices,
    min_distance: int,
) -> tuple[Indices, NDArray[np.int32]]:
    """Return how many cells each region has, and the pixels' cells of several."""
    offsets, areas, boxes = regions
    counts = np.ones(len(boxes), dtype=np.intp)
    # As many as there can be: memory that is not written to costs nothing.
    numbers = np.empty(np.sum(areas), dtype=np.int32)
    places = np.empty(np.max(bounds[1:] - bounds[:-1]), dtype=np.intp)
    size = 0
    for region in range(len(boxes)):
        own = heights[bounds[region] : bounds[region + 1]]
        width = boxes[region, 3] - boxes[region, 1] + 2 * FRAME
        high = places[: find_high(places, own, width)]
        # Most have one cell, which can be told without a look at windows.
        if is_one_peak(high, own, width, min_distance):
            continue
        surface = own.reshape(-1, width)
        is_peak, peaks = find_peaks(surface, high, min_distance)
        labels = label_markers(is_peak, peaks, width, 1)
        seeds, count = rank_markers(labels, peaks)
        counts[region] = count
        if count > 1:
            flood(surface, labels, seeds)
            owned = offsets[region : region + 2]
            size += take_out(numbers[size:], labels, runs, owned, boxes[region])
    return counts, numbers[:size].copy()


def _split_smoothly(clusters: Clusters, preset: Preset) -> NDArray[np.int32]:
    regions = clusters.regions
    if not len(regions):
        return np.zeros(0, dtype=np.int32)
    assert preset.windows is not None
    return _split_at_smooth_peaks(
        regions.runs,
        (regions.offsets, offsets_of(regions.areas)),
        (clusters.offsets, clusters.boxes),
        squared_distances(regions, clusters.shape),
        (*preset.windows, preset.min_marker_size, preset.compactness),
    )


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
        is_marker = find_smooth_peaks(heights, places, smoothing, window)
        labels = label_markers(is_marker, places, heights.shape[1], min_marker_size)
        known = np.zeros(heights.size, dtype=np.int32)
        for region in range(one, end):
            start, stop = pixel_offsets[region], pixel_offsets[region + 1]
            own = places[start - first : stop - first]
            seeds, count = rank_markers(labels, own)
            if count > 1:
                flood_compactly(heights, labels, seeds, known, len(own), compactness)
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

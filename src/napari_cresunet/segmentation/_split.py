"""Tell touching cells apart: distance transform, markers, watershed.

Nothing of what happens to a cluster depends on others.
"""

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
        high = places[: find_high(places, own, width)]
        single[region] = is_one_peak(high, own, width, min_distance)
    return single


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
        is_peak, peaks = find_peaks(heights, min_distance)
        labels = label_markers(is_peak, peaks, heights.shape[1], 1)
        seeds, count = rank_markers(labels, peaks)
        if count > 1:
            flood(heights, labels, seeds)
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

"""Tell touching cells apart: distance transform, markers, watershed.

Regions are worked on together in a mosaic. Nothing of what happens to a region depends
on what else is in the mosaic; markers of exactly the same height, whose order
scikit-image leaves to chance, flood in raster order.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skimage.segmentation import watershed

from napari_cresunet.segmentation._distances import squared_distances
from napari_cresunet.segmentation._mosaic import lay_out, window_max
from napari_cresunet.segmentation._presets import Preset
from napari_cresunet.segmentation._runs import (
    Clusters,
    Indices,
    Regions,
    connect,
    expand,
    offsets_of,
)

TIE_BREAK = 1e-6
"""By less than this, in px, markers are raised so that no two are equally high."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mosaic:
    heights: NDArray[Any]
    """Squared distance to the background, 0 in the background."""
    pixels: Indices
    """Flat index of every pixel, region by region."""
    offsets: Indices
    """Where each region starts in `pixels`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Markers:
    places: Indices
    """Where in the mosaic's `pixels` the markers lie, ascending."""
    numbers: Indices
    """Marker at each place, 0 to count - 1 in order of the first place."""
    firsts: Indices
    """First place of each marker, ascending."""


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
    squared = squared_distances(clusters.regions, clusters.shape)
    if preset.windows is None:
        markers = _peaks(_paint(clusters, squared, min_distance), min_distance)
    else:
        mosaic = _paint(clusters, squared, max(preset.windows) // 2)
        markers = _smooth_peaks(mosaic, preset.windows, preset.min_marker_size)
    return _flood(clusters.regions, squared, markers, preset.compactness)


def _paint(clusters: Clusters, squared: NDArray[Any], gap: int) -> _Mosaic:
    boxes = clusters.boxes
    tops, lefts, shape = lay_out(
        boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1], gap
    )
    shifts = (tops - boxes[:, 0]) * shape[1] + lefts - boxes[:, 1]
    pixels = clusters.regions.flat_pixels(
        shape[1], np.repeat(shifts, np.diff(clusters.offsets))
    )
    heights = np.zeros(shape, dtype=squared.dtype)
    heights.ravel()[pixels] = squared
    return _Mosaic(
        heights=heights, pixels=pixels, offsets=offsets_of(clusters.regions.areas)
    )


def _peaks(mosaic: _Mosaic, min_distance: int) -> _Markers:
    """Find the highest pixel of each square window, equally high ones thinned."""
    highest = window_max(mosaic.heights, min_distance, min_distance)
    inside = slice(min_distance, -min_distance)
    is_peak = np.zeros(mosaic.heights.shape, dtype=bool)
    np.equal(mosaic.heights[inside, inside], highest, out=is_peak[inside, inside])
    if min_distance == 1:
        return _label_markers(mosaic, is_peak & (mosaic.heights > 0), 1)
    places = np.flatnonzero(is_peak.ravel()[mosaic.pixels])
    places = places[_thin(mosaic, places, min_distance)]
    return _Markers(places=places, numbers=np.arange(len(places)), firsts=places)


def _thin(mosaic: _Mosaic, places: Indices, min_distance: int) -> NDArray[np.bool_]:
    """Keep peaks in raster order, if none kept before is within `min_distance`."""
    owners = np.searchsorted(mosaic.offsets, places, side="right") - 1
    rows, columns = np.divmod(mosaic.pixels[places], mosaic.heights.shape[1])
    tree = cKDTree(np.column_stack((rows, columns, owners * 2 * min_distance)))
    near = tree.query_pairs(min_distance - 0.5, p=np.inf, output_type="ndarray")
    is_kept = np.ones(len(places), dtype=bool)
    for first, second in near[np.lexsort(near.T[::-1])].tolist():
        if is_kept[first]:
            is_kept[second] = False
    return is_kept


def _smooth_peaks(
    mosaic: _Mosaic, windows: tuple[int, int], min_marker_size: int
) -> _Markers:
    """Find the areas where the maximum filter is highest in its window."""
    smooth = np.zeros_like(mosaic.heights)
    highest = np.zeros_like(mosaic.heights)
    _filter_max(mosaic.heights, windows[0], smooth)
    smooth *= mosaic.heights > 0
    _filter_max(smooth, windows[1], highest)
    is_marker = (smooth == highest) & (mosaic.heights > 0)
    return _label_markers(mosaic, is_marker, min_marker_size)


def _filter_max(image: NDArray[Any], size: int, out: NDArray[Any]) -> None:
    # An even window reaches one px further up and left, as in scipy.
    before, after = size // 2, size - 1 - size // 2
    height, width = image.shape
    out[before : height - after, before : width - after] = window_max(
        image, before, after
    )


def _label_markers(
    mosaic: _Mosaic, is_marker: NDArray[np.bool_], min_size: int
) -> _Markers:
    """Make markers of pixels that are connected, and drop the small ones."""
    places = np.flatnonzero(is_marker.ravel()[mosaic.pixels])
    pixels = mosaic.pixels[places]
    bounds = np.flatnonzero(np.diff(pixels, prepend=-2, append=-2) != 1)
    starts, lengths = pixels[bounds[:-1]], np.diff(bounds)
    # Region by region, so not in raster order of the mosaic.
    order = np.argsort(starts)
    owners = np.empty(len(starts), dtype=np.intp)
    owners[order] = connect(
        starts[order], starts[order] + lengths[order], is_marker.shape[1]
    )
    is_kept = np.bincount(owners, weights=lengths) >= min_size
    # Of equal indices the last one is kept, which backwards is the first run.
    first = np.empty(len(is_kept), dtype=np.intp)
    first[owners[::-1]] = np.arange(len(owners) - 1, -1, -1)
    kept = np.flatnonzero(is_kept)
    kept = kept[np.argsort(first[kept])]
    numbers = np.full(len(is_kept), -1)
    numbers[kept] = np.arange(len(kept))
    numbers = np.repeat(numbers[owners], lengths)
    return _Markers(
        places=places[numbers >= 0],
        numbers=numbers[numbers >= 0],
        firsts=places[bounds[first[kept]]],
    )


def _flood(
    regions: Regions, squared: NDArray[Any], markers: _Markers, compactness: int
) -> NDArray[np.int32]:
    """Give each pixel to a marker; regions with one marker are it."""
    starts = offsets_of(regions.areas)
    owners = np.searchsorted(starts, markers.firsts, side="right") - 1
    counts = np.bincount(owners, minlength=len(regions))
    numbers = np.repeat((counts == 1).astype(np.int32), regions.areas)
    touching = np.flatnonzero(counts > 1)
    if len(touching):
        own_numbers = np.arange(1, len(owners) + 1) - offsets_of(counts)[owners]
        seeds = np.zeros(len(numbers), dtype=np.int32)
        seeds[markers.places] = own_numbers[markers.numbers]
        own = expand(starts[touching], regions.areas[touching])
        numbers[own] = _watershed(
            regions.take(touching),
            np.sqrt(squared[own], dtype=float),
            seeds[own],
            compactness,
        )
    return numbers


def _watershed(
    regions: Regions,
    heights: NDArray[np.float64],
    seeds: NDArray[np.int32],
    compactness: int,
) -> NDArray[np.int32]:
    boxes = regions.boxes
    tops, lefts, shape = lay_out(
        boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1], 1
    )
    shifts = (tops - boxes[:, 0]) * shape[1] + lefts - boxes[:, 1]
    pixels = regions.flat_pixels(shape[1], shifts)
    places = np.flatnonzero(seeds)
    heights[places] += _tie_breaks(places, offsets_of(regions.areas))
    surface, markers = np.zeros(shape), np.zeros(shape, dtype=np.int32)
    mask = np.zeros(shape, dtype=bool)
    surface.ravel()[pixels] = -heights
    markers.ravel()[pixels] = seeds
    mask.ravel()[pixels] = True
    labels = watershed(
        surface,
        markers,
        mask=mask,
        compactness=compactness,
        watershed_line=compactness > 0,
    )
    numbers: NDArray[np.int32] = labels.ravel()[pixels]
    return numbers


def _tie_breaks(places: Indices, offsets: Indices) -> NDArray[np.float64]:
    """Return what to raise markers by: in each region less and less, never nothing."""
    bounds = np.searchsorted(places, offsets)
    counts = np.diff(bounds)
    ranks = np.arange(len(places)) - np.repeat(bounds[:-1], counts)
    raised: NDArray[np.float64] = TIE_BREAK * (1 - ranks / np.repeat(counts, counts))
    return raised

"""The whole-image pipelines as scikit-image calls one after another.

The oracle of the tests, and what the benchmark measures against.
"""

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.morphology import remove_small_holes, remove_small_objects
from skimage.segmentation import watershed

TIE_BREAK = 1e-6


def tashfeen2025(probability, threshold, min_size=40, min_distance=10, ties=True):
    mask = clean(probability > threshold, 64, min_size)
    if mask.all() or not mask.any():
        return mask.astype(np.int32)
    distance = ndimage.distance_transform_edt(mask)
    components = ndimage.label(mask)[0]
    peaks = peak_local_max(
        distance, min_distance=min_distance, labels=components, exclude_border=False
    )
    is_marker = np.zeros(mask.shape, dtype=bool)
    is_marker[tuple(peaks.T)] = True
    markers = ndimage.label(is_marker)[0]
    surface = break_ties(-distance, markers) if ties else -distance
    return number(watershed(surface, markers, mask=mask))


def morelli2021(probability, threshold, min_size=200, ties=True):
    mask = clean(probability > threshold, 600, min_size)
    if mask.all() or not mask.any():
        return mask.astype(np.int32)
    distance = ndimage.distance_transform_edt(mask)
    smooth = ndimage.maximum_filter(distance, size=30, mode="constant") * mask
    highest = ndimage.maximum_filter(
        smooth, footprint=np.ones((40, 40)), mode="constant"
    )
    maxima = (smooth == highest) & (smooth > 0) & mask
    maxima = remove_small_objects(maxima, max_size=24, connectivity=1)
    markers = ndimage.label(maxima)[0]
    surface = break_ties(-distance, markers) if ties else -distance
    labels = watershed(surface, markers, mask=mask, compactness=1, watershed_line=True)
    return number(labels)


PIPELINES = {"tashfeen2025": tashfeen2025, "morelli2021": morelli2021}


def clean(mask, hole_size, min_size):
    if not mask.any():
        return mask
    mask = remove_small_holes(mask, max_size=hole_size - 1, connectivity=1)
    return remove_small_objects(mask, max_size=max(min_size - 1, 0), connectivity=1)


def break_ties(surface, markers):
    """Lower each marker pixel by less than a distance can differ, the first one most.

    scikit-image leaves the order of equally low markers to the layout of its heap.
    """
    surface = surface.copy()
    is_marker = markers > 0
    count = np.count_nonzero(is_marker)
    surface[is_marker] -= TIE_BREAK * np.arange(count, 0, -1) / max(count, 1)
    return surface


def number(labels):
    """Number objects by their first pixel."""
    values, first = np.unique(labels.ravel(), return_index=True)
    first = first[values > 0]
    values = values[values > 0]
    ranks = np.zeros(labels.max() + 1, dtype=np.int32)
    ranks[values[np.argsort(first)]] = np.arange(1, len(values) + 1)
    return ranks[labels]

"""Floods against scikit-image's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.segmentation import watershed
from tests.segmentation.maps import noise
from tests.segmentation.reference import break_ties

from napari_cresunet.segmentation._flood import flood, flood_compactly


def region_and_seeds(seed, places):
    """Return one region's squared distances in a frame, and some seeds in it."""
    mask = np.pad(noise((46, 52), 3, seed) > 0.45, 1)
    regions = ndimage.label(mask)[0]
    mask = regions == np.bincount(regions[mask]).argmax()
    heights = np.rint(ndimage.distance_transform_edt(mask) ** 2).astype(np.int32)
    found = np.flatnonzero(mask)
    chosen = np.unique(found[[int(place * len(found)) for place in places]])
    return heights, chosen


def markers_and_cells(heights, seeds, compactness):
    """Return the seeds as markers, and what scikit-image makes of them."""
    markers = np.zeros(heights.shape, dtype=np.int32)
    markers.ravel()[seeds] = np.arange(len(seeds)) + 1
    surface = break_ties(-np.sqrt(heights), markers)
    mask = heights > 0
    return markers, watershed(surface, markers, mask=mask, compactness=compactness)


FRACTIONS = st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=6)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 2**32 - 1), FRACTIONS)
def test_a_compact_flood_from_anywhere_is_scikit_images(seed, places):
    heights, seeds = region_and_seeds(seed, places)
    labels, expected = markers_and_cells(heights, seeds, compactness=1)
    known = np.zeros(heights.size, dtype=np.int32)
    area = np.count_nonzero(heights)
    flood_compactly(heights, labels.ravel(), seeds, known, area, 1)
    np.testing.assert_array_equal(labels, expected)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_flood_from_peaks_is_scikit_images(seed, count):
    heights, _ = region_and_seeds(seed, [0])
    is_peak = (heights == ndimage.maximum_filter(heights, 5)) & (heights > 0)
    seeds = np.flatnonzero(is_peak)[:: count + 1]
    labels, expected = markers_and_cells(heights, seeds, compactness=0)
    flood(heights, labels.ravel(), seeds)
    np.testing.assert_array_equal(labels, expected)

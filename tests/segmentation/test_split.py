"""Window maxima and floods against scipy's and scikit-image's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.segmentation import watershed
from tests.segmentation.maps import THRESHOLDS, disks, noise, noise_fields
from tests.segmentation.reference import break_ties, morelli2021, tashfeen2025

from napari_cresunet.segmentation import segment
from napari_cresunet.segmentation._runs import find_regions
from napari_cresunet.segmentation._split import (
    _flood,
    _flood_compactly,
    _window_max,
    are_single,
)


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (70, 3), (40, 55)])
@pytest.mark.parametrize("size", [1, 2, 3, 21, 30, 40, 100])
def test_window_maxima_equal_scipys_filter(shape, size):
    image = np.random.default_rng(size).integers(0, 999, shape).astype(np.int32)
    expected = ndimage.maximum_filter(image, size=size, mode="constant")
    np.testing.assert_array_equal(_window_max(image, size), expected)


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
    _flood_compactly(heights, labels.ravel(), seeds, known, area, 1)
    np.testing.assert_array_equal(labels, expected)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_flood_from_peaks_is_scikit_images(seed, count):
    heights, _ = region_and_seeds(seed, [0])
    is_peak = (heights == ndimage.maximum_filter(heights, 5)) & (heights > 0)
    seeds = np.flatnonzero(is_peak)[:: count + 1]
    labels, expected = markers_and_cells(heights, seeds, compactness=0)
    _flood(heights, labels.ravel(), seeds)
    np.testing.assert_array_equal(labels, expected)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(noise_fields(90), THRESHOLDS, st.sampled_from((1, 2, 3, 10, 18)))
def test_what_is_said_to_be_one_cell_is_split_into_one(field, threshold, distance):
    regions = find_regions(field, threshold, 64)
    if regions is None or regions.areas[0] == field.size:
        return
    single = are_single(regions, field.shape, distance)
    for one in np.flatnonzero(single):
        region = regions.take(np.array([one]))
        mask = np.zeros(field.shape)
        mask.ravel()[region.flat_pixels(field.shape[1])] = 1
        assert tashfeen2025(mask, 0.5, 0, distance).max() == 1


def test_most_round_cells_are_known_to_be_one_without_flooding_them():
    field = disks((200, 300), *(((40, 40 + 70 * i), 14 + 2 * i) for i in range(4)))
    field[99:101, 20:280] = field[120:190, 100:130] = 1
    regions = find_regions(field, 0.5, 64)
    assert are_single(regions, field.shape, 10).tolist() == [True] * 4 + [False] * 2


@pytest.mark.parametrize("gap", [18, 19, 20, 21])
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_morelli_regions_reach_as_far_as_the_larger_window(gap, is_turned, is_mirrored):
    # A line one px wide has no center where the higher block is in the window.
    field = np.zeros((240, 90))
    field[10:230, 20:50] = field[10:230, 49 + gap] = 1
    field = field[:, ::-1] if is_mirrored else field
    field = np.ascontiguousarray(field.T if is_turned else field)
    labels = segment(field, preset="morelli2021")
    np.testing.assert_array_equal(labels, morelli2021(field, 0.5))
    # An even window reaches one px further up and left.
    is_reached = gap <= (19 if is_mirrored else 20)
    assert np.count_nonzero((labels > 0) != (field > 0)) == 220 * is_reached

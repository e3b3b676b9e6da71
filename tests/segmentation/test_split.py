"""What is one cell, and which regions are split together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.segmentation.maps import THRESHOLDS, disks, noise_fields
from tests.segmentation.reference import morelli2021, tashfeen2025

from napari_cresunet.segmentation import segment
from napari_cresunet.segmentation._distances import FRAME, framed_distances
from napari_cresunet.segmentation._peaks import find_high, is_one_peak
from napari_cresunet.segmentation._runs import find_regions


def is_known_as_one(regions, shape, distance):
    """Tell of each region whether it is known to be one cell without flooding it."""
    heights, bounds = framed_distances(regions, shape)
    single = []
    for one in range(len(regions)):
        own = heights[bounds[one] : bounds[one + 1]]
        width = regions.boxes[one, 3] - regions.boxes[one, 1] + 2 * FRAME
        places = np.empty(len(own), np.intp)
        high = places[: find_high(places, own, width)]
        single.append(is_one_peak(high, own, width, distance))
    return single


@settings(deadline=None, max_examples=40, derandomize=True)
@given(noise_fields(90), THRESHOLDS, st.sampled_from((1, 2, 3, 10, 18)))
def test_what_is_said_to_be_one_cell_is_split_into_one(field, threshold, distance):
    regions = find_regions(field, threshold, 64)
    if regions is None or regions.areas[0] == field.size:
        return
    for one in np.flatnonzero(is_known_as_one(regions, field.shape, distance)):
        region = regions.take(np.array([one]))
        mask = np.zeros(field.shape)
        mask.ravel()[region.flat_pixels(field.shape[1])] = 1
        assert tashfeen2025(mask, 0.5, 0, distance).max() == 1


def test_most_round_cells_are_known_to_be_one_without_flooding_them():
    field = disks((200, 300), *(((40, 40 + 70 * i), 14 + 2 * i) for i in range(4)))
    field[99:101, 20:150] = field[120:190, 80:100] = 1
    regions = find_regions(field, 0.5, 64)
    assert is_known_as_one(regions, field.shape, 10) == [True] * 4 + [False] * 2


def test_cells_in_large_regions_stay_in_order_beside_small_ones():
    # The middle one is too large for 16 bits, and has two cells.
    field = disks((260, 330), ((20, 20), 12), ((20, 300), 9), ((230, 310), 15))
    field[60:200, 60:130] = field[60:200, 150:270] = field[125:130, 130:150] = 1
    labels = segment(field)
    np.testing.assert_array_equal(labels, tashfeen2025(field, 0.5))
    assert labels[130, 100] != labels[130, 200]


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

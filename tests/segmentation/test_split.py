"""What is one cell, and which regions are split together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.segmentation.maps import THRESHOLDS, disks, noise_fields
from tests.segmentation.reference import morelli2021, tashfeen2025

from napari_cresunet.segmentation import segment
from napari_cresunet.segmentation._runs import find_regions
from napari_cresunet.segmentation._split import are_single


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

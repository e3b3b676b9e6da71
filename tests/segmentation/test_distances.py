"""Distances against scipy's transform of the whole plane."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.segmentation.maps import disks, noise, noise_fields

from napari_cresunet.segmentation._distances import squared_distances
from napari_cresunet.segmentation._runs import find_regions


def check(field, threshold=0.5):
    mask = field > threshold
    regions = find_regions(field, threshold, 0)
    found = np.zeros(field.shape)
    found.ravel()[regions.flat_pixels(field.shape[1])] = squared_distances(
        regions, field.shape
    )
    expected = np.rint(ndimage.distance_transform_edt(mask) ** 2)
    np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(noise_fields(), st.sampled_from((0.2, 0.5, 0.8)))
def test_distances_equal_scipys(field, threshold):
    mask = field > threshold
    if mask.any() and not mask.all():
        check(field, threshold)


@pytest.mark.parametrize("center", [(0, 30), (59, 30), (30, 0), (30, 79), (0, 0)])
def test_there_is_no_background_beyond_the_edge(center):
    check(disks((60, 80), (center, 20)))


def test_a_region_from_edge_to_edge_is_exact():
    field = np.ones((9, 120))
    field[:, 100] = 0
    check(field)
    check(np.ascontiguousarray(field.T))


@pytest.mark.parametrize("side", [127, 128, 129, 181, 300])
def test_large_regions_are_exact_beside_small_ones(side):
    field = np.zeros((320, 400))
    field[4 : 4 + side, 10 : 10 + side] = 1
    field[5:30, 340:380] = 1
    check(field)


def test_runs_across_the_whole_plane_are_exact():
    field = np.zeros((60, 50))
    field[10:40] = 1
    field[25, 25] = 0
    check(field)


def test_distances_that_float32_cannot_hold_are_exact():
    field = np.ones((1, 5000))
    field[0, 0] = 0
    check(field)


def test_a_maze_at_the_edges_is_exact():
    check(noise((150, 170), 4, seed=2))

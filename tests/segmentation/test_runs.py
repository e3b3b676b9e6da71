"""Runs, regions and holes against scipy's labels."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.segmentation.maps import noise_fields
from tests.segmentation.reference import clean

from napari_cresunet.segmentation._runs import (
    expand,
    find_regions,
    find_runs,
    stride_of,
)


def paint(regions, shape):
    labels = np.zeros(shape, dtype=int)
    pixels = regions.flat_pixels(shape[1])
    labels.ravel()[pixels] = np.repeat(np.arange(len(regions)) + 1, regions.areas)
    return labels


@settings(deadline=None, max_examples=30, derandomize=True)
@given(noise_fields(), st.sampled_from((0.3, 0.5, 0.7)), st.sampled_from((0, 5, 64)))
def test_regions_are_scipys_labels_in_their_order(field, threshold, hole_size):
    mask = field > threshold
    regions = find_regions(field, threshold, hole_size)
    if not mask.any():
        assert regions is None
        return
    expected, count = ndimage.label(clean(mask, hole_size, 0))
    assert len(regions) == count
    np.testing.assert_array_equal(paint(regions, field.shape), expected)
    np.testing.assert_array_equal(
        regions.boxes,
        [
            (rows.start, columns.start, rows.stop, columns.stop)
            for rows, columns in ndimage.find_objects(expected)
        ],
    )


@settings(deadline=None, max_examples=30, derandomize=True)
@given(noise_fields())
def test_runs_start_after_and_stop_before_background(field):
    starts, stops = find_runs(field, 0.5)
    padded = np.zeros((field.shape[0], stride_of(field.shape[1])), dtype=int)
    padded[:, : field.shape[1]] = field > 0.5
    steps = np.diff(np.r_[0, padded.ravel()])
    np.testing.assert_array_equal(starts, np.flatnonzero(steps == 1))
    np.testing.assert_array_equal(stops, np.flatnonzero(steps == -1))


def test_a_hole_at_the_end_of_a_row_does_not_join_the_next_row():
    field = np.ones((3, 8))
    field[0, 5:] = field[1, :8] = 0
    assert find_regions(field, 0.5, 4).areas.tolist() == [5, 8]


def test_rows_end_with_background_up_to_a_whole_word():
    assert [stride_of(width) for width in (1, 7, 8, 9, 1600)] == [8, 8, 16, 16, 1608]


def test_regions_can_be_taken_in_any_order():
    field = np.zeros((4, 9))
    field[0:2, 0:2] = field[1, 3] = field[0:4, 5:9] = 1
    regions = find_regions(field, 0.5, 0)
    taken = regions.take(np.array([2, 0]))
    assert regions.areas.tolist() == [4, 16, 1]
    assert taken.areas.tolist() == [1, 4]
    assert taken.boxes.tolist() == [[1, 3, 2, 4], [0, 0, 2, 2]]
    assert taken.flat_pixels(9).tolist() == [12, 0, 1, 9, 10]


def test_ranges_are_expanded_empty_ones_too():
    assert expand(np.array([3, 9, 7]), np.array([2, 0, 3])).tolist() == [3, 4, 7, 8, 9]
    assert expand(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []

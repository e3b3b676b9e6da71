"""Cells joined from blocks are those of the whole plane, wherever the blocks end."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.segmentation.maps import (
    MIN_SIZES,
    THRESHOLDS,
    disk,
    disks,
    noise,
    noise_fields,
    soft_cells,
)

from napari_cresunet.errors import InputError
from napari_cresunet.segmentation import PRESETS, segment
from napari_cresunet.segmentation._joined import (
    JoinedCells,
    Runs,
    block_runs,
    iter_join_cells,
)
from napari_cresunet.steps import drain


def cut(length, cuts):
    """Return the ranges that cuts, given as fractions, make of a line."""
    places = {int(cut * length) for cut in cuts} | {0, length}
    return list(pairwise(sorted(places)))


def runs_of_blocks(field, threshold, row_cuts, column_cuts):
    return [
        block_runs(field[top:bottom, left:right], threshold, top=top, left=left)
        for top, bottom in cut(field.shape[0], row_cuts)
        for left, right in cut(field.shape[1], column_cuts)
    ]


def joined(field, cuts, threshold=0.5, **parameters):
    blocks = runs_of_blocks(field, threshold, *cuts)
    return drain(iter_join_cells(blocks, field.shape, **parameters))


CUTS = st.lists(st.floats(0, 1, exclude_max=True), max_size=5)
HALVES = ([0.5], [0.5])


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    field=noise_fields(),
    threshold=THRESHOLDS,
    min_size=MIN_SIZES,
    cuts=st.tuples(CUTS, CUTS),
    preset=st.sampled_from(sorted(PRESETS)),
    distance=st.sampled_from((1, 2, 5, 10)),
    side=st.sampled_from((3, 8, 20, 1000)),
)
def test_any_blocks_give_the_labels_of_the_whole(
    field, threshold, min_size, cuts, preset, distance, side
):
    parameters = {"min_size": min_size, "preset": preset, "min_distance": distance}
    cells = joined(field, cuts, threshold, work_side=side, **parameters)
    expected = segment(field, threshold=threshold, **parameters)
    np.testing.assert_array_equal(cells.paint(), expected)
    assert cells.count == expected.max()


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    cuts=st.tuples(CUTS, CUTS),
    preset=st.sampled_from(sorted(PRESETS)),
    side=st.sampled_from((25, 60, 110)),
)
def test_touching_cells_on_seams_are_told_apart_as_in_the_whole(
    seed, count, cuts, preset, side
):
    field = soft_cells((180, 220), count, seed)
    cells = joined(field, cuts, preset=preset, min_size=20, work_side=side)
    expected = segment(field, preset=preset, min_size=20)
    np.testing.assert_array_equal(cells.paint(), expected)


@pytest.mark.parametrize("gap", [18, 19, 20, 21])
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_windows_reach_over_the_squares_that_are_split_at_a_time(
    gap, is_turned, is_mirrored
):
    # A line one px wide has no center where the higher block is in the window.
    field = np.zeros((240, 90))
    field[10:230, 20:50] = field[10:230, 49 + gap] = 1
    field = field[:, ::-1] if is_mirrored else field
    field = field.T if is_turned else field
    cells = joined(field, HALVES, preset="morelli2021", work_side=10)
    expected = segment(field, preset="morelli2021")
    np.testing.assert_array_equal(cells.paint(), expected)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_cell_larger_than_its_blocks_is_one_cell(preset):
    field = disk((200, 200), (100, 100), 80)
    every_tenth = [i / 10 for i in range(10)]
    cells = joined(field, (every_tenth, every_tenth), preset=preset, work_side=30)
    assert cells.count == 1
    np.testing.assert_array_equal(cells.paint(), field > 0.5)


@pytest.mark.parametrize("side", [7, 8])
def test_a_hole_across_a_seam_is_filled_only_if_all_of_it_is_small(side):
    # 7 x 8 = 56 px are filled, 8 x 8 = 64 px are not; each half would be.
    field = disk((60, 60), (30, 30), 25)
    field[26:34, 27 : 27 + side] = 0
    cells = joined(field, HALVES, min_size=0)
    assert bool(cells.paint()[30, 30]) == (side == 7)


def test_touching_corners_of_blocks_do_not_connect():
    field = np.zeros((20, 20))
    field[2:10, 2:10] = field[10:18, 10:18] = 1
    assert joined(field, HALVES).count == 2


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(("value", "count"), [(0.0, 0), (1.0, 1)])
def test_a_plane_of_one_value_has_no_cell_or_one(preset, value, count):
    field = np.full((50, 70), value)
    cells = joined(field, HALVES, preset=preset)
    assert cells.count == count
    np.testing.assert_array_equal(cells.paint(), np.full((50, 70), count))


def test_cells_are_numbered_in_raster_order_whatever_the_squares():
    field = disks((100, 100), ((20, 80), 9), ((25, 20), 9), ((70, 75), 9))
    cells = joined(field, HALVES, work_side=50)
    labels = cells.paint()
    assert [labels[20, 80], labels[25, 20], labels[70, 75]] == [1, 2, 3]
    raster = cells.runs.rows.astype(int) * 100 + cells.runs.columns
    assert (np.diff(raster) > 0).all()


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 99), box=st.tuples(*[st.floats(0, 1)] * 4))
def test_a_part_is_painted_as_the_crop_of_the_whole(seed, box):
    field = noise((60, 80), 3, seed)
    cells = joined(field, HALVES, min_size=5)
    top, bottom = sorted(int(value * 60) for value in box[:2])
    left, right = sorted(int(value * 80) for value in box[2:])
    part = cells.part(top, bottom, left, right).paint()
    np.testing.assert_array_equal(part, cells.paint()[top:bottom, left:right])


def test_numbers_go_on_after_the_planes_before():
    field = disks((50, 50), ((12, 12), 8), ((35, 35), 8))
    labels = joined(field, HALVES).paint(before=10)
    assert np.unique(labels).tolist() == [0, 11, 12]


def test_numbers_beyond_32_bits_are_painted_without_overflow():
    runs = Runs(*(np.array(values, np.int32) for values in ([0, 1], [0, 1], [2, 2])))
    most = 2**31 - 1
    cells = JoinedCells(
        runs=runs, numbers=np.array([1, most + 2]), count=most + 2, shape=(2, 3)
    )
    labels = cells.paint(np.int64, before=most)
    assert labels.dtype == np.int64
    assert labels.tolist() == [[2**31, 2**31, 0], [0, 2**32, 2**32]]


def test_what_segment_refuses_is_refused():
    field = np.full((4, 4), np.nan)
    message = (
        "`probability` contains NaN or infinite values; replace them first, for "
        "example with 0."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        block_runs(field, 0.5)
    message = "`threshold` must be between 0 and 1, got 2."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        block_runs(np.zeros((4, 4)), 2)
    message = "`min_size` must be a whole number, got 2.5."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_join_cells([], (4, 4), min_size=2.5))
    message = "`min_distance` must be at least 1, got 0."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_join_cells([], (4, 4), min_distance=0))

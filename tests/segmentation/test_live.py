"""Labels equal those of scikit-image's calls on the whole image, pixel for pixel."""

import re

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
from tests.segmentation.reference import PIPELINES, morelli2021, tashfeen2025

from napari_cresunet.errors import InputError
from napari_cresunet.segmentation import PRESETS, LiveSegmenter, segment

SWEEP = (0.2, 0.35, 0.36, 0.5, 0.65, 0.8, 0.5)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(noise_fields(), THRESHOLDS, MIN_SIZES, st.sampled_from((1, 2, 3, 5, 10, 15)))
def test_the_default_preset_equals_its_pipeline(field, threshold, min_size, distance):
    labels = segment(
        field, threshold=threshold, min_size=min_size, min_distance=distance
    )
    np.testing.assert_array_equal(
        labels, tashfeen2025(field, threshold, min_size, distance)
    )


@settings(deadline=None, max_examples=30, derandomize=True)
@given(noise_fields(80), THRESHOLDS, MIN_SIZES)
def test_morelli_equals_its_pipeline(field, threshold, min_size):
    labels = segment(
        field, threshold=threshold, min_size=min_size, preset="morelli2021"
    )
    np.testing.assert_array_equal(labels, morelli2021(field, threshold, min_size))


@settings(deadline=None, max_examples=20, derandomize=True)
@given(
    noise_fields(),
    st.lists(st.tuples(THRESHOLDS, MIN_SIZES), min_size=2, max_size=6),
    st.sampled_from(sorted(PRESETS)),
)
def test_the_live_segmenter_equals_segment_in_any_order(field, moves, preset):
    live = LiveSegmenter(field, preset=preset)
    for threshold, min_size in moves:
        np.testing.assert_array_equal(
            live.update(threshold, min_size),
            segment(field, threshold=threshold, min_size=min_size, preset=preset),
        )


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(
    ("shape", "count"), [((240, 300), 12), ((300, 240), 45), ((64, 500), 30)]
)
def test_soft_cells_equal_the_pipeline_along_a_slider(preset, shape, count):
    field = soft_cells(shape, count, seed=count)
    live = LiveSegmenter(field, preset=preset)
    for threshold in SWEEP:
        np.testing.assert_array_equal(
            live.update(threshold), PIPELINES[preset](field, threshold)
        )


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_without_settling_ties_the_pipeline_finds_the_same_cells(preset):
    field = soft_cells((300, 300), 30, seed=3)
    labels = segment(field, preset=preset)
    plain = PIPELINES[preset](field, 0.5, ties=False)
    assert labels.max() == plain.max() > 10
    # Only where two markers of a clump are equally high may a border move.
    assert np.count_nonzero(labels != plain) < 0.002 * np.count_nonzero(labels)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_regions_larger_than_cells_equal_the_pipeline(preset):
    field = noise((420, 400), 14, seed=5)
    for threshold in (0.3, 0.5):
        np.testing.assert_array_equal(
            segment(field, threshold=threshold, preset=preset),
            PIPELINES[preset](field, threshold),
        )


def test_long_distances_stay_exact():
    field = np.full((1, 5000), 0.9)
    field[0, 4999] = 0
    field[0, 4800] = 0
    np.testing.assert_array_equal(
        segment(np.pad(field, ((0, 90), (0, 0)), mode="edge")),
        tashfeen2025(np.pad(field, ((0, 90), (0, 0)), mode="edge"), 0.5),
    )


def test_two_touching_disks_are_two_cells_and_one_below_the_saddle():
    field = disks((40, 70), ((20, 20), 12), ((20, 40), 12))
    labels = segment(field)
    assert labels.max() == 2
    assert labels[20, 20] == 1
    assert labels[20, 40] == 2
    assert labels[20, 30] in (1, 2)
    assert segment(field, min_distance=25).max() == 1


def test_cells_that_touch_at_a_corner_only_are_two():
    field = np.zeros((20, 20))
    field[2:10, 2:10] = field[10:18, 10:18] = 1
    assert segment(field).max() == 2


def test_morelli_cells_influence_each_other_across_a_gap():
    # The small disk lies in the larger one's window: it has no marker of its own.
    field = disks((80, 120), ((40, 40), 18), ((40, 68), 8.5))
    assert segment(field, preset="morelli2021", min_size=0).max() == 1
    assert segment(field, min_size=0).max() == 2
    np.testing.assert_array_equal(
        segment(field, preset="morelli2021", min_size=0),
        morelli2021(field, 0.5, min_size=0),
    )


def test_foreground_is_strictly_above_the_threshold():
    field = disk((30, 30), (15, 15), 8, value=0.5)
    assert segment(field, threshold=0.5).max() == 0
    assert segment(field, threshold=0.499).max() == 1


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
def test_the_threshold_is_compared_in_the_precision_of_the_map(dtype):
    field = disk((30, 30), (15, 15), 8, value=0.3).astype(dtype)
    assert segment(field, threshold=0.3).max() == 0


def test_nothing_is_above_threshold_one():
    assert segment(np.ones((50, 50)), threshold=1.0).max() == 0


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_plane_without_background_is_one_cell(preset):
    labels = segment(np.full((30, 40), 1e-6), threshold=0, preset=preset)
    assert labels.min() == labels.max() == 1


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_small_empty_plane_has_no_cell_though_it_is_smaller_than_a_hole(preset):
    assert segment(np.zeros((6, 7)), min_size=0, preset=preset).max() == 0


def test_a_single_pixel_is_a_cell_if_it_may_be():
    assert segment(np.ones((1, 1)), min_size=1).tolist() == [[1]]
    assert segment(np.ones((1, 1))).tolist() == [[0]]


def test_holes_below_64_px_are_filled_and_larger_ones_stay():
    field = np.zeros((60, 60))
    field[5:55, 5:55] = 1
    field[10:17, 10:19] = 0  # 63 px
    field[30:38, 30:38] = 0  # 64 px
    labels = segment(field, min_distance=60)
    assert np.count_nonzero(labels == 0) == 60 * 60 - 50 * 50 + 64


def test_objects_below_the_size_are_removed():
    field = np.zeros((20, 40))
    field[2:7, 2:10] = 1  # 40 px
    field[10:13, 20:33] = 1  # 39 px
    for min_size, count in ((39, 2), (None, 1), (40, 1), (41, 0)):
        assert segment(field, min_size=min_size, min_distance=13).max() == count


def test_the_smallest_size_is_the_preset_s_own():
    field = disk((40, 40), (20, 20), 7)  # 149 px
    assert segment(field).max() == 1
    assert segment(field, preset="morelli2021").max() == 0
    assert segment(field, preset="morelli2021", min_size=100).max() == 1


def test_numbers_follow_the_first_pixel_in_raster_order():
    field = disks((60, 90), ((30, 12), 9), ((28, 40), 9), ((29, 70), 9))
    labels = segment(field)
    assert [labels[30, 12], labels[28, 40], labels[29, 70]] == [3, 1, 2]


def test_stacks_are_numbered_through_their_planes():
    planes = np.stack([soft_cells((90, 110), 6, seed) for seed in range(6)])
    stack = planes.reshape(2, 3, 90, 110)
    labels = LiveSegmenter(stack).update(0.5, None)
    assert labels.shape == stack.shape
    assert labels.dtype == np.int32
    before = 0
    for plane, found in zip(planes, labels.reshape(planes.shape), strict=True):
        alone = segment(plane)
        np.testing.assert_array_equal(found, np.where(alone, alone + before, 0))
        before += alone.max()
    assert set(np.unique(labels)) == set(range(before + 1))


def test_every_update_is_an_array_of_its_own():
    live = LiveSegmenter(disk((30, 30), (15, 15), 8))
    first = live.update(0.5, 40)
    first[:] = 7
    assert live.update(0.5, 40).max() == 1


def test_any_memory_layout_will_do():
    field = soft_cells((100, 120), 8, seed=1)
    expected = segment(field)
    np.testing.assert_array_equal(segment(np.asfortranarray(field)), expected)
    np.testing.assert_array_equal(segment(np.repeat(field, 2, 1)[:, ::2]), expected)
    np.testing.assert_array_equal(segment(field.tolist()), segment(field.astype(float)))


FIELD = np.zeros((5, 6))
WITH_NAN = np.array([[0.1, np.nan], [0.2, 0.3]])
WITH_INFINITY = np.array([[0.1, np.inf], [0.2, 0.3]])


NOT_FLOAT = (
    "`probability` must hold floating point numbers between 0 and 1, got {}; predict "
    "it from the image first."
)
NOT_FINITE = (
    "`probability` contains NaN or infinite values; replace them first, for example "
    "with 0."
)


@pytest.mark.parametrize(
    ("probability", "message"),
    [
        (np.zeros((5, 6), dtype=np.uint8), NOT_FLOAT.format("uint8")),
        (np.zeros((5, 6), dtype=bool), NOT_FLOAT.format("bool")),
        (np.zeros((5, 6), dtype=complex), NOT_FLOAT.format("complex128")),
        (
            np.zeros(5),
            "`probability` must have at least two axes (Y, X), got shape (5,).",
        ),
        (
            np.zeros((0, 6)),
            "`probability` is empty (shape (0, 6)); pass at least one pixel.",
        ),
        (WITH_NAN, NOT_FINITE),
        (WITH_INFINITY, NOT_FINITE),
    ],
)
def test_a_map_that_is_none_is_refused(probability, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        segment(probability)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.01}, "`threshold` must be between 0 and 1, got 1.01."),
        ({"threshold": -0.5}, "`threshold` must be between 0 and 1, got -0.5."),
        ({"threshold": np.nan}, "`threshold` must be between 0 and 1, got nan."),
        ({"min_size": -1}, "`min_size` must be at least 0, got -1."),
        ({"min_size": 2.5}, "`min_size` must be a whole number, got 2.5."),
        ({"min_distance": 0}, "`min_distance` must be at least 1, got 0."),
        ({"min_distance": True}, "`min_distance` must be a whole number, got True."),
        (
            {"preset": "moreli"},
            "Unknown preset 'moreli'; did you mean morelli2021?",
        ),
        (
            {"preset": "x"},
            "Unknown preset 'x'; did you mean tashfeen2025 or morelli2021?",
        ),
    ],
)
def test_options_out_of_bounds_are_refused(options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        segment(FIELD, **options)

"""Runs from levels against runs from the plane itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.segmentation.maps import noise_fields

from napari_cresunet.segmentation._levels import Levels
from napari_cresunet.segmentation._runs import find_runs

DTYPES = ("f4", "f8", "f2", ">f4")


def check(plane, thresholds):
    levels = Levels(plane)
    for threshold in thresholds:
        for found, expected in zip(
            levels.runs(threshold), find_runs(plane, threshold), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    noise_fields(),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.sampled_from(DTYPES),
)
def test_runs_are_those_of_the_plane_at_any_threshold(field, thresholds, dtype):
    check(field.astype(dtype), [0.5, *thresholds, 0.07])


@pytest.mark.parametrize("dtype", DTYPES)
def test_hundredths_themselves_are_not_above_themselves(dtype):
    hundredths = np.arange(101) / 100
    values = hundredths.astype(dtype)
    # Each with its two neighbors among the numbers of this precision.
    plane = np.stack([np.nextafter(values, -9), values, np.nextafter(values, 9)], 1)
    check(plane.astype(dtype), [0.3, *hundredths.tolist(), 0.305])


def test_values_beyond_0_and_1_are_below_and_above_all():
    plane = np.array([[-1e30, -0.01, 0.5, 1.01, 1e30]], np.float32)
    check(plane, [0.5, 0.0, 0.01, 0.99, 1.0, 0.995])


def test_a_stack_s_plane_may_have_any_layout():
    plane = np.random.default_rng(0).random((40, 30)).astype(np.float32)
    check(plane.T, [0.5, 0.4, 0.405])
    check(plane[::2, ::3], [0.5, 0.4, 0.405])

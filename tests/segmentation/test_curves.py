"""Counts along the threshold, plateaus, and thresholds for a count."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops
from tests.segmentation.maps import soft_cells

from napari_cresunet.errors import InputError
from napari_cresunet.segmentation import (
    iter_count_curve,
    plateau,
    segment,
    threshold_for_count,
)
from napari_cresunet.steps import Step, drain

FIELD = soft_cells((160, 200), 14, seed=2)
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)


@pytest.mark.parametrize("preset", ["tashfeen2025", "morelli2021"])
def test_counts_are_those_of_segment(preset):
    counts = drain(iter_count_curve(FIELD, THRESHOLDS, min_size=60, preset=preset))
    assert counts.tolist() == [
        segment(FIELD, threshold=value, min_size=60, preset=preset).max()
        for value in THRESHOLDS
    ]
    assert np.issubdtype(counts.dtype, np.integer)


def test_every_threshold_is_a_step():
    steps = []
    drain(iter_count_curve(FIELD, THRESHOLDS, min_size=None), steps.append)
    assert steps == [Step(done=i, total=5) for i in range(1, 6)]


def test_only_cells_whose_centroid_is_in_the_region_count():
    region = np.zeros(FIELD.shape, dtype=bool)
    region[30:120, 40:150] = True
    counts = drain(
        iter_count_curve(FIELD, THRESHOLDS, min_size=40, min_distance=7, region=region)
    )
    expected = []
    for threshold in THRESHOLDS:
        labels = segment(FIELD, threshold=threshold, min_distance=7)
        centers = [np.floor(np.add(cell.centroid, 0.5)) for cell in regionprops(labels)]
        expected.append(sum(region[int(y), int(x)] for y, x in centers))
    assert counts.tolist() == expected
    assert 0 < counts[2] < segment(FIELD, min_distance=7).max()


def test_a_region_of_one_plane_stands_for_all_and_one_of_all_for_each():
    stack = np.stack([FIELD, FIELD])
    region = np.zeros(stack.shape, dtype=bool)
    region[0, 30:120, 40:150] = True
    alone, one, both = (
        drain(iter_count_curve(field, THRESHOLDS, min_size=40, region=mask))
        for field, mask in ((FIELD, region[0]), (stack, region), (stack, region[0]))
    )
    assert one.tolist() == alone.tolist()
    assert both.tolist() == (2 * alone).tolist()


def test_no_threshold_gives_no_count():
    assert drain(iter_count_curve(FIELD, [], min_size=None)).tolist() == []


def test_a_region_of_another_shape_is_refused_at_once():
    message = (
        "`region` must have the shape (160, 200) of the probability map or that of one "
        "plane, got (3, 4)."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        iter_count_curve(FIELD, THRESHOLDS, min_size=40, region=np.ones((3, 4)))


def test_a_threshold_out_of_bounds_is_refused_at_once():
    with pytest.raises(
        InputError, match=r"^`threshold` must be between 0 and 1, got 2"
    ):
        iter_count_curve(FIELD, [0.5, 2], min_size=40)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([7, 7, 7, 7, 7, 7], (0.1, 0.6)),
        ([90, 60, 30, 30, 30, 9], (0.3, 0.5)),
        ([200, 101, 100, 100, 99, 50], (0.2, 0.5)),
        ([4, 4, 3, 0, 0, 0], (0.1, 0.2)),
        ([0, 0, 0, 0, 0, 0], (0.1, 0.6)),
    ],
)
def test_the_plateau_is_wide_and_level_and_has_cells(counts, expected):
    assert plateau([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], counts) == expected


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=12))
def test_no_interval_is_worth_more_than_the_plateau(counts):
    thresholds = np.linspace(0, 1, len(counts))

    def worth(first, last):
        part = counts[first : last + 1]
        if min(part) == 0:
            return 0.0
        change = (max(part) - min(part)) / max(part)
        return (thresholds[last] - thresholds[first]) / (1 + change / 0.05)

    best = max(
        worth(first, last)
        for first in range(len(counts))
        for last in range(first + 1, len(counts))
    )
    low, high = (
        int(np.flatnonzero(thresholds == t)[0]) for t in plateau(thresholds, counts)
    )
    assert worth(low, high) == pytest.approx(best)


@pytest.mark.parametrize(
    ("counts", "count", "expected"),
    [
        ([9, 5, 4, 4, 2, 2], 4, 0.35),
        ([9, 5, 4, 4, 2, 2], 3, 0.35),
        ([9, 5, 4, 4, 4, 1], 3.4, 0.4),
        ([9, 5, 4, 4, 2, 2], 100, 0.1),
        ([5, 9, 5, 5, 9, 9], 5, 0.35),
        ([0, 0, 0, 0, 0, 0], 3, 0.35),
    ],
)
def test_a_count_gives_the_middle_of_its_widest_interval(counts, count, expected):
    thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert threshold_for_count(thresholds, counts, count) == pytest.approx(expected)


def test_one_threshold_is_enough_for_a_count():
    assert threshold_for_count([0.4], [12], 7) == 0.4


NO_LISTS = (
    "`thresholds` and `counts` must be two lists of {} or more numbers each, got "
    "shapes {} and {}."
)
NOT_ASCENDING = "`thresholds` must ascend; sort them together with `counts`."


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: plateau([0.5], [3]), NO_LISTS.format(2, (1,), (1,))),
        (
            lambda: threshold_for_count([0.1, 0.5], [3], 3),
            NO_LISTS.format(1, (2,), (1,)),
        ),
        (lambda: plateau([0.5, 0.4], [3, 4]), NOT_ASCENDING),
    ],
)
def test_what_is_no_curve_is_refused(work, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        work()

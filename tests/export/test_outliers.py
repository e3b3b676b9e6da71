import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.export._outliers import find_outliers


def slow_z(values, is_count):
    """Work the rule out in plain Python."""

    def middle(numbers):
        ordered = sorted(numbers)
        half = len(ordered) // 2
        return (ordered[half] + ordered[~half]) / 2

    typical = middle(values)
    offset = 1 if is_count else max(0.01 * typical, 1e-12)
    logs = [math.log(value + offset) for value in values]
    spread = 1.4826 * middle([abs(log - middle(logs)) for log in logs])
    least = 1 / math.sqrt(typical + 1) if is_count else 0.05
    return [(log - middle(logs)) / max(spread, least) for log in logs]


def test_an_image_with_ten_times_the_cells_is_odd_and_chance_is_not():
    counts = [*np.random.default_rng(0).poisson(50, 40).tolist(), 500, 0]
    found = find_outliers({"cells": counts})
    assert [(one.index, one.value) for one in found] == [(41, 0), (40, 500)]
    assert found[0].z < -3.5
    assert found[1].z > 3.5


def test_equal_values_hide_no_odd_one():
    found = find_outliers({"brightness": [10.0] * 20 + [20.0]})
    assert [(one.index, one.typical) for one in found] == [(20, 10.0)]


def test_of_few_images_none_is_odd():
    assert find_outliers({"cells": [5, 5, 5, 5, 5, 5, 5000]}) == []


def test_unknown_values_are_left_out():
    values = [None, *[10.0] * 10, None, 99.0]
    assert [one.index for one in find_outliers({"brightness": values})] == [12]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 5000), min_size=8, max_size=40),
    st.sampled_from(["cells", "brightness"]),
)
def test_the_rule_is_as_said(values, measure):
    z = slow_z(values, is_count=measure == "cells")
    found = {one.index: one.z for one in find_outliers({measure: values})}
    sure = {i: value for i, value in enumerate(z) if abs(abs(value) - 3.5) > 1e-9}
    assert {i for i in sure if abs(sure[i]) > 3.5} == found.keys() & sure.keys()
    for i in found.keys() & sure.keys():
        assert found[i] == pytest.approx(sure[i])

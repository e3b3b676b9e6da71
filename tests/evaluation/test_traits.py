"""What failures have in common, on tables made by hand and beside direct loops."""

from itertools import product
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from tests.scenes import paint

from napari_cresunet.evaluation import (
    TRAITS,
    MatchRule,
    Trait,
    compare,
    find_traits,
    list_cases,
)


def table_of(kind, failures, hits, name="contrast"):
    """Return a table with one column of values."""
    kinds = np.array([kind] * len(failures) + ["hit"] * len(hits), "<U14")
    return {"kind": kinds, name: np.array([*failures, *hits], float)}


def higher(failures, hits):
    """Return the part of all pairs in which the failure has the higher value."""
    wins = [(a > b) + (a == b) / 2 for a, b in product(failures, hits)]
    return sum(wins) / len(wins)


values = st.lists(st.integers(-3, 6).map(float), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(values, values)
def test_the_part_of_higher_values_is_that_of_a_double_loop(failures, hits):
    (trait,) = find_traits(table_of("missed", failures, hits))
    assert trait.probability_higher == pytest.approx(higher(failures, hits))
    assert trait.n == len(failures)
    assert (trait.median, trait.hit_median) == (np.median(failures), np.median(hits))


def test_missed_cells_that_are_dim_are_said_to_be():
    # Of 6 x 8 pairs, one failure (25) is above one hit (20), one (30) is equal to a
    # hit (30) and above one: 1 + 1.5 of 48.
    failures, hits = [5, 8, 9, 11, 25, 30], [20, 30, 40, 41, 42, 43, 50, 60]
    (trait,) = find_traits(table_of("missed", failures, hits))
    assert trait.probability_higher == pytest.approx(2.5 / 48)
    assert trait.is_clear
    assert trait.sentence == (
        "Missed cells are dimmer than hits: contrast 10 instead of 41.5 (medians)."
    )


@pytest.mark.parametrize(
    ("kind", "name", "is_higher", "start"),
    [
        ("false positive", "area", False, "False positives are smaller than hits: "),
        ("merged", "n_neighbors", True, "Merged cells are more crowded than hits: "),
        ("split", "area", True, "Split cells are larger than hits: "),
        ("poor outline", "background", True,
         "Cells with a poor outline are on brighter ground than hits: "),
        ("missed", "mean_probability", False,
         "Missed cells are less probable than hits: "),
        ("missed", "background", False,
         "Missed cells are on darker ground than hits: "),
        ("split", "contrast", True, "Split cells are brighter than hits: "),
    ],
)  # fmt: skip
def test_each_trait_has_its_words(kind, name, is_higher, start):
    low, high = np.arange(10.0), np.arange(100.0, 110)
    failures, hits = (high, low) if is_higher else (low, high)
    (trait,) = find_traits(table_of(kind, failures, hits, name))
    medians = "104 instead of 4.5" if is_higher else "4.5 instead of 104"
    assert trait.is_clear
    assert trait.sentence == f"{start}{name.replace('_', ' ')} {medians} (medians)."


def test_too_few_cases_are_not_clear():
    hits = [float(k) for k in range(100, 140)]
    for n, is_clear in ((4, False), (5, True)):
        (trait,) = find_traits(table_of("missed", [1.0] * n, hits))
        assert trait.probability_higher == 0
        assert trait.is_clear is is_clear


def test_a_small_difference_is_not_clear_however_many_cases_there_are():
    # 2 of 10 failures are above all hits, 8 as high as these: (2 + 8 / 2) / 10.
    (trait,) = find_traits(table_of("missed", [2, 2] + [1] * 8, [1] * 1000))
    assert trait.probability_higher == pytest.approx(0.6)
    assert trait.p_value < 0.01
    assert not trait.is_clear


def test_a_difference_that_may_be_chance_is_not_clear():
    (trait,) = find_traits(table_of("missed", [1, 2, 3, 4, 9], [5, 6, 7]))
    # 3 of 15 pairs have the higher failure.
    assert trait.probability_higher == pytest.approx(3 / 15)
    assert trait.p_value > 0.01
    assert not trait.is_clear


@pytest.mark.parametrize(
    ("part", "n", "p_value", "is_clear"),
    [
        (0.7, 5, 0.009, True),
        (0.3, 5, 0.009, True),
        (0.69, 5, 0.009, False),
        (0.31, 5, 0.009, False),
        (0.7, 4, 0.009, False),
        (0.7, 5, 0.01, False),
    ],
)
def test_the_limits_of_what_is_clear(part, n, p_value, is_clear):
    trait = Trait(
        kind="missed",
        name="area",
        n=n,
        median=1,
        hit_median=2,
        probability_higher=part,
        p_value=p_value,
    )
    assert trait.is_clear is is_clear


def test_equal_values_are_no_trait():
    (trait,) = find_traits(table_of("missed", [3.0] * 9, [3.0] * 9))
    assert (trait.probability_higher, trait.p_value) == (0.5, 1)
    assert not trait.is_clear


@settings(max_examples=20, deadline=None)
@given(values, values)
def test_the_p_value_is_that_of_mann_and_whitney_from_either_side(failures, hits):
    (one,) = find_traits(table_of("missed", failures, hits))
    (other,) = find_traits(table_of("missed", hits, failures))
    assert one.p_value == pytest.approx(other.p_value)
    assert one.probability_higher == pytest.approx(1 - other.probability_higher)
    if len({*failures, *hits}) > 1:
        expected = mannwhitneyu(failures, hits, method="asymptotic").pvalue
        assert one.p_value == pytest.approx(expected)


def test_unknown_values_are_left_out():
    (trait,) = find_traits(table_of("missed", [1, nan, 2], [nan, 3]))
    assert trait.n == 2
    assert trait.median == 1.5
    assert find_traits(table_of("missed", [nan], [3])) == []
    assert find_traits(table_of("missed", [1], [nan])) == []


def test_without_hits_and_without_failures_there_is_nothing_to_say():
    assert find_traits(table_of("missed", [1, 2], [])) == []
    assert find_traits(table_of("missed", [], [1, 2])) == []
    assert find_traits(table_of("border", [1, 2], [3, 4])) == []
    assert find_traits(table_of("missed", [1, 2], [3, 4], "iou")) == []


def test_traits_come_by_kind_then_by_column():
    kinds = np.array(["split", "merged", "hit", "missed", "border"])
    table = {"kind": kinds} | dict.fromkeys(reversed(TRAITS), np.arange(5.0))
    found = [(one.kind, one.name) for one in find_traits(table)]
    assert found == list(product(("missed", "merged", "split"), TRAITS))


def test_dim_cells_that_a_model_misses_are_found_in_an_image():
    circles = [(15 + 30 * (k // 6), 15 + 30 * (k % 6), 6) for k in range(24)]
    truth = paint(*circles, shape=(125, 185))
    is_dim = np.isin(truth, range(1, 9))
    image = np.where(is_dim, 20, np.where(truth > 0, 200 + truth, 10))
    labels = np.where(is_dim, 0, truth)
    rule = MatchRule(max_distance=10)
    found = find_traits(list_cases(compare(labels, truth, rule), image=image))
    assert [one.sentence for one in found if one.is_clear] == [
        "Missed cells are dimmer than hits: contrast 10 instead of 206 (medians)."
    ]

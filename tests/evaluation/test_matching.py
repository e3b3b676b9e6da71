"""Pairs of centers: optimal, greedy, and what must never change them."""

import re
from itertools import permutations
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.evaluation import reference

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import match_centers

centers = st.integers(0, 5).flatmap(
    lambda count: arrays(np.int64, (count, 2), elements=st.integers(0, 12))
)


def brute_force(pred, true, limit):
    """Try every assignment: most pairs, then least total distance."""
    if len(pred) > len(true):
        pred, true = true, pred
    best = (0, 0.0)
    options = [*range(len(true)), *[None] * len(pred)]
    for chosen in set(permutations(options, len(pred))):
        distances = [
            float(np.hypot(*(pred[i] - true[j])))
            for i, j in enumerate(chosen)
            if j is not None
        ]
        if all(distance <= limit for distance in distances):
            best = min(best, (-len(distances), sum(distances)))
    return -best[0], best[1]


@settings(max_examples=30, deadline=None)
@given(centers.filter(lambda c: len(c) < 4), centers.filter(lambda c: len(c) < 4))
def test_the_optimal_matching_equals_brute_force(pred, true):
    matches = match_centers(pred, true, 4)
    count, total = brute_force(pred, true, 4)
    assert len(matches.pairs) == count
    assert matches.distances.sum() == pytest.approx(total)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(1, 60)] * 2),
    st.sampled_from((60, 150, 400)),
    st.booleans(),
)
def test_the_optimal_matching_equals_a_dense_assignment(seed, counts, side, is_grid):
    rng = np.random.default_rng(seed)
    pred, true = (side * rng.random((count, 2)) for count in counts)
    if is_grid:  # many ties, and many pairs at the limit
        pred, true = np.round(pred / 20) * 20, np.round(true / 20) * 20
    distances = np.hypot(*(pred[:, None] - true).transpose(2, 0, 1))
    count, total = reference.dense_assignment(distances, distances <= 40)
    matches = match_centers(pred, true, 40)
    assert len(matches.pairs) == count
    assert matches.distances.sum() == pytest.approx(total)
    assert len(set(matches.pairs[:, 0])) == len(set(matches.pairs[:, 1])) == count
    assert matches.distances == pytest.approx(distances[tuple(matches.pairs.T)])


@settings(max_examples=30, deadline=None)
@example(np.array([[9, 9]]), np.array([[9, 5]]), Random(0))
@given(centers, centers, st.randoms(use_true_random=False))
def test_row_order_and_unit_change_neither_count_nor_total(pred, true, random):
    before = match_centers(pred, true, 4)
    order = list(range(len(pred)))
    random.shuffle(order)
    after = match_centers(pred[order] * 0.001, true * 0.001, 4 * 0.001)
    assert len(after.pairs) == len(before.pairs)
    assert after.distances.sum() * 1000 == pytest.approx(before.distances.sum())


@settings(max_examples=30, deadline=None)
@given(centers, centers)
def test_greedy_never_finds_more_pairs_than_optimal(pred, true):
    greedy = match_centers(pred, true, 4, matching="greedy")
    assert len(greedy.pairs) <= len(match_centers(pred, true, 4).pairs)


@settings(max_examples=30, deadline=None)
@given(centers, centers)
def test_swapping_the_sides_keeps_count_and_total(pred, true):
    one, other = match_centers(pred, true, 4), match_centers(true, pred, 4)
    assert len(one.pairs) == len(other.pairs)
    assert one.distances.sum() == pytest.approx(other.distances.sum())


@settings(max_examples=30, deadline=None)
@given(centers, centers)
def test_greedy_equals_a_direct_loop(pred, true):
    free, expected = set(range(len(true))), []
    for i, center in enumerate(pred):
        reach = [(np.hypot(*(center - true[j])), j) for j in sorted(free)]
        if reach and min(reach)[0] <= 4:
            expected.append([i, min(reach)[1]])
            free.remove(min(reach)[1])
    matches = match_centers(pred, true, 4, matching="greedy")
    assert matches.pairs.tolist() == expected


def test_optimal_makes_two_pairs_where_greedy_makes_one():
    pred, true = [[0, 0], [0, 3]], [[0, 2], [0, 5]]
    assert len(match_centers(pred, true, 3).pairs) == 2
    greedy = match_centers([[0, 3], [0, 0]], [[0, 2], [0, 9]], 3, matching="greedy")
    assert greedy.pairs.tolist() == [[0, 0]]


def test_most_pairs_come_before_the_shortest_distances():
    # Two equal centers 30 px from a lonely one on either side, in a row.
    pred, true = [[0, 45], [0, 15]], [[0, 45], [0, 75]]
    matches = match_centers(pred, true, 40)
    assert matches.pairs.tolist() == [[0, 1], [1, 0]]
    assert matches.distances.tolist() == [30, 30]
    assert match_centers(pred, true, 29).pairs.tolist() == [[0, 0]]
    greedy = match_centers(pred, true, 40, matching="greedy")
    assert greedy.pairs.tolist() == [[0, 0]]


def test_greedy_takes_the_nearest_in_the_order_of_the_predictions():
    # The first takes the true center 1 px off, though another one is nearer to that.
    pred, true = [[0, 4], [0, 5]], [[0, 8], [0, 5]]
    matches = match_centers(pred, true, 5, matching="greedy")
    assert matches.pairs.tolist() == [[0, 1], [1, 0]]
    assert matches.distances.tolist() == [1, 3]


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_a_direct_loop_in_a_crowd(seed):
    rng = np.random.default_rng(seed)
    pred, true = rng.random((50, 2)), rng.random((40, 2))
    free, expected = set(range(len(true))), []
    for i, center in enumerate(pred):
        reach = sorted((np.hypot(*(center - true[j])), j) for j in free)
        if reach and reach[0][0] <= 0.2:
            expected.append([i, reach[0][1]])
            free.remove(reach[0][1])
    matches = match_centers(pred, true, 0.2, matching="greedy")
    assert matches.pairs.tolist() == expected


def test_greedy_takes_the_first_of_equally_near_ones():
    matches = match_centers([[0, 5]], [[0, 8], [0, 2]], 5, matching="greedy")
    assert matches.pairs.tolist() == [[0, 0]]


def test_equal_centers_are_paired_one_to_one():
    matches = match_centers([[3, 3]] * 4, [[3, 3]] * 3, 1)
    assert sorted(matches.pairs[:, 1].tolist()) == [0, 1, 2]
    assert matches.distances.tolist() == [0, 0, 0]


def test_the_limit_is_inclusive():
    assert len(match_centers([[0, 0]], [[3, 4]], 5).pairs) == 1
    assert len(match_centers([[0, 0]], [[3, 4]], 4.999).pairs) == 0


@pytest.mark.parametrize("unit", [0.001, 0.315, 1 / 3, 1e6])
def test_a_pair_at_the_limit_stays_one_in_every_unit(unit):
    # 9 * 0.001 - 5 * 0.001 is more than 4 * 0.001 in floating-point numbers.
    pred, true = np.array([[9, 9]]), np.array([[9, 5]])
    assert len(match_centers(pred * unit, true * unit, 4 * unit).pairs) == 1
    assert len(match_centers(pred * unit, true * unit, 3.999 * unit).pairs) == 0


def test_a_limit_of_zero_pairs_equal_centers_only():
    matches = match_centers([[1, 1], [2, 2]], [[2, 2], [5, 5]], 0)
    assert matches.pairs.tolist() == [[1, 0]]


@pytest.mark.parametrize(("n_pred", "n_true"), [(0, 0), (0, 3), (3, 0)])
def test_an_empty_side_gives_no_pairs(n_pred, n_true):
    matches = match_centers(np.zeros((n_pred, 2)), np.zeros((n_true, 2)), 5)
    assert matches.pairs.shape == (0, 2)
    assert matches.distances.shape == (0,)


@pytest.mark.parametrize(
    ("pred", "true", "limit", "matching", "message"),
    [
        ([[0, 0]], [[0, 0, 0]], 1, "optimal",
         "Predicted and true centers differ in dimensions: 2 and 3."),
        ([0, 0], [[0, 0]], 1, "optimal",
         "`pred` must be 2-D, one row for each center, got 1-D."),
        ([[0, 0]], [[0, np.nan]], 1, "optimal",
         "`true` has a coordinate that is not finite."),
        ([[np.inf, 0]], [[0, 0]], 1, "optimal",
         "`pred` has a coordinate that is not finite."),
        ([[0, 0]], [[[0, 0]]], 1, "optimal",
         "`true` must be 2-D, one row for each center, got 3-D."),
        ([[0, 0]], [[0, 0]], -1, "optimal",
         "`max_distance` must be at least 0, got -1."),
        ([[0, 0]], [[0, 0]], np.nan, "optimal",
         "`max_distance` must be at least 0, got nan."),
        ([[0, 0]], [[0, 0]], 1, "best",
         "Unknown matching 'best'; choose from optimal, greedy."),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(pred, true, limit, matching, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        match_centers(pred, true, limit, matching=matching)

"""Where networks disagree, and which of two is right."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation import reference
from tests.segmentation.maps import noise

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    FALSE_IN_SECOND,
    FOUND_BY_FIRST,
    MatchRule,
    compare,
    disagreement,
    right_and_wrong,
    strongest_places,
)

RULE = MatchRule(max_distance=10)


@pytest.mark.parametrize("n", [2, 3, 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_disagreement_is_the_standard_deviation(n, dtype):
    rng = np.random.default_rng(n)
    maps = rng.random((n, 2, 9, 13)).astype(dtype)
    found = disagreement(list(maps))
    assert found.dtype == np.float32
    assert found == pytest.approx(maps.std(axis=0), abs=1e-6)


def test_half_of_the_networks_against_the_other_half_is_the_most_there_is():
    maps = [np.array([[1.0, 1, 0]]), np.array([[0.0, 1, 0]])] * 2
    assert disagreement(maps).tolist() == [[0.5, 0, 0]]
    # Three of four: sqrt(3 / 16).
    assert disagreement(maps[:1] * 3 + maps[1:2])[0, 0] == pytest.approx(3**0.5 / 4)


FEW = "Disagreement needs the probabilities of two or more models."
DIFFER = "The probabilities differ in shape: (4, 5) and (5, 4); predict the same image."


@pytest.mark.parametrize(
    ("shapes", "message"),
    [([], FEW), ([(4, 5)], FEW), ([(5, 4), (4, 5), (4, 5)], DIFFER)],
)
def test_maps_that_cannot_be_compared_are_refused(shapes, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        disagreement([np.zeros(shape) for shape in shapes])


# The strongest places


def test_peaks_come_highest_first_with_their_plane():
    values = np.zeros((2, 40, 50))
    values[0, 5, 5], values[0, 30, 40], values[1, 20, 10] = 0.2, 0.4, 0.3
    assert strongest_places(values).tolist() == [[0, 30, 40], [1, 20, 10], [0, 5, 5]]
    assert strongest_places(values, 2).tolist() == [[0, 30, 40], [1, 20, 10]]
    assert strongest_places(values, least=0.3).tolist() == [[0, 30, 40]]
    assert strongest_places(values[0]).tolist() == [[0, 30, 40], [0, 5, 5]]


def test_peaks_at_the_edge_count():
    values = np.zeros((30, 30))
    values[0, 0], values[29, 29] = 0.4, 0.3
    assert strongest_places(values).tolist() == [[0, 0, 0], [0, 29, 29]]


def test_of_near_peaks_the_higher_one_stays():
    values = np.zeros((40, 40))
    values[10, 10], values[10, 17], values[10, 22] = 0.3, 0.4, 0.35
    found = strongest_places(values, min_distance=8)
    assert found.tolist() == [[0, 10, 17]]
    assert len(strongest_places(values, min_distance=3)) == 3


@pytest.mark.parametrize("values", [np.zeros((20, 20)), np.full((20, 20), 0.4)])
def test_an_even_map_has_no_peak(values):
    assert strongest_places(values).shape == (0, 3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_peaks_are_highest_around_and_keep_their_distance(seed, min_distance):
    values = noise((40, 50), 2, seed)
    places = strongest_places(values, 999, min_distance=min_distance, least=0.5)
    rows, columns = places[:, 1], places[:, 2]
    heights = values[rows, columns]
    assert heights.tolist() == sorted(heights, reverse=True)
    assert (heights > 0.5).all()
    for k, (row, column) in enumerate(zip(rows, columns, strict=True)):
        top, left = max(row - min_distance, 0), max(column - min_distance, 0)
        around = values[top : row + min_distance + 1, left : column + min_distance + 1]
        assert heights[k] == around.max()
        far = np.maximum(abs(rows - row), abs(columns - column)) >= min_distance
        assert far.sum() == len(places) - 1
    highest = np.unravel_index(values.argmax(), values.shape)
    assert places[0].tolist() == [0, *highest]


# Which of two is right


@pytest.fixture
def two_models():
    """Three cells; the first finds 1 and 2, the second 2 and 3, both with false ones.

    Each has one at (50, 20), 3 px apart; the second has another one at (50, 60).
    """
    shape = (60, 90)
    truth, first, second = (np.zeros(shape, int) for _ in range(3))
    for number, column in enumerate((10, 40, 70), start=1):
        truth[10:15, column : column + 5] = number
    first[truth == 1], first[truth == 2], first[50, 20] = 1, 2, 3
    second[truth == 2], second[truth == 3] = 7, 8
    second[50, 23], second[50, 60] = 9, 4
    return tuple(compare(one, truth, RULE) for one in (first, second))


def test_what_the_first_finds_and_what_only_the_second_invents(two_models):
    found = right_and_wrong(*two_models)
    assert found["what"].tolist() == [FOUND_BY_FIRST, FALSE_IN_SECOND]
    assert found["row"].tolist() == [12, 50]
    assert found["column"].tolist() == [12, 60]
    assert found["plane"].tolist() == [0, 0]


def test_in_the_other_direction_there_is_no_false_one(two_models):
    found = right_and_wrong(*two_models[::-1])
    assert found["what"].tolist() == [FOUND_BY_FIRST]
    assert (found["row"].tolist(), found["column"].tolist()) == ([12], [72])


def test_a_model_is_as_right_as_itself(two_models):
    found = right_and_wrong(two_models[0], two_models[0])
    assert [len(column) for column in found.values()] == [0] * 4


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.integers(0, 99), st.sampled_from((1.0, (1.0, 2.0))))
def test_what_is_right_and_wrong_is_that_of_direct_loops(scene, seed, spacing):
    labels, truth = scene
    rule = MatchRule(max_distance=9, spacing=spacing)
    other = np.roll(labels, np.random.default_rng(seed).integers(-6, 7, 2), (0, 1))
    first, second = compare(other, truth, rule), compare(labels, truth, rule)
    expected = [
        (FOUND_BY_FIRST, 0, *first.true.centers[row])
        for row in {*first.matches.pairs[:, 1]} - {*second.matches.pairs[:, 1]}
    ]
    false = [
        [row for row in range(len(one.pred)) if row not in {*one.matches.pairs[:, 0]}]
        for one in (first, second)
    ]
    for row in false[1]:
        center = second.pred.centers[row]
        steps = (first.pred.centers[false[0]] - center) * rule.sides
        if not (np.hypot(*steps.T) <= 9).any():
            expected.append((FALSE_IN_SECOND, 0, *center))
    found = right_and_wrong(first, second)
    places = list(zip(*(column.tolist() for column in found.values()), strict=True))
    assert places == sorted(places, key=lambda one: one[1:])
    assert sorted(places) == sorted(expected)


def test_false_ones_in_another_plane_are_no_reason_to_forgive():
    nothing, speck = np.zeros((20, 20), int), np.zeros((20, 20), int)
    speck[5, 5] = 1
    truth = np.stack([nothing, nothing])
    first = compare(np.stack([speck, nothing]), truth, RULE)
    second = compare(np.stack([nothing, speck]), truth, RULE)
    found = right_and_wrong(first, second)
    assert found["what"].tolist() == [FALSE_IN_SECOND]
    assert found["plane"].tolist() == [1]


def test_models_with_different_truths_are_refused():
    one, other = np.zeros((2, 20, 20), int), np.zeros((2, 20, 20), int)
    one[0, 5, 5], other[1, 5, 5] = 1, 1
    message = "Compare two models with the same truth."
    for truth in (other, one[:, :10], np.zeros_like(one)):
        first, second = compare(one, one), compare(np.zeros_like(truth), truth)
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            right_and_wrong(first, second)

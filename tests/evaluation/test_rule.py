"""When cells are a pair: units, pixels that are no squares, and planes."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation import reference

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    MatchRule,
    evaluate,
    match_centers,
    objects_of,
    usual_distance,
)


def specks(*places, shape=(30, 40)):
    """Return cells of one pixel, numbered from 1."""
    labels = np.zeros(shape, np.int32)
    for number, place in enumerate(places, start=1):
        labels[place] = number
    return labels


def test_the_rule_of_the_papers_is_the_default():
    rule = MatchRule()
    assert (rule.max_distance, rule.matching, rule.center) == (40, "optimal", "box")
    assert rule.sides.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("diameter", "distance"),
    [(36.5, 40), (73, 80), (18.25, 20), (7, 8), (1, 1), (0.2, 1)],
)
def test_the_published_distance_grows_with_the_cells(diameter, distance):
    # 40 px at 36.5 px; 7 px: 280 / 36.5 = 7.67.
    assert usual_distance(diameter) == distance


@pytest.mark.parametrize(
    ("limit", "n_pairs"), [(5.0, 2), (4.99, 1), (2.5, 1), (2.49, 0)]
)
def test_height_and_width_of_a_pixel_may_differ(limit, n_pairs):
    # 5 rows of 0.5 µm: 2.5 µm. 2 columns of 2 µm and 6 rows of 0.5 µm: 5 µm.
    labels, truth = specks((5, 5), (20, 30)), specks((10, 5), (26, 32))
    scores = evaluate(labels, truth, max_distance=limit, spacing=(0.5, 2))
    assert scores.tp == n_pairs


def test_distances_are_in_the_unit_of_the_spacing():
    labels, truth = objects_of(specks((5, 5), (9, 9))), objects_of(specks((5, 9)))
    # 4 px of 0.315 µm to either; that in the same row comes first.
    matches = MatchRule(max_distance=1.26, spacing=0.315).match(labels, truth)
    assert len(matches.pairs) == 1
    assert matches.distances == pytest.approx([1.26])
    assert (
        len(MatchRule(max_distance=1.25, spacing=0.315).match(labels, truth).pairs) == 0
    )


@pytest.mark.parametrize(
    "spacing", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0), (2, 2), [2.0, 2]]
)
def test_one_number_counts_for_both_sides(spacing):
    assert MatchRule(spacing=spacing).sides.tolist() == [2, 2]


def test_the_centroid_pairs_where_the_box_does_not():
    # An L of 11 px: the box has its center at (5, 5), the centroid is at row and column
    # (0 * 11 + 1 + ... + 10) / 21 = 55 / 21 = 2.62.
    labels = np.zeros((20, 20), int)
    labels[0, :11] = labels[:11, 0] = 1
    at_corner, in_box = [[55 / 21, 55 / 21]], [[5, 5]]
    for truth, center in ((at_corner, "centroid"), (in_box, "box")):
        other = "box" if center == "centroid" else "centroid"
        assert evaluate(labels, truth, max_distance=0.001, center=center).tp == 1
        assert evaluate(labels, truth, max_distance=3.3, center=other).tp == 0
        # 5 - 2.62 = 2.38 in both directions: 3.37.
        assert evaluate(labels, truth, max_distance=3.4, center=other).tp == 1


@pytest.mark.parametrize("matching", ["optimal", "greedy"])
@pytest.mark.parametrize("limit", [0, 3, 1000])
def test_no_pair_crosses_planes(matching, limit):
    one, none = specks((5, 5), (20, 30)), specks()
    labels, truth = np.stack([one, none, one]), np.stack([none, one, none])
    scores = evaluate(labels, truth, max_distance=limit, matching=matching)
    assert (scores.tp, scores.fp, scores.fn) == (0, 4, 2)


@settings(max_examples=20, deadline=None)
@given(st.lists(reference.scenes, min_size=1, max_size=3), st.sampled_from((3, 9, 40)))
def test_a_stack_has_the_pairs_of_its_planes(scenes, limit):
    scenes = [one for one in scenes if one[0].shape == scenes[0][0].shape]
    rule = MatchRule(max_distance=limit, spacing=(1, 1.5), center="centroid")
    labels, truth = (np.stack(side) for side in zip(*scenes, strict=True))
    sides = objects_of(labels), objects_of(truth)
    found = rule.match(*sides)
    assert (
        sides[0].planes[found.pairs[:, 0]] == sides[1].planes[found.pairs[:, 1]]
    ).all()
    single = [rule.match(*map(objects_of, scene)) for scene in scenes]
    assert len(found.pairs) == sum(len(one.pairs) for one in single)
    assert found.distances.sum() == pytest.approx(
        sum(one.distances.sum() for one in single)
    )


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.sampled_from((0.001, 0.315, 7.0)))
def test_another_unit_changes_no_pair(scene, unit):
    sides = [objects_of(side) for side in scene]
    before = MatchRule(max_distance=9, spacing=(1, 1.3)).match(*sides)
    rule = MatchRule(max_distance=9 * unit, spacing=(unit, 1.3 * unit))
    after = rule.match(*sides)
    assert len(after.pairs) == len(before.pairs)
    assert after.distances.sum() == pytest.approx(before.distances.sum() * unit)


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.sampled_from(("box", "centroid")))
def test_the_pairs_of_one_plane_are_those_of_its_centers(scene, center):
    sides = [objects_of(side) for side in scene]
    rule = MatchRule(max_distance=9, center=center)
    expected = match_centers(*map(rule.centers_of, sides), 9)
    assert rule.match(*sides).pairs.tolist() == expected.pairs.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_distance": -1}, "`max_distance` must be at least 0, got -1."),
        ({"max_distance": np.nan}, "`max_distance` must be at least 0, got nan."),
        ({"matching": "best"}, "`matching` must be optimal or greedy, got 'best'."),
        ({"center": "middle"}, "`center` must be box or centroid, got 'middle'."),
        ({"spacing": (1, 2, 3)}, "`spacing` must be one number or two, got 3."),
        ({"spacing": 0}, "`spacing` must be at least 1e-09, got 0."),
        ({"spacing": (1, -2)}, "`spacing` must be at least 1e-09, got -2."),
        ({"spacing": (np.nan, 1)}, "`spacing` must be at least 1e-09, got nan."),
    ],
)
def test_what_is_out_of_its_bounds_is_refused(changes, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        MatchRule(**changes)

"""What becomes of each cell: named scenes, cases on paper, and direct loops."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation import reference
from tests.scenes import EXPECTED_KINDS, SCENES, paint

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import KINDS, MatchRule, compare, evaluate

RULE = MatchRule(max_distance=9)


def kinds(comparison):
    return comparison.pred_kinds.tolist(), comparison.true_kinds.tolist()


def counted(comparison):
    return [Counter(side) for side in kinds(comparison)]


def framed(*rows):
    """Return rows of labels with a margin, so that no cell is at the border."""
    return np.pad(np.array(rows), 1)


@pytest.mark.parametrize("name", SCENES)
def test_each_scene_has_the_kinds_one_sees(name):
    assert kinds(compare(*SCENES[name]())) == EXPECTED_KINDS[name]


@settings(max_examples=60, deadline=None)
@given(reference.scenes, st.sampled_from((0, 3, 9, 40)))
def test_kinds_are_those_of_direct_loops(scene, limit):
    found = compare(*scene, MatchRule(max_distance=limit))
    expected = reference.kinds_of(*scene, found.partners.pairs.tolist())
    assert kinds(found) == expected


@settings(max_examples=60, deadline=None)
@given(reference.scenes, st.sampled_from((3, 9, 40)))
def test_outlines_that_fit_are_partners_and_the_rest_is_matched_by_centers(
    scene, limit
):
    found = compare(*scene, MatchRule(max_distance=limit))
    pred, true = (list(reference.cells_of(side).values()) for side in scene)
    distances = np.linalg.norm(
        found.pred.centers[:, None] - found.true.centers[None], axis=2
    )
    fitting = [
        (i, j)
        for i, p in enumerate(pred)
        for j, t in enumerate(true)
        if 2 * len(p & t) > len(p | t) and distances[i, j] <= limit
    ]
    pairs = [tuple(pair) for pair in found.partners.pairs.tolist()]
    assert set(fitting) <= set(pairs)
    np.testing.assert_allclose(
        found.partners.distances, [distances[pair] for pair in pairs]
    )
    # A tie at exactly one half may be decided either way.
    if not any(2 * len(p & t) == len(p | t) for p in pred for t in true):
        is_allowed = distances <= limit
        is_allowed[[i for i, _ in fitting]] = False
        is_allowed[:, [j for _, j in fitting]] = False
        count, total = reference.dense_assignment(distances, is_allowed)
        others = [pair for pair in pairs if pair not in fitting]
        assert len(others) == count
        assert sum(distances[pair] for pair in others) == pytest.approx(total)


@pytest.mark.parametrize(
    ("labels", "truth", "pred_kinds", "true_kinds"),
    [
        # 2 of 4 px are half of cell 2, and not more.
        ([1, 1, 1, 1, 1], [1, 1, 1, 2, 2, 2, 2], ["hit"], ["hit", "missed"]),
        # 3 of 4 px are more.
        ([1, 1, 1, 1, 1, 1], [1, 1, 1, 2, 2, 2, 2], ["merged"], ["merged"] * 2),
        # Half of prediction 2 lies in the cell: not split. 3 of 6 px: a hit.
        ([1, 1, 1, 0, 0, 2, 2], [1, 1, 1, 1, 1, 1], ["hit", "false positive"], ["hit"]),
        # More than half of prediction 2 lies in it.
        ([1, 1, 1, 0, 2, 2, 2], [1, 1, 1, 1, 1, 1], ["split"] * 2, ["split"]),
        # 4 of 8 px: the IoU is not below 0.5.
        ([1, 1, 1, 1], [1] * 8, ["hit"], ["hit"]),
        # 4 of 9 px.
        ([1, 1, 1, 1], [1] * 9, ["poor outline"], ["poor outline"]),
        # Prediction 1 covers three cells, prediction 2 one of a fourth and fifth.
        (
            [1, 1, 1, 1, 1, 1, 0, 2, 2],
            [1, 1, 2, 2, 3, 3, 0, 4, 4, 5, 5],
            ["merged", "hit"],
            ["merged"] * 3 + ["hit", "missed"],
        ),
        # The cell lies in prediction 1, and prediction 2 lies in nothing.
        (
            [1, 1, 1, 0, 2],
            [0, 1, 0],
            ["poor outline", "false positive"],
            ["poor outline"],
        ),
    ],
)
def test_rows_worked_out_on_paper(labels, truth, pred_kinds, true_kinds):
    width = max(len(labels), len(truth))
    sides = [framed(one + [0] * (width - len(one))) for one in (labels, truth)]
    sides = [_with_far_cell(side) for side in sides]
    found = compare(*sides, MatchRule(max_distance=2.5))
    assert kinds(found) == ([*pred_kinds, "hit"], [*true_kinds, "hit"])


def _with_far_cell(labels):
    """Return the image with one cell far below, lest a lonely label be a mask."""
    tall = np.pad(labels, ((0, 20), (0, 0)))
    tall[-4:-2, 1:3] = 9
    return tall


def test_a_prediction_in_each_of_three_pieces_of_one_cell():
    truth = framed([7] * 11, [7] * 11)
    labels = framed([1, 1, 1, 0, 4, 4, 4, 0, 9, 9, 9], [0] * 11)
    found = compare(labels, truth)
    assert kinds(found) == (["split"] * 3, ["split"])
    assert (found.scores.tp, found.scores.fp) == (1, 2)


def test_merged_comes_before_split():
    # Prediction 1 covers cells 1 and 2. Predictions 2 and 3 lie in cell 2, of which 1
    # has 5 of 9 px: no split, for cell 2 is merged already.
    truth = framed([1, 1, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    labels = framed([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3])
    assert kinds(compare(labels, truth, MatchRule(max_distance=1))) == (
        ["merged", "false positive", "false positive"],
        ["merged", "merged"],
    )


def test_a_prediction_that_is_merged_is_no_piece_of_a_split():
    # Prediction 1 covers cells 1 and 2, and lies in cell 3 with 3 of 5 px. Of cell 3,
    # prediction 2 has 3 of 10 px, alone.
    truth = framed([1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3])
    labels = framed([1, 1, 1, 1, 1, 0, 2, 2, 2, 0, 0, 0])
    assert kinds(compare(labels, truth, MatchRule(max_distance=1))) == (
        ["merged", "poor outline"],
        ["merged", "merged", "poor outline"],
    )


def test_as_many_pairs_as_possible_may_part_a_perfect_pair():
    found = compare(*SCENES["chained"]())
    assert found.matches.distances.tolist() == [30, 30]
    assert (found.scores.tp, found.scores.fp) == (2, 0)
    # The kinds leave it together.
    assert found.partners.pairs.tolist() == [[0, 0]]
    assert found.partners.distances.tolist() == [0]
    assert kinds(compare(*SCENES["chained"](), MatchRule(max_distance=29))) == (
        ["hit", "false positive"],
        ["hit", "missed"],
    )


@pytest.mark.parametrize("edge", ["top", "left", "bottom", "right"])
def test_failures_at_each_edge_are_border_and_hits_stay_hits(edge):
    row, column = {
        "top": (0, 20),
        "left": (20, 0),
        "bottom": (39, 20),
        "right": (20, 39),
    }[edge]
    shape = (40, 40)
    cell, inner = (row, column, 6), (20, 20, 4)
    whole = paint(cell, inner, shape=shape)
    without, small = whole * (whole != 1), paint((row, column, 3), inner, shape=shape)
    small_rule = MatchRule(max_distance=5)
    for labels, truth, kind in (
        (whole, whole, "hit"),
        (small, whole, "border"),
        (whole, small, "border"),
    ):
        assert kinds(compare(labels, truth, small_rule)) == ([kind, "hit"],) * 2
    assert kinds(compare(without, whole, small_rule)) == (["hit"], ["border", "hit"])
    assert kinds(compare(whole, without, small_rule)) == (["border", "hit"], ["hit"])


def test_merged_and_split_cells_at_the_border_stay_so():
    labels, truth = [[1, 1, 1, 1, 1, 0, 2, 2]], [[1, 1, 0, 2, 2, 0, 3, 3]]
    assert kinds(compare(labels, truth)) == (
        ["merged", "hit"],
        ["merged"] * 2 + ["hit"],
    )
    assert kinds(compare(truth, labels)) == (["split"] * 2 + ["hit"], ["split", "hit"])


def test_points_are_merged_if_one_prediction_covers_two_of_them():
    labels = np.zeros((40, 60), int)
    labels[5:15, 5:25], labels[30:36, 30:36], labels[0:4, 50:54] = 2, 4, 7
    truth = [[10, 10], [10, 20], [33, 33], [38, 5]]
    found = compare(labels, truth, MatchRule(max_distance=10))
    assert found.pred_kinds.tolist() == ["merged", "hit", "border"]
    assert found.true_kinds.tolist() == ["merged", "merged", "hit", "missed"]
    assert (found.scores.tp, found.scores.fp, found.scores.fn) == (2, 1, 2)


def test_points_know_neither_splits_nor_poor_outlines():
    labels = np.zeros((40, 60), int)
    labels[10:14, 10:14], labels[10:14, 15:19] = 1, 2
    found = compare(labels, [[11.5, 13]])
    assert kinds(found) == (["hit", "false positive"], ["hit"])
    assert found.overlap_scores() is None


def test_planes_of_a_stack_do_not_touch_each_other():
    labels, truth = SCENES["merged"]()
    nothing = np.zeros_like(truth)
    first = compare(np.stack([labels, nothing]), np.stack([truth, truth]))
    assert kinds(first) == (["merged"], ["merged", "merged", "missed", "missed"])
    # Parts of the same label in two planes are two cells, not one that is merged.
    halves = np.stack([np.where(truth == k, 1, 0) for k in (1, 2)])
    assert kinds(compare(halves, halves)) == (["hit"] * 2, ["hit"] * 2)


@settings(max_examples=20, deadline=None)
@given(st.lists(reference.scenes, min_size=1, max_size=3))
def test_a_stack_has_the_kinds_of_its_planes(scenes):
    scenes = [one for one in scenes if one[0].shape == scenes[0][0].shape]
    found = compare(*(np.stack(side) for side in zip(*scenes, strict=True)), RULE)
    single = [compare(*scene, RULE) for scene in scenes]
    assert found.scores.tp == sum(one.scores.tp for one in single)
    pairs = found.partners.pairs.tolist()
    stacks = [np.stack(side) for side in zip(*scenes, strict=True)]
    assert kinds(found) == reference.kinds_of(*stacks, pairs)


@settings(max_examples=20, deadline=None)
@given(st.lists(reference.scenes, min_size=1, max_size=3))
def test_each_plane_has_the_scores_of_an_image_of_its_own(scenes):
    scenes = [one for one in scenes if one[0].shape == scenes[0][0].shape]
    stacks = [np.stack(side) for side in zip(*scenes, strict=True)]
    single = [evaluate(*scene, max_distance=9) for scene in scenes]
    assert str(compare(*stacks, RULE).plane_scores()) == str(single)


def test_the_scores_of_a_plane_are_counted_through_all_leading_axes():
    truth = np.zeros((2, 3, 20, 20), int)
    truth[0, 2, 5, 5], truth[1, 0, 5, 5], truth[1, 0, 15, 15] = 1, 1, 2
    labels = truth * (truth != 2)
    labels[1, 2, 5, 5] = 7
    counts = [
        (one.tp, one.fp, one.fn) for one in compare(labels, truth, RULE).plane_scores()
    ]
    nothing = (0, 0, 0)
    assert counts == [nothing, nothing, (1, 0, 0), (1, 0, 1), nothing, (0, 1, 0)]


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.randoms(use_true_random=False))
def test_other_label_numbers_change_no_count_of_kinds(scene, random):
    others = [reference.renumbered(side, random) for side in scene]
    before, after = compare(*scene, RULE), compare(*others, RULE)
    if reference.has_one_best_matching(before):
        assert counted(before) == counted(after)
    scores = [one.overlap_scores().to_dict() for one in (before, after)]
    assert scores[0] == pytest.approx(scores[1], nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(reference.scenes)
def test_flipping_and_transposing_changes_no_count_of_kinds(scene):
    before = compare(*scene, RULE)
    for turn in (np.flipud, np.fliplr, np.transpose):
        after = compare(*map(turn, scene), RULE)
        if reference.has_one_best_matching(before):
            assert counted(before) == counted(after)
        assert before.overlap_scores().tp == after.overlap_scores().tp


@settings(max_examples=20, deadline=None)
@given(reference.scenes)
def test_a_margin_changes_only_what_is_at_the_border(scene):
    before = compare(*scene, RULE)
    after = compare(*(np.pad(side, 3) for side in scene), RULE)
    assert after.matches.pairs.tolist() == before.matches.pairs.tolist()
    told = {"false positive", "missed", "poor outline"}
    for one, other in zip(kinds(before), kinds(after), strict=True):
        assert "border" not in other
        for old, new in zip(one, other, strict=True):
            assert new in told if old == "border" else new == old


@settings(max_examples=20, deadline=None)
@given(reference.scenes)
def test_swapping_the_sides_swaps_what_is_false_and_what_is_missed(scene):
    one, other = compare(*scene, RULE), compare(*scene[::-1], RULE)
    if not reference.has_one_best_matching(one):
        return
    swapped = {"false positive": "missed", "missed": "false positive"}
    told = {"merged", "split"}
    for ours, theirs in zip(kinds(one), kinds(other)[::-1], strict=True):
        if not told & {*ours, *theirs}:
            assert [swapped.get(kind, kind) for kind in ours] == theirs


@settings(max_examples=20, deadline=None)
@given(reference.scenes)
def test_every_cell_has_one_of_the_kinds_and_the_scores_are_those_of_evaluate(scene):
    found = compare(*scene, RULE)
    pred_kinds, true_kinds = kinds(found)
    assert set(pred_kinds) <= {*KINDS} - {"missed"}
    assert set(true_kinds) <= {*KINDS} - {"false positive"}
    assert len(pred_kinds) == found.scores.predicted_count
    assert len(true_kinds) == found.scores.true_count
    assert pred_kinds.count("hit") == true_kinds.count("hit") <= found.scores.tp
    assert str(found.scores) == str(evaluate(*scene, max_distance=9))


def test_shapes_that_differ_are_named():
    message = (
        "Labels and truth differ in shape: (4, 5) and (5, 4); take the truth of this "
        "image."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        compare(np.zeros((4, 5), int), np.zeros((5, 4), int))

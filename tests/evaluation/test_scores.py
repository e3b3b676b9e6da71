"""Scores on hand-worked cases."""

import re
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation import reference
from tests.scenes import EXPECTED_KINDS, SCENES

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import Scores, aggregate, evaluate

counts = st.integers(0, 30)


@pytest.fixture
def two_of_three():
    """Three true cells; two found, one of them 3 px off; one false positive."""
    truth = np.zeros((40, 60), int)
    truth[2:6, 2:6] = 1
    truth[20:24, 20:24] = 2
    truth[30:34, 50:54] = 3
    labels = np.zeros_like(truth)
    labels[2:6, 5:9] = 4
    labels[20:24, 20:24] = 2
    labels[2:6, 40:44] = 9
    return labels, truth


def test_counts_and_ratios_of_a_hand_worked_case(two_of_three):
    scores = evaluate(*two_of_three, max_distance=3)
    assert (scores.tp, scores.fp, scores.fn) == (2, 1, 1)
    assert scores.precision == scores.recall == scores.f1 == pytest.approx(2 / 3)
    assert scores.accuracy == 0.5
    assert scores.pairs.tolist() == [[2, 2], [4, 1]]
    assert (scores.mae, scores.mpe) == (0, 0)


def test_a_center_just_out_of_reach_is_a_miss_and_a_false_positive(two_of_three):
    scores = evaluate(*two_of_three, max_distance=2.9)
    assert (scores.tp, scores.fp, scores.fn) == (1, 2, 2)


def test_the_center_is_that_of_the_bounding_box_not_the_centroid():
    labels = np.zeros((20, 20), int)
    labels[0, 0:11] = 1
    labels[0:11, 0] = 1  # an L: its centroid is (2.6, 2.6), its box center (5, 5)
    truth = [[5, 5]]
    assert evaluate(labels, truth, max_distance=0).tp == 1


def test_points_masks_and_labels_are_all_taken_as_truth(two_of_three):
    labels, truth = two_of_three
    points = [[3.5, 3.5], [21.5, 21.5], [31.5, 51.5]]
    by_kind = [evaluate(labels, kind, max_distance=3) for kind in (truth, truth > 0)]
    by_kind.append(evaluate(labels, points, max_distance=3))
    assert [(s.tp, s.fp, s.fn) for s in by_kind] == [(2, 1, 1)] * 3


def test_both_images_empty_is_a_perfect_image():
    scores = evaluate(np.zeros((4, 4), int), np.zeros((4, 4), int))
    assert (scores.tp, scores.fp, scores.fn, scores.mae) == (0, 0, 0, 0)
    assert isnan(scores.f1)
    assert isnan(scores.mpe)
    assert scores.n_without_mpe == 1


def test_all_missed_has_recall_zero_and_no_precision():
    truth = np.zeros((9, 9), int)
    truth[4, 4] = 1
    scores = evaluate(np.zeros_like(truth), truth)
    assert scores.recall == 0
    assert isnan(scores.precision)
    assert scores.mpe == -1


@pytest.mark.parametrize(
    ("name", "tp", "fp", "fn"),
    [
        ("perfect", 3, 0, 0),
        ("empty_both", 0, 0, 0),
        ("all_missed", 0, 0, 3),
        ("all_false", 0, 3, 0),
        ("missed_and_false", 1, 1, 1),
        ("chained", 2, 0, 0),
        ("split", 1, 1, 0),
        ("merged", 1, 0, 1),
        ("merged_three", 1, 0, 2),
        ("merged_with_speck", 2, 0, 0),
        ("poor_outline", 1, 0, 0),
        ("apart", 1, 0, 0),
        ("border", 1, 1, 1),
        ("border_hit", 1, 0, 0),
        ("touching", 2, 0, 0),
        ("crowded", 12, 0, 0),
    ],
)
def test_scenes_have_the_counts_one_sees(name, tp, fp, fn):
    scores = evaluate(*SCENES[name]())
    assert (scores.tp, scores.fp, scores.fn) == (tp, fp, fn)


def test_every_scene_has_its_kinds_written_down():
    assert list(EXPECTED_KINDS) == list(SCENES)


@settings(max_examples=30, deadline=None)
@given(reference.scenes, st.sampled_from((0, 4, 12, 40)))
def test_swapping_the_sides_swaps_precision_and_recall(scene, limit):
    one = evaluate(*scene, max_distance=limit)
    other = evaluate(*scene[::-1], max_distance=limit)
    assert (one.tp, one.fp, one.fn) == (other.tp, other.fn, other.fp)
    assert str((one.precision, one.recall)) == str((other.recall, other.precision))
    assert str((one.f1, one.accuracy)) == str((other.f1, other.accuracy))


@settings(max_examples=30, deadline=None)
@given(reference.scenes, st.sampled_from(("optimal", "greedy")))
def test_counts_add_up_to_the_cells_there_are(scene, matching):
    scores = evaluate(*scene, max_distance=9, matching=matching)
    n_pred, n_true = (len(np.unique(side)) - 1 for side in scene)
    assert (scores.predicted_count, scores.true_count) == (n_pred, n_true)
    assert scores.mae == scores.medae == abs(n_pred - n_true)
    assert scores.n_without_mpe == (n_true == 0)
    assert len(scores.pairs) == scores.tp
    assert set(scores.pairs[:, 0]) <= set(scene[0].flat)
    assert set(scores.pairs[:, 1]) <= set(scene[1].flat)


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.randoms(use_true_random=False))
def test_other_label_numbers_change_no_score(scene, random):
    others = [reference.renumbered(side, random) for side in scene]
    before, after = evaluate(*scene, max_distance=9), evaluate(*others, max_distance=9)
    assert str(before) == str(after)


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.sampled_from((0.315, 7.0)))
def test_spacing_and_distance_in_another_unit_change_no_score(scene, unit):
    before = evaluate(*scene, max_distance=9, spacing=(1, 2))
    after = evaluate(*scene, max_distance=9 * unit, spacing=(unit, 2 * unit))
    assert str(before) == str(after)


@settings(max_examples=20, deadline=None)
@given(reference.scenes)
def test_flipping_and_transposing_both_changes_no_score(scene):
    before = evaluate(*scene, max_distance=9, spacing=(1, 2))
    flipped = evaluate(*(side[::-1] for side in scene), max_distance=9, spacing=(1, 2))
    turned = evaluate(*(side.T for side in scene), max_distance=9, spacing=(2, 1))
    assert str(before) == str(flipped) == str(turned)


def test_the_scores_of_labels_of_8_bits_are_those_of_the_same_labels(two_of_three):
    labels, truth = two_of_three
    small = evaluate(labels.astype(np.uint8), truth.astype(np.uint8), max_distance=3)
    assert small.pairs.tolist() == [[2, 2], [4, 1]]
    assert small == evaluate(labels, truth, max_distance=3)


def test_a_label_in_two_pieces_is_found_once():
    labels = np.zeros((20, 40), int)
    labels[4:8, 4:8] = labels[4:8, 14:18] = 3  # its box is centered at (5.5, 10.5)
    labels[15, 30] = 8
    scores = evaluate(labels, [[5.5, 10.5], [15, 30]], max_distance=0)
    assert (scores.tp, scores.fp, scores.fn) == (2, 0, 0)


def test_points_in_another_unit_are_refused():
    # Rows and columns in µm of 0.315 per px would lie inside; in nm they do not.
    message = (
        "The truth has 2 of 2 points outside of the image of 40 x 60 px: give them in "
        "px, the row before the column."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        evaluate(np.zeros((40, 60), int), [[3150, 6300], [945, 1260]])


def test_shapes_that_differ_are_named():
    message = (
        "Labels and truth differ in shape: (4, 5) and (5, 4); take the truth of this "
        "image."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        evaluate(np.zeros((4, 5), int), np.zeros((5, 4), int))


def test_pooling_sums_counts_and_leaves_images_without_cells_out_of_the_mpe():
    images = [
        Scores(tp=8, fp=4, fn=2),  # 12 for 10: +0.2
        Scores(tp=3, fp=0, fn=1),  # 3 for 4: -0.25
        Scores(tp=0, fp=5, fn=0),  # 5 for 0: no percentage error
    ]
    pooled = aggregate(images)
    assert (pooled.tp, pooled.fp, pooled.fn) == (11, 9, 3)
    assert pooled.f1 == pytest.approx(22 / 34)
    assert pooled.mae == pytest.approx((2 + 1 + 5) / 3)
    assert pooled.medae == 2
    assert pooled.mpe == pytest.approx((0.2 - 0.25) / 2)
    assert (pooled.n_images, pooled.n_without_mpe) == (3, 1)


@settings(max_examples=30, deadline=None)
@given(counts, counts, counts)
def test_ratios_lie_between_0_and_1_and_f1_between_precision_and_recall(tp, fp, fn):
    scores = Scores(tp=tp, fp=fp, fn=fn)
    assert scores.true_count == tp + fn
    assert scores.predicted_count == tp + fp
    if tp:
        ratios = (scores.precision, scores.recall)
        assert 0 <= scores.accuracy <= scores.f1 <= 1
        assert min(ratios) - 1e-12 <= scores.f1 <= max(ratios) + 1e-12


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([], "There are no scores to pool; evaluate at least one image."),
        ([Scores(tp=1, fp=0, fn=0, n_images=2)],
         "Pool the scores of single images, not scores pooled before."),
    ],
)  # fmt: skip
def test_pooling_refuses_what_it_cannot_pool(scores, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        aggregate(scores)


def test_the_dict_is_ready_for_json():
    numbers = Scores(tp=1, fp=0, fn=0).to_dict()
    assert numbers["f1"] == 1.0
    assert "pairs" not in numbers

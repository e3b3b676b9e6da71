"""Shared pixels: on paper, beside direct loops, and beside StarDist and Cellpose."""

import json
import re
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation import reference
from tests.scenes import SCENES, random_scene

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    IOU_THRESHOLDS,
    OverlapScores,
    aggregate_overlaps,
    compare,
    evaluate_overlaps,
    objects_of,
    true_objects,
)
from napari_cresunet.evaluation._overlaps import overlaps_of

GOLDEN = json.loads(
    Path(__file__).with_name("data").joinpath("overlap_scores.json").read_text()
)
LOW = (0.05, 0.2, 0.4, 0.5, 0.6, 0.75, 1.0)


@pytest.fixture
def row():
    """Two predictions on three true cells in one row of ten pixels.

    Prediction 1 (4 px) shares 3 px with cell 1 (3 px): IoU 3 / 4. Prediction 2 (4 px)
    shares 2 px with cell 2 (2 px): 2 / 4, and 1 px with cell 3 (2 px): 1 / 5.
    """
    labels = [[1, 1, 1, 1, 0, 2, 2, 2, 2, 0]]
    truth = [[1, 1, 1, 0, 0, 0, 2, 2, 3, 3]]
    return labels, truth


def test_scores_worked_out_on_paper(row):
    found = evaluate_overlaps(*row, thresholds=[0.2, 0.5, 0.51, 0.75, 0.76])
    assert found.tp == (2, 2, 1, 1, 0)
    assert found.iou_sums == (1.25, 1.25, 0.75, 0.75, 0)
    assert (found.predicted_count, found.true_count) == (2, 3)
    # TP / (2 + 3 - TP), 2 TP / (2 + 3), 2 * sum of IoU / (2 + 3).
    assert found.average_precision == pytest.approx((2 / 3, 2 / 3, 1 / 4, 1 / 4, 0))
    assert found.mean_average_precision == pytest.approx((4 / 3 + 1 / 2) / 5)
    assert found.f1 == pytest.approx((0.8, 0.8, 0.4, 0.4, 0))
    assert found.panoptic_quality == pytest.approx((0.5, 0.5, 0.3, 0.3, 0))
    # 3 + 3 shared pixels; 8 predicted and 7 true ones.
    assert (found.shared_pixels, found.predicted_pixels, found.true_pixels) == (6, 8, 7)
    assert found.dice == pytest.approx(12 / 15)


def test_overlaps_worked_out_on_paper(row):
    found = overlaps_of(*map(objects_of, row))
    assert found.pred.tolist() == [0, 1, 1]
    assert found.true.tolist() == [0, 1, 2]
    assert found.pixels.tolist() == [3, 2, 1]
    assert found.iou.tolist() == [3 / 4, 2 / 4, 1 / 5]


def test_a_cell_is_used_once_at_low_thresholds():
    # One prediction of 4 px on two cells of 2 px: IoU 1 / 2 with each.
    labels, truth = [[3, 3, 3, 3, 0, 9]], [[1, 1, 2, 2, 0, 0]]
    found = evaluate_overlaps(labels, truth, thresholds=[0.5])
    assert (found.tp, found.iou_sums) == ((1,), (0.5,))


def test_at_low_thresholds_as_many_pairs_as_possible_are_made():
    # Prediction 1 (7 px) shares 4 px with cell 1 (6 px) and 3 px with cell 2 (3 px);
    # prediction 2 (4 px) shares 2 px with cell 1 only. The best pair would be alone.
    labels = [[1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 0]]
    truth = [[2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0]]
    ious = reference.ious_of(labels, truth)
    assert ious == pytest.approx(np.array([[4 / 9, 3 / 7], [2 / 8, 0]]))
    found = evaluate_overlaps(labels, truth, thresholds=[0.25, 0.4])
    assert found.tp == (2, 1)
    assert found.iou_sums == pytest.approx((3 / 7 + 2 / 8, 4 / 9))


@pytest.mark.parametrize("threshold", IOU_THRESHOLDS)
def test_a_threshold_is_inclusive_in_spite_of_rounding(threshold):
    # 20 of 20 px, of which the prediction has 10, 11, ... 19.
    truth = np.ones((2, 20), int)
    truth[1] = 0
    labels = np.zeros_like(truth)
    labels[0, : round(20 * threshold)] = 1
    assert evaluate_overlaps(labels, truth, thresholds=[threshold]).tp == (1,)
    assert evaluate_overlaps(labels, truth, thresholds=[threshold + 1e-6]).tp == (0,)


def test_the_thresholds_are_those_of_coco():
    assert IOU_THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    assert evaluate_overlaps(*SCENES["perfect"]()).tp == (3,) * 10


@pytest.mark.parametrize("golden", GOLDEN["scenes"])
def test_scores_are_those_of_stardist_and_cellpose(golden):
    shape = tuple(golden["shape"])
    labels, truth = random_scene(golden["seed"], shape, golden["count"])
    found = evaluate_overlaps(labels, truth, thresholds=GOLDEN["thresholds"])
    fp = [found.predicted_count - tp for tp in found.tp]
    fn = [found.true_count - tp for tp in found.tp]
    stardist, cellpose = golden["stardist"], golden["cellpose"]
    for counts in (stardist, cellpose):
        assert [*found.tp] == counts["tp"]
        assert fp == counts["fp"]
        assert fn == counts["fn"]
    means = np.array(found.iou_sums) / np.maximum(found.tp, 1)
    for values, name in (
        (found.average_precision, "accuracy"),
        (found.f1, "f1"),
        (found.panoptic_quality, "panoptic_quality"),
        (means, "mean_matched_score"),
    ):
        assert values == pytest.approx(stardist[name], abs=1e-9), name


@settings(max_examples=30, deadline=None)
@given(reference.scenes)
def test_scores_are_those_of_direct_loops_and_a_dense_assignment(scene):
    ious = reference.ious_of(*scene)
    found = compare(*scene).overlap_scores(LOW)
    for k, threshold in enumerate(LOW):
        tp, cost = reference.dense_assignment(1 - ious, ious >= threshold)
        assert found.tp[k] == tp
        assert found.iou_sums[k] == pytest.approx(tp - cost)
    assert found.shared_pixels == reference.shared_pixels(*scene).sum()
    assert found.predicted_pixels == np.count_nonzero(scene[0])
    assert found.true_pixels == np.count_nonzero(scene[1])


@settings(max_examples=30, deadline=None)
@given(reference.scenes)
def test_overlaps_are_those_of_direct_loops(scene):
    found = overlaps_of(*map(objects_of, scene))
    pixels = reference.shared_pixels(*scene)
    assert found.pred.tolist() == np.nonzero(pixels)[0].tolist()
    assert found.true.tolist() == np.nonzero(pixels)[1].tolist()
    assert found.pixels.tolist() == pixels[pixels > 0].tolist()
    assert found.iou.tolist() == reference.ious_of(*scene)[pixels > 0].tolist()


@settings(max_examples=30, deadline=None)
@given(reference.scenes)
def test_scores_lie_between_0_and_1_and_fall_with_the_threshold(scene):
    numbers = evaluate_overlaps(*scene, thresholds=LOW)
    qualities = numbers.panoptic_quality
    if numbers.predicted_count + numbers.true_count:
        for values in (numbers.average_precision, numbers.f1, qualities):
            assert all(0 <= value <= 1 for value in values)
        for values in (numbers.average_precision, numbers.f1):
            assert list(values) == sorted(values, reverse=True)
    # Below 0.5 more pairs come first, even if their IoU is less in total.
    assert numbers.iou_sums[3:] == tuple(sorted(numbers.iou_sums[3:], reverse=True))
    if numbers.predicted_pixels + numbers.true_pixels:
        assert 0 <= numbers.dice <= 1


@settings(max_examples=20, deadline=None)
@given(reference.scenes)
def test_swapping_the_sides_changes_no_score(scene):
    one = evaluate_overlaps(*scene, thresholds=LOW)
    other = evaluate_overlaps(*scene[::-1], thresholds=LOW)
    assert one.tp == other.tp
    assert one.iou_sums == pytest.approx(other.iou_sums)
    assert one.dice == other.dice or isnan(one.dice)


@settings(max_examples=20, deadline=None)
@given(st.lists(reference.scenes, min_size=1, max_size=3))
def test_a_stack_has_the_scores_of_its_planes_pooled(scenes):
    scenes = [one for one in scenes if one[0].shape == scenes[0][0].shape]
    stacks = [np.stack(side) for side in zip(*scenes, strict=True)]
    found = evaluate_overlaps(*stacks, thresholds=LOW)
    single = [evaluate_overlaps(*scene, thresholds=LOW) for scene in scenes]
    pooled = aggregate_overlaps(single)
    assert found.tp == pooled.tp
    assert found.iou_sums == pytest.approx(pooled.iou_sums)
    assert (found.shared_pixels, found.true_pixels, found.predicted_pixels) == (
        (pooled.shared_pixels, pooled.true_pixels, pooled.predicted_pixels)
    )
    assert pooled.n_images == len(scenes)


def test_images_without_any_cell_have_no_scores():
    scores = evaluate_overlaps(*SCENES["empty_both"]())
    assert all(isnan(value) for value in scores.to_dict().values())
    assert scores.tp == (0,) * 10


@pytest.mark.parametrize("name", ["all_missed", "all_false"])
def test_cells_on_one_side_only_score_0(name):
    assert set(evaluate_overlaps(*SCENES[name]()).to_dict().values()) == {0}


def test_the_dict_names_score_and_threshold(row):
    found = evaluate_overlaps(*row, thresholds=(0.5, 0.75)).to_dict()
    assert list(found) == [
        *("dice", "map", "ap_0.5", "ap_0.75", "f1_0.5", "f1_0.75", "pq_0.5", "pq_0.75")
    ]
    assert found["ap_0.75"] == 1 / 4
    assert found["pq_0.5"] == 0.5


def test_points_share_the_pixel_they_are_in():
    labels = np.zeros((6, 9), int)
    labels[1:4, 1:4], labels[2, 7] = 4, 2
    true = true_objects([[2, 6.6], [5, 5], [1, 1], [3.4, 3.49], [3.5, 3]], labels.shape)
    found = overlaps_of(objects_of(labels), true)
    # Rows by label: 0 is label 2, 1 is label 4. 3.5 is the next pixel already.
    assert found.pred.tolist() == [0, 1, 1]
    assert found.true.tolist() == [0, 2, 3]
    assert found.pixels.tolist() == [1, 1, 1]
    assert np.isnan(found.iou).all()


def test_points_have_no_scores_by_shared_pixels():
    assert compare([[1, 0, 2]], [[0, 0]]).overlap_scores() is None


def test_pooled_ratios_follow_from_the_sums(row):
    other = evaluate_overlaps([[1, 1]], [[1, 1]], thresholds=[0.5])
    pooled = aggregate_overlaps([evaluate_overlaps(*row, thresholds=[0.5]), other])
    # 2 + 1 pairs of 3 predictions and 4 cells; 6 + 2 of 10 and 9 pixels are shared.
    assert pooled.average_precision == (3 / 4,)
    assert pooled.panoptic_quality == pytest.approx((2 * 2.25 / 7,))
    assert pooled.dice == pytest.approx(16 / 19)
    assert pooled.n_images == 2


POINTS = "Points have no outlines to compare: give labels or a mask as truth, or "
DIFFER = "Labels and truth differ in shape: (1, 3) and (3, 1); "


@pytest.mark.parametrize(
    ("truth", "thresholds", "message"),
    [
        ([[0, 1]], (0.5,), f"{POINTS}compare centers."),
        ([], (0.5,), f"{POINTS}compare centers."),
        ([[1, 0, 2]], (0.5, 0), "`threshold` must be between 1e-09 and 1, got 0."),
        ([[1, 0, 2]], (1.5,), "`threshold` must be between 1e-09 and 1, got 1.5."),
        ([[1], [0], [2]], (0.5,), f"{DIFFER}take the truth of this image."),
    ],
)
def test_what_cannot_be_compared_is_refused(truth, thresholds, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        evaluate_overlaps([[1, 0, 2]], truth, thresholds=thresholds)


def test_predictions_that_are_points_are_refused():
    points = true_objects([[0, 1]], (1, 3))
    message = "Predictions are points: give labels, which have pixels."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        evaluate_overlaps(points, [[1, 0, 2]])


NUMBERS = {
    "predicted_count": 1,
    "true_count": 1,
    "shared_pixels": 1,
    "predicted_pixels": 1,
    "true_pixels": 1,
}


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ((), "There are no scores to pool; evaluate at least one image."),
        ((0.5, 0.6), "Pool scores at the same thresholds."),
    ],
)
def test_pooling_refuses_what_it_cannot_pool(thresholds, message):
    scores = [
        OverlapScores(thresholds=(one,), tp=(1,), iou_sums=(0.9,), **NUMBERS)
        for one in thresholds
    ]
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        aggregate_overlaps(scores)

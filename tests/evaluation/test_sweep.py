"""A sweep equals its settings one by one; which of them is best."""

import re

import numpy as np
import pytest
from tests.segmentation.maps import soft_cells

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    SWEEP_THRESHOLDS,
    MatchRule,
    Scores,
    SweepRow,
    aggregate,
    best_row,
    evaluate,
    iter_sweep,
    objects_of,
    sweep,
)
from napari_cresunet.segmentation import segment

SHAPE = (90, 120)


@pytest.fixture(scope="module")
def images():
    """Three probability maps; their truths are labels, a mask and points."""
    probabilities = [soft_cells(SHAPE, 8, seed) for seed in (1, 2, 3)]
    truths = [segment(one, threshold=0.6) for one in probabilities]
    centers = np.argwhere(truths[2] > 0)[::150]
    return probabilities, [truths[0], truths[1] > 0, centers]


def direct_rows(images, settings, segmentation, **rule):
    """Segment, evaluate and pool for one setting after another."""
    rows = []
    for threshold, min_size, distance in settings:
        scores = [
            evaluate(
                segment(one, threshold=threshold, min_size=min_size, **segmentation),
                truth,
                max_distance=distance,
                **rule,
            )
            for one, truth in zip(*images, strict=True)
        ]
        rows.append((threshold, min_size, distance, aggregate(scores), tuple(scores)))
    return rows


@pytest.mark.parametrize("preset", ["tashfeen2025", "morelli2021"])
@pytest.mark.parametrize("matching", ["optimal", "greedy"])
def test_every_row_is_that_of_its_setting_alone(images, preset, matching):
    thresholds, sizes, distances = (0.7, 0.3, 0.5), (None, 20, 400), (40, 5)
    settings = [(t, s, d) for t in thresholds for s in sizes for d in distances]
    rule = {"matching": matching, "center": "centroid", "spacing": (1, 0.8)}
    rows = sweep(
        *images,
        thresholds=thresholds,
        min_sizes=sizes,
        distances=distances,
        rule=MatchRule(**rule),
        segmentation={"preset": preset},
    )
    found = [
        (one.threshold, one.min_size, one.max_distance, one.scores, one.images)
        for one in rows
    ]
    assert found == direct_rows(images, settings, {"preset": preset}, **rule)
    assert len({one.scores.tp for one in rows}) > 3


def test_the_distance_between_centers_is_handed_on(images):
    few, many = (
        sweep(*images, thresholds=[0.4], segmentation={"min_distance": k})[0]
        for k in (60, 1)
    )
    assert few.scores.predicted_count < many.scores.predicted_count


def test_the_distance_is_that_of_the_rule_if_none_is_given(images):
    (row,) = sweep(*images, thresholds=[0.5], rule=MatchRule(max_distance=7))
    assert row.max_distance == 7
    (row,) = sweep(*images, thresholds=[0.5])
    assert (row.max_distance, row.min_size) == (40, None)


def test_the_default_thresholds_go_up_in_steps_of_a_twentieth(images):
    rows = sweep(images[0][:1], images[1][:1])
    assert tuple(one.threshold for one in rows) == SWEEP_THRESHOLDS
    assert SWEEP_THRESHOLDS[0] == 0.05
    assert SWEEP_THRESHOLDS[-1] == 0.95
    assert tuple(round(k / 20, 2) for k in range(1, 20)) == SWEEP_THRESHOLDS


def test_truths_may_be_known_objects_and_arrays(images):
    probabilities, truths = images[0][:2], [one > 0 for one in images[1][:2]]
    rows = sweep(probabilities, truths, thresholds=[0.5])
    for others in ([objects_of(one) for one in truths], np.stack(truths)):
        assert sweep(np.stack(probabilities), others, thresholds=[0.5]) == rows


def test_a_step_follows_each_setting_of_each_image(images):
    steps = list(iter_sweep(*images, thresholds=(0.3, 0.5), min_sizes=(None, 40)))
    assert [one.done for one in steps] == list(range(1, 13))
    assert {one.total for one in steps} == {12}


def test_a_row_as_a_dict_has_setting_and_scores(images):
    (row,) = sweep(*images, thresholds=[0.5], min_sizes=[30], distances=[9])
    numbers = row.to_dict()
    assert list(numbers)[:4] == ["threshold", "min_size", "max_distance", "f1"]
    assert (numbers["threshold"], numbers["min_size"], numbers["max_distance"]) == (
        (0.5, 30, 9)
    )
    assert numbers["f1"] == row.scores.f1
    assert numbers["n_images"] == 3


@pytest.mark.parametrize(
    ("n_probabilities", "n_truths"), [(0, 0), (2, 1), (1, 2), (1, 0)]
)
def test_images_without_truth_are_refused(images, n_probabilities, n_truths):
    message = (
        "A sweep needs at least one image and one truth for each, got "
        f"{n_probabilities} probabilities and {n_truths} truths."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        sweep(images[0][:n_probabilities], images[1][:n_truths])


def test_a_truth_of_another_shape_is_refused(images):
    message = (
        "Labels and truth differ in shape: (90, 120) and (120, 90); take the truth of "
        "this image."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        sweep(images[0][:1], [images[1][0].T])


# The best of them


def row_of(threshold, tp=1, fp=1, fn=1, **errors):
    scores = Scores(tp=tp, fp=fp, fn=fn, **errors)
    return SweepRow(
        threshold=threshold, min_size=None, max_distance=40, scores=scores, images=()
    )


@pytest.mark.parametrize(
    ("by", "best"),
    [
        # F1, precision, recall, accuracy: 18 / 28, 9 / 18, 9 / 10, 9 / 19 at 0.2;
        # 16 / 22, 8 / 12, 8 / 10, 8 / 14 at 0.5; 10 / 15, 1, 5 / 10, 5 / 10 at 0.8.
        ("f1", 0.5),
        ("precision", 0.8),
        ("recall", 0.2),
        ("accuracy", 0.5),
        ("mae", 0.8),
        ("medae", 0.2),
        ("mpe", 0.2),
    ],
)
def test_each_score_has_its_best_row(by, best):
    rows = [
        row_of(0.2, 9, 9, 1, mae=3, medae=0, mpe=-0.1),
        row_of(0.5, 8, 4, 2, mae=2, medae=1, mpe=0.2),
        row_of(0.8, 5, 0, 5, mae=1, medae=2, mpe=-0.3),
    ]
    assert best_row(rows, by).threshold == best
    assert best_row(rows[::-1], by).threshold == best


def test_of_equal_rows_the_higher_f1_decides():
    rows = [row_of(0.5, 2, 0, 2, mae=1), row_of(0.1, 3, 0, 1, mae=1)]
    assert best_row(rows, "mae").threshold == 0.1


@pytest.mark.parametrize("first", [0.3, 0.7, 0.45, 0.55, 0.05, 0.95])
def test_then_the_threshold_nearest_to_a_half_and_then_the_first(first):
    # 0.5 - 0.45 and 0.55 - 0.5 are not equal in floating-point numbers.
    mirrored = round(1 - first, 2)
    assert best_row([row_of(first), row_of(mirrored)]).threshold == first
    rows = [row_of(0.01), row_of(first), row_of(mirrored), row_of(0.99)]
    assert best_row(rows).threshold == first


def test_undefined_scores_are_passed_over():
    rows = [row_of(0.5, 0, 0, 3), row_of(0.9, 1, 3, 2)]
    assert best_row(rows, "precision").threshold == 0.9
    # Without any F1 the score itself decides.
    rows = [row_of(0.5, 0, 0, 0, mae=2), row_of(0.9, 0, 0, 0, mae=0)]
    assert best_row(rows, "mae").threshold == 0.9


NO_SCORE = "the truth needs at least one cell, or the probability must give one."
SCORES = "f1, precision, recall, accuracy, mae, medae, mpe"


@pytest.mark.parametrize(
    ("rows", "by", "message"),
    [
        ([row_of(0.5)], "iou", f"Unknown score 'iou'; choose from {SCORES}."),
        ([], "f1", f"The score f1 is undefined at all settings: {NO_SCORE}"),
        (
            [row_of(0.5)],
            "mpe",
            f"The score mpe is undefined at all settings: {NO_SCORE}",
        ),
    ],
)
def test_no_best_row_is_refused(rows, by, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        best_row(rows, by)

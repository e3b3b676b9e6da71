"""What the dock Evaluate knows and says, without Qt."""

import csv
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.segmentation import find_boundaries

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.evaluation import (
    KINDS,
    MatchRule,
    aggregate,
    compare,
    evaluate,
)
from napari_cresunet.segmentation import segment
from napari_cresunet.state import (
    FIGURE,
    REPORT,
    TABLES,
    EvaluateState,
    Settings,
    TruthPair,
    iter_gallery,
    iter_judgment,
    iter_new_labels,
    iter_save,
    iter_study,
)
from napari_cresunet.state._judging import STUDY_THRESHOLDS, _outlines


def drained(steps):
    """Run a generator to its end and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def squares(shape, *corners, side=6):
    """Return labels of squares whose upper left corners are given."""
    labels = np.zeros(shape, np.int32)
    for number, (row, column) in enumerate(corners, start=1):
        labels[row : row + side, column : column + side] = number
    return labels


@pytest.fixture
def truth():
    """Four true cells; the first two touch."""
    return squares((40, 60), (5, 5), (5, 11), (5, 40), (25, 40))


@pytest.fixture
def labels():
    """One prediction on the first two, one on the third, one on nothing."""
    labels = squares((40, 60), (5, 5), (5, 40), (25, 10))
    labels[5:11, 5:17] = 1
    return labels


def pair(labels, truth, **changes):
    given = {
        "identity": "cells",
        "name": "slice cells",
        "truth_identity": "truth",
        "truth_name": "by hand",
        "labels": labels,
        "truth": truth,
    }
    return TruthPair(**given | changes)


def judged(labels, truth, rule=None, **changes):
    rule = rule or MatchRule(max_distance=8)
    return drained(iter_judgment(pair(labels, truth, **changes), rule))


@pytest.fixture
def state(labels, truth):
    """A state that knows these labels."""
    state = EvaluateState()
    state.choose_pair("cells", "truth", None)
    state.choose_rule(max_distance=8)
    state.judge(judged(labels, truth))
    return state


# What is found out


def test_a_judgment_has_the_scores_of_evaluate(labels, truth):
    judgment = judged(labels, truth)
    assert judgment.scores == (evaluate(labels, truth, max_distance=8),)
    assert (judgment.scores[0].tp, judgment.scores[0].fp) == (2, 1)


def test_each_plane_of_a_stack_is_an_image(labels, truth):
    empty = np.zeros_like(labels)
    judgment = judged(np.stack([labels, empty]), np.stack([truth, truth]))
    expected = [evaluate(one, truth, max_distance=8) for one in (labels, empty)]
    assert list(judgment.scores) == expected
    assert {int(plane) for plane in judgment.planes} == {0, 1}


def test_outlines_have_the_number_of_their_kind(labels, truth):
    judgment = judged(labels, truth)
    kinds = [KINDS[(n - 1) % len(KINDS)] for n in np.unique(judgment.drawing) if n]
    assert sorted(kinds) == ["false positive", "hit", "merged", "merged", "missed"]
    # The merged cell shows the two true ones that it holds.
    first, second = judgment.drawing[5, [5, 11]]
    assert first != second
    assert judgment.drawing[7, 45] == judgment.drawing[5, 40]


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint16, (1, 9, 11), elements=st.integers(0, 3)))
def test_thin_outlines_are_the_inner_boundaries(numbers):
    padded = np.pad(numbers[0], 1)  # the edge of the image is a boundary, too
    expected = np.where(
        find_boundaries(padded, mode="inner", connectivity=1), padded, 0
    )
    drawn = _outlines(numbers.copy(), 1)
    is_edge = np.ones(numbers.shape[1:], bool)
    is_edge[1:-1, 1:-1] = False
    wanted = np.where(is_edge, numbers[0], expected[1:-1, 1:-1])
    np.testing.assert_array_equal(drawn[0], wanted)


def test_a_thick_outline_leaves_what_is_two_pixels_inside():
    numbers = np.zeros((1, 9, 9), np.uint16)
    numbers[0, 1:8, 1:8] = 5
    drawn = _outlines(numbers.copy(), 2)
    assert (drawn[0, 3:6, 3:6] == 0).all()
    assert np.count_nonzero(drawn) == 49 - 9


def test_a_study_scores_thresholds_as_segment_and_evaluate_do(truth):
    probability = np.where(truth > 0, truth / 5, 0).astype(np.float32)
    recipe = Settings(threshold=0.5, min_size=4, preset="tashfeen2025", min_distance=3)
    labels = segment(probability, threshold=0.5, min_size=4, min_distance=3)
    judgment = judged(labels, truth, probability=probability, settings=recipe)
    study = drained(iter_study(judgment))
    assert [row.threshold for row in study.sweep] == list(STUDY_THRESHOLDS)
    for row in study.sweep[::7]:
        again = segment(
            probability, threshold=row.threshold, min_size=4, min_distance=3
        )
        assert row.scores.f1 == pytest.approx(
            evaluate(again, truth, max_distance=8).f1, nan_ok=True
        )
    for row in study.distances:
        expected = evaluate(labels, truth, max_distance=row.max_distance)
        assert (row.scores.tp, row.scores.fp) == (expected.tp, expected.fp)
    assert "mean_probability" in study.cases


def test_a_study_keeps_the_sweep_while_only_the_threshold_changes(truth):
    probability = np.where(truth > 0, truth / 5, 0).astype(np.float32)
    recipe = Settings(threshold=0.5, min_size=4, preset="tashfeen2025", min_distance=3)
    known = {"probability": probability, "settings": recipe}
    first = drained(iter_study(judged(truth, truth, **known)))
    known["settings"] = Settings(
        threshold=0.7, min_size=4, preset="tashfeen2025", min_distance=3
    )
    assert drained(iter_study(judged(truth, truth, **known), first)).sweep is (
        first.sweep
    )
    farther = judged(truth, truth, MatchRule(max_distance=9), **known)
    assert drained(iter_study(farther, first)).sweep is not first.sweep


def test_without_probability_there_is_no_sweep(labels, truth):
    assert drained(iter_study(judged(labels, truth))).sweep == []


def test_new_labels_need_the_probability(labels, truth):
    message = (
        "The probability that 'slice cells' was made of is gone: run Segment and count "
        "again."
    )
    with pytest.raises(InputError) as caught:
        drained(iter_new_labels(pair(labels, truth), 0.5))
    assert str(caught.value) == message


# What the state says


def test_the_headline_tells_f1_and_the_counts_behind_it(state):
    assert state.headline == "F1 0.571"
    assert state.detail == (
        "2 of 4 true cells have a match, 1 of 3 predictions have none. "
        "Count \N{MINUS SIGN}1."
    )


def test_an_image_without_cells_on_either_side_is_as_it_should_be():
    state = EvaluateState()
    state.choose_pair("cells", "truth", None)
    empty = np.zeros((9, 9), np.int32)
    state.judge(judged(empty, empty))
    assert state.headline == "No cells, as it should be"
    assert state.warning == "The truth 'by hand' has no cells."


def test_the_change_is_told_from_where_the_user_let_go(state, labels, truth):
    state.settle()
    state.judge(judged(truth, truth))
    assert state.change == "+0.429"
    state.judge(judged(labels, truth))
    assert state.change == "±0"
    state.settle()
    state.judge(judged(truth, truth))
    assert state.change == "+0.429"


def test_a_mask_as_truth_is_warned_of(state, truth):
    split = truth.copy()
    state.judge(judged(split, truth > 0))
    assert state.warning == (
        "The truth is a mask: cells that touch are one object, so there may be more "
        "true cells than counted. 1 of them hold several predictions."
    )


def test_every_failure_is_listed_with_place_size_and_color(state):
    assert [spot.text for spot in state.spots] == [
        "Merged: 2 cells in one, label 1, 72 px",
        "False positive: label 3, 36 px",
        "Missed: 36 px",
    ]
    merged = state.spots[0]
    assert (merged.row, merged.column) == (7.5, 10.5)
    assert merged.color == "#cc79a7"


def test_a_kind_that_is_not_shown_is_not_listed(state):
    state.show_kind("missed", False)
    assert [case.kind for case in state.failures] == ["merged", "false positive"]
    assert state.counts_of_kinds["missed"] == 1
    state.show_kind("missed", True)
    assert len(state.failures) == 3


def test_the_proposed_distance_grows_with_the_cells_until_the_user_sets_one():
    state = EvaluateState()
    state.choose_pair("a", "truth", 36.5)
    assert state.rule.max_distance == 40
    state.choose_pair("b", "truth", 7.3)
    assert state.rule.max_distance == 8
    state.choose_rule(max_distance=12)
    state.choose_pair("c", "truth", 36.5)
    assert state.rule.max_distance == 12


def test_a_distance_below_zero_is_refused_and_changes_nothing(state):
    with pytest.raises(InputError, match="`max_distance` must be at least 0, got -1"):
        state.choose_rule(max_distance=-1)
    assert state.rule.max_distance == 8


def test_two_pairs_are_pooled_and_one_truth_counts_once(state, labels, truth):
    other = judged(truth, truth, identity="others", truth_identity="second")
    state.judge(other)
    expected = aggregate(
        [
            evaluate(labels, truth, max_distance=8),
            evaluate(truth, truth, max_distance=8),
        ]
    )
    assert aggregate(state.image_scores).f1 == expected.f1
    row = {line.name: line for line in state.table}["F1"]
    assert row.here == "0.571"
    assert row.everywhere.startswith(f"{expected.f1:.3f} (")
    again = judged(labels, truth, identity="new run", truth_identity="second")
    state.judge(again)
    assert len(state.judgments) == 2


def test_the_table_has_scores_by_shared_pixels_unless_the_truth_is_points(state):
    names = [line.name for line in state.table]
    assert names[:7] == ["F1", "Precision", "Recall", "Accuracy", "MAE", "MedAE", "MPE"]
    assert "Dice" in names
    points = np.array([[7.0, 7.0]])
    state.judge(judged(squares((40, 60), (5, 5)), points))
    assert "Dice" not in [line.name for line in state.table]
    assert state.headline == "F1 1.000"


def test_what_cannot_be_compared_is_told_and_leaves_no_scores(state):
    state.refuse("Labels and truth differ in shape: (2, 2) and (3, 3).")
    assert state.judgment is None
    assert state.is_failure
    assert state.headline == "No scores yet"


def test_labels_that_are_gone_are_forgotten(state):
    state.forget("cells")
    assert state.judgment is None
    assert state.image_scores == ()


def test_a_spot_without_a_pair_is_refused():
    message = (
        "Choose the cells to evaluate (press Run in Segment and count to find some), "
        "and the truth: labels, a mask, or points that mark the cells."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        EvaluateState().spot(0)


def test_the_best_threshold_is_that_with_the_highest_f1(state, truth):
    assert state.best is None
    probability = np.where(truth > 0, 0.6, 0.3).astype(np.float32)
    recipe = Settings(threshold=0.9, min_size=4, preset="tashfeen2025", min_distance=3)
    judgment = judged(
        np.zeros_like(truth), truth, probability=probability, settings=recipe
    )
    state.judge(judgment)
    state.learn(judgment, drained(iter_study(judgment)))
    assert 0.3 <= state.best.threshold < 0.6
    assert state.threshold == 0.9


# What is written


def test_tables_hold_scores_and_cases_of_all_pairs(tmp_path, labels, truth):
    pairs = [
        pair(labels, truth),
        pair(truth, truth, identity="b", name="other", truth_identity="c"),
    ]
    rule = MatchRule(max_distance=8)
    paths = drained(iter_save(TABLES, tmp_path / "e.csv", pairs, rule, None))
    assert [path.name for path in paths] == ["e.csv", "e_cases.csv"]
    with paths[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["slice cells", "other", "all"]
    assert [int(row["tp"]) for row in rows] == [2, 4, 6]
    with paths[1].open(newline="") as file:
        cases = list(csv.DictReader(file))
    n_cases = len(compare(labels, truth, rule).pred_kinds) + 1 + 4
    assert len(cases) == n_cases


@pytest.mark.parametrize(
    ("kind", "name", "beginning"),
    [(FIGURE, "e.png", b"\x89PNG"), (FIGURE, "e.svg", b"<?xml"),
     (REPORT, "e.html", b"<!")],
)  # fmt: skip
def test_figure_and_report_are_one_file_each(
    tmp_path, labels, truth, kind, name, beginning
):
    rule = MatchRule(max_distance=8)
    path = tmp_path / name
    assert drained(iter_save(kind, path, [pair(labels, truth)], rule, None)) == [path]
    assert path.read_bytes().startswith(beginning)


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(
    tmp_path, labels, truth
):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    steps = iter_save(
        REPORT, blocked / "e.html", [pair(labels, truth)], MatchRule(), None
    )
    with pytest.raises(EngineError) as caught:
        drained(steps)
    assert str(caught.value).startswith(f"{blocked / 'e.html'} cannot be written (")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_gallery_has_one_picture_for_each_failure(labels, truth):
    image = np.random.default_rng(0).integers(0, 255, (*truth.shape, 3), np.uint8)
    judgment = judged(labels, truth, image=image)
    crops = drained(iter_gallery(judgment, {"merged", "missed"}))
    assert [judgment.cases[number].kind for number, _ in crops] == ["merged", "missed"]
    assert all(crop.shape == crops[0][1].shape for _, crop in crops)

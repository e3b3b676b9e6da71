"""Several models on one image; the viewer and Qt are not needed."""

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from tests.state.brightness import save_brightness_model

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    FALSE_IN_SECOND,
    FOUND_BY_FIRST,
    compare,
    disagreement,
    evaluate,
    right_and_wrong,
    usual_distance,
)
from napari_cresunet.inference import load_model, predict
from napari_cresunet.segmentation import segment
from napari_cresunet.state import (
    COMPARE_COLUMNS,
    DISAGREEMENT,
    CompareRow,
    CompareState,
    Source,
    Truth,
    best_rows,
    csv_text,
    iter_compare,
    iter_disagreement,
    iter_scores,
    table_lines,
)
from napari_cresunet.steps import drain

BRIGHT, DIM = "bright", "dim"
COLUMNS = {column.key: column for column in COMPARE_COLUMNS}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A model that sees the two bright discs only, and one that sees all three."""
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(tmp_path))
    save_brightness_model(tmp_path, name=BRIGHT, title="Bright", middle=0.5)
    save_brightness_model(tmp_path, name=DIM, title="Dim", threshold=0.4)
    return tmp_path


@pytest.fixture
def state(models):
    state = CompareState()
    state.refresh_models()
    state.choose(models=(BRIGHT, DIM))
    return state


@pytest.fixture
def truth(discs):
    """The bright disc on the left, the dim one, and one where nothing is."""
    labels = np.zeros(discs.shape, np.int32)
    labels[:, :64][discs[:, :64] == 200] = 1
    labels[discs == 80] = 2
    labels[80:90, 5:15] = 3
    return Truth(identity="t", name="truth", cells=labels)


def advance(state, step):
    state.advance(step)
    return state.add(step.entry) if step.entry is not None else []


def run(state):
    """Run what is chosen; return the models that were dropped."""
    request, dropped = state.request(), []
    state.begin()
    n_failed = drain(
        iter_compare(request, state.cache),
        lambda step: dropped.extend(advance(state, step)),
    )
    state.finish(request, n_failed)
    return dropped


def follow(state):
    """Do what a runner does at leisure."""
    while state.score_work is not None:
        state.take_scores(drain(iter_scores(state.score_work)))
    wanted = state.findings.disagreeing
    if wanted is not None:
        size = state.findings.cell_size
        state.take_disagreement(drain(iter_disagreement(wanted, size)))


@pytest.fixture
def compared(state, source, truth):
    """Both models were run and scored."""
    state.choose_source(source)
    state.set_truth(truth)
    run(state)
    follow(state)
    return state


def labels_of(state, name):
    return state.findings.results[name].labels


# What is chosen


def test_the_models_of_the_package_are_ticked_at_first_and_new_ones_are_not(
    state, models
):
    fresh = CompareState()
    fresh.refresh_models()
    ours = [card.name for card in fresh.models if card.source == "bundled"]
    assert list(fresh.choices.models) == (ours or [BRIGHT, DIM])
    save_brightness_model(models, name="later")
    fresh.refresh_models()
    assert "later" in [card.name for card in fresh.models]
    assert "later" not in fresh.choices.models


def test_a_model_that_is_gone_is_no_longer_ticked(state, models):
    (models / f"{DIM}.safetensors").unlink()
    state.refresh_models()
    assert state.choices.models == (BRIGHT,)


def test_it_says_why_it_cannot_run(state, source):
    assert state.why_not == (
        "There is no image: open one with File > Open, or a sample with File > Open "
        "Sample > c-ResUnet."
    )
    state.choose_source(None, other="mask")
    assert state.why_not == (
        "'mask' is no image: open an image, or choose an image layer."
    )
    state.choose_source(source)
    state.choose(models=())
    assert state.why_not == "Tick the models to compare."
    state.choose(models=(DIM,))
    assert state.can_run
    state.begin()
    message = "A run is going on: wait for it or press Cancel."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        state.request()


def test_the_matching_distance_follows_the_diameter_until_it_is_given(state, source):
    assert state.rule.max_distance == 40
    state.choose_source(replace(source, diameter=24.0))
    assert state.rule.max_distance == usual_distance(24.0)
    state.choose(max_distance=7.5)
    assert state.rule.max_distance == 7.5


def test_the_diameter_comes_with_the_image_and_goes_with_it(state, source):
    state.choose_source(replace(source, diameter=28.0))
    assert state.choices.diameter == 28
    state.choose_source(replace(source, identity="b"))
    assert state.choices.diameter is None


# The run


def test_each_model_gives_what_it_gives_alone(compared, discs):
    for name, threshold in ((BRIGHT, 0.5), (DIM, 0.4)):
        probability = predict(discs, load_model(name))
        result = compared.findings.results[name]
        assert np.array_equal(result.probability, probability)
        expected = segment(
            probability, threshold=threshold, min_size=200, min_distance=18
        )
        assert np.array_equal(result.labels, expected)
    assert [row.values["count"] for row in compared.rows] == [2, 3]


def test_the_scores_are_those_of_evaluate(compared, truth):
    for row in compared.rows:
        labels = labels_of(compared, row.name)
        scores = evaluate(labels, truth.cells, max_distance=40)
        expected = {
            "f1": scores.f1,
            "precision": scores.precision,
            "recall": scores.recall,
            "accuracy": scores.accuracy,
            "error": scores.mae,
            "mpe": scores.mpe,
            "merged": 0,
            "split": 0,
        }
        assert {key: row.values[key] for key in expected} == expected
    assert [row.values["error"] for row in compared.rows] == [1, 0]


def test_merged_and_split_cells_are_counted(state, source, discs):
    halves = np.where(np.arange(128) < 30, 1, 2) * (discs == 200)
    halves[:, 64:] = 0  # one disc is two cells
    halves[60:64, 60], halves[66:80, 60] = 0, 0
    state.choose_source(source)
    state.choose(models=(DIM,))
    state.set_truth(Truth(identity="t", name="halves", cells=halves))
    run(state)
    follow(state)
    assert state.rows[0].values["merged"] == 2
    assert state.rows[0].values["split"] == 0


def test_the_progress_goes_on_over_all_models(state, source):
    state.choose_source(source)
    state.choose(tile=32)
    steps = list(iter_compare(state.request(), state.cache))
    done = [step.overall.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].overall.total
    texts = "\n".join(step.text for step in steps)
    assert "1 of 2, bright: Tile 3 of 12 on CPU" in texts
    assert "2 of 2, dim: Tile 12 of 12 on CPU" in texts


def test_cancel_keeps_the_models_that_are_done(state, source):
    state.choose_source(source)
    state.choose(tile=32)
    request = state.request()
    state.begin()
    steps = iter_compare(request, state.cache)
    for step in steps:
        advance(state, step)
        if step.number == 2 and step.done:
            break
    steps.close()
    state.stop(request)
    assert [row.name for row in state.rows] == [BRIGHT]
    assert state.notice == "Cancelled; 1 of 2 models are done, and stay."
    assert state.can_run


def test_cancel_before_the_first_is_done_changes_nothing(compared):
    before = compared.entries
    request = compared.request()
    compared.begin()
    compared.stop(request)
    assert compared.entries == before
    assert compared.notice == "Cancelled; nothing was changed."


def test_a_model_that_fails_says_why_and_the_others_go_on(state, source, models):
    (models / f"{BRIGHT}.safetensors").write_bytes(b"no weights")
    state.choose_source(source)
    run(state)
    follow(state)
    failed, fine = state.rows
    assert (failed.name, fine.name) == (BRIGHT, DIM)
    assert BRIGHT in failed.problem
    assert failed.text(COLUMNS["count"]) == "failed"
    assert fine.values["count"] == 3
    assert state.is_failure
    assert state.notice == "1 of 2 models failed: see below the table."
    assert state.findings.disagreeing is None


def test_what_is_wrong_with_all_is_said_once(state):
    image = np.full((20, 20), np.nan, np.float32)
    state.choose_source(Source(identity="n", name="nan", image=image))
    run(state)
    assert state.is_failure
    assert state.notice == (
        "The image has only NaN or infinite values: check how it was made."
    )
    assert state.shown == ""


def test_models_of_another_diameter_leave_the_comparison(compared):
    compared.choose(diameter=30.0, models=(DIM,))
    assert compared.is_outdated
    assert run(compared) == [BRIGHT]
    assert [row.name for row in compared.rows] == [DIM]
    assert not compared.is_outdated


def test_models_that_were_run_before_stay_beside_new_ones(compared, models):
    save_brightness_model(models, name="third", middle=0.1)
    compared.refresh_models()
    compared.choose(models=("third",))
    assert run(compared) == []
    assert [row.name for row in compared.rows] == [BRIGHT, DIM, "third"]


def test_a_stack_is_compared_plane_by_plane(state, discs, truth):
    stack = np.stack([discs, discs * 0, discs])
    state.choose_source(Source(identity="s", name="stack", image=stack))
    state.set_truth(Truth(identity="s", name="s", cells=np.stack([truth.cells] * 3)))
    run(state)
    follow(state)
    assert [row.values["count"] for row in state.rows] == [4, 6]
    scores = state.findings.entries[DIM].comparison.scores
    assert (scores.tp, scores.fn) == (4, 5)
    places = state.findings.disagreement_spots
    assert {spot.plane for spot in places} == {0, 2}


# Thresholds


def test_one_threshold_for_all_changes_labels_and_scores_without_a_run(compared, truth):
    results = compared.findings.results
    compared.choose(threshold=0.95)
    follow(compared)
    assert compared.findings.results == results
    for name, result in results.items():
        expected = segment(
            result.probability, threshold=0.95, min_size=200, min_distance=18
        )
        assert np.array_equal(labels_of(compared, name), expected)
    for row in compared.rows:
        assert row.values["threshold"] == 0.95
        labels = labels_of(compared, row.name)
        assert row.values["f1"] == evaluate(labels, truth.cells).f1
    compared.choose(threshold=None)
    follow(compared)
    assert [row.values["threshold"] for row in compared.rows] == [0.5, 0.4]


def test_nothing_is_left_to_do_after_that(compared):
    assert compared.score_work is None
    assert compared.findings.disagreeing is None
    compared.choose(device="cpu")
    assert compared.score_work is None


# The truth


def test_without_a_truth_there_are_counts_only(state, source):
    state.choose_source(source)
    run(state)
    follow(state)
    assert set(state.rows[0].values) == {"count", "threshold", "seconds"}
    assert state.versus == ("", "")


def test_a_truth_that_is_edited_gives_other_scores(compared, truth):
    cells = truth.cells.copy()
    cells[cells == 3] = 0
    compared.set_truth(replace(truth, cells=cells))
    assert compared.rows[1].values["f1"] < 1  # until it is scored anew
    follow(compared)
    labels = labels_of(compared, DIM)
    assert compared.rows[1].values["f1"] == evaluate(labels, cells).f1 == 0.8
    compared.set_truth(None)
    assert "f1" not in compared.rows[1].values


def test_points_are_a_truth(state, source):
    state.choose_source(source)
    state.set_truth(
        Truth(identity="p", name="points", cells=np.array([[30.0, 30], [70, 60]]))
    )
    run(state)
    follow(state)
    assert [row.values["recall"] for row in state.rows] == [0.5, 1]


def test_a_truth_of_another_shape_is_refused_with_both_shapes(compared):
    wrong = Truth(identity="w", name="crop", cells=np.ones((9, 12), int))
    compared.set_truth(wrong)
    compared.choose(threshold=0.95)
    follow(compared)
    assert compared.truth_problem == (
        "'crop': Labels and truth differ in shape: (96, 128) and (9, 12); take the "
        "truth of this image."
    )
    assert compared.score_work is None
    assert "f1" not in compared.rows[0].values
    assert compared.rows[0].values["threshold"] == 0.95


# Where they differ


def test_the_disagreement_is_that_of_the_probabilities(compared):
    found = compared.findings
    maps = [result.probability for result in found.results.values()]
    assert np.array_equal(found.disagreement.values, disagreement(maps))
    spot = found.disagreement_spots[0]
    at = int(spot.row), int(spot.column)
    assert np.hypot(at[0] - 70, at[1] - 60) < 12  # only one sees the dim disc
    low, high = (found.results[name].probability[at] for name in (BRIGHT, DIM))
    assert spot.text == f"{high:.2f} dim, {low:.2f} bright"
    assert spot.size == 36.5


def test_one_model_has_nobody_to_disagree_with(state, source):
    state.choose_source(source)
    state.choose(models=(DIM,))
    run(state)
    follow(state)
    assert state.findings.disagreement is None
    state.show(DISAGREEMENT)
    assert state.shown == DIM


def test_where_one_is_right_and_the_other_wrong(compared, truth):
    first, second = (
        compare(labels_of(compared, name), truth.cells) for name in (DIM, BRIGHT)
    )
    assert compared.versus == (DIM, BRIGHT)
    for pair, names in (
        ((first, second), (DIM, BRIGHT)),
        ((second, first), (BRIGHT, DIM)),
    ):
        table = right_and_wrong(*pair)
        spots = compared.findings.versus_spots(*names)
        words = {
            FOUND_BY_FIRST: f"missed by {names[1]}",
            FALSE_IN_SECOND: f"false in {names[1]}",
        }
        assert [spot.text for spot in spots] == [words[what] for what in table["what"]]
        assert [(spot.row, spot.column) for spot in spots] == list(
            zip(table["row"], table["column"], strict=True)
        )
    spots = compared.findings.versus_spots(DIM, BRIGHT)
    assert [(spot.text, spot.row, spot.column) for spot in spots] == [
        ("missed by bright", 70, 60)
    ]


def test_the_two_can_be_chosen_and_swapped(compared):
    compared.choose(first=BRIGHT, second=DIM)
    assert compared.versus == (BRIGHT, DIM)
    compared.choose(first="gone", second="")
    assert compared.versus == (DIM, BRIGHT)
    compared.choose(first="", second=DIM)
    assert compared.versus == (BRIGHT, DIM)


# The table


def row(name, **values):
    return CompareRow(name=name, title=name, values=values)


def test_the_best_is_the_highest_score_and_the_smallest_error():
    rows = [
        row("a", f1=0.5, mpe=-0.1, count=3),
        row("b", f1=0.8, mpe=0.2, count=9),
        row("c", f1=0.79999, mpe=np.nan),
    ]
    assert best_rows(rows, COLUMNS["f1"]) == {"b", "c"}  # shown as equal
    assert best_rows(rows, COLUMNS["mpe"]) == {"a"}
    assert best_rows(rows, COLUMNS["count"]) == set()
    assert best_rows(rows[:1], COLUMNS["f1"]) == set()
    assert best_rows([row("a", f1=1), row("b", f1=1)], COLUMNS["f1"]) == set()


def test_numbers_are_shown_as_people_write_them():
    one = row("a", count=1234, f1=0.87654, mpe=-0.1234, seconds=2.04)
    shown = {column.key: one.text(column) for column in COMPARE_COLUMNS}
    assert shown == {
        "count": "1,234",
        "f1": "0.877",
        "mpe": "\N{MINUS SIGN}12.3%",
        "seconds": "2.0",
    } | dict.fromkeys(set(COLUMNS) - {"count", "f1", "mpe", "seconds"}, "")


def test_the_table_goes_into_csv_with_all_that_made_it(compared, models):
    text = csv_text(table_lines(compared.entries))
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["model"], second["model"]) == (BRIGHT, DIM)
    assert float(second["f1"]) == compared.rows[1].values["f1"]
    assert second["image"] == "discs"
    assert (second["truth"], second["max_distance"]) == ("truth", "40.0")
    assert (second["threshold"], second["min_size"]) == ("0.4", "200")
    assert second["weights_hash"] == compared.entries[1].card.weights_hash
    assert second["problem"] == ""


# Images


def test_coming_back_to_an_image_brings_its_table(compared, source):
    compared.choose_source(replace(source, identity="b"))
    assert compared.rows == []
    compared.choose_source(source)
    assert [row.name for row in compared.rows] == [BRIGHT, DIM]
    compared.forget(source.identity)
    assert compared.rows == []


def test_a_model_that_ends_after_the_image_was_changed_waits_for_its_turn(
    state, source
):
    state.choose_source(source)
    request = state.request()
    state.begin()
    state.choose_source(replace(source, identity="b"))
    drain(iter_compare(request, state.cache), lambda step: advance(state, step))
    assert state.rows == []
    state.choose_source(source)
    assert [row.name for row in state.rows] == [BRIGHT, DIM]

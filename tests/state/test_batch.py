"""What the dock Batch knows and may do, without Qt."""

import errno
import os
import threading
from collections import deque
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cresunet.batch import (
    BatchOptions,
    CountOptions,
    Entry,
    ModelSpec,
    Reviewed,
    iter_batch,
    open_review,
    read_batch,
    save_review,
)
from napari_cresunet.errors import InputError
from napari_cresunet.state import (
    BatchState,
    Choices,
    Progress,
    ReviewSaver,
    iter_batch_report,
    iter_batch_run,
    iter_listing,
    iter_open_image,
    iter_results,
    why_not_open,
)
from napari_cresunet.state._batch_run import describe_rest
from napari_cresunet.steps import drain


@pytest.fixture
def state(models):
    state = BatchState()
    state.refresh_models()
    state.choose(model="brightness")
    return state


@pytest.fixture
def folder(tmp_path, discs):
    folder = tmp_path / "slices"
    folder.mkdir()
    for name in "abcd":
        tifffile.imwrite(folder / f"{name}.tif", discs)
    return folder


@pytest.fixture
def counted(state, folder):
    """The state after a run."""
    state.show(drain(iter_listing([str(folder)], None)))
    request = state.request()
    state.begin()
    state.finish(drain(iter_batch_run(request, state.inbox), state.advance))
    return state


def states(state):
    return [entry.state for entry in state.table.entries]


def without(labels, cell):
    return np.where(labels == cell, 0, labels)


def without_first_cell(output, name):
    return Reviewed(labels=without(open_review(output, name).labels, 1))


# What is chosen


def test_the_choices_of_the_dock_are_those_of_the_engine(state, folder):
    state.show(drain(iter_listing([str(folder)], None)))
    chosen = {"diameter": 20.0, "threshold": 0.4, "min_size": 9, "min_distance": 5}
    state.take(Choices(model="brightness", **chosen))
    state.choose(engine="torch", device="cpu")
    state.write(overlay=True, report=False)
    options = state.request().options
    assert options.count == CountOptions(**chosen, preset=Choices().preset)
    assert options.model == ModelSpec("brightness", "cpu", "torch", "auto")
    assert (options.overlay, options.report, options.probability) == (True, False, True)
    state.recommend()
    count = state.request().options.count
    assert (count.threshold, count.min_distance) == (None, None)
    assert state.settings.threshold == 0.5
    known = {spec.name for spec in fields(CountOptions)}
    assert known <= {spec.name for spec in fields(Choices)}


def test_what_is_missing_for_a_run_is_said(state, folder, tmp_path):
    assert state.why_not == (
        "There are no images: choose a folder, files, a pattern such as *.tif, or a "
        "list, or drop them here."
    )
    with pytest.raises(InputError, match="There are no images"):
        state.request()
    state.look_for([str(folder)], None)
    assert state.why_not == "Images are being looked for."
    state.refuse("The folder holds no image.")
    assert (state.notice, state.is_failure) == ("The folder holds no image.", True)
    state.show(drain(iter_listing([str(folder)], None)))
    assert state.can_run
    state.begin()
    assert state.why_not == "A run is going on: wait for it or press Cancel."
    state.stop()
    state.models = []
    assert state.why_not == (
        f"There is no model: put a weight file into {tmp_path}, or install "
        "napari-cresunet again."
    )


def test_results_go_beside_the_images_unless_something_else_is_said(folder, tmp_path):
    listing = drain(iter_listing([str(folder)], None))
    assert listing.output == folder / "cresunet-results"
    assert [entry.name for entry in listing.entries] == list("abcd")
    assert {entry.state for entry in listing.entries} == {"waiting"}
    other = drain(iter_listing([str(folder / "b.tif")], tmp_path / "other"))
    assert other.output == tmp_path / "other"
    assert not other.output.exists()
    with pytest.raises(InputError, match="holds no image"):
        drain(iter_listing([str(tmp_path / "slices" / "..")], None))


def test_a_list_of_images_brings_its_groups_and_settings(state, folder):
    path = folder / "list.csv"
    path.write_text("image,group,threshold\na.tif,sham,\nb.tif,lesion,0.9\n")
    state.show(drain(iter_listing([str(path)], None)))
    assert [entry.group for entry in state.table.entries] == ["sham", "lesion"]
    assert "group" in state.table.columns
    request = state.request()
    drain(iter_batch_run(request, state.inbox), state.advance)
    again = drain(iter_results(request.output))
    # Else the next run would count them anew.
    assert again.images[1].threshold == 0.9
    assert again.entries[1].record["threshold"] == 0.9


def test_earlier_results_bring_their_options_unless_others_were_chosen(
    counted, folder, models
):
    counted.write(overlay=True)
    counted.choose(threshold=0.4, min_distance=5, engine="torch")
    drain(iter_batch_run(counted.request(), deque()))
    fresh = BatchState()
    fresh.refresh_models()
    fresh.show(drain(iter_listing([str(folder)], None)))
    assert (fresh.choices.threshold, fresh.choices.model) == (0.4, "brightness")
    assert (fresh.choices.min_distance, fresh.choices.engine) == (5, "torch")
    assert fresh.outputs.overlay
    other = BatchState()
    other.refresh_models()
    other.choose(threshold=0.7)
    other.show(drain(iter_listing([str(folder)], None)))
    assert other.choices.threshold == 0.7
    other.show(drain(iter_results(counted.output)), adopts=True)
    assert other.choices.threshold == 0.4
    with pytest.raises(InputError, match="There is no batch in"):
        drain(iter_results(folder))


# The run


def test_a_run_tells_of_every_image_whoever_listens(state, folder):
    state.show(drain(iter_listing([str(folder)], None)))
    inbox, said = deque(), []
    result = drain(iter_batch_run(state.request(), inbox), said.append)
    assert result.n_counted == 4
    last = {entry.name: entry for entry in inbox}
    assert {name: entry.state for name, entry in last.items()} == dict.fromkeys(
        "abcd", "done"
    )
    assert {"running", "done"} <= {entry.state for entry in inbox}
    assert all(isinstance(one, Progress) for one in said)
    assert said[-1].text.startswith("4 of 4")
    assert (said[-1].done, said[-1].total) == (4, 4)


def test_a_run_that_is_closed_leaves_what_is_on_disk(state, folder):
    state.show(drain(iter_listing([str(folder)], None)))
    request = state.request()
    state.begin()
    steps = iter_batch_run(request, state.inbox)
    while state.table.numbers["done"] < 2:
        state.advance(next(steps))
    steps.close()
    state.stop()
    assert not state.is_running
    on_disk = {one.name: one.state for one in read_batch(state.output).entries}
    assert {one.name: one.state for one in state.table.entries} == on_disk
    assert state.table.numbers["running"] == 0
    result = drain(iter_batch_run(state.request(), state.inbox), state.advance)
    assert result.n_counted + result.n_skipped == 4
    assert result.n_skipped >= 2
    assert states(state) == ["done"] * 4
    assert state.table.count == 12


def test_a_review_that_is_saved_in_the_middle_of_a_run_is_in_all_tables(state, folder):
    state.show(drain(iter_listing([str(folder)], None)))
    request = state.request()
    steps = iter_batch_run(request, state.inbox)
    while not state.table.numbers["done"]:
        state.advance(next(steps))
    name = next(one.name for one in state.table.entries if one.state == "done")
    reviewed = open_review(request.output, name)
    corrected = without(reviewed.labels, 1)
    entry = save_review(request.output, name, Reviewed(labels=corrected))
    state.take_review(entry)
    # From another thread, too, as the dock does it.
    thread = threading.Thread(
        target=save_review, args=(request.output, name, Reviewed(labels=corrected))
    )
    thread.start()
    drain(steps, state.advance)
    thread.join()
    state.receive()
    assert state.table.find(name).state == "reviewed"
    assert state.table.find(name).best_count == 2
    assert state.table.count == 11
    text = (request.output / "counts.csv").read_text()
    (row,) = [line for line in text.splitlines() if f"{name}.tif" in line]
    assert ",reviewed," in row
    assert np.array_equal(open_review(request.output, name).labels, corrected)


@pytest.mark.parametrize("again", [False, True])
def test_what_a_run_tells_late_does_not_undo_a_review(counted, again):
    counted.write(again=again)
    request = counted.request()
    counted.begin()
    result = drain(iter_batch_run(request, counted.inbox))
    # The run has ended in its thread, and the dock has not heard of it yet.
    entry = save_review(request.output, "a", without_first_cell(request.output, "a"))
    counted.take_review(entry)
    counted.finish(result)
    assert counted.table.find("a") == entry
    assert states(counted) == ["reviewed", "done", "done", "done"]
    assert counted.table.count == 11


def test_counting_again_replaces_a_review_of_before(counted):
    output = counted.output
    counted.take_review(save_review(output, "a", without_first_cell(output, "a")))
    counted.write(again=True)
    request = counted.request()
    counted.begin()
    told = []
    counted.rows_changed.connect(lambda _: told.append(counted.table.find("a").state))
    counted.finish(drain(iter_batch_run(request, counted.inbox), counted.advance))
    assert "running" in told
    assert states(counted) == ["done"] * 4
    assert counted.table.count == 12


def test_a_run_that_breaks_off_says_why_and_keeps_what_is_done(
    counted, folder, monkeypatch
):
    counted.choose(threshold=0.3)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    request = counted.request()
    counted.begin()
    with pytest.raises(Exception, match="No space left on device") as caught:
        drain(iter_batch_run(request, counted.inbox), counted.advance)
    counted.fail(str(caught.value))
    assert counted.is_failure
    assert not counted.is_running
    assert "running" not in states(counted)


def test_what_came_of_a_run_is_said_in_words(counted, folder):
    assert counted.notice == "Counted 4 images."
    assert counted.headline == "12 cells"
    assert counted.summary == "in 4 of 4 images"
    (folder / "g.tif").write_bytes(b"")
    counted.show(drain(iter_listing([str(folder)], None)))
    assert states(counted) == ["done"] * 4 + ["waiting"]
    request = counted.request()
    counted.begin()
    counted.finish(drain(iter_batch_run(request, counted.inbox)))
    assert counted.notice == "Counted 0 images, 4 had been counted before, 1 failed."
    assert counted.is_failure
    assert counted.summary == "in 4 of 5 images, 1 failed"


def test_the_first_messages_of_a_run_are_kept_and_others_are_counted(counted):
    result = drain(iter_batch_run(counted.request(), deque()))
    counted.begin()
    for number in range(5):
        counted.advance(Progress(text="", message=f"Message {number}."))
    counted.finish(result)
    assert counted.notice == (
        "Counted 0 images, 4 had been counted before. Message 0. Message 1. Message 2. "
        "There were 2 more messages."
    )


def test_counting_again_is_for_one_run(counted):
    counted.write(again=True)
    request = counted.request()
    counted.begin()
    assert request.options.again
    assert not counted.outputs.again


def test_the_counts_are_those_of_the_engine(counted, folder, tmp_path):
    options = BatchOptions(model=counted.request().options.model)
    paths = sorted(folder.glob("*.tif"))
    result = drain(iter_batch(paths, tmp_path / "alone", options))
    mine = {one.name: one.count for one in counted.table.entries}
    assert mine == {one.name: one.count for one in result.entries}
    for name in mine:
        one, other = (
            tifffile.imread(place / f"{name}_labels.tif")
            for place in (counted.output, result.output)
        )
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s left"),
        (89, "about 89 s left"),
        (200, "about 3 min left"),
        (9000, "about 2.5 h left"),
    ],
)
def test_the_time_left_is_said_in_a_unit_that_fits(seconds, words):
    assert describe_rest(seconds) == words


# Review


def test_an_image_is_opened_with_its_labels_and_probability(counted, discs):
    opened = drain(iter_open_image(counted.output, counted.table.find("b")))
    assert np.array_equal(opened.image[0], discs)
    assert not opened.is_rgb
    labels = tifffile.imread(counted.output / "b_labels.tif")
    assert np.array_equal(opened.labels[0], labels)
    assert np.array_equal(opened.reviewed.labels, labels)
    probability = tifffile.imread(counted.output / "b_probability.tif")
    assert np.array_equal(opened.probability[0], probability)
    (counted.output / "b_probability.tif").write_bytes(b"damaged")
    opened = drain(iter_open_image(counted.output, counted.table.find("b")))
    assert opened.probability == ()


def test_images_in_color_and_stacks_are_opened_as_what_they_are(state, tmp_path, discs):
    images = {"color": np.stack([discs] * 3, axis=-1), "stack": np.stack([discs] * 2)}
    for name, image in images.items():
        options = {"photometric": "rgb"} if name == "color" else {}
        tifffile.imwrite(tmp_path / f"{name}.tif", image, **options)
    listing = drain(iter_listing([str(tmp_path / f"{x}.tif") for x in images], None))
    state.show(listing)
    drain(iter_batch_run(state.request(), state.inbox), state.advance)
    state.receive()
    for name, image in images.items():
        opened = drain(iter_open_image(listing.output, state.table.find(name)))
        assert np.array_equal(opened.image[0], image)
        assert opened.is_rgb == (name == "color")
        assert opened.labels[0].shape == (
            image.shape[:2] if opened.is_rgb else image.shape
        )


@pytest.mark.parametrize(
    ("state", "error", "why_not"),
    [
        ("waiting", "", "a is not counted yet: press Run, or wait until it is."),
        ("running", "", "a is not counted yet: press Run, or wait until it is."),
        ("failed", "It is empty: export it.", "It is empty: export it."),
        ("done", "", ""),
        ("reviewed", "", ""),
    ],
)
def test_only_what_is_counted_can_be_opened(state, error, why_not):
    entry = Entry(name="a", path=Path("a.tif"), state=state, error=error)
    assert why_not_open(entry) == why_not


def test_a_saver_writes_what_has_changed_and_nothing_else(counted):
    labels = open_review(counted.output, "a").labels
    now = {"labels": labels}
    saver = ReviewSaver(lambda: Reviewed(**now), counted.output, "a")
    assert saver.close() is None
    assert read_batch(counted.output).entries[0].state == "done"
    saver = ReviewSaver(lambda: Reviewed(**now), counted.output, "a")
    assert saver.words(0) == ""
    saver.note_change()
    steps = saver.begin()
    now["labels"] = without(labels, 1)
    saver.note_change()
    newer = drain(saver.begin())
    assert newer.entry.corrected == 2
    # What was taken before is not written over it.
    older = drain(steps)
    assert older.entry is None
    assert read_batch(counted.output).entries[0].corrected == 2
    saver.finish(newer)
    saver.finish(older)
    assert not saver.is_dirty
    assert saver.words(saver.saved_at + 90) == "Saved 1 minute ago."
    now["labels"] = without(now["labels"], 2)
    saver.note_change()
    assert saver.close().corrected == 1
    assert saver.close() is None


def test_a_saver_says_why_it_cannot_save_and_saves_later(counted, monkeypatch):
    labels = without(open_review(counted.output, "a").labels, 3)
    saver = ReviewSaver(lambda: Reviewed(labels=labels), counted.output, "a")
    saver.note_change()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Exception, match="No space left on device") as caught:
            drain(saver.begin())
        assert saver.fail(caught.value)
        assert not saver.fail(caught.value)
    assert saver.words(0) == f"Not saved: {caught.value}"
    assert saver.is_dirty
    saver.finish(drain(saver.begin()))
    assert not saver.problem
    assert read_batch(counted.output).entries[0].corrected == 2


def test_the_report_is_written_anew_with_what_was_corrected(counted):
    report = counted.output / "report.html"
    before = report.read_text()
    labels = without(open_review(counted.output, "a").labels, 3)
    save_review(counted.output, "a", Reviewed(labels=labels))
    assert drain(iter_batch_report(counted.output)) == report
    after = report.read_text()
    assert after.count("reviewed") > before.count("reviewed")

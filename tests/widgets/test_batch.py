"""The dock Batch: a folder is counted, then corrected in the same window."""

import csv
import errno
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QMimeData, QObject, QPointF, Qt, QUrl, Slot
from qtpy.QtGui import QDesktopServices, QDropEvent
from tests.pyramids import by_hand
from tests.state.brightness import save_brightness_model

from napari_cresunet.batch import Entry, ListedImage, open_review, read_batch
from napari_cresunet.pyramids import create_pyramid
from napari_cresunet.state import Listing
from napari_cresunet.steps import drain
from napari_cresunet.studies import studies_folder
from napari_cresunet.widgets._corrections import corrections_of
from napari_cresunet.widgets._job import _ALIVE
from napari_cresunet.widgets._layers import identity_of
from napari_cresunet.widgets._measure_regions import set_names
from napari_cresunet.widgets._records import BATCH, record_of
from napari_cresunet.widgets.batch import Batch
from napari_cresunet.widgets.segment_and_count import SegmentAndCount

pytestmark = pytest.mark.gui

PATIENCE = 300_000  # ms; the first run after an installation compiles
N_MANY = 8


class Opened(QObject):
    """Files and folders that were to be opened."""

    def __init__(self):
        super().__init__()
        self.urls = []

    @Slot(QUrl)
    def take(self, url):
        self.urls.append(url)


@pytest.fixture
def folder(tmp_path, discs):
    """Three images; the second is the first upside down, the third is empty."""
    folder = tmp_path / "slices"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", discs)
    tifffile.imwrite(folder / "b.tif", discs[::-1])
    (folder / "c.tif").write_bytes(b"")
    return folder


@pytest.fixture
def many(tmp_path, discs):
    """More images, so that a run takes a while."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(N_MANY):
        tifffile.imwrite(folder / f"s{number}.tif", np.roll(discs, number, axis=1))
    return folder


@pytest.fixture
def make_dock(qtbot):
    docks = []

    def make(viewer):
        dock = Batch(viewer)
        if hasattr(viewer, "window"):
            viewer.window.add_dock_widget(dock)
        else:
            qtbot.addWidget(dock)
        dock.state.choose(model="brightness")
        dock.runner._save_timer.setInterval(0)
        docks.append(dock)
        return dock

    yield make
    for dock in docks:
        with suppress(RuntimeError):  # it went with its window
            dock.runner.shut_down()


@pytest.fixture
def dock(viewer, make_dock):
    return make_dock(viewer)


@pytest.fixture
def choose(qtbot):
    def choose(dock, *paths):
        dock.images.images_chosen.emit([str(path) for path in paths])
        qtbot.waitUntil(lambda: not dock.state.is_listing, timeout=PATIENCE)

    return choose


@pytest.fixture
def run(qtbot, choose):
    """Count a folder."""

    def run(dock, folder=None):
        if folder is not None:
            choose(dock, folder)
        dock.running.run.click()
        assert dock.state.is_running
        qtbot.waitUntil(lambda: not dock.state.is_running, timeout=PATIENCE)

    return run


@pytest.fixture
def open_image(qtbot):
    def open_image(dock, name):
        row = dock.state.table.row_of(name)
        dock.table.view.activated.emit(dock.table.model.index(row, 0))
        qtbot.waitUntil(lambda: dock.state.opened == name, timeout=PATIENCE)

    return open_image


def states(dock):
    return {one.name: one.state for one in dock.state.table.entries}


def counts(folder):
    with (folder / "cresunet-results" / "counts.csv").open(newline="") as file:
        return {row["image"].rsplit("/")[-1]: row for row in csv.DictReader(file)}


def cells_of(viewer):
    (layer,) = [x for x in viewer.layers if record_of(x).get("kind") == "cells"]
    return layer


def rub_out(viewer, cell):
    layer = cells_of(viewer)
    layer.data_setitem(np.nonzero(layer.data == cell), 0)


def press(viewer, key):
    (action,) = [
        action
        for bound, action in viewer.keymap.items()
        if str(bound).lower().replace("+", "-") == key.lower()
    ]
    action(viewer)


def test_a_folder_is_counted_and_corrected_in_one_window(
    make_napari_viewer_proxy, make_dock, run, open_image, folder, qtbot
):
    viewer = make_napari_viewer_proxy()
    dock = make_dock(viewer)
    run(dock, folder)
    assert states(dock) == {"a": "done", "b": "done", "c": "failed"}
    assert dock.counting.count.text() == "6 cells"
    assert dock.counting.detail.text() == "in 2 of 3 images, 1 failed"
    assert "Counted 2 images, 1 failed." in dock.running.status.text()
    open_image(dock, "a")
    assert [x.name for x in viewer.layers] == ["a", "a probability", "a cells"]
    assert [x.visible for x in viewer.layers] == [True, False, True]
    assert viewer.layers.selection.active is not None
    assert "a: 3 cells, done." in dock.queue.status.text()

    rub_out(viewer, 1)
    qtbot.waitUntil(lambda: states(dock)["a"] == "reviewed", timeout=PATIENCE)
    assert counts(folder)["a.tif"]["corrected"] == "2"
    assert dock.counting.count.text() == "5 cells"
    viewer.screenshot(canvas_only=False, flash=False)
    dock.queue.next.click()
    qtbot.waitUntil(lambda: dock.state.opened == "b", timeout=PATIENCE)
    assert [x.name for x in viewer.layers] == ["b", "b probability", "b cells"]
    viewer.screenshot(canvas_only=False, flash=False)
    viewer.scene.camera.zoom *= 2
    viewer.screenshot(canvas_only=False, flash=False)
    dock.queue.next.click()
    qtbot.waitUntil(lambda: states(dock)["b"] == "reviewed", timeout=PATIENCE)
    assert dock.running.status.text() == "All images that are counted are reviewed."
    assert counts(folder)["b.tif"]["corrected"] == "3"

    dock.queue.previous.click()
    qtbot.waitUntil(lambda: dock.state.opened == "a", timeout=PATIENCE)
    assert set(np.unique(cells_of(viewer).data)) == {0, 2, 3}
    assert [one.kind for one in corrections_of(cells_of(viewer)).log] == ["paint"]


def test_other_docks_follow_the_image_that_is_open(
    make_napari_viewer_proxy, make_dock, run, open_image, folder, qtbot
):
    viewer = make_napari_viewer_proxy()
    dock = make_dock(viewer)
    _, correct = viewer.window.add_plugin_dock_widget(
        "napari-cresunet", "Correct cells"
    )
    _, measure = viewer.window.add_plugin_dock_widget(
        "napari-cresunet", "Measure and export"
    )
    run(dock, folder)
    for name in "ab":
        open_image(dock, name)
        layer = cells_of(viewer)
        assert correct.state.identity == identity_of(layer)
        assert correct.study.state.saver is None  # else there were two files of it
        correct.state.choose_tool("delete")
        correct.acts.click(np.argwhere(layer.data == 2).mean(axis=0))
        assert 2 not in layer.data
        qtbot.waitUntil(lambda: states(dock)[name] == "reviewed", timeout=PATIENCE)  # noqa: B023
        viewer.screenshot(canvas_only=False, flash=False)
    assert not studies_folder().exists()
    qtbot.waitUntil(lambda: not measure.runner.is_busy, timeout=PATIENCE)


def test_a_window_that_is_closed_saves_what_was_not_saved_yet(
    make_napari_viewer_proxy, make_dock, run, open_image, folder, qtbot
):
    viewer = make_napari_viewer_proxy()
    dock = make_dock(viewer)
    dock.runner._save_timer.setInterval(100_000)
    run(dock, folder)
    open_image(dock, "a")
    output = dock.state.output
    rub_out(viewer, 2)
    viewer.close()
    qtbot.waitUntil(
        lambda: read_batch(output).entries[0].state == "reviewed", timeout=PATIENCE
    )
    assert set(np.unique(open_review(output, "a").labels)) == {0, 1, 3}


def test_keys_of_the_canvas_go_through_the_images(viewer, dock, run, folder, qtbot):
    run(dock, folder)
    for key, name in (("i", "a"), ("i", "b"), ("Shift-i", "a")):
        press(viewer, key)
        qtbot.waitUntil(lambda: dock.state.opened == name, timeout=PATIENCE)  # noqa: B023
    assert states(dock) == {"a": "reviewed", "b": "done", "c": "failed"}
    dock.runner.shut_down()
    dock.queue.shut_down(viewer)
    assert not [key for key in viewer.keymap if str(key).lower().endswith("i")]


def test_a_failed_image_says_why_and_the_open_one_stays(
    viewer, dock, run, open_image, folder, qtbot
):
    run(dock, folder)
    open_image(dock, "a")
    row = dock.state.table.row_of("c")
    error = f"{folder / 'c.tif'} is empty (0 bytes): copy or export it again."
    index = dock.table.model.index(row, 0)
    tooltip = dock.table.model.data(index, Qt.ItemDataRole.ToolTipRole)
    assert tooltip == f"<qt>{error}</qt>"
    dock.table.view.activated.emit(index)
    assert dock.state.notice == error
    assert dock.state.opened == "a"


def test_an_image_that_is_gone_or_changed_says_so(
    viewer, dock, run, folder, qtbot, discs
):
    run(dock, folder)
    (folder / "a.tif").unlink()
    dock.runner.open("a")
    qtbot.waitUntil(lambda: not dock.state.is_opening, timeout=PATIENCE)
    assert dock.state.notice == f"There is no file {folder / 'a.tif'}."
    tifffile.imwrite(folder / "b.tif", discs[:50])
    dock.runner.open("b")
    qtbot.waitUntil(lambda: not dock.state.is_opening, timeout=PATIENCE)
    assert dock.state.notice == (
        f"{folder / 'b.tif'} is 50 x 128 px now and its labels are 96 x 128 px: the "
        "image was changed after it was counted, so run again."
    )
    assert not viewer.layers
    assert not dock.state.opened


def test_what_was_not_saved_yet_is_saved_before_another_image_comes(
    viewer, dock, run, open_image, folder, qtbot
):
    dock.runner._save_timer.setInterval(100_000)
    run(dock, folder)
    open_image(dock, "a")
    rub_out(viewer, 2)
    open_image(dock, "b")
    assert set(np.unique(open_review(dock.state.output, "a").labels)) == {0, 1, 3}
    rub_out(viewer, 1)
    dock.runner.shut_down()  # as when the dock is closed
    assert set(np.unique(open_review(dock.state.output, "b").labels)) == {0, 2, 3}


def test_who_only_looks_at_an_image_has_not_reviewed_it(
    viewer, dock, run, open_image, folder, qtbot
):
    run(dock, folder)
    open_image(dock, "a")
    corrections_of(cells_of(viewer)).review(1)
    open_image(dock, "b")
    assert states(dock)["a"] == "done"


def test_layers_that_are_deleted_by_hand_are_saved_and_harm_nothing(
    viewer, dock, run, open_image, folder
):
    dock.runner._save_timer.setInterval(100_000)
    run(dock, folder)
    open_image(dock, "a")
    rub_out(viewer, 2)
    viewer.layers.remove(cells_of(viewer))
    assert not dock.state.opened
    assert states(dock)["a"] == "reviewed"
    del viewer.layers["a"]
    open_image(dock, "b")
    assert [x.name for x in viewer.layers] == ["b", "b probability", "b cells"]
    viewer.layers.clear()
    open_image(dock, "a")
    assert set(np.unique(cells_of(viewer).data)) == {0, 1, 3}


def test_an_image_of_the_same_name_in_another_folder_is_another_image(
    viewer, dock, run, open_image, choose, folder, tmp_path, qtbot
):
    dock.runner._save_timer.setInterval(100_000)
    run(dock, folder)
    open_image(dock, "a")
    rub_out(viewer, 2)
    first, before = dock.state.output, cells_of(viewer)
    shutil.copytree(folder, tmp_path / "others", ignore=lambda *_: [first.name])
    run(dock, tmp_path / "others")
    assert not dock.state.opened
    assert read_batch(first).entries[0].corrected == 2
    assert not record_of(before).get(BATCH)  # whoever saves studies may have it
    viewer.layers.clear()
    open_image(dock, "a")
    assert set(np.unique(cells_of(viewer).data)) == {0, 1, 2, 3}
    assert states(dock)["a"] == "done"


def test_an_image_that_was_still_read_when_others_were_chosen_is_not_shown(
    viewer, dock, run, choose, folder, many, qtbot
):
    run(dock, many)
    run(dock, folder)
    dock.runner.open("a")
    choose(dock, many)
    qtbot.waitUntil(lambda: not dock.state.is_opening, timeout=PATIENCE)
    assert not dock.state.opened
    dock.runner.open("s0")
    qtbot.waitUntil(lambda: dock.state.opened == "s0", timeout=PATIENCE)
    assert dock.state.saver.output == many / "cresunet-results"


def test_regions_are_saved_and_laid_on_the_next_images(
    viewer, dock, run, open_image, folder, qtbot
):
    run(dock, folder)
    open_image(dock, "a")
    dock.queue.keep.setChecked(True)
    dock.queue.regions.click()
    shapes = viewer.layers["a cells regions"]
    shapes.add_polygons([[0, 0], [0, 127], [50, 127], [50, 0]])
    set_names(shapes, ["upper half"])
    qtbot.waitUntil(lambda: states(dock)["a"] == "reviewed", timeout=PATIENCE)
    dock.queue.next.click()
    qtbot.waitUntil(lambda: dock.state.opened == "b", timeout=PATIENCE)
    assert [x.name for x in viewer.layers][2:] == ["b cells", "b cells regions"]
    dock.queue.next.click()
    qtbot.waitUntil(lambda: states(dock)["b"] == "reviewed", timeout=PATIENCE)
    with (dock.state.output / "regions.csv").open(newline="") as file:
        rows = [one for one in csv.DictReader(file) if one["region"] == "upper half"]
    # b is a upside down, with the dim disc above.
    assert [row["count"] for row in rows] == ["2", "1"]


def test_the_run_goes_on_while_finished_images_are_corrected(
    viewer, dock, run, choose, many, qtbot
):
    choose(dock, many)
    dock.running.run.click()
    qtbot.waitUntil(lambda: dock.state.table.numbers["done"] > 0, timeout=PATIENCE)
    dock.queue.next.click()
    qtbot.waitUntil(lambda: bool(dock.state.opened), timeout=PATIENCE)
    name = dock.state.opened
    rub_out(viewer, 1)
    qtbot.waitUntil(lambda: states(dock)[name] == "reviewed", timeout=PATIENCE)
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=PATIENCE)
    rows = counts(many)
    assert len(rows) == N_MANY
    assert {row["state"] for row in rows.values()} == {"done", "reviewed"}
    assert {row["count"] for row in rows.values()} == {"3"}
    assert rows[f"{name}.tif"]["corrected"] == "2"
    assert states(dock)[name] == "reviewed"


def test_a_cancelled_run_keeps_what_is_counted_and_goes_on_from_there(
    viewer, dock, run, choose, many, qtbot
):
    choose(dock, many)
    dock.running.run.click()
    qtbot.waitUntil(lambda: dock.state.table.numbers["done"] > 0, timeout=PATIENCE)
    dock.running.cancel.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=PATIENCE)
    assert dock.state.notice == (
        "Cancelled; what is counted is kept, and Run goes on from there."
    )
    on_disk = {one.name: one.state for one in read_batch(dock.state.output).entries}
    assert states(dock) == on_disk
    n_done = dock.state.table.numbers["done"]
    assert n_done > 0
    run(dock)
    n_left = N_MANY - n_done
    assert set(states(dock).values()) == {"done"}
    words = "1 image" if n_left == 1 else f"{n_left} images"
    assert dock.state.notice == (f"Counted {words}, {n_done} had been counted before.")


def test_a_dock_that_is_closed_during_a_run_loses_nothing(
    make_napari_viewer_proxy, make_dock, run, choose, many, qtbot
):
    viewer = make_napari_viewer_proxy()
    dock = make_dock(viewer)
    choose(dock, many)
    dock.running.run.click()
    qtbot.waitUntil(lambda: dock.state.table.numbers["done"] > 0, timeout=PATIENCE)
    dock.queue.next.click()
    qtbot.waitUntil(lambda: bool(dock.state.opened), timeout=PATIENCE)
    output, name = dock.state.output, dock.state.opened
    dock.runner._save_timer.setInterval(100_000)
    rub_out(viewer, 1)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: not _ALIVE, timeout=PATIENCE)
    known = {one.name: one for one in read_batch(output).entries}
    assert {one.state for one in known.values()} <= {"waiting", "done", "reviewed"}
    assert (known[name].state, known[name].corrected) == ("reviewed", 2)

    dock = make_dock(make_napari_viewer_proxy())
    dock.runner.open_results(output)
    qtbot.waitUntil(lambda: not dock.state.is_listing, timeout=PATIENCE)
    assert states(dock)[name] == "reviewed"
    run(dock)
    assert set(states(dock).values()) == {"done", "reviewed"}


def test_results_that_cannot_be_written_are_told_and_the_work_can_go_on(
    viewer, dock, run, open_image, folder, qtbot, monkeypatch
):
    run(dock, folder)
    open_image(dock, "a")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    sync = os.fsync
    monkeypatch.setattr(os, "fsync", full)
    n_told = len(notification_manager.records)
    rub_out(viewer, 1)
    qtbot.waitUntil(lambda: bool(dock.state.saver.problem), timeout=PATIENCE)
    assert "Not saved: " in dock.queue.status.text()
    assert "No space left on device" in dock.queue.status.text()
    told = [one.message for one in notification_manager.records[n_told:]]
    assert told == [dock.state.saver.problem]
    # What is not saved is not left.
    dock.runner.open("b")
    qtbot.waitUntil(lambda: not dock.state.is_opening, timeout=PATIENCE)
    assert dock.state.opened == "a"
    monkeypatch.setattr(os, "fsync", sync)
    open_image(dock, "b")
    assert states(dock)["a"] == "reviewed"


def test_a_folder_that_cannot_be_written_is_told(
    viewer, dock, choose, run, folder, qtbot
):
    choose(dock, folder)
    (folder / "file").write_text("no folder")
    dock.images.output_chosen.emit(str(folder / "file" / "results"))
    assert not dock.state.can_run
    qtbot.waitUntil(lambda: not dock.state.is_listing, timeout=PATIENCE)
    run(dock)
    assert dock.state.is_failure
    assert str(folder / "file") in dock.state.notice
    assert set(states(dock).values()) == {"waiting"}


def test_results_of_another_model_are_counted_anew(viewer, dock, run, folder, models):
    save_brightness_model(models, name="darkness", middle=0.5)
    run(dock, folder)
    dock.state.refresh_models()
    dock.state.choose(model="darkness")
    run(dock)
    assert dock.counting.count.text() == "4 cells"
    assert {row["model"] for row in counts(folder).values()} == {"darkness", ""}


def test_files_are_dropped_on_the_dock(viewer, dock, folder, qtbot):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / f"{x}.tif")) for x in "ba"])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    dock.dropEvent(event)
    qtbot.waitUntil(lambda: not dock.state.is_listing, timeout=PATIENCE)
    assert list(states(dock)) == ["b", "a"]
    assert dock.images.images.text() == "2 files"
    assert dock.images.output.text() == str(folder / "cresunet-results")


def test_settings_come_from_segment_and_count(
    make_napari_viewer_proxy, make_dock, qtbot
):
    viewer = make_napari_viewer_proxy()
    dock = make_dock(viewer)
    assert not dock.settings.take.isEnabled()
    other = SegmentAndCount(viewer)
    viewer.window.add_dock_widget(other)
    other.state.choose(model="brightness", threshold=0.3, min_size=7, diameter=20)
    other.state.choose(min_distance=9)
    dock.reset_choices()
    dock.settings.take.click()
    assert dock.settings.threshold.value() == 0.3
    count = dock.state.choices
    assert (count.min_size, count.diameter) == (7, 20)
    assert (count.min_distance, dock.settings.min_distance.value()) == (9, 9)
    dock.settings.min_distance.setValue(11)
    assert dock.state.choices.min_distance == 11
    other.runner.shut_down()


def test_a_large_table_is_filtered_and_sorted_and_keeps_its_marked_row(
    viewer, dock, qtbot
):
    entries = tuple(
        Entry(name=f"s_{n}", path=Path(f"/s/s_{n}.tif"), state="done", count=n)
        for n in range(10_000)
    )
    images = tuple(ListedImage(path=one.path) for one in entries)
    dock.state.show(Listing(images=images, output=Path("/s/out"), entries=entries))
    view, model = dock.table.view, dock.table.model
    view.mark("s_12")
    view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert model.data(model.index(0, 0)) == "s_9999"
    assert model.table.entry_at(view.currentIndex().row()).name == "s_12"
    dock.table.search.setText("s_12")
    assert model.rowCount() == 111
    dock.state.learn([replace(entries[12], state="failed", error="It is bad.")])
    dock.table.search.setText("")
    dock.table.states.setCurrentIndex(dock.table.states.findData("failed"))
    dock.table.states.activated.emit(dock.table.states.currentIndex())
    assert model.rowCount() == 1
    assert model.data(model.index(0, 0)) == "s_12"
    assert dock.table.states.currentText() == "failed (1)"
    assert view.text().splitlines()[1].startswith("s_12\tfailed")


def test_a_slide_is_shown_at_several_resolutions_and_cannot_be_corrected(
    viewer, dock, run, open_image, tmp_path, discs
):
    pytest.importorskip("dask")
    folder = tmp_path / "slides"
    image = np.tile(discs, (2, 5))
    writer = create_pyramid(
        folder / "slide.ome.zarr", image.shape, image.dtype, kind="image", chunk=128
    )
    writer.array[:] = image
    drain(writer.finish())
    run(dock, folder)
    assert states(dock) == {"slide": "done"}
    open_image(dock, "slide")
    shown = viewer.layers["slide"]
    assert shown.multiscale
    assert np.array_equal(np.asarray(shown.data[0]), image)
    assert dock.state.saver is None
    assert not dock.queue.regions.isEnabled()
    assert dock.queue.status.text() == (
        "slide: 30 cells, done. It is larger than memory and can only be looked at."
    )


def test_of_several_channels_one_is_counted(dock, run, open_image, tmp_path, discs):
    pytest.importorskip("dask")
    folder = tmp_path / "slides"
    folder.mkdir()
    pixels = np.stack([np.zeros_like(discs), discs])
    omero = {"channels": [{"label": "nuclei"}, {"label": "neurons"}]}
    by_hand.write_image(folder / "s.ome.zarr", [pixels], "cyx", omero=omero)
    run(dock, folder)
    assert states(dock) == {"s": "failed"}
    field = dock.settings.channel
    problem = dock.state.table.entry_at(0).error
    assert problem.endswith(
        "0 (nuclei), 1 (neurons): choose a channel by its number or name."
    )
    for typed in ("neurons", "1"):
        field.setText(typed)
        field.editingFinished.emit()
        run(dock)
        assert states(dock) == {"s": "done"}
    assert dock.state.table.count == 3
    field.setText("")
    field.editingFinished.emit()
    assert dock.state.outputs.channel is None


def test_home_is_written_short(dock, tmp_path, discs, monkeypatch, qtbot):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "slices").mkdir()
    tifffile.imwrite(tmp_path / "slices" / "a.tif", discs)
    for field, text in (
        (dock.images.images, "~/slices"),
        (dock.images.output, "~/out"),
    ):
        field.setText(text)
        field.editingFinished.emit()
        qtbot.waitUntil(lambda: not dock.state.is_listing, timeout=PATIENCE)
    assert states(dock) == {"a": "waiting"}
    assert dock.state.output == tmp_path / "out"


def test_what_was_written_is_opened_by_other_programs(viewer, dock, run, folder, qtbot):
    opened = Opened()
    QDesktopServices.setUrlHandler("file", opened, "take")
    try:
        assert not dock.files.buttons["Counts"].isEnabled()
        run(dock, folder)
        output = dock.state.output
        for title in ("Folder", "Counts"):
            dock.files.buttons[title].click()
        dock.files.buttons["Report"].click()
        qtbot.waitUntil(lambda: len(opened.urls) == 3, timeout=PATIENCE)
    finally:
        QDesktopServices.unsetUrlHandler("file")
    names = [Path(url.toLocalFile()) for url in opened.urls]
    assert names == [output, output / "counts.csv", output / "report.html"]

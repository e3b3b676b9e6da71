"""Corrections are saved by themselves, and come back in another viewer."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.studies.contents import small_study

from napari_cresunet.correction import Edit, Pins
from napari_cresunet.measurement import Region
from napari_cresunet.studies import (
    Claim,
    ImageReference,
    find_unclosed,
    image_hash,
    read_study,
    studies_folder,
    write_study,
)
from napari_cresunet.widgets._corrections import apply_edit, corrections_of
from napari_cresunet.widgets._layers import identity_of, is_cells
from napari_cresunet.widgets._measure_regions import add_regions, set_names
from napari_cresunet.widgets._records import record_of
from napari_cresunet.widgets._study import StudyPart
from napari_cresunet.widgets._study_layers import snapshot_of

pytestmark = pytest.mark.gui


@pytest.fixture
def make_part(qtbot):
    """Make the part of the dock for a viewer; it is shut down at the end."""
    parts = []

    def make(viewer):
        part = StudyPart(viewer)
        if hasattr(viewer, "window"):
            viewer.window.add_dock_widget(part)
        else:
            qtbot.addWidget(part)
        part.runner._save_timer.setInterval(0)
        parts.append(part)
        return part

    yield make
    for part in parts:
        if part._ticker.isActive():
            part.shut_down()


@pytest.fixture
def part(viewer, make_part):
    return make_part(viewer)


def show_cells(viewer, image, **options):
    """Show an image and its cells, as if this plugin had counted them."""
    layer = viewer.add_image(image, name="discs", **options)
    labels = np.zeros(image.shape[:2], np.int32)
    labels[20:40, 20:40], labels[20:40, 80:100], labels[60:80, 50:70] = 1, 2, 3
    record = {
        "kind": "cells",
        "edited": False,
        "source": identity_of(layer),
        "model": "brightness",
        "threshold": 0.5,
        "offset": [0, 0],
    }
    return viewer.add_labels(labels, name="cells", metadata={"cresunet": record})


def delete(layer, cell):
    pixels = np.flatnonzero(layer.data == cell)
    values = np.zeros(len(pixels), layer.data.dtype)
    edit = Edit(kind="delete", pixels=pixels, values=values, before=(cell,), after=())
    apply_edit(layer, edit)


def wait_until_saved(qtbot, part):
    saver = part.state.saver
    qtbot.waitUntil(lambda: not saver.is_dirty and not saver.is_saving, timeout=20_000)


def wait_until_idle(qtbot, part):
    qtbot.waitUntil(
        lambda: not part.runner.is_busy and not part.state.is_running, timeout=20_000
    )


def assert_restored(layer, old):
    """Compare a layer with the one it was saved from."""
    mine, its = corrections_of(layer), corrections_of(old)
    assert layer.data.dtype == old.data.dtype
    assert np.array_equal(layer.data, old.data)
    assert mine.pins.cells == its.pins.cells
    for one, other in zip(mine.pins.erased, its.pins.erased, strict=True):
        assert (one.label, one.is_whole) == (other.label, other.is_whole)
        assert np.array_equal(one.pixels, other.pixels)
    assert mine.log == its.log
    assert mine.reviewed == its.reviewed


def leave_behind(folder, content):
    """Write a study and leave its lock, as a process that was killed does."""
    claim = Claim(folder)
    write_study(folder, content)
    claim._file.close()
    return folder


# Saving


def test_labels_alone_are_no_study(viewer, part, discs, qtbot):
    part.follow(show_cells(viewer, discs))
    part.changed()
    assert not part.status.isVisibleTo(part)
    part.shut_down()
    assert not studies_folder().exists()


def test_what_was_corrected_comes_back_in_another_viewer(
    make_napari_viewer_proxy, make_part, qtbot, discs, tmp_path
):
    import tifffile

    path = tmp_path / "discs.tif"
    tifffile.imwrite(path, discs)
    viewer = make_napari_viewer_proxy()
    (image,) = viewer.open(path)
    part = make_part(viewer)
    layer = show_cells(viewer, discs)
    layer.metadata["cresunet"]["source"] = identity_of(image)
    part.follow(layer)
    delete(layer, 2)
    layer.data_setitem((np.arange(5), np.arange(5)), 9)
    corrections_of(layer).accept(3)
    wait_until_saved(qtbot, part)
    assert part.status.text().endswith(" s ago in discs.")
    delete(layer, 1)  # not saved yet
    part.shut_down()
    part.follow(layer)  # a dock may hear of layers even later
    assert part.state.saver is None
    assert find_unclosed() == []

    other = make_napari_viewer_proxy()
    part = make_part(other)
    assert not part.offer.isVisibleTo(part)
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.runner.open(studies_folder() / "discs")
    (restored,) = caught.args
    assert [one.name for one in other.layers] == ["discs", "discs cells"]
    assert np.array_equal(other.layers[0].data, discs)
    assert_restored(restored, layer)
    record = record_of(restored)
    assert record["source"] == identity_of(other.layers[0])
    assert (record["model"], record["edited"]) == ("brightness", True)

    # It is saved where it was, and undo does not go back beyond that.
    delete(restored, 3)
    wait_until_saved(qtbot, part)
    part.shut_down()
    assert not (read_study(studies_folder() / "discs").labels == 3).any()
    assert [one.name for one in studies_folder().iterdir()] == ["discs"]


def test_a_viewer_that_is_closed_saves_the_last_change(
    make_napari_viewer, qtbot, discs
):
    viewer = make_napari_viewer()
    part = StudyPart(viewer)
    viewer.window.add_dock_widget(part)
    layer = show_cells(viewer, discs)
    part.follow(layer)
    delete(layer, 2)
    viewer.close()
    content = read_study(studies_folder() / "discs")
    assert not (content.labels == 2).any()
    assert content.image.name == "discs"
    assert find_unclosed() == []


def test_a_layer_that_is_deleted_is_saved_before(viewer, part, discs, qtbot):
    layer = show_cells(viewer, discs)
    part.follow(layer)
    delete(layer, 2)
    viewer.layers.remove(layer)
    assert part.state.saver is None
    assert not part.save_as.isEnabled()
    assert not (read_study(studies_folder() / "discs").labels == 2).any()
    assert find_unclosed() == []


def test_other_labels_have_a_study_of_their_own(viewer, part, discs, qtbot):
    first = show_cells(viewer, discs)
    part.follow(first)
    delete(first, 1)
    second = show_cells(viewer, discs)
    part.follow(second)
    delete(second, 2)
    wait_until_saved(qtbot, part)
    part.follow(None)
    assert part.state.saver is None
    part.follow(first)
    delete(first, 3)
    part.shut_down()
    for name, layer in (("discs", first), ("discs _1_", second)):
        assert np.array_equal(read_study(studies_folder() / name).labels, layer.data)


def test_a_full_disk_is_told_once_while_edits_go_on(
    viewer, part, discs, qtbot, monkeypatch
):
    from napari.utils.notifications import notification_manager

    layer = show_cells(viewer, discs)
    part.follow(layer)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    n_told = len(notification_manager.records)
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", full)
    for cell in (1, 2):
        delete(layer, cell)
        part.runner.save()
        wait_until_idle(qtbot, part)
        qtbot.waitUntil(lambda: bool(part.state.saver.problem), timeout=20_000)
    saver = part.state.saver
    assert "Not saved: " in part.status.text()
    assert "No space left on device" in part.status.text()
    told = notification_manager.records[n_told:]
    assert [record.message for record in told] == [saver.problem]
    assert part.runner._retry_timer.isActive()
    monkeypatch.setattr(os, "fsync", sync)
    part.runner.save()  # as the timer will
    wait_until_saved(qtbot, part)
    assert "Not saved" not in part.status.text()
    assert np.array_equal(read_study(saver.folder).labels, layer.data)


def test_saving_elsewhere_moves_the_study(viewer, part, discs, qtbot, tmp_path):
    layer = show_cells(viewer, discs)
    part.follow(layer)
    delete(layer, 1)
    wait_until_saved(qtbot, part)
    folder = tmp_path / "mine"
    part.runner.save_as(folder)
    qtbot.waitUntil(lambda: part.state.saver.folder == folder, timeout=20_000)
    assert part.status.text().endswith(" s ago in mine.")
    assert part.status.toolTip() == f"<qt>{folder}</qt>"
    assert not (studies_folder() / "discs").exists()
    assert np.array_equal(read_study(folder).labels, layer.data)


def test_regions_are_saved_and_restored(viewer, part, discs, qtbot, make_part):
    layer = show_cells(viewer, discs, scale=(0.5, 0.5), units="um")
    layer.scale, layer.units = (0.5, 0.5), "um"
    part.follow(layer)
    shapes = add_regions(viewer, layer)
    outline = np.array([[0.0, 0], [0, 50], [40, 50]])
    shapes.add(outline, shape_type="polygon")
    shapes.add(outline + 10, shape_type="polygon")
    set_names(shapes, ["CA1", "CA3"])
    wait_until_saved(qtbot, part)
    content = read_study(studies_folder() / "discs")
    assert [region.name for region in content.regions] == ["CA1", "CA3"]
    assert np.allclose(content.regions[0].polygons[0], outline)
    assert content.pixel_size == (0.5, 0.5)
    set_names(shapes, ["CA1", "CA2"])
    part.shut_down()

    viewer.layers.clear()
    viewer.add_image(discs, name="again", scale=(0.5, 0.5), units="um")
    part = make_part(viewer)
    with qtbot.waitSignal(part.restored, timeout=20_000):
        part.runner.open(studies_folder() / "discs")
    shapes = viewer.layers[-1]
    assert list(shapes.features["region"]) == ["CA1", "CA2"]
    assert list(shapes.text.values) == ["CA1", "CA2"]  # to be read in the image
    assert np.allclose(shapes.data[1], outline + 10)
    assert np.allclose(shapes.scale, 0.5)
    snapshot = snapshot_of(viewer, part.runner._identity)
    assert [region.name for region in snapshot.content.regions] == ["CA1", "CA2"]


def test_layers_of_others_are_no_regions_of_a_study(viewer, part, discs):
    layer = viewer.add_labels((discs > 0).astype(np.int32), name="cells")
    viewer.add_labels(np.ones(discs.shape, np.int32), name="other labels")
    viewer.add_shapes(np.array([[0.0, 0], [0, 50], [40, 50]]), shape_type="polygon")
    assert snapshot_of(viewer, identity_of(layer)).content.regions == ()


def test_regions_of_planes_and_of_label_images_come_back(viewer, part, tmp_path, qtbot):
    labels = np.zeros((3, 30, 40), np.uint16)
    labels[1, 5:9, 5:9] = 7
    mask = np.zeros((30, 40), bool)
    mask[:, 20:] = True
    outline = np.array([[0.0, 0], [0, 20], [20, 20]])
    drawn = Region(name="CA1", polygons=(outline,), plane=1)
    painted = Region(name="right", mask=mask)
    for name, region in (("drawn", drawn), ("painted", painted)):
        content = small_study(
            image=None, labels=labels, pins=Pins(), regions=(region,), name=name
        )
        write_study(tmp_path / name, content)
        with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
            part.runner.open(tmp_path / name)
        taken = snapshot_of(viewer, identity_of(caught.args[0])).content
        assert np.allclose(caught.args[0].scale, (1, *content.pixel_size))
        assert np.allclose(taken.pixel_size, content.pixel_size)
        (one,) = taken.regions
        assert (one.name, one.plane) == (region.name, region.plane)
        assert len(one.polygons) == len(region.polygons)
        assert all(map(np.allclose, one.polygons, region.polygons))
        assert region.mask is None or np.array_equal(one.mask, region.mask)
        assert not is_cells(viewer.layers[-1])


def test_a_snapshot_copies_nothing(viewer, part, discs):
    layer = show_cells(viewer, discs)
    corrections = corrections_of(layer)
    snapshot = snapshot_of(viewer, identity_of(layer))
    assert snapshot.content.labels is corrections.labels
    assert snapshot.pixels is viewer.layers[0].data
    delete(layer, 1)
    assert (snapshot.content.labels == 1).any()


# After a crash


def test_a_killed_process_is_offered_and_restored(viewer, make_part, discs, qtbot):
    code = "from tests.studies.contents import die_after_saving; die_after_saving()"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 9
    viewer.add_image(np.zeros((6, 8, 3), np.uint8), name="the same", rgb=True)
    part = make_part(viewer)
    assert part.offer.isVisibleTo(part)
    assert "'killed' was left open " in part.offer.text.text()
    assert part.offer.text.text().endswith(" s ago, with 2 corrections.")
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.offer.restore.click()
    (layer,) = caught.args
    assert not part.offer.isVisibleTo(part)
    assert [one.name for one in viewer.layers] == ["the same", "killed cells"]
    saved = small_study()
    assert np.array_equal(layer.data, saved.labels)
    assert corrections_of(layer).pins.cells == saved.pins.cells
    assert tuple(corrections_of(layer).log) == saved.log
    assert np.array_equal(layer.translate, saved.offset)
    part.shut_down()
    assert find_unclosed() == []


def test_discarding_takes_a_second_click(viewer, make_part):
    folder = leave_behind(studies_folder() / "a", small_study())
    part = make_part(viewer)
    part.offer.discard.click()
    assert part.offer.discard.text() == "Really discard"
    assert folder.exists()
    part.offer.discard.click()
    assert not folder.exists()
    assert not part.offer.isVisibleTo(part)


def test_restoring_what_another_window_took_is_refused(viewer, make_part, qtbot):
    folder = leave_behind(studies_folder() / "a", small_study(image=None))
    part = make_part(viewer)
    claim = Claim(folder)
    part.offer.restore.click()
    part.offer.restore.click()  # in vain: one at a time
    wait_until_idle(qtbot, part)
    assert part.state.notice == (
        "The study 'a' is open in another window: close it there first."
    )
    assert len(viewer.layers) == 0
    claim.close()


def test_a_damaged_study_is_told_and_nothing_happens(viewer, part, tmp_path, qtbot):
    write_study(tmp_path / "a", small_study())
    path = tmp_path / "a" / "study.json"
    path.write_text("{")
    part.runner.open(tmp_path / "a")
    wait_until_idle(qtbot, part)
    assert part.state.is_failure
    assert part.state.notice.startswith(f"{path} is damaged (line 1, column 2: ")
    assert len(viewer.layers) == 0
    assert path.read_text() == "{"


def test_a_study_that_is_open_is_shown(viewer, part, tmp_path, qtbot):
    write_study(tmp_path / "a", small_study(image=None, regions=()))
    with qtbot.waitSignal(part.restored, timeout=20_000):
        part.runner.open(tmp_path / "a")
    viewer.layers.selection.clear()
    part.runner.open(tmp_path / "a")
    assert viewer.layers.selection.active is viewer.layers[0]
    assert part.state.notice == "The study 'a' is open already."
    assert len(viewer.layers) == 1


# Images that have moved or changed


@pytest.fixture
def moved(tmp_path, discs):
    """A study whose image is not where it was."""
    reference = ImageReference(
        name="discs",
        path=Path("/gone/discs.tif"),
        hash=image_hash(discs),
        shape=discs.shape,
        dtype="uint8",
    )
    labels = np.zeros(discs.shape, np.int32)
    labels[20:40, 20:40] = 1
    content = small_study(
        image=reference, labels=labels, pins=Pins(), regions=(), offset=(0, 0)
    )
    write_study(tmp_path / "moved", content)
    return tmp_path / "moved"


def ask(part, folder, qtbot):
    part.runner.open(folder)
    wait_until_idle(qtbot, part)
    assert part.question.isVisibleTo(part)


def test_an_image_that_was_moved_is_asked_for(viewer, part, moved, discs, qtbot):
    import tifffile

    ask(part, moved, qtbot)
    assert "Where is the image 'discs' of this study?" in part.question.text.text()
    path = moved.parent / "found.tif"
    tifffile.imwrite(path, discs)
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.runner.choose_image(path)
    assert not part.question.isVisibleTo(part)
    assert part.state.notice == ""
    assert record_of(caught.args[0])["source"] == identity_of(viewer.layers[0])


def test_an_image_that_has_changed_is_taken_with_a_warning(
    viewer, part, moved, discs, qtbot
):
    import tifffile

    ask(part, moved, qtbot)
    path = moved.parent / "changed.tif"
    tifffile.imwrite(path, discs // 2)
    with qtbot.waitSignal(part.restored, timeout=20_000):
        part.runner.choose_image(path)
    assert part.state.is_failure
    assert part.state.notice == (
        "The image 'discs' has changed since: its pixels are others; the corrections "
        "may not fit."
    )


def test_an_image_of_another_size_is_not_taken(viewer, part, moved, discs, qtbot):
    import tifffile

    ask(part, moved, qtbot)
    path = moved.parent / "small.tif"
    tifffile.imwrite(path, discs[:50])
    part.runner.choose_image(path)
    wait_until_idle(qtbot, part)
    assert part.question.isVisibleTo(part)
    assert "it was 96 × 128 and is 50 × 128" in part.question.text.text()
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.question.none.click()
    assert "source" not in record_of(caught.args[0])
    assert not part.question.isVisibleTo(part)


def test_a_file_that_is_no_image_is_told(viewer, part, moved, qtbot):
    ask(part, moved, qtbot)
    path = moved.parent / "text.tif"
    path.write_text("no image")
    part.runner.choose_image(path)
    assert part.state.notice.startswith(f"{path} cannot be opened as an image (")
    assert part.state.notice.endswith("): choose another file.")
    assert part.question.isVisibleTo(part)


def test_a_study_that_may_not_be_written_can_be_looked_at(
    viewer, part, tmp_path, qtbot
):
    folder = tmp_path / "locked"
    write_study(folder, small_study(image=None))
    (folder / "lock").mkdir()  # nobody can write a file of that name
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.runner.open(folder)
    delete(caught.args[0], 3)
    qtbot.waitUntil(lambda: bool(part.state.saver.problem), timeout=20_000)
    assert f"Not saved: {folder} cannot be written (" in part.status.text()
    (folder / "lock").rmdir()
    part.runner.save()
    wait_until_saved(qtbot, part)
    assert not (read_study(folder).labels == 3).any()


def test_a_sample_is_opened_again(make_napari_viewer_proxy, make_part, qtbot):
    viewer = make_napari_viewer_proxy()
    image, _ = viewer.open_sample("napari-cresunet", "neurons")
    part = make_part(viewer)
    labels = np.zeros(image.data.shape[:2], np.int32)
    labels[5:9, 5:9] = 1
    record = {"kind": "cells", "edited": False, "source": identity_of(image)}
    layer = viewer.add_labels(labels, metadata={"cresunet": record})
    part.follow(layer)
    delete(layer, 1)
    wait_until_saved(qtbot, part)
    folder = part.state.saver.folder
    part.shut_down()
    other = make_napari_viewer_proxy()
    part = make_part(other)
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.runner.open(folder)
    assert record_of(caught.args[0])["source"] == identity_of(other.layers[0])


def test_running_the_model_again_keeps_restored_pins(
    viewer, dock, part, press_run, discs, qtbot
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    layer = viewer.layers[-1]
    part.follow(layer)
    delete(layer, int(layer.data[30, 30]))
    layer.data_setitem((np.arange(5), np.arange(5)), 9)
    wait_until_saved(qtbot, part)
    viewer.layers.remove(layer)
    with qtbot.waitSignal(part.restored, timeout=20_000) as caught:
        part.runner.open(studies_folder() / "discs")
    (restored,) = caught.args
    before = restored.data.copy()
    press_run(dock)
    assert viewer.layers[-1] is restored
    assert np.array_equal(restored.data > 0, before > 0)
    assert restored.data[30, 30] == 0
    assert restored.data[0, 0] == 9
    assert restored.data[30, 90] > 0

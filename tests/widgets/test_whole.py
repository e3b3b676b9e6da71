"""Images larger than memory in a real viewer; "large" is made small for the tests."""

import numpy as np
import pytest
import tifffile
from tests.pyramids.by_hand import write_image

from napari_cresunet import predict
from napari_cresunet.batch import _slides_plan as plan
from napari_cresunet.inference import load_model
from napari_cresunet.pyramids import _layout, open_pyramid
from napari_cresunet.segmentation import segment
from napari_cresunet.state import _whole

pytestmark = [pytest.mark.gui, pytest.mark.slow]

PLUGIN = "napari-cresunet"
SIZES = {"min_size": 200, "min_distance": 18}


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch):
    monkeypatch.setattr(_whole, "WHOLE_PIXELS", 50_000)
    monkeypatch.setattr(_whole, "VIEW_PIXELS", 100 * 100)
    monkeypatch.setattr(plan, "BLOCK", 128)
    monkeypatch.setattr(_layout, "_LARGEST_OVERVIEW", 128)


@pytest.fixture
def slide(tmp_path):
    """A slide of 300 x 400 px with three levels and a dozen discs."""
    rng = np.random.default_rng(7)
    image = np.zeros((300, 400), np.uint8)
    rows, columns = np.ogrid[:300, :400]
    for number in range(16):
        row, column = rng.integers(0, 300), rng.integers(0, 400)
        level = (80, 200)[number % 2]  # of which the former are dim
        image[np.hypot(rows - row, columns - column) < 13] = level
    levels = [image, image[::2, ::2], image[::4, ::4]]
    return write_image(tmp_path / "slide 1.zarr", levels, "yx", scale=[0.5, 0.25])


@pytest.fixture
def opened(make_napari_viewer_proxy, slide):
    """The slide in a viewer with the dock, which is closed at the end."""
    viewer = make_napari_viewer_proxy()
    viewer.open(str(slide), plugin=PLUGIN)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment and count")
    dock.state.choose(model="brightness", tile=128)
    yield viewer, dock
    viewer.window.remove_dock_widget(dock)


@pytest.fixture
def finish(qtbot):
    """Wait until everything that a click has started is done."""

    def wait(dock):
        assert dock.state.is_running
        qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
        qtbot.waitUntil(lambda: not dock.runner.is_busy, timeout=60_000)

    return wait


def layers_of(viewer):
    return {layer.name: layer for layer in viewer.layers}


def expected(slide, threshold=0.5):
    image = np.asarray(open_pyramid(slide).image)
    probability = predict(image, load_model("brightness", "cpu"))
    return segment(probability, threshold=threshold, **SIZES)


def test_the_view_is_counted_first_then_the_whole_which_follows_when_asked_to(
    opened, slide, finish, set_threshold
):
    viewer, dock = opened
    assert dock.whole.isVisibleTo(dock)
    assert not dock.whole.apply.isEnabled()
    viewer.scene.camera.zoom *= 4
    seen = []
    dock.state.labels_changed.connect(lambda: seen.append(set(layers_of(viewer))))
    dock.running.run.click()
    finish(dock)

    names = ["probability", "cells", "whole probability", "whole cells"]
    layers = layers_of(viewer)
    assert set(layers) == {"slide 1", *(f"slide 1 {name}" for name in names)}
    # The field of view was there before the whole.
    assert {"slide 1", "slide 1 probability", "slide 1 cells"} in seen
    region = dock.state.result.request.region
    assert all(part.stop - part.start <= 256 for part in region)
    whole, wanted = layers["slide 1 whole cells"], expected(slide)
    assert whole.multiscale
    assert np.array_equal(np.asarray(whole.data[0]), wanted)
    assert np.array_equal(np.asarray(whole.data[1]), wanted[::2, ::2])
    assert whole.scale.tolist() == [0.5, 0.25]
    assert f"Whole image: <b>{wanted.max()} cells</b>." == dock.whole.words.text()
    place = dock.whole.place.text().replace("\u200b", "")
    assert place == f"Files: {dock.whole_state.folder}"
    assert whole.visible
    assert not layers["slide 1 cells"].visible

    set_threshold(dock, 0.7)
    assert layers["slide 1 cells"].visible
    assert not whole.visible
    assert dock.whole.words.text() == (
        f"Whole image: <b>{wanted.max()} cells</b> with other settings (threshold "
        "0.50)."
    )
    dock.whole.apply.click()
    finish(dock)
    other = expected(slide, 0.7)
    assert other.max() != wanted.max()
    assert np.array_equal(np.asarray(whole.data[0]), other)
    assert dock.whole.words.text() == f"Whole image: <b>{other.max()} cells</b>."
    assert whole.visible
    assert not dock.whole.apply.isEnabled()
    assert len(viewer.layers) == 5

    path = dock.whole_state.folder / "slide_1_labels.ome.zarr"
    viewer.open(str(path), plugin=PLUGIN)
    opened_again = viewer.layers[-1]
    assert np.array_equal(np.asarray(opened_again.data[0]), other)
    assert opened_again.scale.tolist() == [0.5, 0.25]
    units = [str(unit) for unit in opened_again.units]
    assert units == ["micrometer", "micrometer"]


def test_what_is_done_is_kept_when_the_whole_is_stopped(
    opened, slide, finish, qtbot, tmp_path, monkeypatch
):
    viewer, dock = opened
    chosen = tmp_path / "results"
    monkeypatch.setattr(
        "qtpy.QtWidgets.QFileDialog.getExistingDirectory", lambda *_: str(chosen)
    )
    dock.whole.folder.click()
    folder = chosen / ".batch" / "slides" / "slide_1" / "blocks"

    def blocks():
        return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}

    dock.running.run.click()
    qtbot.waitUntil(lambda: len(blocks()) > 2, timeout=60_000)
    dock.running.cancel.click()
    finish(dock)
    assert dock.running.status.text() == (
        "Stopped; what is done is kept: Run goes on from there."
    )
    done = blocks()
    assert 2 < len(done) < 12
    assert "slide 1 whole cells" not in layers_of(viewer)
    assert "slide 1 cells" in layers_of(viewer)

    before = dock.state.result
    dock.running.run.click()
    finish(dock)
    # Neither the field of view nor these blocks were predicted again.
    assert dock.state.result is before
    assert done.items() <= blocks().items()
    whole = layers_of(viewer)["slide 1 whole cells"]
    assert np.array_equal(np.asarray(whole.data[0]), expected(slide))
    names = {path.name for path in chosen.iterdir()}
    assert {"slide_1_labels.ome.zarr", "slide_1_cells.csv"} <= names


def test_the_field_of_view_alone_is_enough_if_the_user_says_so(opened, finish):
    viewer, dock = opened
    dock.state.choose(view_only=True)
    dock.running.run.click()
    finish(dock)
    assert "slide 1 whole cells" not in layers_of(viewer)
    assert "slide 1 cells" in layers_of(viewer)


def test_a_folder_that_cannot_be_written_is_told_and_the_view_stays(
    opened, tmp_path, finish
):
    viewer, dock = opened
    (tmp_path / "file").write_bytes(b"")
    dock.whole_state.choose_folder(tmp_path / "file")
    dock.running.run.click()
    finish(dock)
    assert dock.state.is_failure
    assert "cannot be written (" in dock.running.status.text()
    assert "slide 1 cells" in layers_of(viewer)
    assert dock.running.run.isEnabled()


def test_an_image_that_fits_is_counted_in_memory(opened, finish, tmp_path):
    viewer, dock = opened
    path = tmp_path / "small.tif"
    tifffile.imwrite(path, np.zeros((50, 60), np.uint8))
    viewer.open(str(path))
    assert not dock.whole.isVisibleTo(dock)
    dock.running.run.click()
    finish(dock)
    assert dock.state.result.probability.shape == (50, 60)

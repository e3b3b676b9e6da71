"""The dock Train: real clicks and keys, real networks, small images."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtWidgets import QApplication, QScrollArea
from tests.state.brightness import save_brightness_model

from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.weights import list_models
from napari_cresunet.widgets._parts import Fold

pytestmark = pytest.mark.gui

PLUGIN = "napari-cresunet"
SCENE = NeuronScene(height=96, width=128, diameter=16, n_cells=8)
SMALL = {"crop_size": 32, "batch_size": 2, "samples": 4, "averaging": 0.5}


@pytest.fixture(autouse=True)
def _quick_model(models):
    """Something to start from that sees images at half their size, for speed."""
    save_brightness_model(models, name="quick", diameter=8.0)


@pytest.fixture
def click(qtbot):
    """Press a button with the mouse."""

    def press(button):
        assert button.isEnabled()
        # In the text of a check box, which is wider than what can be clicked.
        place = QPoint(8, button.height() // 2)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=place)

    return press


@pytest.fixture
def wait_for_end(qtbot):
    """Wait until a training is over."""

    def wait(dock):
        qtbot.waitUntil(lambda: not dock.state.is_running, timeout=90_000)

    return wait


@pytest.fixture
def wait_for_epochs(qtbot):
    """Wait until a training has done some epochs."""

    def wait(dock, epochs):
        qtbot.waitUntil(lambda: len(dock.state.records) >= epochs, timeout=90_000)

    return wait


@pytest.fixture
def wait_for_look(qtbot):
    """Wait until the dock says what it found in the data."""

    def wait(dock):
        qtbot.waitUntil(lambda: bool(dock.data.found.text()), timeout=30_000)
        return dock.data.found.text()

    return wait


def scene(seed):
    return synthesize_neurons(SCENE, seed=seed)


def entries(chooser):
    return [chooser.itemText(number) for number in range(chooser.count())]


def pick(chooser, text, qtbot):
    """Choose an entry with the keyboard."""
    chooser.setFocus()
    while chooser.currentText() != text:
        before = chooser.currentIndex()
        up = entries(chooser).index(text) < before
        qtbot.keyClick(chooser, Qt.Key.Key_Up if up else Qt.Key.Key_Down)
        assert chooser.currentIndex() != before


def type_into(field, text, qtbot):
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def add_images(viewer, n=3, **spatial):
    for seed in range(n):
        image, labels = scene(seed)
        viewer.add_image(image, name=f"slice {seed}", rgb=True, **spatial)
        viewer.add_labels(labels, name=f"slice {seed} cells", **spatial)


def open_dock(viewer, epochs=2):
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Train")
    dock.state.choose(start="quick")
    for name, value in {**SMALL, "epochs": epochs}.items():
        dock.state.set_setting(name, value)
    return dock


def add_pairs(dock, qtbot, click, n=3):
    for seed in range(n):
        pick(dock.data.layers.image, f"slice {seed}", qtbot)
        click(dock.data.layers.add)


def close(viewer, dock):
    viewer.window.remove_dock_widget(dock)


def corners(layer):
    """Return where the outer edges of a plane lie."""
    height, width = layer.data.shape[:2]
    ends = ((-0.5, -0.5), (height - 0.5, width - 0.5))
    return np.array([layer.data_to_world(end) for end in ends])


def write_folder(folder, n=3, empty=False, without_mask=0):
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for seed in range(n + without_mask):
        image, labels = scene(seed)
        tifffile.imwrite(folder / "images" / f"{seed}.tif", image, photometric="rgb")
        if seed < n:
            mask = np.zeros_like(labels) if empty else labels
            tifffile.imwrite(folder / "masks" / f"{seed}.tif", mask)
    return folder


# From images to a model


def test_from_layers_to_a_model_in_the_chooser_while_another_dock_counts(
    make_napari_viewer_proxy, qtbot, click, wait_for_end, wait_for_look, press_run
):
    viewer = make_napari_viewer_proxy(show=True)
    add_images(viewer, scale=(0.5, 0.5), units=("um", "um"))
    _, count = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment and count")
    count.state.choose(model="quick")
    dock = open_dock(viewer, epochs=3)
    assert not dock.training.button.isEnabled()
    add_pairs(dock, qtbot, click)
    assert [pair.title for pair in dock.state.pairs] == [
        f"slice {seed} – slice {seed} cells" for seed in range(3)
    ]
    assert wait_for_look(dock) == (
        "3 images, 24 cells about 17 px wide; 1 image held out for validation."
    )
    assert not dock.start.diameter.um.isHidden()

    click(dock.training.button)
    assert dock.state.is_running
    assert dock.training.button.text() == "Stop"
    press_run(count)
    assert count.counting.count.text().endswith("cells")
    wait_for_end(dock)

    assert "my-cells" in entries(count.choosing.model)
    assert "my-cells" in entries(dock.start.start)
    assert dock.training.status.text().startswith("Saved as my-cells: F1 ")
    assert dock.start.name.text() == "my-cells-2"
    epochs, losses = dock.training.curves.losses.curves["training"].getData()
    assert list(epochs) == [1, 2, 3]
    assert losses == pytest.approx([row.loss for row in dock.state.records])
    preview = viewer.layers["Training preview"]
    image = viewer.layers[dock.state.preview.origin.name]
    assert corners(preview) == pytest.approx(corners(image))
    assert preview.data.shape == pytest.approx((48, 64), abs=6)

    count.state.choose(model="my-cells")
    press_run(count)
    assert count.state.result.record["model"] == "my-cells"
    close(viewer, dock)
    close(viewer, count)


def test_stop_keeps_the_best_and_a_deleted_preview_does_no_harm(
    make_napari_viewer_proxy, qtbot, click, wait_for_end, wait_for_epochs
):
    viewer = make_napari_viewer_proxy()
    add_images(viewer)
    dock = open_dock(viewer, epochs=60)
    add_pairs(dock, qtbot, click)
    labels = viewer.layers["slice 0 cells"]
    viewer.layers.selection.active = labels
    click(dock.training.button)
    wait_for_epochs(dock, 1)
    assert viewer.layers.selection.active.name == labels.name
    viewer.layers.remove("Training preview")
    viewer.layers.remove("slice 1")
    wait_for_epochs(dock, 2)
    assert "Training preview" not in viewer.layers
    click(dock.training.button)
    assert not dock.training.button.isEnabled()
    wait_for_end(dock)
    assert dock.training.status.text().startswith("Saved as my-cells: F1 ")
    assert len(dock.state.records) < 10
    assert dock.training.button.text() == "Train"
    assert [pair.image_name for pair in dock.state.pairs] == ["slice 0", "slice 2"]
    close(viewer, dock)


def test_one_image_is_cut_and_the_preview_covers_the_part_held_out(
    make_napari_viewer_proxy, qtbot, click, wait_for_end, wait_for_look
):
    viewer = make_napari_viewer_proxy()
    add_images(viewer, n=1, scale=(2, 3), translate=(10, 20), rotate=30)
    dock = open_dock(viewer, epochs=1)
    add_pairs(dock, qtbot, click, n=1)
    assert wait_for_look(dock).endswith("a part of it is held out for validation.")
    click(dock.training.button)
    wait_for_end(dock)
    image, preview = viewer.layers["slice 0"], viewer.layers["Training preview"]
    left = dock.state.preview.origin.corner[1]
    assert 64 < left < 120
    for ours, theirs in (
        ((-0.5, -0.5), (-0.5, left - 0.5)),
        (np.array(preview.data.shape) - 0.5, (95.5, 127.5)),
    ):
        assert preview.data_to_world(ours) == pytest.approx(image.data_to_world(theirs))
    close(viewer, dock)


def test_a_stack_is_learned_from_plane_by_plane(
    make_napari_viewer_proxy, qtbot, click, wait_for_end, wait_for_look
):
    viewer = make_napari_viewer_proxy()
    images, labels = (
        np.stack(part) for part in zip(*map(scene, range(2)), strict=True)
    )
    labels = np.concatenate([labels, np.zeros_like(labels[:1])])
    images = np.concatenate([images, images[:1]])[..., 0]
    viewer.add_image(images, name="slice 0", scale=(5, 2, 2))
    viewer.add_labels(labels, name="slice 0 cells", scale=(5, 2, 2))
    dock = open_dock(viewer, epochs=1)
    add_pairs(dock, qtbot, click, n=1)
    assert wait_for_look(dock).startswith("2 images, 16 cells")
    click(dock.training.button)
    wait_for_end(dock)
    image, preview = viewer.layers["slice 0"], viewer.layers["Training preview"]
    (plane,) = dock.state.preview.origin.plane
    assert preview.data.shape[0] == 1
    assert preview.data_to_world((0, -0.5, -0.5)) == pytest.approx(
        image.data_to_world((plane, -0.5, -0.5))
    )
    close(viewer, dock)


def test_from_a_folder_that_is_typed(
    make_napari_viewer_proxy, qtbot, click, wait_for_end, wait_for_look, tmp_path
):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer, epochs=1)
    pick(dock.data.way, "a folder with masks", qtbot)
    folder = write_folder(tmp_path / "data", n=2, without_mask=1)
    type_into(dock.data.folder.text, str(folder), qtbot)
    assert wait_for_look(dock) == (
        "2 images, 16 cells about 15 px wide; 1 image held out for validation. 1 image "
        "without mask is left out."
    )
    click(dock.training.button)
    wait_for_end(dock)
    names = [layer.name for layer in viewer.layers]
    assert names == ["Validation image", "Training preview"]
    image, preview = viewer.layers
    assert corners(preview) == pytest.approx(corners(image))
    card = next(card for card in list_models() if card.name == "my-cells")
    assert card.data == "2 images with 16 cells from the folder data"

    # Another training uses the same two layers.
    click(dock.training.button)
    wait_for_end(dock)
    assert [layer.name for layer in viewer.layers] == names
    close(viewer, dock)


# Bad days


def test_labels_of_another_size_are_refused_at_once(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(np.zeros((96, 128)), name="image")
    viewer.add_labels(np.ones((64, 64), int), name="small")
    dock = open_dock(viewer)
    click(dock.data.layers.add)
    sentence = (
        "The image 'image' has 96 × 128 px, but the labels 'small' have 64 × 64 px: "
        "choose labels that were made on this image."
    )
    assert dock.training.status.text() == f"\N{WARNING SIGN} {sentence}"
    assert dock.state.pairs == ()
    close(viewer, dock)


def test_masks_without_cells_are_told_before_train(
    make_napari_viewer_proxy, qtbot, wait_for_look, tmp_path
):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer)
    pick(dock.data.way, "two folders", qtbot)
    folder = write_folder(tmp_path / "data", n=2, empty=True)
    type_into(dock.data.images.text, str(folder / "images"), qtbot)
    type_into(dock.data.masks.text, str(folder / "masks"), qtbot)
    sentence = (
        "No cell is marked in any of the 2 images (0, 1): choose masks that have some."
    )
    assert wait_for_look(dock) == f"\N{WARNING SIGN} {sentence}"
    assert not dock.training.button.isEnabled()
    assert dock.training.button.toolTip() == f"<qt>{sentence}</qt>"
    close(viewer, dock)


def test_a_loss_that_is_no_number_keeps_the_last_good_model(
    make_napari_viewer_proxy, qtbot, click, wait_for_end
):
    viewer = make_napari_viewer_proxy()
    add_images(viewer)
    dock = open_dock(viewer, epochs=6)
    add_pairs(dock, qtbot, click)
    click(dock.settings.button)
    controls = dock.settings.controls
    pick(controls["optimizer"], "sgd", qtbot)
    type_into(controls["learning_rate"], "10", qtbot)
    type_into(controls["positive_weight"], "1e4", qtbot)
    assert dock.state.config.positive_weight == 10_000
    click(dock.training.button)
    wait_for_end(dock)
    status = dock.training.status.text()
    assert status.startswith("\N{WARNING SIGN} The loss is not a number in epoch ")
    assert "is kept: try a smaller learning rate" in status
    assert "Saved as my-cells" in status
    assert "my-cells" in {card.name for card in list_models()}
    assert dock.training.unfinished.isHidden()
    close(viewer, dock)


def test_closing_the_viewer_while_it_learns_and_going_on_in_another(
    make_napari_viewer, qtbot, click, wait_for_end, wait_for_epochs
):
    from napari_cresunet.widgets._job import _ALIVE

    viewer = make_napari_viewer()
    add_images(viewer)
    dock = open_dock(viewer, epochs=3)
    add_pairs(dock, qtbot, click)
    click(dock.training.button)
    wait_for_epochs(dock, 1)
    viewer.close()
    qtbot.waitUntil(lambda: not _ALIVE, timeout=30_000)

    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    part = dock.training.unfinished
    assert not part.isHidden()
    assert part.text.text().startswith("my-cells (")
    assert part.text.text().endswith(" of 3 epochs) was interrupted.")
    click(part.resume)
    assert part.isHidden()
    assert dock.state.records
    wait_for_end(dock)
    assert [row.epoch for row in dock.state.records] == [1, 2, 3]
    assert dock.training.status.text().startswith("Saved as my-cells: F1 ")
    assert [layer.name for layer in viewer.layers] == [
        "Validation image",
        "Training preview",
    ]
    close(viewer, dock)


def test_a_closed_dock_leaves_a_training_that_two_clicks_discard(
    make_napari_viewer_proxy, qtbot, click, wait_for_epochs
):
    from napari_cresunet.widgets._job import _ALIVE

    viewer = make_napari_viewer_proxy()
    add_images(viewer, n=2)
    dock = open_dock(viewer, epochs=60)
    add_pairs(dock, qtbot, click, n=2)
    click(dock.training.button)
    wait_for_epochs(dock, 1)
    close(viewer, dock)
    qtbot.waitUntil(lambda: not _ALIVE, timeout=30_000)
    dock = open_dock(viewer)
    part = dock.training.unfinished
    (run,) = dock.state.unfinished
    click(part.discard)
    assert part.discard.text() == "Really discard"
    assert run.folder.exists()
    click(part.discard)
    assert part.isHidden()
    assert not run.folder.exists()
    close(viewer, dock)


def test_labels_painted_after_they_were_added_are_learned_from(
    make_napari_viewer_proxy, qtbot, click, wait_for_look
):
    viewer = make_napari_viewer_proxy()
    add_images(viewer, n=1)
    labels = viewer.layers["slice 0 cells"]
    cells, labels.data = labels.data, np.zeros_like(labels.data)
    dock = open_dock(viewer)
    add_pairs(dock, qtbot, click, n=1)
    assert "No cell is marked" in wait_for_look(dock)
    assert dock.training.button.isEnabled()
    places = np.nonzero(cells)
    labels.data_setitem(places, cells[places])
    QApplication.sendEvent(dock, QEvent(QEvent.Type.Enter))
    qtbot.waitUntil(lambda: dock.data.found.text().startswith("1 image, 8 cells"))
    close(viewer, dock)


# Controls


def test_a_name_that_cannot_be_is_told_as_it_is_typed(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy()
    add_images(viewer, n=2)
    dock = open_dock(viewer)
    add_pairs(dock, qtbot, click, n=2)
    assert dock.training.button.isEnabled()
    type_into(dock.start.name, "quick", qtbot)
    assert not dock.training.button.isEnabled()
    assert dock.start.name_problem.text() == (
        "\N{WARNING SIGN} 'quick' is already a model: give the new one another name."
    )
    type_into(dock.start.name, "my neurons", qtbot)
    assert "cannot be called 'my neurons'" in dock.start.name_problem.text()
    type_into(dock.start.name, "neurons_2.1", qtbot)
    assert dock.training.button.isEnabled()
    assert dock.start.name_problem.isHidden()
    close(viewer, dock)


def test_the_delete_key_removes_pairs_and_so_does_deleting_a_layer(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy(show=True)
    add_images(viewer)
    dock = open_dock(viewer)
    add_pairs(dock, qtbot, click)
    pairs = dock.data.layers.list
    qtbot.mouseClick(
        pairs.viewport(),
        Qt.MouseButton.LeftButton,
        pos=pairs.visualItemRect(pairs.item(1)).center(),
    )
    click(dock.data.layers.remove)
    assert [pair.image_name for pair in dock.state.pairs] == ["slice 0", "slice 2"]
    pairs.item(0).setSelected(True)
    pairs.setFocus()
    qtbot.keyClick(pairs, Qt.Key.Key_Delete)
    assert [pair.image_name for pair in dock.state.pairs] == ["slice 2"]
    viewer.layers.remove("slice 2 cells")
    assert dock.state.pairs == ()
    assert dock.training.status.text() == (
        "The pair slice 2 – slice 2 cells is gone: its layer was deleted."
    )
    close(viewer, dock)


def test_after_a_pair_was_added_the_next_image_is_offered(
    make_napari_viewer_proxy, click
):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer)
    add_images(viewer)
    for _ in range(3):
        click(dock.data.layers.add)
    assert [pair.title for pair in dock.state.pairs] == [
        f"slice {seed} – slice {seed} cells" for seed in (0, 2, 1)
    ]
    close(viewer, dock)


def test_layers_that_come_one_after_another_are_paired_by_name_and_freedom(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer)
    for seed, name in enumerate(("one", "two", "three")):
        image, labels = scene(seed)
        viewer.add_image(image, name=name, rgb=True)
        viewer.add_labels(labels, name=f"truth {seed}")
        click(dock.data.layers.add)
    assert [pair.title for pair in dock.state.pairs] == [
        *("one – truth 0", "two – truth 1", "three – truth 2")
    ]
    pick(dock.data.layers.image, "one", qtbot)
    pick(dock.data.layers.labels, "truth 2", qtbot)
    viewer.add_labels(labels, name="one, corrected")
    click(dock.data.layers.add)
    assert dock.state.pairs[-1].title == "one – truth 2"
    close(viewer, dock)


def test_labels_that_were_counted_on_an_image_are_offered_with_it(
    make_napari_viewer_proxy, press_run
):
    viewer = make_napari_viewer_proxy()
    add_images(viewer, n=1)
    _, count = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment and count")
    count.state.choose(model="quick")
    press_run(count)
    viewer.layers.remove("slice 0 cells")
    dock = open_dock(viewer)
    layers = dock.data.layers
    assert layers.image.currentText() == "slice 0"
    assert layers.labels.currentText() == viewer.layers[-1].name
    close(viewer, dock)
    close(viewer, count)


def test_from_scratch_the_networks_are_offered_and_their_settings_taken(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer)
    click(dock.start.freeze)
    assert dock.state.config.freeze_encoder
    click(dock.settings.button)
    controls = dock.settings.controls
    assert not controls["diameter"].isEnabled()
    pick(dock.start.start, "nothing (from scratch)", qtbot)
    assert dock.start.freeze.isHidden()
    assert controls["diameter"].isEnabled()
    pick(dock.start.system, "c-ResUnet with attention gates (ELU)", qtbot)
    assert dock.state.config.variant == "attention-elu"
    assert controls["subset"].value() == 600
    assert controls["epochs"].value() == 2
    click(dock.settings.reset)
    assert controls["epochs"].value() == 200
    close(viewer, dock)


def test_numbers_of_any_size_are_typed_and_bounds_are_told(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer)
    click(dock.settings.button)
    controls = dock.settings.controls
    assert controls["learning_rate"].text() == "0.0001"
    type_into(controls["learning_rate"], "3e-5", qtbot)
    assert dock.state.config.learning_rate == 3e-5
    assert controls["learning_rate"].text() == "3e-05"
    share = dock.state.config.cross_entropy
    for name in ("dice", "focal", "focal_tversky", "cross_entropy"):
        type_into(controls[name], "0", qtbot)
    assert dock.state.notice == (
        "All shares of the loss are 0; give one of them a share."
    )
    qtbot.waitUntil(lambda: controls["cross_entropy"].value() == share)
    type_into(dock.start.diameter.px, "0.2", qtbot)
    qtbot.waitUntil(lambda: dock.start.diameter.px.value() == 0)
    assert dock.state.notice == "`diameter` must be between 0.5 and 10000, got 0.2."
    close(viewer, dock)


def test_nothing_is_cut_off_in_a_narrow_low_window(
    make_napari_viewer_proxy, qtbot, click
):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(900, 560)
    add_images(viewer, n=2)
    dock = open_dock(viewer)
    add_pairs(dock, qtbot, click, n=2)
    click(dock.settings.button)
    for fold in dock.settings.findChildren(Fold):
        click(fold.button)
    area = dock.findChild(QScrollArea)
    bar = area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    assert dock.width() <= 400
    bar.setValue(bar.maximum())
    button = dock.training.button
    assert button.visibleRegion().boundingRect() == button.rect()
    close(viewer, dock)


def test_without_pyqtgraph_there_is_a_sentence(qtbot, monkeypatch):
    from napari_cresunet.widgets._train_curves import TrainingCurves

    monkeypatch.setitem(sys.modules, "pyqtgraph", None)
    curves = TrainingCurves()
    qtbot.addWidget(curves)
    curves.show_records([], 3)
    hint = curves.layout().itemAt(0).widget()
    assert hint.text() == "Install pyqtgraph to see loss and F1 while it learns."


def test_opening_the_dock_does_not_import_torch():
    code = (
        "import sys\n"
        "from napari.components import ViewerModel\n"
        "from napari.layers import Image, Labels\n"
        "from qtpy.QtWidgets import QApplication\n"
        "app, viewer = QApplication([]), ViewerModel()\n"
        "from napari_cresunet.widgets.train import Train\n"
        "dock = Train(viewer)\n"
        "sys.exit('torch was imported' if 'torch' in sys.modules else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.stderr.strip() == ""

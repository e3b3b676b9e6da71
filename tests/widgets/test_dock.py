"""What the dock shows before and around a run; the viewer has no window."""

import gc
import subprocess
import sys
import threading
import weakref
from importlib import import_module

import numpy as np
import pytest

from napari_cresunet.state import MODEL_SHELF

pytestmark = pytest.mark.gui

NO_IMAGE = (
    "There is no image: open one with File > Open, or a sample with File > Open Sample "
    "> c-ResUnet."
)


def entries(chooser):
    return [chooser.itemText(number) for number in range(chooser.count())]


def test_without_an_image_run_says_why_it_cannot(viewer, dock):
    assert not dock.running.run.isEnabled()
    assert dock.running.run.toolTip() == f"<qt>{NO_IMAGE}</qt>"
    assert dock.running.status.text() == f"\N{WARNING SIGN} {NO_IMAGE}"


def test_a_labels_layer_alone_is_named_as_no_image(viewer, dock):
    viewer.add_labels(np.zeros((9, 9), int), name="truth")
    assert dock.state.why_not == (
        "'truth' is no image: open an image, or choose an image layer."
    )


def test_an_image_that_cannot_be_used_says_why_before_run(viewer, dock):
    viewer.add_image(np.zeros((9, 9), bool))
    reason = (
        "A boolean array is a mask, not an image: pass the microscopy image itself."
    )
    assert not dock.running.run.isEnabled()
    assert dock.running.status.text() == f"\N{WARNING SIGN} {reason}"


def test_the_chooser_follows_the_selected_layer_and_offers_images_only(viewer, dock):
    one = viewer.add_image(np.zeros((9, 9)), name="one")
    two = viewer.add_image(np.zeros((9, 9)), name="two")
    viewer.add_labels(np.zeros((9, 9), int), name="labels")
    assert entries(dock.choosing.image) == ["one", "two"]
    assert dock.state.source.name == "two"
    viewer.layers.selection.active = one
    assert dock.choosing.image.currentText() == "one"
    viewer.layers.remove(one)
    assert entries(dock.choosing.image) == ["two"]
    assert dock.state.source.identity == str(two.unique_id)


def test_choosing_in_the_list_chooses_the_image(viewer, dock):
    viewer.add_image(np.zeros((9, 9)), name="one")
    viewer.add_image(np.zeros((9, 9)), name="two")
    dock.choosing.image.setCurrentIndex(0)
    dock.choosing.image.activated.emit(0)
    assert dock.state.source.name == "one"


def test_a_renamed_layer_is_renamed_in_the_list(viewer, dock):
    layer = viewer.add_image(np.zeros((9, 9)), name="old")
    layer.name = "new"
    assert entries(dock.choosing.image) == ["new"]
    assert dock.state.source.name == "new"


def test_selecting_a_result_shows_the_image_it_came_from(
    viewer, dock, press_run, discs
):
    viewer.add_image(discs, name="one")
    press_run(dock)
    cells = viewer.layers["one cells"]
    viewer.add_image(discs, name="two")
    assert dock.state.source.name == "two"
    assert dock.counting.count.text() == "No count yet"
    viewer.layers.selection.active = cells
    assert dock.state.source.name == "one"
    assert dock.counting.count.text() == "3 cells"
    assert entries(dock.choosing.image) == ["one", "two"]


@pytest.mark.xdist_group("windows")
def test_the_model_shows_its_card(dock):
    dock.show()
    assert "Brightness" in entries(dock.choosing.model)
    assert not dock.choosing.card.isVisible()
    dock.choosing.about.click()
    assert dock.choosing.card.isVisible()
    text = dock.choosing.card.toPlainText()
    for part in ("its weights are set by hand", "CC0 1.0", "36.5 px", "f1 0.5"):
        assert part in text


@pytest.mark.xdist_group("windows")
def test_the_count_stays_in_sight_in_a_low_window_all_unfolded(dock, qtbot):
    from qtpy.QtWidgets import QScrollArea

    dock.resize(320, 560)
    dock.show()
    dock.choosing.about.click()
    dock.advanced.button.click()
    area = dock.findChild(QScrollArea)
    bar = area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    label = dock.counting.count
    assert label.visibleRegion().boundingRect() == label.rect()


def test_the_diameter_comes_from_the_image_and_is_told_in_micrometers(viewer, dock):
    field = dock.choosing.diameter
    viewer.add_image(
        np.zeros((9, 9)),
        metadata={"cresunet": {"diameter": 28.0}},
        scale=(0.5, 0.5),
        units=("um", "um"),
    )
    assert (field.px.value(), field.um.value()) == (28, 14)
    field.um.setValue(10)
    assert dock.state.choices.diameter == 20


def test_an_empty_diameter_is_that_of_the_model(viewer, dock):
    viewer.add_image(np.zeros((9, 9)))
    assert dock.choosing.diameter.px.text() == "as trained (36.5 px)"
    dock.choosing.diameter.px.setValue(20)
    assert dock.state.choices.diameter == 20
    dock.choosing.diameter.px.setValue(0)
    assert dock.state.choices.diameter is None


def test_a_diameter_that_cannot_be_is_refused_in_a_sentence(viewer, dock):
    viewer.add_image(np.zeros((9, 9)))
    dock.choosing.diameter.px.setValue(0.2)
    assert dock.state.choices.diameter is None
    assert dock.choosing.diameter.px.value() == 0
    assert dock.state.notice == ("`diameter` must be between 0.5 and 10000, got 0.2.")


def test_units_that_arrive_later_are_noticed(viewer, dock):
    layer = viewer.add_image(np.zeros((9, 9)))
    assert dock.tuning.min_size.um.isHidden()
    layer.units = ("um", "um")
    layer.scale = (0.5, 0.5)
    assert not dock.tuning.min_size.um.isHidden()
    assert dock.tuning.min_size.um.value() == 50


def test_pixels_that_change_their_kind_are_noticed(viewer, dock):
    layer = viewer.add_image(np.zeros((9, 9)))
    assert dock.running.run.isEnabled()
    layer.data = np.zeros((9, 9), bool)
    assert not dock.running.run.isEnabled()


def test_the_choices_of_the_advanced_part_reach_the_state(viewer, dock, qtbot):
    advanced = dock.advanced
    advanced.button.click()
    qtbot.waitUntil(lambda: "CPU" in entries(advanced.device), timeout=20_000)
    for chooser, text in ((advanced.device, "CPU"), (advanced.tile, "512 px")):
        chooser.activated.emit(chooser.findText(text))
    advanced.preset.activated.emit(advanced.preset.findData("morelli2021"))
    choices = dock.state.choices
    assert (choices.device, choices.tile) == ("cpu", 512)
    assert choices.preset == "morelli2021"
    assert not advanced.min_distance.isEnabled()
    advanced.reset.click()
    assert dock.state.choices.preset == "tashfeen2025"
    advanced.min_distance.setValue(7)
    assert dock.state.settings.min_distance == 7


def test_without_pyqtgraph_there_is_a_sentence(qtbot, monkeypatch):
    from napari_cresunet.widgets._curve import CurvePlot

    monkeypatch.setitem(sys.modules, "pyqtgraph", None)
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.set_threshold(0.3)
    plot.set_curve(None)
    hint = plot.layout().itemAt(0).widget()
    assert hint.text() == "Install pyqtgraph to see the count against the threshold."


def test_dragging_the_line_moves_the_threshold(viewer, dock):
    line = dock.tuning.curve._items.line
    line.setValue(0.314)
    line.sigDragged.emit(line)
    assert dock.state.settings.threshold == 0.31
    assert dock.tuning.threshold.value() == 31


def test_opening_the_dock_imports_neither_torch_nor_scikit_image():
    # napari itself imports parts of scikit-image, so only what is new counts.
    code = (
        "import sys\n"
        "from napari.components import ViewerModel\n"
        "from napari.layers import Image, Labels, Shapes\n"
        "from qtpy.QtWidgets import QApplication\n"
        "app, viewer = QApplication([]), ViewerModel()\n"
        "before = set(sys.modules)\n"
        "from napari_cresunet.widgets.segment_and_count import SegmentAndCount\n"
        "dock = SegmentAndCount(viewer)\n"
        "new = set(sys.modules) - before\n"
        "heavy = [x for x in new if x.split('.')[0] in ('torch', 'skimage', 'h5py')]\n"
        "sys.exit(' '.join(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("compare_models", "CompareModels"),
        ("correct", "Correct"),
        ("evaluate", "Evaluate"),
        ("measure", "Measure"),
        ("segment_and_count", "SegmentAndCount"),
        ("train", "Train"),
    ],
)
def test_garbage_of_a_dock_may_be_collected_in_any_thread(viewer, qtbot, module, name):
    dock = getattr(import_module(f"napari_cresunet.widgets.{module}"), name)(viewer)
    dock._disconnect()
    dock.itself = dock  # a cycle, which only the collector finds
    collected = weakref.ref(dock)
    del dock
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    assert collected() is None
    qtbot.wait(20)  # Qt destroys it here; it must call nothing that is gone


def test_a_dock_that_is_closed_hears_of_no_more_models(viewer, dock):
    dock._disconnect()
    dock.state.models = []
    MODEL_SHELF.changed.emit()
    assert dock.state.models == []

"""The dock Correct cells: real layers, keys, and strokes of a real mouse."""

import gc
import weakref
from itertools import pairwise

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit

from napari_cresunet.state import TOOLS
from napari_cresunet.widgets._corrections import corrections_of, renew_labels

pytestmark = pytest.mark.gui

PLUGIN = "napari-cresunet"


@pytest.fixture
def cells():
    """Three cells of 100 px; the first two are 2 px apart, the third is wider."""
    labels = np.zeros((96, 128), np.int32)
    labels[10:20, 10:20] = 1
    labels[10:20, 22:32] = 2
    labels[50:60, 60:90] = 3
    labels[53:57, 73:77] = 0  # a hole
    return labels


def peak(shape, at, height=0.8):
    rows, columns = np.indices(shape)
    distance = (rows - at[0]) ** 2 + (columns - at[1]) ** 2
    return (height * np.exp(-distance / 18)).astype(np.float32)


@pytest.fixture
def correct_dock(viewer, qtbot):
    """The dock on a viewer without a window."""
    from napari_cresunet.widgets.correct import Correct

    dock = Correct(viewer)
    qtbot.addWidget(dock)
    for name in ("inserted", "removed", "reordered", "renamed"):  # as a window does
        getattr(viewer.layers.events, name).connect(dock.reset_choices)
    yield dock
    dock._disconnect()  # as a window does


@pytest.fixture
def layer(viewer, correct_dock, cells):
    """The layer that is corrected."""
    layer = viewer.add_labels(cells.copy(), name="cells")
    viewer.layers.selection.active = layer
    return layer


@pytest.fixture
def ordered(qtbot):
    """Wait until the cells are in an order for review."""

    def wait(dock):
        qtbot.waitUntil(lambda: dock.state.queue.order is not None, timeout=30_000)
        return dock.review.walk.spots

    return wait


@pytest.fixture
def marked(qtbot):
    """Wait until marks and list show what is pinned."""

    def wait(dock, n):
        qtbot.waitUntil(lambda: len(dock.pins.pinned) == n, timeout=30_000)

    return wait


def press(target, key):
    """Do what a key does in the canvas."""
    (action,) = [do for known, do in target.keymap.items() if str(known) == key]
    action(target)


def lines(viewer):
    """Return the lines that show what a tool is doing."""
    layer = viewer.layers["Correction"]
    return layer.data if layer.visible else []


def layer_names(viewer):
    return [layer.name for layer in viewer.layers]


# Which labels


def test_without_labels_the_dock_says_where_they_come_from(correct_dock):
    assert correct_dock.labels.count.text() == "No cells yet"
    assert correct_dock.tools.hint.text().startswith("There are no cells to correct")
    assert not correct_dock.tools.buttons["join"].isEnabled()


def test_labels_are_found_and_counted(correct_dock, layer):
    assert correct_dock.labels.labels.currentText() == "cells"
    assert correct_dock.labels.count.text() == "3 cells"
    assert correct_dock.labels.progress.text() == "0 of 3 reviewed"


def test_the_dock_follows_to_the_cells_of_the_image_that_is_selected(
    viewer, correct_dock, cells
):
    for name in ("one", "two"):
        image = viewer.add_image(np.zeros(cells.shape), name=name)
        record = {"kind": "cells", "source": str(image.unique_id)}
        viewer.add_labels(
            cells * (name == "one"),
            name=f"{name} cells",
            metadata={"cresunet": record},
        )
    for name, count in (("one", "3 cells"), ("two", "0 cells")):
        viewer.layers.selection.active = viewer.layers[name]
        assert correct_dock.labels.labels.currentText() == f"{name} cells"
        assert correct_dock.labels.count.text() == count


def test_cells_that_are_chosen_in_the_dock_are_selected(viewer, correct_dock, cells):
    for name in ("one", "two"):
        viewer.add_labels(cells, name=name)
    chooser = correct_dock.labels.labels
    chooser.setCurrentIndex(chooser.findText("one"))
    chooser.activated.emit(chooser.currentIndex())
    assert correct_dock.runner.labels == viewer.layers["one"]
    assert viewer.layers.selection.active == viewer.layers["one"]


def test_a_layer_that_goes_is_let_go(viewer, correct_dock, layer):
    before = list(layer.mouse_drag_callbacks)
    correct_dock.state.choose_tool("join")
    assert layer.mouse_drag_callbacks != before
    viewer.layers.remove(layer)
    assert correct_dock.labels.count.text() == "No cells yet"
    assert layer.mouse_drag_callbacks == before
    assert not layer.keymap


@pytest.mark.parametrize("kind", ["read-only", "pyramid", "dask", "locked"])
def test_labels_that_cannot_be_edited_say_why_and_switch_the_tools_off(
    viewer, correct_dock, cells, kind
):
    data = cells.copy()
    if kind == "read-only":
        data.flags.writeable = False
    elif kind == "pyramid":
        data = [cells, cells[::2, ::2]]
    elif kind == "dask":
        import dask.array as da

        data = da.from_array(cells)
    layer = viewer.add_labels(data, name="slice")
    if kind == "locked":
        layer.editable = False
        viewer.layers.selection.active = layer
        correct_dock._refresh()
    hint = correct_dock.tools.hint.text()
    assert "'slice'" in hint
    assert ": " in hint
    assert not correct_dock.tools.buttons["join"].isEnabled()
    press(viewer, "J")
    assert correct_dock.state.tool == ""
    assert layer.mouse_pan


@pytest.mark.parametrize("is_stack", [False, True])
def test_in_3d_there_are_no_tools(viewer, correct_dock, cells, is_stack):
    viewer.add_labels(np.stack([cells, cells]) if is_stack else cells, name="cells")
    correct_dock.state.choose_tool("join")
    viewer.dims.ndisplay = 3
    assert correct_dock.state.tool == ""
    assert correct_dock.tools.hint.text() == (
        "Cells are corrected in 2D, with rows and columns shown: go back to that."
    )
    viewer.dims.ndisplay = 2
    assert correct_dock.tools.buttons["join"].isEnabled()


def test_an_edit_that_fails_is_told_and_changes_nothing(
    viewer, correct_dock, layer, cells
):
    from napari.utils.notifications import notification_manager

    told = len(notification_manager.records)
    correct_dock.state.choose_tool("split")
    correct_dock.acts.stroke(np.array([[80.0, 10], [80, 40]]))
    sentence = correct_dock.state.notice
    assert correct_dock.state.is_failure
    assert sentence in correct_dock.tools.hint.text()
    assert notification_manager.records[told].message == sentence
    np.testing.assert_array_equal(layer.data, cells)


# Tools


def test_a_key_takes_a_tool_into_the_hand_and_puts_it_away(viewer, correct_dock, layer):
    for name, tool in TOOLS.items():
        press(viewer, tool.key)
        assert correct_dock.tools.buttons[name].isChecked()
        assert correct_dock.tools.hint.text() == tool.hint
        assert not layer.mouse_pan
    press(viewer, tool.key)
    assert not any(button.isChecked() for button in correct_dock.tools.buttons.values())
    assert layer.mouse_pan


def test_a_tool_takes_the_brush_away_and_the_brush_the_tool(correct_dock, layer):
    layer.mode = "paint"
    correct_dock.tools.buttons["split"].click()
    assert layer.mode == "pan_zoom"
    layer.mode = "paint"
    assert correct_dock.state.tool == ""
    assert not correct_dock.tools.buttons["split"].isChecked()
    assert not layer.mouse_pan


def test_a_tool_selects_the_labels_and_goes_when_others_are_selected(
    viewer, correct_dock, layer
):
    image = viewer.add_image(np.zeros((5, 5)), name="other")
    correct_dock.tools.buttons["join"].click()
    assert viewer.layers.selection.active is layer
    viewer.layers.selection.active = image
    assert correct_dock.state.tool == ""


def test_escape_drops_marks_and_then_the_tool(viewer, correct_dock, layer):
    press(viewer, "J")
    correct_dock.acts.click(np.array([15.0, 15]))
    assert len(lines(viewer)) == 1
    press(layer, "Escape")
    assert len(lines(viewer)) == 0
    press(layer, "Escape")
    assert correct_dock.state.tool == ""
    assert not layer.keymap


def test_marked_cells_are_joined_with_enter_as_one_step_of_undo(
    viewer, correct_dock, layer, cells
):
    press(viewer, "J")
    correct_dock.acts.click(np.array([15.0, 15]))
    correct_dock.acts.click(np.array([15.0, 25]))
    press(layer, "Enter")
    assert layer.data[15, 25] == 1
    assert len(lines(viewer)) == 0
    assert correct_dock.labels.count.text() == "2 cells"
    assert correct_dock.labels.pinned.text() == "1 pinned"
    correct_dock.tools.undo.click()
    np.testing.assert_array_equal(layer.data, cells)
    assert correct_dock.labels.count.text() == "3 cells"
    assert correct_dock.labels.pinned.text() == ""
    correct_dock.tools.redo.click()
    assert correct_dock.labels.count.text() == "2 cells"


def test_napari_s_own_brush_is_followed(correct_dock, layer):
    layer.fill((15, 15), 0)
    assert correct_dock.labels.count.text() == "2 cells"
    assert correct_dock.labels.pinned.text() == "1 pinned"
    layer.undo()
    assert correct_dock.labels.count.text() == "3 cells"


def test_the_drawing_leaves_the_selection_alone(viewer, correct_dock, layer):
    press(viewer, "S")
    correct_dock.runner.draw_stroke(np.array([[5.0, 15], [25, 15]]))
    assert viewer.layers.selection.active is layer
    assert correct_dock.state.tool == "split"
    (line,) = lines(viewer)
    np.testing.assert_allclose(line, [[5, 15], [25, 15]])
    correct_dock.acts.stroke(np.array([[5.0, 15], [25, 15]]))
    assert len(lines(viewer)) == 0
    assert correct_dock.state.count == 4


def test_the_drawing_may_be_deleted_at_any_time(viewer, correct_dock, layer):
    press(viewer, "J")
    correct_dock.acts.click(np.array([15.0, 15]))
    viewer.layers.remove(viewer.layers["Correction"])
    correct_dock.acts.click(np.array([15.0, 25]))
    assert len(lines(viewer)) == 2


def test_a_cell_is_added_from_the_probability(viewer, correct_dock, cells):
    image = viewer.add_image(np.zeros(cells.shape), name="slice")
    run = {"source": str(image.unique_id), "time": "now", "model": "m"}
    for kind, add, data in (
        ("probability", viewer.add_image, peak(cells.shape, (75, 30))),
        ("cells", viewer.add_labels, cells),
    ):
        add(data, name=kind, metadata={"cresunet": run | {"kind": kind}})
    press(viewer, "A")
    correct_dock.acts.click(np.array([74.0, 31]))
    adding = correct_dock.adding
    assert not adding.isHidden()
    first = correct_dock.state.size_words
    assert adding.size.text() == first
    adding.level.setValue(adding.level.value() + 4)
    assert adding.size.text() != first
    adding.add.click()
    labels = viewer.layers["cells"].data
    area = np.count_nonzero(labels == 4)
    assert adding.isHidden()
    assert f"{area} px" != first
    assert correct_dock.labels.count.text() == "4 cells"
    correct_dock.tools.undo.click()
    assert correct_dock.labels.count.text() == "3 cells"


@pytest.mark.parametrize("is_rgb", [False, True])
@pytest.mark.parametrize("corner", [(0, 0), (8, 4)])
def test_without_a_probability_a_cell_is_added_from_the_image(
    viewer, correct_dock, cells, is_rgb, corner
):
    bright = (200 * peak((120, 160), (75, 30)) + 20).astype(np.uint8)
    if is_rgb:
        bright = np.stack([bright, bright // 2, 0 * bright], axis=-1)
    if corner == (0, 0):
        bright = bright[:96, :128]
    image = viewer.add_image(bright, name="slice", rgb=is_rgb)
    record = {"kind": "cells", "source": str(image.unique_id)}
    layer = viewer.add_labels(
        cells, name="cells", translate=corner, metadata={"cresunet": record}
    )
    press(viewer, "A")
    place = np.array([75.0, 30]) - corner
    correct_dock.acts.click(place)
    press(layer, "Enter")
    rows, columns = np.nonzero(layer.data == 4)
    np.testing.assert_allclose((rows.mean(), columns.mean()), place, atol=0.5)


def test_a_cell_is_added_on_the_plane_that_is_shown(viewer, correct_dock, cells):
    image = np.stack([peak(cells.shape, (75, 30)), peak(cells.shape, (30, 75))])
    viewer.add_image(image, name="stack")
    layer = viewer.add_labels(np.stack([cells, 0 * cells]), name="cells")
    press(viewer, "A")
    correct_dock.acts.click(np.array([1.0, 30, 75]))
    press(layer, "Enter")
    assert layer.data[1, 30, 75] == 4
    assert np.array_equal(layer.data[0], cells)


def test_a_click_outside_says_so(viewer, correct_dock, layer, cells):
    press(viewer, "A")
    correct_dock.acts.click(np.array([-5.0, 200]))
    assert correct_dock.tools.hint.text() == (
        "This is outside of the labels: nothing was changed."
    )
    np.testing.assert_array_equal(layer.data, cells)


# One cell


def test_buttons_change_the_selected_cell_and_keys_the_one_under_the_mouse(
    viewer, correct_dock, layer, cells
):
    layer.selected_label = 3
    correct_dock.cell.fill.click()
    assert layer.data[55, 75] == 3
    layer.undo()
    viewer.cursor.position = (51, 62)
    press(viewer, "H")
    assert layer.data[55, 75] == 3
    press(viewer, "G")
    assert layer.data[50, 60] == 0  # its corner
    assert np.array_equal(layer.data == 1, cells == 1)


def test_it_is_said_where_there_is_no_cell(viewer, correct_dock, layer):
    viewer.cursor.position = (90, 5)
    press(viewer, "H")
    assert correct_dock.tools.hint.text() == ("There is no cell here: point at one.")
    layer.selected_label = 77
    correct_dock.cell.smooth.click()
    assert correct_dock.tools.hint.text() == (
        "No cell is selected: go to one with N, or pick one with napari's color picker."
    )
    layer.selected_label = 1
    correct_dock.cell.fill.click()
    assert correct_dock.tools.hint.text() == "There was nothing to change."


def test_cells_are_numbered_anew(correct_dock, layer, cells):
    layer.fill((15, 15), 0)
    correct_dock.cell.number.click()
    assert set(np.unique(layer.data)) == {0, 1, 2}
    assert np.array_equal(layer.data > 0, cells > 1)


def test_numbers_that_are_taken_back_are_ordered_anew(
    correct_dock, viewer, cells, ordered, qtbot
):
    layer = viewer.add_labels(np.where(cells > 0, cells + 1, 0), name="cells")
    for change, numbers in (
        (correct_dock.cell.number.click, {1, 2, 3}),
        (layer.undo, {2, 3, 4}),
        (layer.redo, {1, 2, 3}),
    ):
        ordered(correct_dock)
        change()
        assert correct_dock.review.walk.spots == []
        spots = ordered(correct_dock)
        assert {int(spot.text[1:2]) for spot in spots} == numbers


# Review


def test_the_queue_is_walked_accepted_and_rejected_with_keys(
    viewer, correct_dock, layer, ordered, cells
):
    spots = ordered(correct_dock)
    order = [int(spot.text[1:].split(":")[0]) for spot in spots]
    assert sorted(order) == [1, 2, 3]
    press(viewer, "N")
    assert layer.selected_label == order[0]
    assert viewer.scene.camera.center[-2:] == (spots[0].row, spots[0].column)
    press(viewer, "Y")
    assert correct_dock.labels.progress.text() == "1 of 3 reviewed"
    assert corrections_of(layer).pins.cells == {order[0]: "accepted"}
    assert layer.selected_label == order[1]
    press(viewer, "R")
    assert not (layer.data == order[1]).any()
    assert layer.selected_label == order[2]
    press(viewer, "Y")
    assert correct_dock.review.walk.place.text() == "all reviewed"
    assert correct_dock.labels.progress.text() == "3 of 3 reviewed"
    layer.undo()
    assert correct_dock.labels.progress.text() == "2 of 3 reviewed"
    assert [spot.text for spot in correct_dock.review.walk.spots] == [spots[1].text]
    np.testing.assert_array_equal(layer.data, cells)


def test_without_a_cell_in_review_nothing_is_rejected(
    viewer, correct_dock, layer, ordered, cells
):
    ordered(correct_dock)
    press(viewer, "R")
    assert correct_dock.tools.hint.text() == (
        "No cell is being reviewed: go to one with N first."
    )
    np.testing.assert_array_equal(layer.data, cells)


def test_a_cell_that_went_otherwise_is_not_followed_blindly(
    viewer, correct_dock, layer, ordered
):
    ordered(correct_dock)
    press(viewer, "N")
    first = correct_dock.state.queue.current
    layer.data_setitem(np.nonzero(layer.data == first), 0)
    before = layer.data.copy()
    press(viewer, "R")  # nobody has looked at the next cell yet
    np.testing.assert_array_equal(layer.data, before)
    press(viewer, "N")
    assert correct_dock.review.walk.place.text() == "1 of 2"


def test_a_cell_in_review_is_split_in_two(viewer, correct_dock, qtbot, ordered):
    rows, columns = np.indices((60, 80))
    two = (np.hypot(rows - 30, columns - 28) < 10) | (
        np.hypot(rows - 30, columns - 44) < 10
    )
    layer = viewer.add_labels(two.astype(np.int32), name="cells")
    ordered(correct_dock)
    correct_dock.review.walk.next.click()
    correct_dock.review.split.click()
    assert correct_dock.labels.count.text() == "2 cells"
    assert layer.data[30, 28] != layer.data[30, 44]
    assert correct_dock.labels.progress.text() == "2 of 2 reviewed"


def test_the_order_stays_while_cells_are_edited_and_is_found_anew_on_demand(
    viewer, correct_dock, layer, ordered, qtbot
):
    before = [spot.text for spot in ordered(correct_dock)]
    layer.data_setitem((np.array([90, 91]), np.array([5, 5])), 9)
    qtbot.wait(500)  # longer than the dock waits for other labels
    assert [spot.text for spot in correct_dock.review.walk.spots] == before
    correct_dock.review.unreviewed.setChecked(False)
    known = correct_dock.state.queue.order
    correct_dock.review.order.click()
    qtbot.waitUntil(
        lambda: correct_dock.state.queue.order not in (known, None), timeout=30_000
    )
    assert "#9: " in " ".join(spot.text for spot in correct_dock.review.walk.spots)


def test_other_labels_are_ordered_anew(correct_dock, layer, cells, ordered, qtbot):
    ordered(correct_dock)
    known = correct_dock.state.queue.order
    layer.data = np.where(cells == 2, 0, cells)
    qtbot.waitUntil(
        lambda: correct_dock.state.queue.order not in (known, None), timeout=30_000
    )
    assert set(correct_dock.state.queue.order.cells) == {1, 3}


def test_labels_of_another_shape_are_taken(correct_dock, layer, cells, qtbot):
    correct_dock.state.choose_tool("join")
    layer.data = cells[:30]
    qtbot.waitUntil(lambda: correct_dock.state.count == 2)
    correct_dock.acts.stroke(np.array([[15.0, 12], [15, 28]]))
    assert correct_dock.state.count == 1


def test_accepted_cells_survive_another_threshold_and_are_still_reviewed(
    viewer, correct_dock, layer, ordered, cells, qtbot
):
    ordered(correct_dock)
    press(viewer, "N")
    press(viewer, "Y")
    accepted = corrections_of(layer).reviewed
    (cell,) = accepted
    renew_labels(layer, np.zeros_like(cells), 1, {"kind": "cells"})
    assert np.array_equal(layer.data == cell, cells == cell)
    assert correct_dock.labels.progress.text() == "1 of 1 reviewed"


# Pins


def test_pinned_cells_are_marked_listed_and_released(
    viewer, correct_dock, layer, marked
):
    corrections_of(layer).accept(2)
    layer.fill((15, 15), 0)
    marked(correct_dock, 2)
    points = viewer.layers["Pinned cells"]
    np.testing.assert_allclose(points.data, [[14.5, 26.5], [14.5, 14.5]])
    assert [str(symbol.value) for symbol in points.symbol] == ["disc", "x"]
    assert viewer.layers.selection.active is layer
    pins = correct_dock.pins
    assert pins.button.text() == "Pinned cells (2)"
    pins.button.setChecked(True)
    assert pins.list.item(0).text().endswith("#2: accepted, 100 px")
    pins.list.itemClicked.emit(pins.list.item(0))
    assert viewer.scene.camera.center[-2:] == (14.5, 26.5)
    assert layer.selected_label == 2
    pins.list.item(0).setSelected(True)
    pins.release.click()
    marked(correct_dock, 1)
    assert corrections_of(layer).pins.cells == {}
    pins.release_all.click()
    marked(correct_dock, 0)
    assert len(points.data) == 0
    assert correct_dock.labels.pinned.text() == ""


def test_marks_can_be_switched_off_and_on_again(viewer, correct_dock, layer, marked):
    corrections_of(layer).accept(2)
    marked(correct_dock, 1)
    correct_dock.pins.drawn.setChecked(False)
    assert layer_names(viewer) == ["cells"]
    correct_dock.pins.drawn.setChecked(True)
    assert layer_names(viewer) == ["cells", "Pinned cells"]


def test_marks_lie_on_the_plane_of_their_cells(viewer, correct_dock, cells, marked):
    layer = viewer.add_labels(
        np.stack([0 * cells, cells]), name="cells", scale=(1, 0.5, 0.5)
    )
    corrections_of(layer).accept(1)
    marked(correct_dock, 1)
    points = viewer.layers["Pinned cells"]
    np.testing.assert_allclose(points.data, [[1, 14.5, 14.5]])
    np.testing.assert_allclose(points.scale, layer.scale)


# The log


def test_the_log_is_written(viewer, correct_dock, layer, tmp_path):
    press(viewer, "D")
    correct_dock.acts.click(np.array([15.0, 15]))
    layer.undo()
    correct_dock.save_log(tmp_path / "edits.csv")
    lines = (tmp_path / "edits.csv").read_text().splitlines()
    assert lines[1] == "delete,1,,0,14.5,14.5,100"
    assert lines[2] == "undo,,1,0,14.5,14.5,100"


def test_a_log_that_cannot_be_written_is_told(correct_dock, layer, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    correct_dock.save_log(tmp_path / "file" / "edits.csv")
    assert correct_dock.state.is_failure
    assert "cannot be written" in correct_dock.tools.hint.text()


# Studies, and other docks


def test_a_study_that_was_saved_is_gone_on_with(
    viewer, correct_dock, layer, cells, tmp_path, qtbot
):
    press(viewer, "D")
    correct_dock.acts.click(np.array([15.0, 15]))
    study = correct_dock.study
    study.runner.save_as(tmp_path / "study")
    saver = study.state.saver
    qtbot.waitUntil(
        lambda: saver.folder == tmp_path / "study" and not saver.is_saving,
        timeout=30_000,
    )
    viewer.layers.clear()
    assert correct_dock.labels.count.text() == "No cells yet"
    study.runner.open(tmp_path / "study")
    qtbot.waitUntil(lambda: correct_dock.state.can_edit, timeout=30_000)
    assert correct_dock.labels.count.text() == "2 cells"
    assert correct_dock.labels.pinned.text() == "1 pinned"
    press(viewer, "D")
    correct_dock.acts.click(np.array([15.0, 25]))
    assert correct_dock.labels.count.text() == "1 cell"


def test_pins_survive_the_slider_of_segment_and_count(
    viewer, dock, correct_dock, discs, press_run, set_threshold, ordered, qtbot
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    layer = viewer.layers["discs cells"]
    assert correct_dock.labels.count.text() == "3 cells"
    press(viewer, "D")
    correct_dock.acts.click(np.array([30.0, 30]))
    order = ordered(correct_dock)
    set_threshold(dock, 0.9)
    qtbot.waitUntil(lambda: correct_dock.labels.count.text() == "1 cell")
    assert layer.data[30, 30] == 0
    assert correct_dock.labels.pinned.text() == "1 pinned"
    assert correct_dock.state.tool == "delete"
    assert len(order) == 2
    # The list hears of the new cells once the slider rests.
    walk = correct_dock.review.walk
    qtbot.waitUntil(lambda: len(walk.spots) == 1, timeout=30_000)


def test_the_key_n_belongs_to_the_list_that_was_walked_last(
    viewer, correct_dock, layer, ordered, qtbot
):
    from napari_cresunet.widgets.evaluate import Evaluate

    ordered(correct_dock)
    other = Evaluate(viewer)
    qtbot.addWidget(other)
    press(viewer, "N")
    assert correct_dock.review.walk.current == -1
    correct_dock.review.walk.next.click()
    press(viewer, "N")
    assert correct_dock.review.walk.place.text() == "2 of 3"
    other._disconnect()
    assert "N" in [str(key) for key in viewer.keymap]
    correct_dock._disconnect()
    assert viewer.keymap == {}
    correct_dock._follow_viewer()


# In a real viewer


class Canvas:
    """A real mouse and keyboard on the canvas of a viewer."""

    def __init__(self, viewer, qtbot):
        self._viewer, self._qtbot = viewer, qtbot
        self._native = viewer.window._qt_viewer.canvas.native

    def at(self, row, column):
        """Return where a place of the world is on the canvas."""
        scene = self._viewer.scene.camera
        middle = np.array([self._native.height(), self._native.width()]) / 2
        y, x = middle + (np.array([row, column]) - scene.center[-2:]) * scene.zoom
        return QPoint(round(x), round(y))

    def click(self, row, column):
        QTest.mouseClick(
            self._native, Qt.MouseButton.LeftButton, pos=self.at(row, column)
        )
        self._qtbot.wait(10)

    def drag(self, *corners, steps=4):
        """Press at the first corner, move along the others, let go at the last."""
        QTest.mousePress(
            self._native, Qt.MouseButton.LeftButton, pos=self.at(*corners[0])
        )
        for start, end in pairwise(corners):
            for part in np.linspace(0, 1, steps + 1)[1:]:
                place = np.array(start) * (1 - part) + np.array(end) * part
                QTest.mouseMove(self._native, self.at(*place))
                self._qtbot.wait(10)  # napari looks at the mouse each 5 ms
        QTest.mouseRelease(
            self._native, Qt.MouseButton.LeftButton, pos=self.at(*corners[-1])
        )
        self._qtbot.wait(10)

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self._native, key, modifier)
        self._qtbot.wait(10)


@pytest.fixture
def opened(make_napari_viewer, qtbot):
    """Open the dock from the manifest on cells that nearly fill the canvas."""

    def open_dock(image, labels, **look):
        viewer = make_napari_viewer(show=True)
        viewer.add_image(image, name="slice", **look)
        viewer.add_labels(labels, name="cells", **look)
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Correct cells")
        qtbot.wait(50)
        viewer.fit_to_view()
        qtbot.wait(50)
        return viewer, dock, Canvas(viewer, qtbot)

    return open_dock


def test_a_whole_correction_with_mouse_and_keys_and_all_of_it_undone(
    opened, cells, ordered, marked
):
    image = peak(cells.shape, (75, 30))
    viewer, dock, canvas = opened(image, cells.copy())
    layer = viewer.layers["cells"]
    ordered(dock)

    canvas.key(Qt.Key.Key_J)  # join two with a stroke
    canvas.drag((15, 13), (15, 28))
    assert layer.data[15, 25] == 1
    assert dock.labels.count.text() == "2 cells"

    canvas.key(Qt.Key.Key_S)  # split one with a line, and another with seeds
    canvas.drag((45, 75), (65, 75))
    assert layer.data[55, 62] != layer.data[55, 88]
    canvas.click(15, 12)
    canvas.click(15, 30)
    canvas.key(Qt.Key.Key_Return)
    assert layer.data[15, 12] != layer.data[15, 30]
    assert dock.labels.count.text() == "4 cells"

    canvas.key(Qt.Key.Key_D)  # delete one with a click, two with a box
    canvas.click(15, 12)
    assert layer.data[15, 12] == 0
    canvas.drag((45, 55), (65, 95))
    assert not layer.data[50:60].any()

    canvas.key(Qt.Key.Key_A)  # find one
    canvas.click(74, 31)
    assert not dock.adding.isHidden()
    canvas.key(Qt.Key.Key_Return)
    assert layer.data[75, 30] > 0

    canvas.key(Qt.Key.Key_O)  # draw one, and cut a part of it off
    canvas.drag((30, 100), (30, 120), (50, 120), (50, 100), (31, 100))
    drawn = layer.data[40, 110]
    assert drawn > 0
    canvas.key(Qt.Key.Key_T)
    canvas.drag((25, 104), (55, 104))
    assert layer.data[40, 101] == 0
    assert layer.data[40, 110] == drawn
    assert dock.labels.count.text() == "3 cells"

    canvas.key(Qt.Key.Key_Escape)
    dock.review.order.click()
    ordered(dock)
    dock.review.unreviewed.setChecked(False)
    canvas.key(Qt.Key.Key_N)  # accept the first cell, reject the second
    canvas.key(Qt.Key.Key_Y)
    canvas.key(Qt.Key.Key_R)
    assert dock.labels.count.text() == "2 cells"
    assert viewer.layers.selection.active == layer

    for _ in range(9):
        canvas.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(layer.data, cells)
    assert layer.data.dtype == cells.dtype
    assert dock.labels.count.text() == "3 cells"
    viewer.window.remove_dock_widget(dock)
    assert viewer.keymap == {}
    assert layer_names(viewer) == ["slice", "cells"]


def test_keys_work_beside_lists_but_not_while_somebody_types(opened, cells, ordered):
    viewer, dock, _ = opened(np.zeros(cells.shape), cells.copy())
    ordered(dock)
    QTest.keyClick(dock.review.walk.list, Qt.Key.Key_N)
    current = dock.state.queue.current
    assert current > 0
    field = QLineEdit(dock)
    for key in "DYRN":
        QTest.keyClick(field, key)
        QTest.keyClick(dock.labels.labels, key)  # looks for a layer
    assert field.text() == "DYRN"
    assert (dock.state.tool, dock.state.queue.current) == ("", current)
    assert viewer.layers["cells"].data.any()
    QTest.keyClick(dock.pins.list, Qt.Key.Key_R)
    assert not (viewer.layers["cells"].data == current).any()


def test_planes_scales_and_clicks_outside_are_understood(opened, cells):
    # A number is one cell, on however many planes.
    stack = np.stack([cells, 0 * cells, np.where(cells > 0, cells + 3, 0)])
    look = {"scale": (3, 0.5, 0.5), "translate": (0, 7, -4), "units": ("um",) * 3}
    viewer, dock, canvas = opened(stack.astype(float), stack, **look)
    layer = viewer.layers["cells"]
    viewer.dims.set_current_step(0, 2)
    canvas.key(Qt.Key.Key_D)
    canvas.click(15 * 0.5 + 7, 15 * 0.5 - 4)
    assert not (layer.data[2] == 4).any()
    assert (layer.data[2] == 5).any()
    assert np.array_equal(layer.data[0], cells)
    canvas.click(-1 * 0.5 + 7 - 2, 15 * 0.5 - 4)
    assert dock.tools.hint.text() == (
        "This is outside of the labels: nothing was changed."
    )
    canvas.key(Qt.Key.Key_A)
    canvas.click(15 * 0.5 + 7, 15 * 0.5 - 4)
    assert dock.state.size_words.endswith(" µm²")
    viewer.window.remove_dock_widget(dock)


def test_the_image_moves_while_space_is_down_and_the_brush_paints(opened, cells):
    viewer, dock, canvas = opened(np.zeros(cells.shape), cells.copy())
    layer = viewer.layers["cells"]
    canvas.key(Qt.Key.Key_S)
    center = viewer.scene.camera.center
    QTest.keyPress(canvas._native, Qt.Key.Key_Space)
    canvas.drag((5, 15), (25, 15))
    QTest.keyRelease(canvas._native, Qt.Key.Key_Space)
    assert viewer.scene.camera.center != center
    np.testing.assert_array_equal(layer.data, cells)
    assert dock.state.tool == "split"
    QTest.keyPress(canvas._native, Qt.Key.Key_Space)
    canvas.key(Qt.Key.Key_Escape)
    QTest.keyRelease(canvas._native, Qt.Key.Key_Space)
    assert layer.mouse_pan
    viewer.fit_to_view()
    canvas.key(Qt.Key.Key_S)
    canvas.key(Qt.Key.Key_2)  # napari's brush
    assert layer.mode == "paint"
    assert dock.state.tool == ""
    canvas.drag((80, 20), (80, 40))
    assert dock.labels.pinned.text() == "1 pinned"
    viewer.window.remove_dock_widget(dock)


def test_a_dock_that_was_closed_is_collected_and_the_viewer_works_on(
    make_napari_viewer_proxy, cells, qtbot
):
    viewer = make_napari_viewer_proxy()
    viewer.add_labels(cells, name="cells")
    dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Correct cells")[1]
    dock.state.choose_tool("join")
    assert not viewer.layers["cells"].mouse_pan
    dock.acts.click(np.array([15.0, 15]))
    collected = weakref.ref(dock)
    viewer.window.remove_dock_widget(dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() < 0 or collected() is None, timeout=5000)
    layer = viewer.layers["cells"]
    assert layer.mouse_pan
    assert layer_names(viewer) == ["cells"]
    layer.fill((15, 15), 0)
    viewer.theme = "light"


def test_a_dock_that_was_closed_shows_nothing_more(opened, cells, qtbot, marked):
    viewer, dock, _ = opened(np.zeros(cells.shape), cells.copy())
    dock.state.corrections.accept(1)
    marked(dock, 1)
    assert "Pinned cells" in layer_names(viewer)
    viewer.window.remove_dock_widget(dock)
    viewer.add_points(np.empty((0, 2)), name="points")  # of which it hears
    qtbot.wait(200)
    assert layer_names(viewer) == ["slice", "cells", "points"]
    assert dock.state.corrections is None

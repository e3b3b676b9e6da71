"""What a run does to the layers; the viewer has no window."""

import json
from threading import Event

import numpy as np
import pytest
from napari.layers import Labels

from napari_cresunet.segmentation import segment
from napari_cresunet.state import Result
from napari_cresunet.widgets._layers import SPATIAL

pytestmark = pytest.mark.gui


def expect(dock, threshold=0.5, min_size=200):
    """Return the labels that the engine gives for the result shown."""
    return segment(
        dock.state.result.probability,
        threshold=threshold,
        min_size=min_size,
        min_distance=18,
    )


def table_matches(labels):
    return len(labels.features) == labels.data.max() + 1


def test_a_run_adds_probability_and_cells_where_the_image_lies(
    viewer, dock, press_run, discs
):
    image = viewer.add_image(
        discs,
        name="discs",
        scale=(0.5, 0.25),
        translate=(3, 4),
        rotate=20,
        units=("um", "um"),
        axis_labels=("y", "x"),
    )
    press_run(dock)
    _, probability, cells = viewer.layers
    assert (probability.name, cells.name) == ("discs probability", "discs cells")
    assert np.array_equal(cells.data, expect(dock))
    assert tuple(probability.contrast_limits) == (0, 1)
    for layer in (probability, cells):
        for name in SPATIAL:
            ours, theirs = getattr(layer, name), getattr(image, name)
            if name == "affine":
                ours, theirs = ours.affine_matrix, theirs.affine_matrix
            assert np.all(ours == theirs), name
    assert dock.counting.count.text() == "3 cells"


def test_the_provenance_on_the_layers_goes_into_json(viewer, dock, press_run, discs):
    image = viewer.add_image(discs, name="discs")
    press_run(dock)
    for layer in viewer.layers[1:]:
        record = json.loads(json.dumps(layer.metadata["cresunet"]))
        assert record["source"] == str(image.unique_id)
        assert record["model"] == "brightness"
    assert record["threshold"] == 0.5
    assert record["count"] == 3


def test_the_table_describes_label_i_in_row_i(viewer, dock, press_run, discs, qtbot):
    viewer.add_image(discs, scale=(0.5, 0.5), units=("um", "um"))
    press_run(dock)
    cells = viewer.layers[-1]
    qtbot.waitUntil(lambda: table_matches(cells))
    areas = np.bincount(cells.data.ravel())[1:]
    assert cells.features["area_px"][1:].tolist() == areas.tolist()
    assert cells.features["area_um2"][1:].tolist() == (areas / 4).tolist()
    assert list(cells.features["index"]) == [0, 1, 2, 3]
    assert {"mean_probability", "centroid_y", "centroid_x"} < set(cells.features)


def test_the_labels_follow_the_threshold_without_another_run(
    viewer, dock, press_run, set_threshold, discs, qtbot
):
    viewer.add_image(discs)
    press_run(dock)
    cells, result = viewer.layers[-1], dock.state.result
    set_threshold(dock, 0.7)
    assert dock.state.result is result
    assert np.array_equal(cells.data, expect(dock, threshold=0.7))
    assert (dock.counting.count.text(), dock.counting.change.text()) == (
        "2 cells",
        "\N{MINUS SIGN}1",
    )
    assert cells.metadata["cresunet"]["threshold"] == 0.7
    qtbot.waitUntil(lambda: table_matches(cells))


def test_many_slider_moves_in_a_row_make_the_labels_once(
    viewer, dock, press_run, discs, qtbot
):
    viewer.add_image(discs)
    press_run(dock)
    told, made = [], []
    viewer.layers[-1].events.data.connect(told.append)
    dock.state.labels_changed.connect(lambda: made.append(1))
    for step in range(51, 71):
        dock.tuning.threshold.setValue(step)
    qtbot.waitUntil(lambda: dock.state.result.settings.threshold == 0.7)
    assert len(made) == 1
    # Others hear of them once the slider rests.
    qtbot.waitUntil(lambda: len(told) == 1)


def test_the_smallest_cell_is_set_in_px_or_um2(viewer, dock, press_run, discs, qtbot):
    viewer.add_image(discs, scale=(0.5, 0.5), units=("um", "um"))
    press_run(dock)
    assert dock.tuning.min_size.um.value() == 50  # 200 px
    dock.tuning.min_size.um.setValue(125)
    qtbot.waitUntil(lambda: dock.state.result.settings.min_size == 500)
    assert dock.counting.count.text() == "0 cells"
    assert np.array_equal(viewer.layers[-1].data, expect(dock, min_size=500))
    dock.tuning.size_slider.setValue(100)
    assert dock.tuning.min_size.um.value() == 25


def test_running_again_updates_the_layers(viewer, dock, press_run, discs):
    image = viewer.add_image(discs, name="discs")
    press_run(dock)
    before = list(viewer.layers)
    before[2].name = "my cells"
    image.name = "other"
    image.data = discs[:, ::-1] // 2
    press_run(dock)
    assert list(viewer.layers) == before
    assert np.array_equal(before[1].data, dock.state.result.probability)
    assert np.array_equal(before[2].data, expect(dock))


def test_new_layers_are_made_when_asked_for(
    viewer, dock, press_run, set_threshold, discs
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    old = viewer.layers[2].data
    dock.advanced.new_layers.setChecked(True)
    press_run(dock)
    assert [layer.name for layer in viewer.layers[3:]] == [
        "discs probability [1]",
        "discs cells [1]",
    ]
    set_threshold(dock, 0.7)
    assert viewer.layers[2].data is old
    assert np.array_equal(viewer.layers[4].data, expect(dock, threshold=0.7))


def test_what_was_edited_by_hand_survives_the_slider(
    viewer, dock, press_run, set_threshold, discs
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    cells = viewer.layers[2]
    drawn = np.nonzero(np.ones((6, 6)))
    cells.data_setitem(drawn, 9)
    set_threshold(dock, 0.7)
    expected = expect(dock, threshold=0.7)
    expected[:6, :6] = 9
    assert np.array_equal(cells.data, expected)
    assert len(viewer.layers) == 3
    assert dock.counting.count.text() == "3 cells"
    assert dock.counting.detail.text() == "in the whole image, 1 pinned by hand"
    record = cells.metadata["cresunet"]
    assert (record["edited"], record["pinned"], record["count"]) == (True, 1, 3)


def test_what_was_edited_by_hand_survives_another_run(viewer, dock, press_run, discs):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    cells = viewer.layers[2]
    deleted = cells.data == 2
    cells.data_setitem(np.nonzero(deleted), 0)
    assert dock.counting.count.text() == "2 cells"
    press_run(dock)
    assert len(viewer.layers) == 3
    assert not cells.data[deleted].any()
    assert dock.counting.count.text() == "2 cells"


def test_the_count_follows_the_brush_and_undo(viewer, dock, press_run, discs):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    cells = viewer.layers[2]
    cells.fill((30, 30), 0)
    assert dock.counting.count.text() == "2 cells"
    cells.undo()
    assert dock.counting.count.text() == "3 cells"
    assert dock.counting.detail.text() == "in the whole image"
    assert not cells.metadata["cresunet"]["edited"]


def test_the_table_of_cells_follows_the_brush(viewer, dock, press_run, discs, qtbot):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    cells = viewer.layers[2]
    qtbot.waitUntil(lambda: len(cells.features) == 4)
    cells.fill((30, 30), 0)
    qtbot.waitUntil(lambda: len(cells.features) == 3)
    assert cells.features["index"].tolist() == [0, 2, 3]


def paint_corner(cells):
    cells.data_setitem(np.nonzero(np.ones((6, 6))), 9)


def paint_stroke(cells):
    # Only the end of a stroke is told by `paint`.
    cells.mode = "paint"
    paint_corner(cells)


def write_corner(cells):
    cells.data[:6, :6] = 9
    cells.refresh()


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("act", [paint_corner, paint_stroke, write_corner, Labels.undo])
def test_what_a_person_does_while_labels_are_made_in_a_thread_is_kept(
    viewer, dock, press_run, discs, qtbot, monkeypatch, act, is_large
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    cells = viewer.layers[2]
    if act is Labels.undo:
        paint_corner(cells)
    monkeypatch.setattr("napari_cresunet.state._run.LARGE", 0)
    if is_large:
        monkeypatch.setattr("napari_cresunet.widgets._corrections._QUICK", 0)
    relabel, made, painted = Result.relabel, Event(), Event()

    def relabel_and_wait(result, settings):
        relabel(result, settings)
        made.set()
        painted.wait(20)

    monkeypatch.setattr(Result, "relabel", relabel_and_wait)
    dock.tuning.threshold.setValue(70)
    qtbot.waitUntil(made.is_set)
    act(cells)
    painted.set()
    qtbot.waitUntil(lambda: not dock.runner.is_busy, timeout=20_000)
    expected = expect(dock, threshold=0.7)
    expected[:6, :6] = 0 if act is Labels.undo else 9
    assert np.array_equal(cells.data, expected)


def test_labels_that_a_script_replaced_are_kept(viewer, dock, press_run, discs):
    viewer.add_image(discs)
    press_run(dock)
    edited = viewer.layers[2]
    edited.data = edited.data * 2
    press_run(dock)
    assert len(viewer.layers) == 3
    assert np.unique(edited.data).tolist() == [0, 2, 4, 6]


def test_labels_of_another_part_of_the_image_are_kept_hidden(
    viewer, dock, press_run, discs
):
    image = viewer.add_image(discs, name="discs")
    press_run(dock)
    edited = viewer.layers[2]
    edited.data_setitem(np.nonzero(np.ones((6, 6))), 9)
    image.data = np.pad(discs, 8)
    press_run(dock)
    assert edited.data[0, 0] == 9
    assert not edited.visible
    fresh = viewer.layers[3]
    assert np.array_equal(fresh.data, expect(dock, threshold=0.5))
    assert dock.running.status.text() == (
        "The labels in 'discs cells' were edited by hand, so they stay, hidden; the "
        f"new ones are in {fresh.name!r}."
    )


def test_undo_after_a_run_does_not_bring_back_other_labels(
    viewer, dock, press_run, discs
):
    viewer.add_image(discs)
    press_run(dock)
    cells = viewer.layers[2]
    cells.mode = "pick"
    press_run(dock)
    cells.undo()
    assert np.array_equal(cells.data, expect(dock))
    assert cells.mode == "pick"


def test_a_deleted_layer_of_cells_is_made_again(
    viewer, dock, press_run, set_threshold, discs
):
    viewer.add_image(discs)
    press_run(dock)
    viewer.layers.remove(viewer.layers[2])
    set_threshold(dock, 0.7)
    assert np.array_equal(viewer.layers[2].data, expect(dock, threshold=0.7))


def test_a_large_result_is_relabeled_in_the_background(
    viewer, dock, press_run, discs, qtbot, monkeypatch
):
    monkeypatch.setattr("napari_cresunet.state._run.LARGE", 1000)
    viewer.add_image(discs)
    press_run(dock)
    for step in (60, 65, 70):
        dock.tuning.threshold.setValue(step)
    cells = viewer.layers[-1]
    qtbot.waitUntil(lambda: cells.metadata["cresunet"]["threshold"] == 0.7)
    assert np.array_equal(cells.data, expect(dock, threshold=0.7))
    assert dock.counting.count.text() == "2 cells"
    qtbot.waitUntil(lambda: table_matches(cells))


def test_another_preset_counts_in_the_background_and_then_follows_the_sliders(
    viewer, dock, press_run, set_threshold, discs, qtbot
):
    viewer.add_image(discs)
    press_run(dock)
    cells = viewer.layers[-1]
    advanced = dock.advanced
    advanced.button.click()
    with qtbot.waitSignal(dock.state.labels_changed, timeout=60_000):
        advanced.preset.activated.emit(advanced.preset.findData("morelli2021"))
    assert cells.metadata["cresunet"]["preset"] == "morelli2021"
    for threshold in (None, 0.7):
        if threshold:
            set_threshold(dock, threshold)
        settings = dock.state.settings
        assert np.array_equal(
            cells.data,
            segment(
                dock.state.result.probability,
                threshold=settings.threshold,
                min_size=settings.min_size,
                preset="morelli2021",
            ),
        )
    assert settings.threshold == 0.7


def test_calibrating_moves_the_threshold_to_the_count(
    viewer, dock, press_run, discs, qtbot
):
    viewer.add_image(discs)
    press_run(dock)
    dock.calibrating.wanted.setValue(2)
    dock.calibrating.find.click()
    qtbot.waitUntil(lambda: dock.counting.count.text() == "2 cells")
    threshold = dock.state.settings.threshold
    assert dock.running.status.text() == (
        f"At threshold {threshold:.2f}, 2 cells are found in the whole image; you "
        "counted 2."
    )


def test_lines_of_other_docks_are_no_area_to_calibrate_in(viewer, dock, discs):
    viewer.add_image(discs)
    for kind in ("correction", "frame lines", "regions"):
        viewer.add_shapes(
            [np.eye(4, 2)], name=kind, metadata={"cresunet": {"kind": kind}}
        )
    area = dock.calibrating.area
    texts = [area.itemText(number) for number in range(area.count())]
    assert texts[-1] == "the shapes in 'regions'"
    assert not any("correction" in text or "lines" in text for text in texts)


def test_calibrating_counts_in_the_shapes(viewer, dock, press_run, discs, qtbot):
    viewer.add_image(discs)
    press_run(dock)
    corners = np.array([[50, 40], [50, 80], [90, 80], [90, 40]])
    shapes = viewer.add_shapes([corners], name="region")
    area = dock.calibrating.area
    area.setCurrentIndex(area.findData(str(shapes.unique_id)))
    assert area.currentText() == "the shapes in 'region'"
    dock.calibrating.find.click()
    qtbot.waitUntil(lambda: "in the shapes in 'region'" in dock.state.notice)
    assert "0 cells are found" in dock.state.notice


def test_the_stable_threshold_is_taken_by_a_button(
    viewer, dock, press_run, discs, qtbot
):
    viewer.add_image(discs)
    press_run(dock)
    stable = dock.state.curve.stable_threshold
    dock.tuning.stable.click()
    assert dock.tuning.threshold_spin.value() == stable
    qtbot.waitUntil(lambda: dock.state.result.settings.threshold == stable)

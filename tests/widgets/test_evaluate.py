"""The dock Evaluate: real layers, clicks and keys."""

import re

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_cresunet.evaluation import KINDS, evaluate, sweep
from napari_cresunet.export import KIND_COLORS
from napari_cresunet.segmentation import segment
from napari_cresunet.state import FIGURE, REPORT, TABLES
from napari_cresunet.widgets.segment_and_count import SegmentAndCount

pytestmark = pytest.mark.gui

PLUGIN = "napari-cresunet"


def squares(*corners, side=8):
    labels = np.zeros((96, 128), np.int32)
    for number, (row, column) in enumerate(corners, start=1):
        labels[row : row + side, column : column + side] = number
    return labels


TRUTH = squares((10, 10), (10, 18), (40, 60), (70, 100))
"""Four cells, the first two of which touch."""


@pytest.fixture
def cells():
    """One prediction on the first two cells, one on the third, one on nothing."""
    labels = squares((10, 10), (40, 60), (80, 10))
    labels[10:18, 10:26] = 1
    return labels


@pytest.fixture
def evaluate_dock(viewer, qtbot):
    """The dock on a viewer without a window."""
    from napari_cresunet.widgets.evaluate import Evaluate

    dock = Evaluate(viewer)
    qtbot.addWidget(dock)
    for name in ("inserted", "removed", "reordered", "renamed"):  # as a window does
        getattr(viewer.layers.events, name).connect(dock.reset_choices)
    yield dock
    dock.runner.shut_down()


@pytest.fixture
def settled(qtbot):
    """Wait until scores and curves are those of the layers as they are now."""

    def wait(dock):
        qtbot.waitUntil(
            lambda: dock.state.study is not None and not dock.runner.is_busy,
            timeout=30_000,
        )
        return dock.state.judgment

    return wait


@pytest.fixture
def judged_anew(qtbot):
    """Do something, and wait until the scores have followed."""

    def do(dock, change):
        known = dock.state.judgment
        change()
        qtbot.waitUntil(lambda: dock.state.judgment is not known, timeout=30_000)
        return dock.state.judgment

    return do


@pytest.fixture
def compared(viewer, evaluate_dock, cells, settled):
    """The dock with layers that are compared."""
    viewer.add_image(TRUTH.astype(np.uint8) * 50, name="slice")
    viewer.add_labels(TRUTH.copy(), name="truth")
    viewer.add_labels(cells, name="cells")
    settled(evaluate_dock)
    return evaluate_dock


def press(viewer, key):
    """Do what a key does in the canvas."""
    (action,) = [do for known, do in viewer.keymap.items() if str(known) == key]
    action(viewer)


def layer_names(viewer):
    return [layer.name for layer in viewer.layers]


# Choosing


def test_labels_and_truth_are_found_by_themselves(viewer, compared):
    assert compared.pair.prediction.currentText() == "cells"
    assert compared.pair.truth.currentText() == "truth"
    scores = compared.state.scores
    assert (scores.tp, scores.fp, scores.fn) == (2, 1, 2)
    assert compared.headline.f1.text() == "F1 0.571"


def test_with_a_truth_alone_nothing_is_compared(viewer, evaluate_dock):
    viewer.add_labels(TRUTH, name="slice truth")
    assert evaluate_dock.state.pair[0] == ""
    assert "press Run in Segment and count" in evaluate_dock.headline.detail.text()


def test_points_are_a_truth_where_they_are_seen(viewer, evaluate_dock, cells, settled):
    layer = viewer.add_labels(cells, name="cells", scale=(0.5, 0.5))
    viewer.add_points(
        [[7.0, 9.0], [22.0, 32.0]], name="dots by hand", scale=(1, 1), size=1
    )
    judgment = settled(evaluate_dock)
    np.testing.assert_allclose(judgment.comparison.true.centers, [[14, 18], [44, 64]])
    assert (judgment.scores[0].tp, judgment.scores[0].fp) == (2, 1)
    assert layer.name == "cells"


def test_a_mask_that_napari_opened_as_an_image_is_a_truth(
    viewer, evaluate_dock, cells, settled
):
    viewer.add_labels(cells, name="cells")
    viewer.add_image((TRUTH > 0).astype(np.uint8) * 255, name="mask")
    judgment = settled(evaluate_dock)
    assert len(judgment.comparison.true) == 3
    assert "The truth is a mask" in evaluate_dock.headline.notice.text()


def test_the_truth_is_cut_to_the_field_of_view(viewer, evaluate_dock, cells, settled):
    viewer.add_labels(TRUTH, name="truth")
    viewer.add_labels(cells[30:80, 50:120], name="cells", translate=(30, 50))
    judgment = settled(evaluate_dock)
    assert (judgment.scores[0].tp, judgment.scores[0].fn) == (1, 1)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (
            "labels",
            (
                "Labels and truth differ in shape: (96, 128) and (5, 6); take the "
                "truth of this image."
            ),
        ),
        (
            "far points",
            (
                "The truth has 1 of 1 points outside of the image of 96 x 128 px: give "
                "them in px, the row before the column."
            ),
        ),
        (
            "deep points",
            (
                "The points in 'truth' have 3 coordinates, but 'cells' has 2 axes: "
                "mark the cells in a points layer made on this image."
            ),
        ),
    ],
)
def test_what_cannot_be_compared_is_said_in_the_dock(
    viewer, evaluate_dock, cells, qtbot, truth, message
):
    viewer.add_labels(cells, name="cells")
    if truth == "labels":
        viewer.add_labels(np.ones((5, 6), int), name="truth")
    else:
        point = [900.0, 3.0] if truth == "far points" else [0.0, 3.0, 3.0]
        viewer.add_points([point], name="truth")
    qtbot.waitUntil(lambda: evaluate_dock.state.is_failure)
    assert evaluate_dock.state.notice == message
    assert message in evaluate_dock.headline.notice.text()
    assert "cells evaluation" not in layer_names(viewer)


def test_the_distance_follows_the_diameter_and_the_user(viewer, evaluate_dock, cells):
    image = np.zeros(cells.shape, np.uint8)
    viewer.add_image(image, name="a", metadata={"cresunet": {"diameter": 7.3}})
    viewer.add_labels(TRUTH, name="truth")
    viewer.add_labels(cells, name="cells")
    assert evaluate_dock.state.rule.max_distance == 8
    assert evaluate_dock.pair.distance.px.value() == 8
    evaluate_dock.pair.distance.px.setValue(3)
    assert evaluate_dock.state.rule.max_distance == 3


def test_the_distance_is_in_micrometers_too_where_the_image_has_units(
    viewer, evaluate_dock, cells
):
    spatial = {"scale": (0.5, 0.5), "units": ("um", "um")}
    viewer.add_image(np.zeros(cells.shape, np.uint8), name="a", **spatial)
    viewer.add_labels(TRUTH, name="truth", **spatial)
    viewer.add_labels(cells, name="cells", **spatial)
    assert not evaluate_dock.pair.distance.um.isHidden()
    assert evaluate_dock.pair.distance.um.value() == 20


# Following


def test_scores_follow_a_hand_edit_and_its_undo(viewer, compared, judged_anew):
    layer = viewer.layers["cells"]

    def erase():
        layer.fill((84, 14), 0)

    assert judged_anew(compared, erase).scores[0].fp == 0
    assert judged_anew(compared, layer.undo).scores[0].fp == 1
    assert compared.state.counts_of_kinds["false positive"] == 1


def test_scores_follow_a_brush_stroke_in_the_truth(viewer, compared, judged_anew):
    layer = viewer.layers["truth"]
    layer.brush_size = 8
    judgment = judged_anew(compared, lambda: layer.paint((84, 14), 9))
    assert judgment.scores[0].true_count == 5
    assert judgment.scores[0].fp == 0


def test_scores_follow_a_point_that_is_added(
    viewer, evaluate_dock, cells, settled, judged_anew
):
    viewer.add_labels(cells, name="cells")
    points = viewer.add_points([[14.0, 18.0]], name="truth")
    assert settled(evaluate_dock).scores[0].tp == 1
    judgment = judged_anew(evaluate_dock, lambda: points.add([44.0, 64.0]))
    assert judgment.scores[0].tp == 2


def test_layers_that_go_take_their_scores_along(viewer, compared):
    viewer.layers.remove(viewer.layers["truth"])
    assert compared.state.judgment is None
    assert layer_names(viewer) == ["slice", "cells"]


def test_another_rule_is_used_at_once(compared, judged_anew):
    changed = judged_anew(
        compared, lambda: compared.matching.center.chosen.emit("centroid")
    )
    assert changed.comparison.rule.center == "centroid"


# Drawing


def test_every_outline_has_the_color_of_its_kind(viewer, compared):
    layer = viewer.layers["cells evaluation"]
    from napari.utils.colormaps.standardize_color import transform_color

    for place, kind in (
        ((10, 10), "merged"),
        ((40, 60), "hit"),
        ((80, 10), "false positive"),
        ((70, 100), "missed"),
    ):
        color = layer.get_color(layer.data[place])
        np.testing.assert_allclose(color, transform_color(KIND_COLORS[kind])[0])


def test_a_kind_is_switched_off_in_outlines_marks_and_list(viewer, compared, qtbot):
    box = compared.legend.boxes["missed"]
    place = QPoint(8, box.height() // 2)
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=place)
    assert not box.isChecked()
    layer = viewer.layers["cells evaluation"]
    assert layer.get_color(layer.data[70, 100])[3] == 0
    assert layer.get_color(layer.data[40, 60])[3] == 1
    assert len(viewer.layers["cells failures"].data) == 2
    assert len(compared.walk.spots) == 2
    assert compared.legend.counts["missed"].text() == "1"


def test_marks_have_a_symbol_for_each_kind(viewer, compared):
    marks = viewer.layers["cells failures"]
    symbols = [str(symbol.value) for symbol in marks.symbol]
    assert symbols == ["square", "ring", "x"]
    np.testing.assert_allclose(marks.data, [[13.5, 17.5], [73.5, 103.5], [83.5, 13.5]])


def test_the_drawing_can_be_switched_off_and_on_again(viewer, compared):
    compared.legend.drawn.setChecked(False)
    assert layer_names(viewer) == ["slice", "truth", "cells"]
    compared.legend.drawn.setChecked(True)
    assert layer_names(viewer)[3:] == ["cells evaluation", "cells failures"]


def test_the_brush_stays_in_the_users_hand(viewer, compared, judged_anew):
    viewer.layers.selection.active = viewer.layers["cells"]
    layer = viewer.layers["cells"]
    judged_anew(compared, lambda: layer.fill((84, 14), 0))
    assert viewer.layers.selection.active is layer


def test_a_drawing_that_the_user_deletes_comes_back_with_the_next_change(
    viewer, compared, judged_anew
):
    viewer.layers.remove(viewer.layers["cells failures"])
    viewer.layers.remove(viewer.layers["cells evaluation"])
    layer = viewer.layers["cells"]
    judged_anew(compared, lambda: layer.fill((84, 14), 0))
    assert "cells evaluation" in layer_names(viewer)


def test_stacks_are_judged_and_drawn_plane_by_plane(
    viewer, evaluate_dock, cells, settled
):
    viewer.add_labels(np.stack([TRUTH, TRUTH]), name="truth")
    viewer.add_labels(np.stack([cells, np.zeros_like(cells)]), name="cells")
    judgment = settled(evaluate_dock)
    assert [one.fn for one in judgment.scores] == [2, 4]
    evaluate_dock.walk.step(-1)
    assert viewer.dims.current_step[0] == 1
    assert viewer.layers["cells failures"].data.shape[1] == 3


# Walking


def test_keys_and_buttons_lead_from_failure_to_failure(viewer, compared):
    compared.walk.step(1)
    assert compared.walk.place.text() == "1 of 3"
    assert viewer.scene.camera.center[-2:] == (13.5, 17.5)
    compared.walk.step(-1)
    assert viewer.scene.camera.center[-2:] == (83.5, 13.5)
    assert compared.walk.place.text() == "3 of 3"
    press(viewer, "N")
    assert compared.walk.place.text() == "1 of 3"


def test_the_walk_stays_near_where_it_was_when_failures_go(
    viewer, compared, judged_anew
):
    compared.walk.step(-1)  # to the last one, the false positive
    compared.walk.step(-1)  # the missed one
    assert compared.walk.spots[compared.walk.current].text.startswith("Missed")
    layer = viewer.layers["cells"]
    judged_anew(compared, lambda: layer.fill((84, 14), 0))
    assert compared.walk.spots[compared.walk.current].text.startswith("Missed")


# Thresholds


@pytest.fixture
def counted(viewer, dock, evaluate_dock, discs, press_run, set_threshold, settled):
    """Discs that Segment and count has counted but for the dim one, and their truth."""
    viewer.add_image(discs, name="discs")
    truth = segment(discs / 255.0, threshold=0.2, min_size=20)
    press_run(dock)
    set_threshold(dock, 0.9)
    viewer.add_labels(truth, name="truth")
    settled(evaluate_dock)
    return dock, evaluate_dock


def test_the_curves_are_those_of_a_sweep(viewer, counted):
    dock, evaluation = counted
    result = dock.state.result
    chosen = result.settings
    rows = sweep(
        [result.probability],
        [viewer.layers["truth"].data],
        thresholds=(0.3, 0.5),
        min_sizes=(chosen.min_size,),
        rule=evaluation.state.rule,
        segmentation={"preset": chosen.preset, "min_distance": chosen.min_distance},
    )
    curve = evaluation.plots.thresholds.curves["f1"]
    at, values = curve.getData()
    for row in rows:
        place = np.flatnonzero(np.isclose(at, row.threshold))
        assert values[place] == pytest.approx(row.scores.f1)
    assert evaluation.plots.thresholds.line.value() == chosen.threshold


def test_the_scores_follow_the_slider_of_segment_and_count(
    viewer, counted, set_threshold, judged_anew
):
    dock, evaluation = counted
    before = evaluation.state.scores
    judged_anew(evaluation, lambda: set_threshold(dock, 0.1))
    assert evaluation.state.threshold == 0.1
    truth, labels = viewer.layers["truth"].data, dock.state.result.labels
    expected = evaluate(labels, truth, max_distance=evaluation.state.rule.max_distance)
    assert evaluation.state.scores.tp == expected.tp
    assert before.tp != expected.tp


def test_a_click_into_the_curve_moves_the_slider(counted, qtbot, judged_anew):
    dock, evaluation = counted
    judged_anew(evaluation, lambda: evaluation.plots.threshold_wanted.emit(0.123))
    assert dock.state.settings.threshold == 0.12
    assert evaluation.state.threshold == 0.12


def test_the_best_threshold_is_one_click_away(counted, qtbot, judged_anew):
    dock, evaluation = counted
    best = evaluation.state.best
    assert best.scores.f1 == 1.0
    assert f"{best.threshold:.2f}" in evaluation.best.text()
    judged_anew(evaluation, evaluation.best.click)
    assert dock.state.settings.threshold == best.threshold
    assert evaluation.headline.f1.text() == "F1 1.000"


def test_the_threshold_is_set_even_when_segment_and_count_is_closed(
    viewer, counted, judged_anew
):
    dock, evaluation = counted
    dock.runner.shut_down()
    judged_anew(evaluation, evaluation.best.click)
    layer = viewer.layers["discs cells"]
    record = layer.metadata["cresunet"]
    assert record["threshold"] == evaluation.state.best.threshold
    assert record["count"] == layer.data.max() == 3
    assert not record["edited"]


def test_what_was_edited_by_hand_survives_another_threshold(
    viewer, counted, judged_anew
):
    dock, evaluation = counted
    layer = viewer.layers["discs cells"]
    judged_anew(evaluation, lambda: layer.fill((30, 30), 0))
    judged_anew(evaluation, lambda: evaluation.runner.use_threshold(0.1))
    assert dock.state.settings.threshold == 0.1
    assert layer.data[30, 30] == 0
    assert layer.data[70, 60] > 0


def test_edited_labels_wait_for_segment_and_count_if_it_is_closed(
    viewer, counted, judged_anew
):
    dock, evaluation = counted
    layer = viewer.layers["discs cells"]
    judged_anew(evaluation, lambda: layer.fill((30, 30), 0))
    dock.runner.shut_down()
    edited = layer.data.copy()
    evaluation.runner.use_threshold(0.1)
    assert evaluation.state.notice == (
        "The labels in 'discs cells' were edited by hand: open Segment and count for "
        "another threshold; what was edited stays."
    )
    np.testing.assert_array_equal(layer.data, edited)


def test_a_click_on_another_distance_is_taken(compared, judged_anew):
    judged_anew(compared, lambda: compared.plots.distance_wanted.emit(2.04))
    assert compared.state.rule.max_distance == 2.0


# Saving


def test_tables_figure_and_report_are_written(compared, tmp_path, qtbot):
    for kind, name in ((TABLES, "a.csv"), (FIGURE, "a.svg"), (REPORT, "a.html")):
        compared.saving.save(kind, tmp_path / name)
        qtbot.waitUntil(
            lambda: compared.state.notice.startswith("Saved"), timeout=30_000
        )
        compared.state.tell("")
    names = sorted(path.name for path in tmp_path.glob("a*"))
    assert names == ["a.csv", "a.html", "a.svg", "a_cases.csv"]
    assert "slice" not in (tmp_path / "a.csv").read_text().splitlines()[0]


def test_a_file_that_cannot_be_written_is_told(compared, tmp_path, qtbot):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    compared.saving.save(TABLES, blocked / "a.csv")
    qtbot.waitUntil(lambda: compared.state.is_failure, timeout=30_000)
    assert re.fullmatch(
        rf"{re.escape(str(blocked / 'a.csv'))} cannot be written \(.*\): choose "
        r"another folder or free some space\.",
        compared.state.notice,
    )


def test_the_gallery_shows_all_failures_and_leads_to_them(viewer, compared, qtbot):
    compared.saving.show_all.click()
    gallery = compared.saving.gallery
    qtbot.waitUntil(lambda: gallery.list.count() == 3, timeout=30_000)
    texts = [gallery.list.item(number).text() for number in range(3)]
    assert texts == ["merged", "missed", "false positive"]
    gallery.list.itemClicked.emit(gallery.list.item(1))
    assert viewer.scene.camera.center[-2:] == (73.5, 103.5)
    gallery.close()


def test_the_truth_is_read_from_a_file(viewer, evaluate_dock, cells, tmp_path, settled):
    viewer.add_labels(cells, name="cells")
    path = tmp_path / "slice.csv"
    path.write_text("y,x\n14,18\n44,64\n")
    evaluate_dock.saving.read_truth(path)
    judgment = settled(evaluate_dock)
    assert judgment.pair.truth_name == "slice.csv"
    assert judgment.scores[0].tp == 2


def test_an_unreadable_truth_is_told_by_its_name(
    viewer, evaluate_dock, cells, tmp_path
):
    viewer.add_labels(cells, name="cells")
    path = tmp_path / "broken.json"
    path.write_text("{")
    evaluate_dock.saving.read_truth(path)
    assert evaluate_dock.state.is_failure
    assert str(path) in evaluate_dock.state.notice


def test_scores_can_be_copied(compared, qtbot):
    compared.scores.button.setChecked(True)
    qtbot.keyClick(
        compared.scores.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier
    )
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "F1\t0.571"


# In a real viewer


def test_the_dock_opens_from_the_manifest_and_leaves_nothing_behind(
    make_napari_viewer_proxy, cells, settled
):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_labels(TRUTH, name="truth", visible=False)
    viewer.add_labels(cells, name="cells", visible=False)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Evaluate")
    settled(dock)
    assert layer_names(viewer)[2:] == ["cells evaluation", "cells failures"]
    viewer.fit_to_view()
    shown = viewer.screenshot(canvas_only=True, flash=False)
    wanted = np.array([0xD5, 0x5E, 0x00])  # the false positive
    assert (np.abs(shown[..., :3].astype(int) - wanted).max(axis=-1) < 40).any()
    before = viewer.scene.camera.center
    dock.walk.next.click()
    assert viewer.scene.camera.center != before
    viewer.window.remove_dock_widget(dock)
    assert layer_names(viewer) == ["truth", "cells"]
    assert viewer.keymap == {}


def test_neither_cells_nor_image_are_offered_as_their_own_truth(
    make_napari_viewer_proxy, cells, settled
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(cells.astype(np.uint16) * 100, name="gray slice")
    viewer.add_labels(TRUTH, name="truth")
    viewer.add_labels(cells, name="cells")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Evaluate")
    settled(dock)
    truth = dock.pair.truth
    assert [truth.itemText(number) for number in range(truth.count())] == ["truth"]
    viewer.window.remove_dock_widget(dock)


def test_the_dock_follows_to_the_counts_of_the_image_that_is_selected(
    make_napari_viewer_proxy, cells, settled, qtbot
):
    viewer = make_napari_viewer_proxy()
    for name in ("one", "two"):
        image = viewer.add_image(np.zeros((*cells.shape, 3), np.uint8), name=name)
        record = {"kind": "cells", "source": str(image.unique_id), "edited": True}
        viewer.add_labels(cells, name=f"{name} cells", metadata={"cresunet": record})
        viewer.add_labels(TRUTH, name=f"{name} truth")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Evaluate")
    for name in ("one", "two"):
        viewer.layers.selection.active = viewer.layers[name]
        assert dock.pair.prediction.currentText() == f"{name} cells"
    settled(dock)
    viewer.window.remove_dock_widget(dock)


def test_closing_the_viewer_while_scores_are_made_harms_nothing(
    make_napari_viewer_proxy, cells
):
    viewer = make_napari_viewer_proxy()
    viewer.add_labels(TRUTH, name="truth")
    viewer.add_labels(cells, name="cells")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Evaluate")
    viewer.layers["cells"].data = cells + 0
    viewer.window.remove_dock_widget(dock)


def test_segment_and_count_and_train_do_not_take_the_drawing_for_cells(
    viewer, compared, qtbot
):
    from napari_cresunet.widgets.train import Train

    train = Train(viewer)
    qtbot.addWidget(train)
    offered = [
        train.data.layers.labels.itemText(number)
        for number in range(train.data.layers.labels.count())
    ]
    assert offered == ["truth", "cells"]
    train.runner.shut_down()
    assert SegmentAndCount is not None
    assert len(KINDS) == 7

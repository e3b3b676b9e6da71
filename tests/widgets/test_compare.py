"""The dock Compare models: real networks whose weights are set by hand."""

import csv
import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog
from tests.state.brightness import save_brightness_model

from napari_cresunet.evaluation import disagreement, evaluate
from napari_cresunet.segmentation import segment

pytestmark = pytest.mark.gui

PLUGIN, TITLE = "napari-cresunet", "Compare models"
BRIGHT, DIM = "bright", "dim"
LAYERS = [
    *(f"{BRIGHT} probability", f"{BRIGHT} cells"),
    *(f"{DIM} probability", f"{DIM} cells"),
    "disagreement",
]


@pytest.fixture(autouse=True)
def two_models(models):
    """A model that sees the two bright discs only, and one that sees all three."""
    save_brightness_model(models, name=BRIGHT, title="Bright", middle=0.5)
    save_brightness_model(models, name=DIM, title="Dim", threshold=0.4)
    return models


@pytest.fixture
def truth(discs):
    """The bright disc on the left, the dim one, and one where nothing is."""
    labels = np.zeros(discs.shape, np.int32)
    labels[:, :64][discs[:, :64] == 200] = 1
    labels[discs == 80] = 2
    labels[80:90, 5:15] = 3
    return labels


def make_dock(viewer):
    from napari_cresunet.widgets.compare_models import CompareModels

    return CompareModels(viewer)


@pytest.fixture
def dock(viewer, qtbot):
    """The dock on a viewer without a window."""
    dock = make_dock(viewer)
    qtbot.addWidget(dock)
    for name in ("inserted", "removed", "reordered", "renamed"):  # as a window does
        getattr(viewer.layers.events, name).connect(dock.reset_choices)
    dock.state.choose(models=(BRIGHT, DIM))
    yield dock
    dock.runner.shut_down()


def is_settled(dock):
    state = dock.state
    # Labels are made in a thread, and are shown only when its job has ended.
    is_idle = not state.is_running and not dock.runner.is_busy
    return is_idle and state.score_work is None and state.findings.disagreeing is None


@pytest.fixture
def press_run(qtbot):
    """Press Run and wait for all models, and for what follows them."""

    def press(dock):
        dock.running.run.click()
        assert dock.state.is_running
        qtbot.waitUntil(lambda: is_settled(dock), timeout=60_000)

    return press


@pytest.fixture
def settle(qtbot):
    """Wait for labels, scores and disagreement to follow."""

    def wait(dock):
        qtbot.waitUntil(lambda: is_settled(dock), timeout=20_000)

    return wait


def names(viewer, *, visible=False):
    return [x.name for x in viewer.layers if x.visible or not visible]


def table_of(dock):
    """Return the table as it is shown: {model: {title: text}}."""
    model = dock.results.table.model()
    titles = [
        model.headerData(column, Qt.Orientation.Horizontal)
        for column in range(model.columnCount())
    ]
    return {
        model.headerData(line, Qt.Orientation.Vertical): {
            title: model.index(line, column).data()
            for column, title in enumerate(titles)
        }
        for line in range(model.rowCount())
    }


def click_row(dock, name):
    table = dock.results.table
    number = list(table_of(dock)).index(name)
    table.selectRow(number)


def entries(chooser):
    return [chooser.itemText(number) for number in range(chooser.count())]


# What can be chosen


def test_all_models_are_listed_and_can_be_ticked(viewer, dock):
    models = dock.choosing.models
    titles = [models.item(number).text() for number in range(models.count())]
    assert titles[-3:] == ["Bright", "Brightness", "Dim"]
    dock.choosing.none.click()
    assert dock.state.choices.models == ()
    assert not dock.running.run.isEnabled()
    viewer.add_image(np.zeros((9, 9)))
    assert dock.running.status.text() == "\N{WARNING SIGN} Tick the models to compare."
    models.item(models.count() - 1).setCheckState(Qt.CheckState.Checked)
    assert dock.state.choices.models == (DIM,)
    assert dock.running.run.isEnabled()
    dock.choosing.all.click()
    assert len(dock.state.choices.models) == models.count()
    assert dock.running.run.text() == f"Run {models.count()} models"


def test_a_new_model_appears_in_the_list(dock, two_models):
    from napari_cresunet.state import MODEL_SHELF

    save_brightness_model(two_models, name="later", title="Later")
    MODEL_SHELF.changed.emit()
    models = dock.choosing.models
    assert "Later" in [models.item(number).text() for number in range(models.count())]


def test_the_dock_stays_narrow(viewer, dock, press_run, discs, truth):
    viewer.add_image(discs, name="an image with a name that is quite long indeed")
    viewer.add_labels(truth, name="a layer with a long name that ends in truth")
    press_run(dock)
    dock.versus.button.click()
    dock.disagreement.button.click()
    assert dock.sizeHint().width() == 320
    assert dock.minimumSizeHint().width() <= 320


def test_the_truth_is_found_by_its_name_or_mark_and_can_be_turned_off(
    viewer, dock, discs, truth
):
    viewer.add_image(discs, name="discs")
    viewer.add_labels(truth, name="other")
    chooser = dock.choosing.truth
    assert (entries(chooser), chooser.currentText()) == (["none", "other"], "none")
    viewer.add_labels(truth, name="discs (truth)")
    assert chooser.currentText() == "discs (truth)"
    viewer.add_labels(truth[:9], name="small truth")  # does not fit
    assert chooser.currentText() == "discs (truth)"
    chooser.setCurrentIndex(0)
    chooser.activated.emit(0)
    assert dock.state.truth is None
    viewer.add_points([[1, 1]], metadata={"cresunet": {"truth": True}}, name="marked")
    assert chooser.currentText() == "none"  # the user said so
    two = viewer.add_image(discs, name="two")
    assert dock.state.source.identity == str(two.unique_id)
    assert chooser.currentText() == "marked"


def test_the_matching_distance_is_shown_in_px_and_micrometers(
    viewer, dock, discs, truth
):
    viewer.add_image(
        discs,
        metadata={"cresunet": {"diameter": 24.0}},
        scale=(0.5, 0.5),
        units=("um", "um"),
    )
    field = dock.choosing.distance
    assert field.isHidden()
    viewer.add_labels(truth, name="truth", scale=(0.5, 0.5), units=("um", "um"))
    assert not field.isHidden()
    assert field.px.text() == "automatic"
    field.um.setValue(5)
    assert dock.state.rule.max_distance == 10
    assert field.px.value() == 10


# A run


def test_a_run_adds_layers_where_the_image_lies(viewer, dock, press_run, discs):
    from napari_cresunet.widgets._layers import SPATIAL

    image = viewer.add_image(
        discs,
        name="discs",
        scale=(0.5, 0.25),
        translate=(3, 4),
        units=("um", "um"),
        axis_labels=("y", "x"),
    )
    press_run(dock)
    assert names(viewer) == ["discs", *LAYERS]
    assert names(viewer, visible=True) == ["discs", *LAYERS[:2]]
    assert viewer.layers.selection.active is image
    for layer in viewer.layers[1:]:
        for name in SPATIAL:
            ours, theirs = getattr(layer, name), getattr(image, name)
            if name == "affine":
                ours, theirs = ours.affine_matrix, theirs.affine_matrix
            assert np.all(ours == theirs), name
    for name, threshold in ((BRIGHT, 0.5), (DIM, 0.4)):
        probability = viewer.layers[f"{name} probability"].data
        expected = segment(
            probability, threshold=threshold, min_size=200, min_distance=18
        )
        assert np.array_equal(viewer.layers[f"{name} cells"].data, expected)
    maps = [viewer.layers[number].data for number in (1, 3)]
    assert np.array_equal(viewer.layers["disagreement"].data, disagreement(maps))
    assert dock.running.status.text() == "2 models are done."


def test_all_heatmaps_share_one_scale(viewer, dock, press_run, discs, two_models):
    viewer.add_image(discs)
    press_run(dock)
    one, other = (viewer.layers[f"{name} probability"] for name in (BRIGHT, DIM))
    assert tuple(one.contrast_limits) == tuple(other.contrast_limits) == (0, 1)
    one.contrast_limits = (0.2, 0.7)
    other.gamma = 0.5
    one.colormap = "viridis"
    assert tuple(other.contrast_limits) == (0.2, 0.7)
    assert one.gamma == 0.5
    assert other.colormap.name == "viridis"
    save_brightness_model(two_models, name="third")
    dock.state.refresh_models()
    dock.state.choose(models=("third",))
    press_run(dock)
    third = viewer.layers["third probability"]
    assert tuple(third.contrast_limits) == (0.2, 0.7)
    viewer.layers.remove(other)
    third.contrast_limits = (0, 0.5)
    assert tuple(one.contrast_limits) == (0, 0.5)
    assert tuple(other.contrast_limits) == (0.2, 0.7)


def test_the_table_has_the_numbers_of_evaluate(viewer, dock, press_run, discs, truth):
    viewer.add_image(discs)
    viewer.add_labels(truth, name="truth")
    press_run(dock)
    table = table_of(dock)
    assert list(table) == [BRIGHT, DIM]
    for name in table:
        labels = viewer.layers[f"{name} cells"].data
        scores = evaluate(labels, truth, max_distance=40)
        assert table[name]["Cells"] == str(labels.max())
        assert table[name]["F1"] == f"{scores.f1:.3f}"
        assert table[name]["Prec."] == f"{scores.precision:.3f}"
        assert table[name]["Recall"] == f"{scores.recall:.3f}"
        assert table[name]["Acc."] == f"{scores.accuracy:.3f}"
        assert table[name]["|Error|"] == f"{scores.mae:.0f}"
    assert table[BRIGHT]["MPE"] == "\N{MINUS SIGN}33.3%"
    model = dock.results.table.model()
    bold = [model.index(line, 1).data(Qt.ItemDataRole.FontRole) for line in (0, 1)]
    assert [font is not None and font.bold() for font in bold] == [False, True]


def test_clicking_a_row_shows_that_model(viewer, dock, press_run, discs):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    click_row(dock, DIM)
    assert names(viewer, visible=True) == ["discs", *LAYERS[2:4]]
    viewer.layers[0].visible = False  # by the user, who wants it so
    click_row(dock, BRIGHT)
    assert names(viewer, visible=True) == LAYERS[:2]


def test_the_table_is_sorted_by_a_click_and_keeps_the_marked_row(
    viewer, dock, press_run, discs
):
    viewer.add_image(discs)
    press_run(dock)
    click_row(dock, DIM)
    dock.results.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert list(table_of(dock)) == [DIM, BRIGHT]
    dock.state.entries_changed.emit()
    assert list(table_of(dock)) == [DIM, BRIGHT]
    assert dock.results.table.currentIndex().row() == 0
    assert dock.state.shown == DIM


def test_ctrl_c_copies_the_table(viewer, dock, press_run, discs, qtbot):
    viewer.add_image(discs)
    press_run(dock)
    qtbot.keyClick(
        dock.results.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier
    )
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "model\tcount\tthreshold\tseconds"
    assert [line.split("\t")[:3] for line in lines[1:]] == [
        [BRIGHT, "2", "0.5"],
        [DIM, "3", "0.4"],
    ]


def test_the_table_is_saved(viewer, dock, press_run, discs, tmp_path, monkeypatch):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    wanted = [tmp_path / "out" / "table", tmp_path]
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_: (str(wanted.pop(0)), "")
    )
    dock.results.save.click()
    path = tmp_path / "out" / "table.csv"
    assert dock.state.notice == f"Saved {path}."
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["image"], row["model"], row["count"]) for row in rows] == [
        ("discs", BRIGHT, "2"),
        ("discs", DIM, "3"),
    ]
    (tmp_path.with_suffix(".csv")).mkdir()  # what cannot be written says so
    dock.results.save.click()
    assert dock.state.is_failure
    assert dock.state.notice.startswith(
        f"The table cannot be written to {tmp_path}.csv ("
    )


def test_running_again_uses_the_same_layers(viewer, dock, press_run, discs):
    image = viewer.add_image(discs, name="discs")
    press_run(dock)
    before = list(viewer.layers)
    before[1].name = "mine"
    image.data = discs[:, ::-1].copy()
    press_run(dock)
    assert list(viewer.layers) == before
    results = dock.state.findings.results
    assert np.array_equal(before[1].data, results[BRIGHT].probability)
    assert np.array_equal(before[4].data, results[DIM].labels)
    maps = [results[name].probability for name in (BRIGHT, DIM)]
    assert np.array_equal(before[5].data, disagreement(maps))


def test_labels_edited_by_hand_are_kept(viewer, dock, press_run, settle, discs):
    viewer.add_image(discs)
    press_run(dock)
    edited = viewer.layers[f"{BRIGHT} cells"]
    edited.data_setitem((np.array([0]), np.array([0])), 9)
    dock.results.is_one.click()
    dock.results.threshold.setValue(0.95)
    settle(dock)
    assert edited.data[0, 0] == 9
    assert not edited.visible
    fresh = [x for x in viewer.layers if x.name.startswith(f"{BRIGHT} cells")][-1]
    assert fresh is not edited
    assert np.array_equal(fresh.data, dock.state.findings.results[BRIGHT].labels)
    assert "were edited by hand, so they stay, hidden" in dock.state.notice
    press_run(dock)
    assert edited.data[0, 0] == 9
    assert len(viewer.layers) == 7


def test_models_of_another_diameter_are_hidden(viewer, dock, press_run, discs):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    dock.choosing.diameter.px.setValue(30)
    assert dock.running.status.text() == (
        "The table is from before you changed the cell diameter: press Run."
    )
    dock.state.choose(models=(DIM,))
    press_run(dock)
    assert list(table_of(dock)) == [DIM]
    assert names(viewer, visible=True) == ["discs", *LAYERS[2:4]]


def test_gray_color_and_stacks_are_compared(viewer, dock, press_run, discs, truth):
    color = np.stack([discs, discs, discs * 0], axis=-1)
    viewer.add_image(color, name="color")
    viewer.add_labels(truth, name="color truth")
    press_run(dock)
    assert [row["Cells"] for row in table_of(dock).values()] == ["2", "3"]
    assert table_of(dock)[DIM]["Recall"] == "0.667"
    viewer.add_image(np.stack([discs, discs * 0, discs]), name="stack")
    press_run(dock)
    assert [row["Cells"] for row in table_of(dock).values()] == ["4", "6"]
    assert viewer.layers[-1].data.shape == (3, 96, 128)


# Thresholds and truth, without another run


def test_one_threshold_for_all(viewer, dock, press_run, settle, discs, truth):
    viewer.add_image(discs)
    viewer.add_labels(truth, name="truth")
    press_run(dock)
    results = dock.state.findings.results
    dock.results.is_one.click()
    dock.results.threshold.setValue(0.95)
    settle(dock)
    assert dock.state.findings.results == results
    for name, result in results.items():
        expected = segment(
            result.probability, threshold=0.95, min_size=200, min_distance=18
        )
        cells = viewer.layers[f"{name} cells"]
        assert np.array_equal(cells.data, expected)
        assert cells.metadata["cresunet"]["threshold"] == 0.95
        scores = evaluate(expected, truth)
        assert table_of(dock)[name]["F1"] == f"{scores.f1:.3f}"
    dock.results.is_one.click()
    settle(dock)
    assert [row["Thr."] for row in table_of(dock).values()] == ["0.50", "0.40"]


def test_a_truth_that_is_painted_gives_other_scores(
    viewer, dock, press_run, discs, truth, qtbot
):
    viewer.add_image(discs)
    layer = viewer.add_labels(truth, name="truth")
    press_run(dock)
    before = table_of(dock)[DIM]["F1"]
    layer.data_setitem(np.nonzero(layer.data == 3), 0)
    qtbot.waitUntil(lambda: table_of(dock)[DIM]["F1"] != before, timeout=20_000)
    labels = viewer.layers[f"{DIM} cells"].data
    assert table_of(dock)[DIM]["F1"] == f"{evaluate(labels, layer.data).f1:.3f}"
    layer.undo()
    qtbot.waitUntil(lambda: table_of(dock)[DIM]["F1"] == before, timeout=20_000)


def test_a_truth_may_come_later_and_go(viewer, dock, press_run, settle, discs):
    viewer.add_image(discs)
    press_run(dock)
    assert "F1" not in table_of(dock)[DIM]
    points = viewer.add_points([[30, 30], [70, 60]], name="truth")
    settle(dock)
    assert [row["Recall"] for row in table_of(dock).values()] == ["0.500", "1.000"]
    viewer.layers.remove(points)
    assert "F1" not in table_of(dock)[DIM]


def test_a_truth_of_another_shape_is_refused_with_both_shapes(
    viewer, dock, press_run, settle, discs, truth
):
    image = viewer.add_image(discs)
    viewer.add_labels(truth[:9, :12], name="crop")
    viewer.layers.selection.active = image
    press_run(dock)
    chooser = dock.choosing.truth
    chooser.setCurrentIndex(chooser.findText("crop"))
    chooser.activated.emit(chooser.currentIndex())
    settle(dock)
    assert dock.choosing.problem.text() == (
        "\N{WARNING SIGN} 'crop': Labels and truth differ in shape: (96, 128) and "
        "(9, 12); take the truth of this image."
    )
    assert "F1" not in table_of(dock)[DIM]


# Side by side


def look_of(viewer):
    """Return all that must be as it was."""
    grid, camera = viewer.canvas.grid, viewer.scene.camera
    return (
        [
            (
                *(layer.name, layer.visible, layer.opacity, layer.blending),
                getattr(layer, "contour", None),
                layer.name_overlay.visible,
                layer.name_overlay.font_size,
            )
            for layer in viewer.layers
        ],
        (grid.enabled, grid.stride, grid.shape, grid.spacing),
        (camera.zoom, tuple(camera.center)),
    )


def cells_of_the_grid(viewer):
    """Return the names of visible layers, cell by cell."""
    boxes = viewer.canvas.grid.iter_viewboxes(viewer.layers)
    return [
        [viewer.layers[number].name for number in numbers]
        for _, numbers in boxes
        if numbers
    ]


@pytest.mark.parametrize("has_truth", [True, False])
@pytest.mark.parametrize("n_before", [0, 1])
def test_each_model_has_a_cell_of_its_own_and_all_comes_back(
    viewer, dock, press_run, discs, truth, has_truth, n_before
):
    for number in range(n_before):
        viewer.add_image(discs, name=f"before {number}", visible=number > 0)
    image = viewer.add_image(discs, name="discs")
    if has_truth:
        viewer.add_labels(truth, name="truth", visible=False, opacity=0.3)
    press_run(dock)
    viewer.add_shapes(name="after")
    viewer.layers.selection.active = image
    click_row(dock, DIM)
    viewer.scene.camera.zoom = 20
    before = look_of(viewer)
    dock.results.side_by_side.click()
    first = ["discs", "truth"] if has_truth else ["discs"]
    assert cells_of_the_grid(viewer) == [first, LAYERS[:2], LAYERS[2:4]]
    assert viewer.scene.camera.zoom < 20
    click_row(dock, BRIGHT)
    assert cells_of_the_grid(viewer) == [first, LAYERS[:2], LAYERS[2:4]]
    click_row(dock, DIM)
    dock.results.side_by_side.click()
    assert look_of(viewer) == before


def test_without_anything_to_fill_the_grid_the_image_comes_last(
    viewer, dock, press_run, discs
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    viewer.layers.remove("disagreement")
    dock.results.side_by_side.click()
    assert cells_of_the_grid(viewer) == [LAYERS[:2], LAYERS[2:4], ["discs"]]


def test_a_model_without_outlines_still_has_a_cell_of_its_own(
    viewer, dock, press_run, discs
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    viewer.layers.remove(f"{BRIGHT} cells")
    dock.results.side_by_side.click()
    assert cells_of_the_grid(viewer) == [
        ["discs"],
        LAYERS[2:4],
        [f"{BRIGHT} probability"],
    ]


def test_where_the_user_moved_to_stays_in_the_middle(viewer, dock, press_run, discs):
    viewer.add_image(discs)
    press_run(dock)
    zoom = viewer.scene.camera.zoom
    dock.results.side_by_side.click()
    viewer.scene.camera.center = (0, 20, 30)
    viewer.scene.camera.zoom *= 3
    dock.results.side_by_side.click()
    assert tuple(viewer.scene.camera.center) == (0, 20, 30)
    assert viewer.scene.camera.zoom == pytest.approx(3 * zoom)


def test_a_model_that_is_run_while_they_are_side_by_side_joins_them(
    viewer, dock, press_run, discs
):
    viewer.add_image(discs, name="discs")
    dock.state.choose(models=(BRIGHT,))
    press_run(dock)
    before = look_of(viewer)
    dock.results.side_by_side.click()
    dock.state.choose(models=(DIM,))
    press_run(dock)
    boxes = cells_of_the_grid(viewer)
    assert sorted(boxes) == sorted([["discs"], LAYERS[:2], LAYERS[2:4]])
    dock.results.side_by_side.click()
    assert look_of(viewer)[1:] == before[1:]
    assert names(viewer, visible=True) == ["discs", *LAYERS[:2]]


# Walking


def test_the_strongest_disagreement_is_walked_through(viewer, dock, press_run, discs):
    viewer.add_image(discs, name="discs", scale=(2, 2))
    press_run(dock)
    dock.disagreement.button.click()
    walk = dock.disagreement.walk
    assert walk.spots[0].text.endswith("bright")
    walk.next.click()
    row, column = (2 * x for x in (walk.spots[0].row, walk.spots[0].column))
    assert tuple(viewer.scene.camera.center)[1:] == (row, column)
    assert np.hypot(row - 140, column - 120) < 24  # the dim disc
    assert names(viewer, visible=True) == ["discs", "disagreement"]
    click_row(dock, DIM)
    assert names(viewer, visible=True) == ["discs", *LAYERS[2:4]]


def test_without_a_truth_it_says_that_one_is_needed(viewer, dock, press_run, discs):
    viewer.add_image(discs)
    press_run(dock)
    part = dock.versus
    part.button.click()
    assert part.hint.text() == "Run models, and choose a truth: it tells who is right."
    assert not part.hint.isHidden()
    assert part.walk.isHidden()


def test_where_one_is_right_and_the_other_wrong_is_walked_through(
    viewer, dock, press_run, settle, discs, truth
):
    viewer.add_image(np.stack([discs * 0, discs]), name="stack")
    viewer.add_labels(np.stack([truth * 0, truth]), name="truth")
    press_run(dock)
    viewer.dims.set_current_step(0, 0)
    part = dock.versus
    part.button.click()
    assert (part.first.currentText(), part.second.currentText()) == (DIM, BRIGHT)
    assert [spot.text for spot in part.walk.spots] == ["missed by bright"]
    part.walk.next.click()
    assert viewer.dims.current_step[0] == 1
    assert tuple(viewer.scene.camera.center)[1:] == (70, 60)
    assert dock.state.shown == BRIGHT
    part.swap.click()
    assert (part.first.currentText(), part.second.currentText()) == (BRIGHT, DIM)
    assert part.walk.spots == []
    part.second.activated.emit(part.second.findText(BRIGHT))
    assert (part.first.currentText(), part.second.currentText()) == (DIM, BRIGHT)


# Bad days


def test_cancel_keeps_what_is_done(viewer, dock, qtbot, discs, settle):
    viewer.add_image(np.tile(discs, (2, 2)), name="discs")
    dock.state.choose(tile=32)
    dock.running.run.click()
    qtbot.waitUntil(lambda: len(dock.state.entries) == 1, timeout=60_000)
    assert dock.running.bar.value() >= dock.running.bar.maximum() / 2
    dock.running.cancel.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=10_000)
    settle(dock)
    assert names(viewer) == ["discs", *LAYERS[:2]]
    assert list(table_of(dock)) == [BRIGHT]
    assert dock.running.status.text() == (
        "Cancelled; 1 of 2 models are done, and stay."
    )
    assert dock.running.run.isEnabled()


def test_a_model_that_fails_is_a_row_with_its_reason(
    viewer, dock, press_run, discs, two_models
):
    (two_models / f"{BRIGHT}.safetensors").write_bytes(b"no weights")
    viewer.add_image(discs, name="discs")
    press_run(dock)
    assert [row["Cells"] for row in table_of(dock).values()] == ["failed", "3"]
    assert dock.results.problems.text().startswith(
        f"\N{WARNING SIGN} <b>{BRIGHT}</b>: "
    )
    assert names(viewer, visible=True) == ["discs", *LAYERS[2:4]]


def test_when_all_fail_the_reason_is_said(viewer, dock, press_run):
    viewer.add_image(np.full((20, 20), np.nan, np.float32))
    press_run(dock)
    assert dock.running.status.text() == (
        "\N{WARNING SIGN} The image has only NaN or infinite values: check how it was "
        "made."
    )
    assert len(viewer.layers) == 1
    assert not dock.results.side_by_side.isEnabled()


def test_a_deleted_image_stops_the_run(viewer, dock, qtbot, discs):
    image = viewer.add_image(np.tile(discs, (2, 2)), name="discs")
    dock.state.choose(tile=32)
    dock.running.run.click()
    qtbot.waitUntil(lambda: len(dock.state.entries) == 1, timeout=60_000)
    viewer.layers.remove(image)
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=10_000)
    assert names(viewer) == LAYERS[:2]
    assert dock.state.notice == (
        "The image 'discs' was deleted; 1 of 2 models are done, and stay."
    )
    assert table_of(dock) == {}
    assert not dock.running.run.isEnabled()


def test_layers_that_were_deleted_are_made_again(
    viewer, dock, press_run, settle, discs
):
    viewer.add_image(discs, name="discs")
    press_run(dock)
    for name in LAYERS:
        viewer.layers.remove(name)
    click_row(dock, DIM)
    dock.results.is_one.click()
    dock.results.threshold.setValue(0.95)
    settle(dock)
    assert names(viewer) == ["discs", f"{BRIGHT} cells", f"{DIM} cells"]
    press_run(dock)
    assert set(names(viewer)) == {"discs", *LAYERS}


def test_each_image_has_its_own_table(viewer, dock, press_run, discs):
    one = viewer.add_image(discs, name="one")
    press_run(dock)
    two = viewer.add_image(discs, name="two")
    assert table_of(dock) == {}
    viewer.layers.selection.active = viewer.layers[f"{DIM} cells"]
    assert dock.state.source.name == "one"
    assert list(table_of(dock)) == [BRIGHT, DIM]
    viewer.layers.selection.active = two
    viewer.layers.remove(one)
    assert table_of(dock) == {}


def test_opening_the_dock_imports_neither_torch_nor_scikit_image():
    # napari itself imports parts of scikit-image, so only what is new counts.
    code = (
        "import sys\n"
        "from napari.components import ViewerModel\n"
        "from napari.layers import Image, Labels, Points, Shapes\n"
        "from qtpy.QtWidgets import QApplication\n"
        "app, viewer = QApplication([]), ViewerModel()\n"
        "before = set(sys.modules)\n"
        "from napari_cresunet.widgets.compare_models import CompareModels\n"
        "dock = CompareModels(viewer)\n"
        "new = set(sys.modules) - before\n"
        "heavy = [x for x in new if x.split('.')[0] in ('torch', 'skimage', 'h5py')]\n"
        "sys.exit(' '.join(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.stderr.strip() == ""


# In a real viewer


def open_dock(viewer):
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    dock.state.choose(models=(BRIGHT, DIM))
    return dock


def close_dock(viewer, dock):
    viewer.window.remove_dock_widget(dock)


def keys_of(viewer):
    return {str(key): function for key, function in viewer.keymap.items()}


def test_from_the_menu_to_the_place_of_the_strongest_disagreement(
    make_napari_viewer_proxy, press_run, discs, truth, qtbot
):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(discs, name="discs")
    viewer.add_labels(truth, name="discs truth", visible=False)
    dock = open_dock(viewer)
    press_run(dock)
    assert names(viewer) == ["discs", "discs truth", *LAYERS]
    for name, row in table_of(dock).items():
        scores = evaluate(viewer.layers[f"{name} cells"].data, truth)
        assert (row["F1"], row["Acc."]) == (
            f"{scores.f1:.3f}",
            f"{scores.accuracy:.3f}",
        )

    before = look_of(viewer)
    dock.results.side_by_side.click()
    qtbot.wait(50)
    assert cells_of_the_grid(viewer) == [
        ["discs", "discs truth"],
        LAYERS[:2],
        LAYERS[2:4],
    ]
    dock.results.side_by_side.click()
    qtbot.wait(50)
    assert look_of(viewer) == before

    dock.disagreement.button.click()
    keys_of(viewer)["N"](viewer)
    spot = dock.disagreement.walk.spots[0]
    assert tuple(viewer.scene.camera.center)[1:] == (spot.row, spot.column)
    dock.versus.button.click()  # the walk that was opened last has the keys
    keys_of(viewer)["N"](viewer)
    assert tuple(viewer.scene.camera.center)[1:] == (70, 60)
    close_dock(viewer, dock)
    assert "N" not in keys_of(viewer)


def test_closing_the_dock_brings_the_view_back(
    make_napari_viewer_proxy, press_run, discs
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(discs)
    dock = open_dock(viewer)
    press_run(dock)
    before = look_of(viewer)
    dock.results.side_by_side.click()
    assert viewer.canvas.grid.enabled
    close_dock(viewer, dock)
    assert look_of(viewer) == before


def test_cancel_in_the_middle_in_a_real_viewer(
    make_napari_viewer, qtbot, settle, discs
):
    viewer = make_napari_viewer()
    viewer.add_image(np.tile(discs, (2, 2)), name="discs")
    dock = make_dock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.state.choose(models=(BRIGHT, DIM), tile=32)
    dock.running.run.click()
    qtbot.waitUntil(lambda: len(dock.state.entries) == 1, timeout=60_000)
    dock.running.cancel.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=10_000)
    settle(dock)
    assert names(viewer) == ["discs", *LAYERS[:2]]
    close_dock(viewer, dock)


@pytest.mark.parametrize("what", ["dock", "viewer"])
def test_closing_stops_the_run(make_napari_viewer, qtbot, discs, what):
    viewer = make_napari_viewer()
    viewer.add_image(np.tile(discs, (2, 2)))
    dock = open_dock(viewer)
    dock.state.choose(tile=32)
    dock.running.run.click()
    qtbot.waitUntil(lambda: dock.state.progress.done > 0, timeout=60_000)
    if what == "dock":
        close_dock(viewer, dock)
    else:
        viewer.close()
    from napari_cresunet.widgets._job import _ALIVE

    qtbot.waitUntil(lambda: not _ALIVE, timeout=10_000)


def test_a_dock_that_was_closed_is_collected(
    make_napari_viewer_proxy, press_run, discs, truth, qtbot
):
    viewer = make_napari_viewer_proxy()
    layer = viewer.add_image(discs)
    viewer.add_labels(truth, name="truth")
    dock = open_dock(viewer)
    press_run(dock)
    dock.versus.button.click()
    dock.versus.walk.next.click()
    collected = weakref.ref(dock)
    close_dock(viewer, dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() < 0 or collected() is None, timeout=5000)
    layer.name = "still works"
    viewer.theme = "light"

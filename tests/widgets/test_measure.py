"""The dock Measure and export: real layers, clicks and files."""

import re
import threading

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from skimage.draw import polygon2mask

from napari_cresunet.datasets import NeuronScene, TruthFile, synthesize_neurons
from napari_cresunet.measurement import measure
from napari_cresunet.state import COUNT_EXPORTS
from napari_cresunet.widgets._measure_regions import regions_of
from napari_cresunet.widgets._measure_table import CellModel, CellTableView

pytestmark = pytest.mark.gui

PLUGIN = "napari-cresunet"
SHAPE = (96, 128)


def squares(*corners, side=8):
    labels = np.zeros(SHAPE, np.int32)
    for number, (row, column) in enumerate(corners, start=1):
        labels[row : row + side, column : column + side] = number
    return labels


CELLS = squares((10, 10), (10, 40), (40, 60), (70, 100))


@pytest.fixture
def measure_dock(viewer, qtbot):
    """The dock on a viewer without a window."""
    from napari_cresunet.widgets.measure import Measure

    dock = Measure(viewer)
    qtbot.addWidget(dock)
    for name in ("inserted", "removed", "reordered", "renamed"):  # as a window does
        getattr(viewer.layers.events, name).connect(dock.reset_choices)
    dock.runner._settle_timer.setInterval(0)  # nobody drags anything here
    yield dock
    dock.runner.shut_down()


@pytest.fixture
def settled(qtbot):
    """Wait until counts and measures are those of the layers as they are now."""

    def wait(dock):
        qtbot.wait(1)  # what was changed just now is known only then
        qtbot.waitUntil(
            lambda: dock.state.is_measured and not dock.runner.is_due, timeout=30_000
        )
        return dock.state.tally

    return wait


@pytest.fixture
def counted(viewer, measure_dock, settled):
    """The dock with cells and their image."""
    viewer.add_image((CELLS > 0).astype(np.uint8) * 90 + 10, name="slice")
    viewer.add_labels(CELLS.copy(), name="cells")
    settled(measure_dock)
    return measure_dock


def texts(table):
    """Return what a table shows, line by line."""
    return [
        [table.item(line, place).text() for place in range(table.columnCount())]
        for line in range(table.rowCount())
    ]


def choices_of(chooser):
    return [chooser.itemText(number) for number in range(chooser.count())]


def choose(chooser, text):
    chooser.setCurrentIndex(chooser.findText(text))
    chooser.activated.emit(chooser.currentIndex())


# Choosing


def test_without_labels_it_says_where_cells_come_from(measure_dock):
    assert measure_dock.counted.count.text() == "No count yet"
    assert measure_dock.counted.detail.text().startswith("Choose a labels layer with")
    assert not measure_dock.exporting.run.isEnabled()


def test_cells_and_their_image_are_found_by_themselves(counted):
    assert counted.subject.labels.currentText() == "cells"
    assert counted.subject.image.currentText() == "slice"
    assert counted.counted.count.text() == "4 cells"
    assert counted.state.columns["mean_intensity"].tolist() == [100.0] * 4


def test_it_follows_to_the_labels_that_are_selected(viewer, counted, settled):
    other = viewer.add_labels(squares((3, 3)), name="others")
    assert settled(counted).count == 1
    viewer.layers.selection.active = viewer.layers["cells"]
    assert settled(counted).count == 4
    assert other.name == "others"


def test_it_follows_to_the_cells_of_the_image_that_is_selected(
    viewer, measure_dock, settled
):
    for name, labels in (("one", squares((3, 3))), ("two", CELLS)):
        image = viewer.add_image(np.zeros((*SHAPE, 3), np.uint8), name=name)
        record = {"kind": "cells", "source": str(image.unique_id)}
        viewer.add_labels(labels, name=f"{name} cells", metadata={"cresunet": record})
    for name in ("one", "two"):
        viewer.layers.selection.active = viewer.layers[name]
        assert measure_dock.subject.labels.currentText() == f"{name} cells"
        assert measure_dock.subject.image.currentText() == name


def test_the_image_can_be_another_or_none(viewer, counted, settled):
    viewer.add_image(np.full(SHAPE, 7.0), name="other stain")
    choose(counted.subject.image, "other stain")
    settled(counted)
    assert counted.state.columns["mean_intensity"].tolist() == [7.0] * 4
    choose(counted.subject.image, "none")
    settled(counted)
    assert "mean_intensity" not in counted.state.columns


def test_an_image_of_another_size_is_left_out_and_told(viewer, counted, settled):
    viewer.add_image(np.zeros((5, 6)), name="thumbnail")
    choose(counted.subject.image, "thumbnail")
    assert settled(counted).count == 4
    assert "'thumbnail' has 5 x 6 px and 'cells' 96 x 128: choose the image" in (
        counted.counted.warning.text()
    )
    assert "mean_intensity" not in counted.state.columns


def test_the_image_of_a_field_of_view_is_cut_out(viewer, measure_dock, settled):
    image = np.arange(SHAPE[0] * SHAPE[1], dtype=float).reshape(SHAPE)
    layer = viewer.add_image(image, name="slice", scale=(2, 2))
    record = {"kind": "cells", "source": str(layer.unique_id)}
    labels = CELLS[30:60, 50:90]
    viewer.add_labels(
        labels,
        name="cells",
        scale=(2, 2),
        translate=(60, 100),
        metadata={"cresunet": record},
    )
    settled(measure_dock)
    wanted = image[CELLS == 3].mean()
    assert measure_dock.state.columns["mean_intensity"].tolist() == [wanted]


def test_channels_in_one_layer_are_measured_each(viewer, measure_dock, settled):
    viewer.add_image(np.stack([CELLS, 2 * CELLS]), name="stains")
    viewer.add_labels(CELLS, name="cells")
    choose(measure_dock.subject.image, "stains")
    settled(measure_dock)
    columns = measure_dock.state.columns
    assert columns["mean_intensity_2"].tolist() == [2.0, 4.0, 6.0, 8.0]


def test_of_a_pyramid_the_full_resolution_is_counted(viewer, measure_dock, settled):
    viewer.add_image([CELLS, CELLS[::2, ::2]], name="slice", multiscale=True)
    viewer.add_labels([CELLS, CELLS[::2, ::2]], name="cells", multiscale=True)
    assert settled(measure_dock).count == 4
    assert measure_dock.state.columns["area_px"].tolist() == [64] * 4
    assert measure_dock.state.columns["mean_intensity"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_labels_that_are_not_in_memory_are_loaded_by_a_thread(
    viewer, measure_dock, settled
):
    dask = pytest.importorskip("dask.array")
    threads = set()

    def load(block):
        threads.add(threading.current_thread().name)
        return block

    lazy = dask.from_array(CELLS, chunks=(48, 64)).map_blocks(load, dtype=CELLS.dtype)
    viewer.add_labels(lazy, name="cells")
    assert settled(measure_dock).count == 4
    assert threads - {"MainThread"}


# The size of a pixel


def test_the_size_of_a_pixel_is_set_for_all_that_lies_on_it(viewer, counted, settled):
    outside = viewer.add_image(np.zeros((5, 6)), name="of another size")
    viewer.layers.selection.active = None
    counted.regions.draw.click()
    assert counted.counted.density.text() == (
        "No density: type the size of a pixel above and press Set."
    )
    viewer.scene.camera.center, viewer.scene.camera.zoom = (0, 40, 60), 2
    counted.subject.pixel.setValue(0.5)
    counted.subject.set.click()
    settled(counted)
    assert viewer.scene.camera.center == (0, 20, 30)
    assert viewer.scene.camera.zoom == 4
    for name in ("slice", "cells", "cells regions"):
        layer = viewer.layers[name]
        assert layer.scale.tolist() == [0.5, 0.5]
        assert [str(unit) for unit in layer.units] == ["micrometer"] * 2
    assert outside.scale.tolist() == [1, 1]
    density = 4 / (SHAPE[0] * SHAPE[1] * 0.25 / 1e6)
    assert counted.counted.count.text() == f"4 cells, {density:,.0f} per mm²"
    assert counted.state.columns["area_um2"].tolist() == [16.0] * 4
    assert not counted.subject.set.isEnabled()


def test_a_stack_keeps_the_distance_of_its_planes(viewer, measure_dock, settled):
    layer = viewer.add_labels(np.stack([CELLS, CELLS]), name="c", scale=(3, 1, 1))
    settled(measure_dock)
    measure_dock.subject.pixel.setValue(0.5)
    measure_dock.subject.set.click()
    assert layer.scale.tolist() == [3, 0.5, 0.5]
    assert str(layer.units[0]) == "pixel"
    assert settled(measure_dock).source.pixel_um == (0.5, 0.5)


def test_a_field_of_view_stays_where_it_is_in_its_image(viewer, measure_dock, settled):
    image = viewer.add_image(np.zeros(SHAPE), name="slice")
    record = {"kind": "cells", "source": str(image.unique_id)}
    layer = viewer.add_labels(
        CELLS[30:60, 50:90],
        name="cells",
        translate=(30, 50),
        metadata={"cresunet": record},
    )
    settled(measure_dock)
    measure_dock.subject.pixel.setValue(0.5)
    measure_dock.subject.set.click()
    assert layer.translate.tolist() == [15, 25]
    assert measure_dock.state.trouble == ""


# Regions


def test_regions_that_are_drawn_get_names_and_counts(viewer, counted, settled):
    counted.regions.draw.click()
    layer = viewer.layers["cells regions"]
    assert layer.mode == "add_polygon"
    assert viewer.layers.selection.active == layer
    for left in (0, 50):
        layer.add([[[0, left], [0, left + 50], [50, left + 50], [50, left]]])
    settled(counted)
    assert texts(counted.regions.list) == [
        ["region 1", "2", "2,500 px", ""],
        ["region 2", "1", "2,500 px", ""],
        ["whole image", "4", "12,288 px", ""],
    ]
    assert counted.state.columns["region"].tolist() == [
        *("region 1", "region 1", "region 2", "")
    ]


def test_a_region_is_renamed_where_it_stands(viewer, counted, settled):
    counted.regions.draw.click()
    layer = viewer.layers["cells regions"]
    for left in (0, 50):
        layer.add([[[0, left], [0, left + 50], [50, left + 50], [50, left]]])
    settled(counted)
    counted.regions.list.item(0, 0).setText("CA1")
    settled(counted)
    assert list(layer.features["region"]) == ["CA1", "region 2"]
    assert layer.text.values.tolist() == ["CA1", "region 2"]
    # Both sides of the brain: one region of two shapes.
    counted.regions.list.item(1, 0).setText("CA1")
    settled(counted)
    assert texts(counted.regions.list)[0] == ["CA1", "3", "5,000 px", ""]
    counted.regions.list.item(0, 0).setText(" ")
    assert "A region needs a name: type one." in counted.exporting.status.text()
    assert counted.regions.list.item(0, 0).text() == "CA1"


def test_counts_follow_shapes_that_are_moved_and_deleted(viewer, counted, settled):
    counted.regions.draw.click()
    layer = viewer.layers["cells regions"]
    layer.add([[[0, 0], [0, 30], [50, 30], [50, 0]]])
    settled(counted)
    layer.data = [layer.data[0] + np.array((0, 30))]
    settled(counted)
    assert counted.regions.list.item(0, 1).text() == "1"
    layer.selected_data = {0}
    layer.remove_selected()
    settled(counted)
    assert counted.regions.list.isHidden()


def test_regions_of_turned_and_scaled_layers_count_where_they_are_seen(
    viewer, counted, settled
):
    # A square from (5, 5) to (25, 55) as it is seen; the layer is turned and scaled.
    spatial = {"scale": (2, 3), "rotate": 30, "translate": (7, -4)}
    shapes = viewer.add_shapes(name="atlas", **spatial)
    seen = np.array([(5.0, 5.0), (5.0, 55.0), (25.0, 55.0), (25.0, 5.0)])
    shapes.add([[shapes.world_to_data(corner) for corner in seen]])
    choose(counted.regions.layer, "atlas")
    settled(counted)
    (region,) = regions_of(shapes, viewer.layers["cells"])
    np.testing.assert_allclose(region.polygons[0], seen, atol=1e-4)
    assert texts(counted.regions.list)[0][:2] == ["region 1", "2"]


def test_ellipses_are_regions_and_lines_are_none(viewer, counted, settled):
    shapes = viewer.add_shapes(name="atlas")
    shapes.add([[0, 0], [0, 60], [60, 60], [60, 0]], shape_type="ellipse")
    shapes.add([[0, 0], [90, 90]], shape_type="line")
    shapes.features = {"region": ["disc", "line"]}
    choose(counted.regions.layer, "atlas")
    settled(counted)
    lines = texts(counted.regions.list)
    assert [line[0] for line in lines] == ["disc", "whole image"]
    assert int(lines[0][2].split()[0].replace(",", "")) == pytest.approx(
        np.pi * 30**2, rel=0.01
    )


def test_labels_are_regions_with_names_that_can_be_changed(viewer, counted, settled):
    atlas = np.zeros((48, 64), np.uint8)
    atlas[:24, :16], atlas[:24, 16:] = 3, 8
    layer = viewer.add_labels(atlas, name="atlas", scale=(2, 2))
    layer.features = {"index": [3], "region": ["CA1"]}
    choose(counted.subject.labels, "cells")
    choose(counted.regions.layer, "atlas")
    settled(counted)
    assert [line[:2] for line in texts(counted.regions.list)] == [
        ["CA1", "1"],
        ["region 8", "2"],
        ["whole image", "4"],
    ]
    counted.regions.list.item(1, 0).setText("CA3")
    settled(counted)
    assert counted.regions.list.item(1, 0).text() == "CA3"


def test_a_stack_of_region_labels_is_left_out_and_told(viewer, counted, settled):
    viewer.add_labels(np.ones((2, *SHAPE), int), name="atlas", visible=False)
    choose(counted.subject.labels, "cells")
    choose(counted.regions.layer, "atlas")
    assert settled(counted).count == 4
    assert (
        "The regions in 'atlas' have 3 axes: give one plane of labels, which holds for "
        "all planes."
    ) in counted.counted.warning.text()


def test_shapes_on_a_plane_count_there(viewer, measure_dock, settled):
    stack = np.stack([CELLS, np.where(CELLS, CELLS + 4, 0)])
    viewer.add_labels(stack, name="cells")
    square = [[0, 0, 0], [0, 0, 60], [0, 60, 60], [0, 60, 0]]
    other = [[1, *corner[1:]] for corner in square]
    shapes = viewer.add_shapes([square, other], ndim=3, name="atlas")
    shapes.features = {"region": ["CA1", "CA1"]}
    choose(measure_dock.regions.layer, "atlas")
    settled(measure_dock)
    assert [line[:2] for line in texts(measure_dock.regions.list)] == [
        ["CA1, plane 0", "2"],
        ["CA1, plane 1", "2"],
        ["whole image", "8"],
    ]


def test_regions_go_with_their_layer(viewer, counted, settled):
    counted.regions.draw.click()
    layer = viewer.layers["cells regions"]
    layer.add([[[0, 0], [0, 30], [50, 30], [50, 0]]])
    settled(counted)
    viewer.layers.remove(layer)
    settled(counted)
    assert counted.regions.layer.currentText() == "no regions"
    assert counted.state.tally.source.regions == ()


# The counting frame


def test_a_frame_counts_and_its_lines_follow(viewer, counted, settled):
    counted.frame.button.click()
    counted.frame.place.click()
    settled(counted)
    # Rows 24 to 71, columns 32 to 95: the third cell only.
    assert counted.frame.words.text() == "1 of 4 cells are counted in the frame."
    frame, lines = viewer.layers["cells frame"], viewer.layers["cells frame lines"]
    assert viewer.layers.selection.active == frame
    solid = lines.data[0]
    np.testing.assert_allclose(solid[1], [23.5, 31.5])
    assert solid[0].tolist() == [-0.5, 31.5]
    assert solid[-1].tolist() == [95.5, 95.5]
    frame.data = [frame.data[0] + np.array((0, 32))]  # cuts the third on its left
    settled(counted)
    assert counted.frame.words.text() == "0 of 4 cells are counted in the frame."
    np.testing.assert_allclose(lines.data[0][1], [23.5, 63.5])
    viewer.layers.remove(frame)
    settled(counted)
    assert "cells frame lines" not in [layer.name for layer in viewer.layers]


# Following


def test_counts_and_measures_follow_an_edit_and_its_undo(viewer, counted, settled):
    layer = viewer.layers["cells"]
    layer.fill((14, 14), 0)
    assert settled(counted).count == 3
    layer.undo()
    assert settled(counted).count == 4
    assert counted.cells.model.rowCount() == 4


def test_cells_that_go_while_they_are_measured_take_everything_along(viewer, counted):
    viewer.layers["cells"].fill((14, 14), 0)
    viewer.layers.remove(viewer.layers["cells"])
    assert counted.state.tally is None
    assert counted.counted.count.text() == "No count yet"
    assert counted.cells.model.rowCount() == 0


def test_a_stack_says_how_it_is_counted(viewer, measure_dock, settled):
    stack = np.stack([CELLS, np.where(CELLS, CELLS + 4, 0)])
    viewer.add_labels(stack, name="cells")
    settled(measure_dock)
    assert measure_dock.counted.count.text() == "8 cells"
    assert "counts three times" in measure_dock.stack.words.text()
    choose(measure_dock.stack.way, "link through planes")
    settled(measure_dock)
    assert measure_dock.counted.count.text() == "4 cells"
    assert measure_dock.state.columns["planes"].tolist() == [2] * 4
    measure_dock.cells.went.emit(3)
    assert viewer.layers["cells"].selected_label == 3
    viewer.layers["cells"].selected_label = 8
    assert measure_dock.state.cell == 4


def test_measuring_can_be_stopped(viewer, counted, qtbot, settled):
    def stop():
        if counted.state.is_running:
            counted.exporting.cancel.click()

    counted.state.run_changed.connect(stop)
    viewer.layers["cells"].fill((14, 14), 0)
    qtbot.waitUntil(lambda: not counted.runner.is_due, timeout=30_000)
    assert counted.counted.count.text() == "3 cells"
    assert counted.cells.title.text() == "Measures, before the change"
    assert counted.cells.model.rowCount() == 4
    counted.state.run_changed.disconnect(stop)
    viewer.layers["cells"].undo()
    settled(counted)
    assert counted.cells.title.text() == "Measures"


# The table


def test_a_row_leads_to_its_cell_and_a_selected_label_to_its_row(viewer, counted):
    table = counted.cells.table
    table.selectRow(2)
    assert viewer.layers["cells"].selected_label == 3
    assert viewer.scene.camera.center[-2:] == (43.5, 63.5)
    viewer.layers["cells"].selected_label = 4
    assert table.selectionModel().selectedRows()[0].row() == 3
    viewer.layers["cells"].selected_label = 9
    assert not table.selectionModel().hasSelection()


def test_a_title_sorts_and_the_marked_cell_stays_marked(viewer, counted, settled):
    layer = viewer.layers["cells"]
    layer.data_setitem((np.array([10, 11]), np.array([20, 20])), 2)
    settled(counted)
    table, model = counted.cells.table, counted.cells.model
    table.selectRow(1)
    table.sortByColumn(model.names.index("area_px"), Qt.SortOrder.DescendingOrder)
    assert [model.label_at(row) for row in range(4)] == [2, 1, 3, 4]
    assert [index.row() for index in table.selectionModel().selectedRows()] == [0]
    layer.fill((74, 104), 0)
    settled(counted)
    assert [model.label_at(row) for row in range(3)] == [2, 1, 3]


def test_ten_thousand_rows_are_sorted_in_an_instant(qtbot):
    rng = np.random.default_rng(0)
    model = CellModel(None)
    table = CellTableView(model)
    qtbot.addWidget(table)
    values = rng.random(10_000)
    values[::7] = np.nan
    model.show({"label": np.arange(1, 10_001), "area_px": values})
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    shown = [values[model.label_at(row) - 1] for row in range(10_000)]
    np.testing.assert_array_equal(shown, np.sort(values))


def test_the_table_is_copied_as_it_is_sorted(counted, qtbot):
    table = counted.cells.table
    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:2] == ["label", "area_px"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["4", "3", "2", "1"]


def test_the_large_table_is_the_same_table(viewer, counted):
    counted.cells.enlarge.click()
    large = counted.cells.window_.findChild(CellTableView)
    large.selectRow(1)
    assert viewer.layers["cells"].selected_label == 2
    assert counted.cells.table.selectionModel().selectedRows()[0].row() == 1
    counted.cells.window_.close()


def test_napari_has_the_measures_in_its_own_table(viewer, counted):
    features = viewer.layers["cells"].features
    assert features["index"].tolist() == [0, 1, 2, 3, 4]
    assert features["area_px"][3] == 64
    assert np.isnan(features["area_px"][0])
    assert len(features.columns) < 10


def test_sparse_labels_do_not_fill_naparis_table(viewer, measure_dock, settled):
    layer = viewer.add_labels(CELLS * 1_000_000, name="cells")
    settled(measure_dock)
    assert len(layer.features) == 0
    assert measure_dock.cells.model.rowCount() == 4


# Files


@pytest.fixture
def saved(qtbot):
    """Export, and wait until the dock has said how it went."""

    def save(dock, kind, path):
        dock.state.tell("")
        dock.runner.export(kind, path)
        qtbot.waitUntil(
            lambda: bool(dock.state.notice) and not dock.runner.is_busy, timeout=30_000
        )
        return dock.state.notice

    return save


def test_the_menu_has_all_formats(counted):
    titles = [action.text() for action in counted.exporting.menu.actions()]
    wanted = [f"{export.title}…" for export in COUNT_EXPORTS.values()]
    assert titles == [*wanted, "", "Copy methods paragraph"]


def test_every_format_is_written_and_told(counted, tmp_path, saved):
    for kind, export in COUNT_EXPORTS.items():
        path = export.completed(tmp_path / f"a_{kind}")
        sentence = saved(counted, kind, path)
        assert sentence.startswith("Saved "), sentence
        assert path.exists()
        assert not counted.state.is_failure


def test_a_file_that_cannot_be_written_is_told(counted, tmp_path, saved):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    sentence = saved(counted, "csv", blocked / "a.csv")
    assert counted.state.is_failure
    assert re.fullmatch(
        rf"{re.escape(str(blocked / 'a.csv'))} cannot be written \(.*\): choose "
        r"another folder or free some space\.",
        sentence,
    )
    assert sentence in counted.exporting.status.text()


def test_edits_by_hand_go_along(viewer, counted, tmp_path, saved, settled):
    from napari_cresunet.widgets._corrections import corrections_of

    layer = viewer.layers["cells"]
    corrections_of(layer)
    layer.fill((14, 14), 0)
    settled(counted)
    source = counted.runner.source_now()
    assert [entry.kind for entry in source.log] == ["paint"]
    assert source.n_pinned == 1


def test_the_methods_paragraph_is_copied(counted, qtbot):
    QApplication.clipboard().clear()
    counted.exporting.copy.trigger()
    qtbot.waitUntil(lambda: counted.state.notice.startswith("Copied"), timeout=30_000)
    assert "napari-cresunet" in QApplication.clipboard().text()


def test_the_proposed_name_is_one_that_files_may_have(viewer, counted, settled):
    viewer.layers["cells"].name = "a/b: cells"
    counted.runner.follow()
    settled(counted)
    assert counted.exporting.proposed_name("ome-tiff") == "a_b_ cells_labels.ome.tif"


# In a real viewer


def test_regions_frame_and_files_of_a_real_scene(
    make_napari_viewer_proxy, settled, saved, tmp_path
):
    scene = NeuronScene(height=240, width=320, n_cells=20, diameter=18)
    image, labels = synthesize_neurons(scene, seed=5)
    spatial = {"scale": (0.5, 0.5), "units": ("um", "um")}
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(image, name="slice", rgb=True, **spatial)
    cells = viewer.add_labels(labels, name="cells", **spatial)
    callbacks = list(viewer.mouse_drag_callbacks)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure and export")
    settled(dock)
    dock.regions.draw.click()
    shapes = viewer.layers["cells regions"]
    outlines = [
        np.array([(10.2, 20.3), (30.4, 200.1), (180.6, 150.2), (150.3, 30.7)]),
        np.array([(100.4, 100.2), (100.4, 400.2), (300.3, 400.2), (300.3, 100.2)]),
    ]
    for outline in outlines:
        shapes.add([outline])
    settled(dock)
    table = measure(labels)
    for line, outline in zip(dock.state.region_lines, outlines, strict=False):
        inside = polygon2mask(labels.shape, outline)
        count = 0
        for y, x in zip(table["centroid_y_px"], table["centroid_x_px"], strict=True):
            count += inside[round(y), round(x)]
        assert line.count == str(count)
        density = count / (inside.sum() * 0.25 / 1e6)
        assert float(line.density.replace(",", "")) == pytest.approx(density, rel=0.005)
    assert "overlap" in dock.state.region_words
    assert "'region 2' reaches beyond the image" in dock.state.region_words

    dock.cells.table.selectRow(3)
    assert cells.selected_label == 4
    for kind in ("ome-tiff", "imagej-roi", "geojson", "coco"):
        path = COUNT_EXPORTS[kind].completed(tmp_path / "a")
        assert saved(dock, kind, path).startswith("Saved ")
        back = TruthFile(path).read_truth(labels.shape)
        np.testing.assert_array_equal(back > 0, labels > 0)
        assert len(np.unique(back)) == len(np.unique(labels))
    viewer.window.remove_dock_widget(dock)
    assert list(viewer.mouse_drag_callbacks) == callbacks


def test_a_click_on_a_cell_marks_its_row(make_napari_viewer_proxy, settled):
    viewer = make_napari_viewer_proxy()
    viewer.add_labels(CELLS, name="cells")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure and export")
    settled(dock)

    class Click:
        type = "mouse_press"
        position = (43.0, 63.0)
        view_direction = None
        dims_displayed = (0, 1)

    steps = viewer.mouse_drag_callbacks[-1](viewer, Click)
    next(steps)
    Click.type = "mouse_release"
    assert next(steps, None) is None
    assert dock.state.cell == 3
    viewer.window.remove_dock_widget(dock)


def test_closing_the_viewer_while_cells_are_measured_harms_nothing(
    make_napari_viewer_proxy,
):
    viewer = make_napari_viewer_proxy()
    viewer.add_labels(CELLS.copy(), name="cells")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure and export")
    viewer.layers["cells"].fill((14, 14), 0)
    viewer.window.remove_dock_widget(dock)
    assert [layer.name for layer in viewer.layers] == ["cells"]

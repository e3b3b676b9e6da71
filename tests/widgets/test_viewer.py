"""The dock in a real viewer."""

import gc
import weakref

import numpy as np
import pytest
from tests.state.brightness import save_brightness_model

from napari_cresunet.evaluation import evaluate
from napari_cresunet.plugin import read_sample
from napari_cresunet.segmentation import segment
from napari_cresunet.weights import DEFAULT_MODEL, list_models
from napari_cresunet.widgets.segment_and_count import SegmentAndCount

pytestmark = pytest.mark.gui

PLUGIN = "napari-cresunet"


def open_dock(viewer, model="brightness"):
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment and count")
    dock.state.choose(model=model)
    return dock


def close_dock(viewer, dock):
    viewer.window.remove_dock_widget(dock)


def test_from_a_real_image_to_a_changed_threshold(
    make_napari_viewer_proxy, press_run, set_threshold, models
):
    # Trained, so to say, at twice the size of this image's cells, for speed.
    card = save_brightness_model(
        models, name="quick", diameter=13.7, min_size=28, min_distance=6
    )
    viewer = make_napari_viewer_proxy()
    viewer.open_sample(PLUGIN, "neurons")
    dock = open_dock(viewer, "quick")
    sample = read_sample("neurons")
    assert dock.state.choices.diameter == sample.diameter

    press_run(dock)
    name = "Neurons in a brain slice"
    assert [layer.name.removeprefix(name) for layer in viewer.layers] == [
        "",
        " (truth)",
        " probability",
        " cells",
    ]
    probability, cells = (layer.data for layer in viewer.layers[2:])
    assert probability.shape == cells.shape == (225, 300)
    sizes = {
        "min_size": card.min_size_at(sample.diameter),
        "min_distance": card.min_distance_at(sample.diameter),
    }
    assert sizes == {"min_size": 7, "min_distance": 3}
    assert np.array_equal(cells, segment(probability, threshold=0.5, **sizes))
    assert 15 <= cells.max() <= 40
    assert dock.counting.count.text() == f"{cells.max()} cells"

    set_threshold(dock, 0.35)
    cells = viewer.layers[3].data
    assert np.array_equal(cells, segment(probability, threshold=0.35, **sizes))
    assert dock.counting.count.text() == f"{cells.max()} cells"
    assert len(viewer.layers) == 4
    close_dock(viewer, dock)


@pytest.mark.skipif(
    not any(card.source == "bundled" for card in list_models()),
    reason="this checkout has no bundled model",
)
@pytest.mark.slow
def test_the_bundled_model_finds_the_cells_of_the_sample(
    make_napari_viewer_proxy, press_run
):
    viewer = make_napari_viewer_proxy()
    viewer.open_sample(PLUGIN, "neurons")
    dock = open_dock(viewer, DEFAULT_MODEL)
    press_run(dock)
    sample = read_sample("neurons")
    # 40 px where a cell has 36.5 px, as for the published scores.
    reach = 40 / 36.5 * sample.diameter
    scores = evaluate(dock.state.result.labels, sample.labels, max_distance=reach)
    assert scores.f1 > 0.7
    close_dock(viewer, dock)


def test_a_plain_viewer_will_do(make_napari_viewer, press_run, discs):
    viewer = make_napari_viewer()
    viewer.add_image(discs)
    dock = SegmentAndCount(viewer)
    viewer.window.add_dock_widget(dock)
    dock.state.choose(model="brightness")
    press_run(dock)
    assert dock.counting.count.text() == "3 cells"
    close_dock(viewer, dock)


def test_the_field_of_view_is_what_is_zoomed_to(
    make_napari_viewer_proxy, press_run, discs, qtbot
):
    viewer = make_napari_viewer_proxy(show=True)
    image = viewer.add_image(np.tile(discs, (4, 4)))
    dock = open_dock(viewer)
    dock.advanced.view_only.setChecked(True)
    viewer.scene.camera.center = (100, 100)
    viewer.scene.camera.zoom = 12
    qtbot.waitUntil(lambda: 50 < image.corner_pixels[0, 0] < 100)
    top_left = image.corner_pixels[0].copy()
    press_run(dock)
    cells = viewer.layers[-1]
    assert cells.data.shape < (200, 200)
    assert np.array_equal(cells.translate, top_left)
    middle = np.array(cells.data.shape) // 2
    assert np.allclose(cells.data_to_world(middle), (100, 100), atol=2)
    close_dock(viewer, dock)


def test_the_colors_follow_the_theme(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    dock = open_dock(viewer)
    plot = dock.tuning.curve._items.plot
    dark = plot.backgroundBrush().color().lightness()
    viewer.theme = "light"
    assert plot.backgroundBrush().color().lightness() > 200 > 100 > dark
    close_dock(viewer, dock)


def test_a_dock_that_was_closed_is_collected(make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy()
    layer = viewer.add_image(np.zeros((9, 9)))
    dock = open_dock(viewer)
    collected = weakref.ref(dock)
    close_dock(viewer, dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() < 0 or collected() is None, timeout=5000)
    layer.name = "still works"
    viewer.theme = "light"


def test_closing_the_dock_stops_its_run(make_napari_viewer_proxy, qtbot, discs):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(np.tile(discs, (4, 4)))
    dock = open_dock(viewer)
    dock.state.choose(tile=32)
    dock.running.run.click()
    qtbot.waitUntil(lambda: dock.state.progress.done > 0, timeout=60_000)
    close_dock(viewer, dock)
    from napari_cresunet.widgets._job import _ALIVE

    qtbot.waitUntil(lambda: not _ALIVE, timeout=10_000)
    assert len(viewer.layers) == 1


def test_closing_the_viewer_stops_the_run(make_napari_viewer, qtbot, discs):
    viewer = make_napari_viewer()
    viewer.add_image(np.tile(discs, (4, 4)))
    dock = open_dock(viewer)
    dock.state.choose(tile=32)
    dock.running.run.click()
    qtbot.waitUntil(lambda: dock.state.progress.done > 0, timeout=60_000)
    viewer.close()
    from napari_cresunet.widgets._job import _ALIVE

    qtbot.waitUntil(lambda: not _ALIVE, timeout=10_000)


def test_edits_made_after_the_dock_was_closed_are_kept(
    make_napari_viewer_proxy, press_run, discs
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(discs)
    dock = open_dock(viewer)
    press_run(dock)
    close_dock(viewer, dock)
    edited = viewer.layers[2]
    edited.data_setitem((np.array([0]), np.array([0])), 9)
    dock = open_dock(viewer)
    press_run(dock)
    assert edited.data[0, 0] == 9
    assert len(viewer.layers) == 3
    close_dock(viewer, dock)

"""Make the pictures of the docks in docs/images from samples and the bundled model.

Run it where there is a display, or under Xvfb::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py

With --model another model is shown, with --sample another sample; --only makes the
pictures of one dock.
"""

import argparse
import contextlib
import os
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.plugin import SAMPLES
from napari_cresunet.weights import DEFAULT_MODEL

PLUGIN, DOCK = "napari-cresunet", "Segment and count"
IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 800)  # px, a small laptop
LARGE = (1600, 1000)  # px, where there are many rows
WIDE = (1500, 900)  # px, where things stand side by side
TALL = 960  # px, for docks with more to show
SCENE, SLIDE_UM = (1250, 1650), 0.2  # px, µm; of what the slide repeats
PIXEL_UM = 1.68  # of the neurons: 0.315 in the original, reduced from 1600 to 300 px
PATIENCE = 600  # s


def main() -> None:
    """Take the pictures of the docks."""
    pictures = {
        "count": show_counting,
        "evaluate": show_evaluating,
        "correct": show_correcting,
        "compare": show_comparing,
        "train": show_training,
        "batch": show_batch,
        "large": show_large,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", default=SAMPLES[0], choices=SAMPLES)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--only", choices=tuple(pictures))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, show in pictures.items():
        if arguments.only in (None, name):
            show(arguments)


def show_counting(arguments: argparse.Namespace) -> None:
    """Run the dock on a sample and take its picture, in both themes."""
    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    viewer.open_sample(PLUGIN, arguments.sample)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)
    dock.state.choose(model=arguments.model)
    settle(0.5)
    look_at_cells(viewer)
    if not dock.state.can_run:
        raise SystemExit(dock.state.why_not)
    dock.running.run.click()
    wait_until(lambda: not dock.state.is_running)
    if dock.state.is_failure:
        raise SystemExit(dock.state.notice)
    wait_until(lambda: dock.state.curve is not None)
    for theme, suffix in (("dark", ""), ("light", "_light")):
        viewer.theme = theme
        settle(1)
        name = f"segment_and_count{suffix}"
        viewer.screenshot(arguments.out / f"{name}.png", canvas_only=False, flash=False)
        dock.grab().save(str(arguments.out / f"{name}_dock.png"))
    print(f"{dock.state.words.headline} with {dock.state.choices.model}")
    viewer.close()


def show_evaluating(arguments: argparse.Namespace) -> None:
    """Compare counts with the truth: of the sample, and of synthetic neurons."""
    show_evaluation(arguments, arguments.sample, "evaluate")
    show_evaluation(arguments, "synthetic", "evaluate_synthetic")


def show_evaluation(arguments: argparse.Namespace, sample: str, name: str) -> None:
    """Compare the count of a sample with its truth, and look at all failures."""
    viewer = napari.Viewer()
    viewer.window.resize(SIZE[0], TALL)
    viewer.open_sample(PLUGIN, sample)
    counted = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)[1]
    counted.state.choose(model=arguments.model)
    settle(0.5)
    counted.running.run.click()
    wait_until(lambda: not counted.state.is_running and counted.state.curve is not None)
    viewer.window.remove_dock_widget(counted)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Evaluate")
    wait_until(lambda: dock.state.study is not None)
    image, truth, probability, cells = list(viewer.layers)[:4]
    for layer in (truth, probability, cells):
        layer.visible = False
    viewer.layers.selection.active = image
    look_at_cells(viewer)
    settle(1)
    viewer.screenshot(arguments.out / f"{name}.png", canvas_only=False, flash=False)
    gallery = dock.saving.gallery
    dock.saving.open_gallery()
    gallery.resize(720, 460)
    wait_until(lambda: not dock.runner.is_busy)
    settle(1)
    gallery.grab().save(str(arguments.out / f"{name}_gallery.png"))
    gallery.close()
    print(dock.state.headline, dock.state.detail)
    viewer.close()


def show_correcting(arguments: argparse.Namespace) -> None:
    """Mend the count of a sample by hand, then measure it in two regions."""
    with tempfile.TemporaryDirectory() as folder:
        # The user's own studies are nobody's business.
        os.environ["NAPARI_CRESUNET_MODELS"] = str(Path(folder, "models"))
        viewer = napari.Viewer()
        viewer.window.resize(SIZE[0], TALL)
        viewer.open_sample(PLUGIN, arguments.sample)
        counted = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)[1]
        counted.state.choose(model=arguments.model)
        settle(0.5)
        counted.running.run.click()
        wait_until(lambda: counted.state.curve is not None)
        viewer.window.remove_dock_widget(counted)
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Correct cells")
        look_at_cells(viewer)
        wait_until(lambda: dock.review.walk.spots and not dock.runner.is_busy)
        correct(viewer, dock)
        settle(2)
        path = arguments.out / "correct.png"
        viewer.screenshot(path, canvas_only=False, flash=False)
        print(dock.state.headline, dock.state.pinned_words, dock.state.progress_words)
        dock.acts.finish()
        viewer.window.remove_dock_widget(dock)
        show_measuring(arguments, viewer)
        viewer.close()


def correct(viewer: napari.Viewer, dock) -> None:
    """Review three cells, and find one that was missed; it waits to be added."""
    dock.review.walk.step(1)
    dock.acts.reject()
    dock.acts.accept()
    dock.acts.accept()
    truth, cells = viewer.layers[1].data, viewer.layers[3].data
    missed = [n for n in np.unique(truth[truth > 0]) if not cells[truth == n].any()]
    largest = max(missed, key=lambda n: np.count_nonzero(truth == n))
    rows, columns = np.nonzero(truth == largest)
    dock.state.choose_tool("add")
    dock.acts.click(np.array([np.median(rows), np.median(columns)]))
    viewer.scene.camera.center = (0, np.mean(rows), np.mean(columns))
    viewer.scene.camera.zoom = 9


def show_measuring(arguments: argparse.Namespace, viewer: napari.Viewer) -> None:
    """Count in two regions, and draw the overlay."""
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure and export")
    wait_until(lambda: dock.state.tally is not None)
    dock.subject.pixel.setValue(PIXEL_UM)
    dock.subject.set.click()
    wait_until(lambda: dock.state.tally.source.pixel_um is not None)
    dock.regions.draw.click()
    shapes = viewer.layers.selection.active
    height, width = viewer.layers[0].data.shape[:2]
    for left, right in ((0.05, 0.48), (0.52, 0.95)):
        corners = [(0.08, left), (0.08, right), (0.92, right), (0.85, left)]
        shapes.add([np.array(corners) * (height, width)])
    shapes.mode = "pan_zoom"
    viewer.layers[2].visible = False
    viewer.layers.selection.active = viewer.layers[3]
    viewer.fit_to_view()
    wait_until(lambda: not dock.runner.is_busy and dock.state.region_lines)
    settle(2)
    path = arguments.out / "measure.png"
    viewer.screenshot(path, canvas_only=False, flash=False)
    print(dock.state.headline, dock.state.region_lines)


def show_comparing(arguments: argparse.Namespace) -> None:
    """Run all bundled models on a sample, side by side where two of them differ."""
    viewer = napari.Viewer()
    viewer.window.resize(*WIDE)
    viewer.open_sample(PLUGIN, arguments.sample)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Compare models")
    ours = [card.name for card in dock.state.models if card.source == "bundled"]
    dock.state.choose(models=tuple(ours))
    settle(0.5)
    viewer.fit_to_view()
    if not dock.state.can_run:
        raise SystemExit(dock.state.why_not)
    dock.running.run.click()
    wait_until(lambda: not dock.state.is_running)
    if dock.state.is_failure:
        raise SystemExit(dock.state.notice)
    wait_until(lambda: dock.state.findings.disagreement is not None)
    wait_until(lambda: dock.state.score_work is None)
    dock.results.side_by_side.click()
    dock.versus.button.click()
    settle(1)
    viewer.screenshot(
        arguments.out / "compare_models.png", canvas_only=False, flash=False
    )
    for row in dock.state.rows:
        print(row.name, {key: round(value, 3) for key, value in row.values.items()})
    dock.results.side_by_side.click()
    viewer.close()


def show_training(arguments: argparse.Namespace) -> None:
    """Fine-tune on synthetic neurons and take the picture while it learns."""
    with tempfile.TemporaryDirectory() as folder:
        # The user's own models and trainings are nobody's business.
        os.environ["NAPARI_CRESUNET_MODELS"] = str(Path(folder, "models"))
        viewer = napari.Viewer()
        viewer.window.resize(*SIZE)
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Train")
        # Dim and noisy, so that there is something left to learn.
        scene = NeuronScene(
            height=240, width=320, n_cells=16, diameter=24, brightness=0.16, noise=0.06
        )
        for number in range(1, 5):
            image, labels = synthesize_neurons(scene, seed=number)
            viewer.add_image(image, name=f"slice {number}", rgb=True)
            viewer.add_labels(labels, name=f"slice {number} cells").contour = 1
            dock.data.layers.add.click()
        for name, value in {"samples": 32, "epochs": 12, "averaging": 0.9}.items():
            dock.state.set_setting(name, value)
        wait_until(lambda: dock.state.summary is not None)
        dock.training.button.click()
        wait_until(lambda: len(dock.state.records) > 5 or not dock.state.is_running)
        if dock.state.is_failure:
            raise SystemExit(dock.state.notice)
        shown = dock.state.preview.origin.name
        for layer in viewer.layers:
            layer.visible = layer.name.startswith((shown, "Training"))
        viewer.fit_to_view()
        settle(1)
        viewer.screenshot(arguments.out / "train.png", canvas_only=False, flash=False)
        dock.training.button.click()
        wait_until(lambda: not dock.state.is_running)
        print(dock.state.notice)
        viewer.close()


def show_batch(arguments: argparse.Namespace) -> None:
    """Count a folder of synthetic slices, correct some, and open another."""
    # The dock shows paths as they are given: not those of a temporary folder.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_slices(Path("mouse_12"))
        viewer = napari.Viewer()
        viewer.window.resize(*LARGE)
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Batch")
        dock.setMinimumWidth(560)
        dock.state.choose(model=arguments.model)
        dock.runner.look_for(["mouse_12"])
        wait_until(lambda: dock.state.can_run)
        dock.runner.choose_output("mouse_12 results")
        wait_until(lambda: dock.state.can_run)
        dock.running.run.click()
        wait_until(lambda: not dock.state.is_running)
        for name in ("slice_01", "slice_02", "slice_03", "slice_05"):
            open_slice(dock, name)
            correct_slice(viewer, dock)
        open_slice(dock, "slice_06")
        draw_halves(viewer, dock)
        view = dock.table.view
        view.hideColumn(4)  # seconds, which tell of the computer
        view.setColumnWidth(5, view.viewport().width() - view.columnViewportPosition(5))
        dismiss_notifications()
        viewer.screenshot(arguments.out / "batch.png", canvas_only=False, flash=False)
        print(dock.state.headline, dock.state.summary)
        wait_until(lambda: not dock.runner.is_busy)
        viewer.close()


def show_large(arguments: argparse.Namespace) -> None:
    """Count a synthetic slide of 33 million pixels, the field of view first."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path("slide.ome.zarr")
        write_slide(path)
        viewer = napari.Viewer()
        viewer.window.resize(*LARGE)
        viewer.open(str(path), plugin=PLUGIN)
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)
        dock.state.choose(model=arguments.model, diameter=54.0)
        dock.setMinimumWidth(360)
        dock.whole_state.choose_folder(Path("results"))
        # One of the scenes, in the middle of the others.
        viewer.scene.camera.center = (0, *(1.5 * SLIDE_UM * np.array(SCENE)))
        viewer.scene.camera.zoom *= 3.4
        settle(1)
        dock.running.run.click()
        wait_until(lambda: not dock.state.is_running)
        if dock.state.is_failure:
            raise SystemExit(dock.state.notice)
        dismiss_notifications()
        viewer.screenshot(arguments.out / "large.png", canvas_only=False, flash=False)
        print(dock.whole_state.words)
        wait_until(lambda: not dock.runner.is_busy)
        viewer.close()


def write_slide(path: Path) -> None:
    """Write a slide of 5000 x 6600 px: a scene in 16 places, turned over in turn."""
    from napari_cresunet.pyramids import create_pyramid
    from napari_cresunet.steps import drain

    height, width = SCENE
    shape = (4 * height, 4 * width, 3)
    writer = create_pyramid(
        path, shape, "uint8", kind="image", rgb=True, pixel_size=(SLIDE_UM,) * 2
    )
    scene = NeuronScene(height=height, width=width, n_cells=60, diameter=54)
    image, _ = synthesize_neurons(scene, seed=1)
    for number in range(16):
        top, left = number // 4 * height, number % 4 * width
        where = slice(top, top + height), slice(left, left + width), slice(None)
        axes = [axis for axis in (0, 1) if (number // 4 + number) >> axis & 1]
        writer.write(where, np.flip(image, axes))
    drain(writer.finish())


def write_slices(folder: Path) -> None:
    """Write synthetic slices, and one that is empty."""
    import tifffile

    folder.mkdir()
    resolution = (1e4 / PIXEL_UM,) * 2
    for number in range(1, 13):
        scene = NeuronScene(
            height=600,
            width=800,
            n_cells=10 + number,
            diameter=18,
            brightness=0.8,
            tissue=0.08,
        )
        image, _ = synthesize_neurons(scene, seed=number)
        path = folder / f"slice_{number:02d}.tif"
        tifffile.imwrite(
            path, image, resolution=resolution, resolutionunit="CENTIMETER"
        )
    (folder / "slice_04.tif").write_bytes(b"")


def open_slice(dock, name: str) -> None:
    """Open an image of the batch."""
    dock.runner.open(name)
    wait_until(lambda: dock.state.opened == name and not dock.state.is_opening)


def correct_slice(viewer: napari.Viewer, dock) -> None:
    """Rub out the last cell of the image that is open."""
    cells = viewer.layers[-1]
    cells.data_setitem(np.nonzero(cells.data == cells.data.max()), 0)
    wait_until(lambda: not dock.state.saver.is_dirty)


def draw_halves(viewer: napari.Viewer, dock) -> None:
    """Draw two regions over the image that is open."""
    from napari_cresunet.widgets._measure_regions import set_names

    dock.queue.regions.click()
    shapes = viewer.layers.selection.active
    for left, right in ((60, 380), (420, 740)):
        corners = [(60, left), (60, right), (540, right), (500, left)]
        shapes.add([np.array(corners, float)])
    set_names(shapes, ["left", "right"])
    shapes.mode = "pan_zoom"
    wait_until(lambda: not dock.state.saver.is_dirty)


def look_at_cells(viewer: napari.Viewer) -> None:
    """Fill the canvas with the part of the sample that holds its true cells."""
    viewer.fit_to_view()
    truth = viewer.layers[1]
    rows, columns = np.nonzero(truth.data)
    viewer.scene.camera.center = (0, np.median(rows), np.median(columns))
    viewer.scene.camera.zoom *= 1.6


def dismiss_notifications() -> None:
    """Close what would be half faded in the picture."""
    for widget in QApplication.allWidgets():
        if type(widget).__name__ == "NapariQtNotification":
            widget.close()
    settle(2)


def wait_until(is_so) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"Nothing happened for {PATIENCE} s.")
        settle(0.05)


def settle(seconds: float) -> None:
    """Let the window live for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()

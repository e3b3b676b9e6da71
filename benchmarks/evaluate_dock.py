"""How soon the dock Evaluate follows a change of the labels: napari and Qt included.

Run it where there is a display, or under Xvfb::

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/evaluate_dock.py

1600x1200 px with 200 true cells; a cell is deleted, as a brush or a slider would do.
"Shown" is the time from the change to new scores in the dock and new outlines and
marks in the layers; "painted" waits for the canvas, too, which is drawn by whatever
OpenGL there is.
"""

import statistics
import time
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_cresunet.datasets import NeuronScene, synthesize_neurons

N_CELLS, N_CHANGES = 200, 30


def main() -> None:
    """Print a table."""
    image, truth = synthesize_neurons(
        NeuronScene(height=1200, width=1600, n_cells=N_CELLS, diameter=36), seed=1
    )
    labels = np.roll(truth, 2, axis=0)
    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    viewer.add_image(image, rgb=True, name="neurons")
    viewer.add_labels(truth, name="truth", visible=False)
    cells = viewer.add_labels(labels, name="cells")
    _, dock = viewer.window.add_plugin_dock_widget("napari-cresunet", "Evaluate")
    wait_until(lambda: dock.state.study is not None)
    times: dict[str, list[float]] = {"shown": [], "painted": []}
    for number in range(1, N_CHANGES + 1):
        change(cells, dock, number, times)
    for name, values in times.items():
        values = sorted(values)
        print(
            f"| {name} | {1e3 * statistics.median(values):.0f} ms | "
            f"{1e3 * values[int(0.95 * len(values))]:.0f} ms |"
        )
    wait_until(lambda: not dock.runner.is_busy)
    viewer.close()


def change(cells: Any, dock: Any, number: int, times: dict[str, list[float]]) -> None:
    """Delete a cell, and note how long everything takes."""
    known = dock.state.judgment
    changed = cells.data.copy()
    changed[changed == number] = 0
    started = time.perf_counter()
    cells.data = changed
    wait_until(lambda: dock.state.judgment is not known)
    drawn = time.perf_counter()
    QApplication.processEvents()
    painted = time.perf_counter()
    times["shown"].append(drawn - started)
    times["painted"].append(painted - started)


def wait_until(is_so: Any) -> None:
    """Let the window live until something is so."""
    while not is_so():
        QApplication.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main()

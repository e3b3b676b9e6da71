"""How soon the dock Correct cells does what a hand asks for: napari and Qt included.

Run it where there is a display, or under Xvfb::

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/correct_dock.py

1600x1200 px with 200 cells. Each row is the time from the end of the gesture (a click,
a stroke, a key) until labels, log, pins and count in the dock are new. Painting the
canvas, by whatever OpenGL there is, comes after that. Beside it is the time that napari
takes to set the whole label image anew (`layer.data = labels`).
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_cresunet.datasets import NeuronScene, synthesize_neurons

N_CELLS, N_TIMES = 200, 24

Gesture = Callable[[], object]


def main() -> None:
    """Print a table."""
    scene = NeuronScene(
        height=1200, width=1600, n_cells=N_CELLS, diameter=32, clumping=0.6
    )
    image, labels = synthesize_neurons(scene, seed=1)
    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    viewer.add_image(image, rgb=True, name="neurons")
    cells = viewer.add_labels(labels.copy(), name="cells")
    _, dock = viewer.window.add_plugin_dock_widget("napari-cresunet", "Correct cells")
    settle(dock)
    whole = [clock(lambda: set_whole(cells)) for _ in range(N_TIMES)]
    print(
        "| from the gesture to new labels and count | median ms | 95th percentile ms |"
    )
    print("|---|---:|---:|")
    print_row("napari sets all labels", whole)
    for name, prepare in gestures(dock, cells).items():
        times = []
        for number in range(N_TIMES + 1):
            gesture = prepare(number)
            settle(dock)
            times.append(clock(gesture))
        print_row(name, times[1:])  # the first time loads modules
    settle(dock)
    viewer.close()


def set_whole(cells: Any) -> None:
    """Set all labels anew."""
    cells.data = cells.data.copy()


def gestures(dock: Any, cells: Any) -> dict[str, Callable[[int], Gesture]]:
    """Return what a hand does, by its name, each for a running number."""
    acts = dock.acts

    def stroke(tool: str, is_box: bool = False) -> Callable[[int], Gesture]:
        def prepare(number: int) -> Gesture:
            dock.state.choose_tool(tool)
            path = box_of(cells, number)
            if not is_box:
                path[:, 1] = path[:, 1].mean()
            return lambda: acts.stroke(path)

        return prepare

    def review(act: Gesture) -> Callable[[int], Gesture]:
        def prepare(_: int) -> Gesture:
            dock.state.choose_tool("")
            if not dock.state.queue.current:
                dock.review.walk.step(1)
            return act

        return prepare

    return {
        "split by a stroke": stroke("split"),
        "trim by a stroke": stroke("trim"),
        "delete in a box": stroke("delete", is_box=True),
        "undo": lambda _: acts.undo,
        "accept and go on": review(acts.accept),
        "reject and go on": review(acts.reject),
    }


def box_of(cells: Any, number: int) -> Any:
    """Return two corners of a box around one of the cells."""
    numbers = np.unique(cells.data)[1:]
    places = np.argwhere(cells.data == numbers[(7 * number) % len(numbers)])
    return np.array([places.min(axis=0) - 4, places.max(axis=0) + 4], float)


def clock(act: Gesture) -> float:
    """Return how many seconds it takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def print_row(name: str, times: list[float]) -> None:
    """Print a row of the table."""
    milliseconds = 1e3 * np.array(times)
    print(
        f"| {name} | {median(milliseconds):.0f} "
        f"| {np.percentile(milliseconds, 95):.0f} |"
    )


def settle(dock: Any) -> None:
    """Let the window live until the dock has nothing more to do."""
    end = time.monotonic() + 0.8
    while time.monotonic() < end or dock.runner.is_busy:
        QApplication.processEvents()
        time.sleep(0.002)


if __name__ == "__main__":
    main()

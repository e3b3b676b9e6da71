"""How soon cells follow the threshold slider: the dock Segment and count in a viewer.

Run it where there is a display, or under Xvfb::

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/live.py

The slider is moved as by a hand, by 0.01 at a time, and time runs from its event until
the canvas is drawn with the new labels. A first table has the median and the 95th
percentile of the whole and of its parts: "segmentation" makes labels of the
probability; "napari" takes them over and prepares the texture; "OpenGL" uploads and
draws it; "all else" is what this package does besides: pins, count, curve, words,
widgets, waiting for a thread. "own" is segmentation and all else. A second table has
the ways to show labels in napari, each with the drawing that follows.

With --processor-time, the parts are what the processor does for them in the thread
they run in: all there is on a machine that is busy with other work. OpenGL by software
has threads of its own, which are not in it.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, TypeAlias

import napari
import numpy as np
from napari._qt import qt_main_window
from napari.layers import Labels
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication
from vispy.gloo import gl

from napari_cresunet.benchmarking import draw_probability
from napari_cresunet.inference import Prediction
from napari_cresunet.segmentation import LiveSegmenter
from napari_cresunet.state import Result
from napari_cresunet.widgets._curve import CurvePlot
from napari_cresunet.widgets._layers import placement_of

Size: TypeAlias = tuple[int, int, int, int]
SIZES: tuple[Size, ...] = (
    (1200, 1600, 100, 36),
    (4000, 4000, 5000, 18),
    (4000, 4000, 5000, 36),
)
"""Height, width, cells and their diameter in px."""
PARTS = ("segmentation", "napari", "OpenGL", "all else")


class Clock:
    """Adds up what is spent in each part of the work, in whichever thread."""

    def __init__(self, *, is_processor_time: bool) -> None:
        self.now = time.thread_time if is_processor_time else time.perf_counter
        self.is_processor_time = is_processor_time
        self.spent = dict.fromkeys(PARTS, 0.0)
        self._threads = threading.local()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens meanwhile, but for what is counted to a part inside."""
        inside = getattr(self._threads, "inside", 0.0)
        self._threads.inside, started = 0.0, self.now()
        try:
            yield
        finally:
            whole = self.now() - started
            self.spent[name] += whole - self._threads.inside
            self._threads.inside = inside + whole

    def watched(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return a function whose calls are counted to a part."""

        def call(*args: Any, **options: Any) -> Any:
            with self.part(name):
                return function(*args, **options)

        return call


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=40, help="of the slider")
    parser.add_argument("--largest", type=int, default=4000, help="side to go up to")
    parser.add_argument("--processor-time", action="store_true")
    arguments = parser.parse_args()
    clock = Clock(is_processor_time=arguments.processor_time)
    watch(clock)
    sizes = [size for size in SIZES if size[0] <= arguments.largest]
    print("| image | from the slider to the canvas | median ms | 95th percentile ms |")
    print("|---|---|---:|---:|")
    for size in sizes:
        print_moves(size, arguments.moves, clock)
    print("\n| image | labels shown | median ms, with drawing | without |")
    print("|---|---|---:|---:|")
    for size in (sizes[0], sizes[-1]):
        print_ways(size)


def watch(clock: Clock) -> None:
    """Count what segmentation and napari do; painting the window is of napari."""
    window = qt_main_window._QtMainWindow
    window.event = clock.watched(window.event, "napari")
    CurvePlot.paintEvent = clock.watched(CurvePlot.paintEvent, "all else")
    LiveSegmenter.update = clock.watched(LiveSegmenter.update, "segmentation")
    Labels.refresh = clock.watched(Labels.refresh, "napari")
    Labels.data_setitem = clock.watched(Labels.data_setitem, "napari")
    data = Labels.data
    Labels.data = data.setter(clock.watched(data.fset, "napari"))


def title_of(size: Size) -> str:
    """Return what an image is called in the tables."""
    height, width, count, diameter = size
    return f"{width}×{height}, {count:,} cells of {diameter} px"


def print_moves(size: Size, moves: int, clock: Clock) -> None:
    """Print what moves of the slider take."""
    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    probability = draw_probability(*size)
    image = viewer.add_image(probability, name="neurons")
    _, dock = viewer.window.add_plugin_dock_widget(
        "napari-cresunet", "Segment and count"
    )
    drawn = Drawing(viewer, clock)
    show(dock, image, probability)
    settle(dock, 2)
    rows: dict[str, list[float]] = {name: [] for name in ("all", *PARTS, "own")}
    # Up and down, so that no threshold is that of the move before.
    steps = [*range(30, 70), *range(69, 30, -1)]
    for move in range(-3, moves):  # the first ones load modules and compile
        settle(dock, 0.05)
        spent = clock_move(dock, steps[move % len(steps)], drawn, clock)
        for name in rows:
            if move >= 0:
                rows[name].append(spent[name])
    for name, times in rows.items():
        milliseconds = 1e3 * np.array(times)
        print(
            f"| {title_of(size)} | {name} | {median(milliseconds):.1f} "
            f"| {np.percentile(milliseconds, 95):.1f} |",
            flush=True,
        )
    settle(dock, 1)
    viewer.close()


def show(dock: Any, image: Any, probability: Any) -> None:
    """Give the dock a probability, as if a network had just predicted it."""
    record = {"device": "cpu", "seconds": 0.0, "messages": []}
    request = dock.state.request()
    result = Result(request, Prediction(probability, record), "CPU")
    result.relabel(request.settings)
    # Else only the end of a run comes here.
    dock.runner._on_run_done(placement_of(image), result)


class Drawing:
    """Knows how often the canvas was drawn, and counts how long that took."""

    def __init__(self, viewer: Any, clock: Clock) -> None:
        self.count = 0
        self._clock = clock
        canvas = viewer.window._qt_viewer.canvas
        self.native = canvas.native
        draw = canvas._scene_canvas.events.draw
        draw.connect(self._begin, position="first")
        draw.connect(self._end, position="last")
        self._since = 0.0

    def _begin(self, event: Any = None) -> None:
        self._part = self._clock.part("OpenGL")
        self._part.__enter__()

    def _end(self, event: Any = None) -> None:
        gl.glFinish()
        self._part.__exit__(None, None, None)
        self.count += 1


def clock_move(dock: Any, step: int, drawn: Drawing, clock: Clock) -> dict[str, float]:
    """Move the slider, wait until the canvas is drawn, and return what that took."""
    clock.spent = dict.fromkeys(PARTS, 0.0)
    started = clock.now()
    dock.tuning.threshold.setValue(step)
    state = dock.state
    while state.result.settings != state.settings or dock.runner._is_relabeling:
        # Sleeps meanwhile, as an application does.
        QApplication.processEvents(QEventLoop.WaitForMoreEvents)
    # What is still to be drawn is drawn now; the labels were set before.
    before = drawn.count
    while drawn.count == before:
        drawn.native.update()
        QApplication.processEvents()
    total = clock.now() - started
    spent = dict(clock.spent)
    here = [name for name in PARTS if name != "segmentation" or is_here(dock, clock)]
    spent["all else"] = total - sum(spent[name] for name in here)
    spent["all"] = sum(spent[name] for name in PARTS)
    spent["own"] = spent["segmentation"] + spent["all else"]
    return spent


def is_here(dock: Any, clock: Clock) -> bool:
    """Tell whether the time of the segmentation is part of that of this thread."""
    state = dock.state
    is_in_thread = state.result.takes_long(state.settings)
    return not (clock.is_processor_time and is_in_thread)


def settle(dock: Any, seconds: float) -> None:
    """Let the window live until the dock has nothing more to do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end or dock.runner.is_busy:
        QApplication.processEvents()
        time.sleep(0.002)


def print_ways(size: Size) -> None:
    """Print what it takes napari to show labels in several ways."""
    live = LiveSegmenter(draw_probability(*size))
    both = [live.update(0.5), live.update(0.52)]
    viewer = napari.Viewer()
    viewer.window.resize(1400, 900)
    layer = viewer.add_labels(both[0].copy())
    native = viewer.window._qt_viewer.canvas.native

    def set_whole(number: int) -> None:
        layer.data = both[number % 2].copy()

    def overwrite(number: int) -> None:
        np.copyto(layer.data, both[number % 2])
        layer.refresh(extent=False)

    def set_some(part: int) -> Callable[[int], None]:
        rng = np.random.default_rng(0)
        places = np.sort(rng.choice(layer.data.size, layer.data.size // part, False))
        indices = np.unravel_index(places, layer.data.shape)

        def act(number: int) -> None:
            layer.data_setitem(indices, np.full(len(places), number + 1))
            layer.editable = False
            layer.editable = True

        return act

    ways = {"set anew": set_whole, "written in place": overwrite}
    for part in (2500, 400, 100, 40):
        ways[f"1 of {part} pixels changed"] = set_some(part)
    for name, way in ways.items():
        both_times = [clock_way(way, native, is_drawn) for is_drawn in (True, False)]
        cells = " | ".join(f"{1e3 * median(times):.1f}" for times in both_times)
        print(f"| {title_of(size)} | {name} | {cells} |", flush=True)
    viewer.close()


def clock_way(way: Callable[[int], None], native: Any, is_drawn: bool) -> list[float]:
    """Return how long it takes, with or without the drawing that follows."""
    times = []
    for number in range(12):
        native.repaint()
        QApplication.processEvents()
        started = time.perf_counter()
        way(number)
        if is_drawn:
            native.repaint()
            QApplication.processEvents()
        times.append(time.perf_counter() - started)
    return times[2:]


if __name__ == "__main__":
    main()

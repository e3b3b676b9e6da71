"""Measure segmentation against the whole-image reference pipeline in the same run.

    python benchmarks/segmentation.py

Prints a Markdown table for each preset. Ratios are times of the reference divided by
ours; medians are wall time.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.segmentation import PRESETS, LiveSegmenter, segment

SIZES = ((600, 800, 25), (1200, 1600, 100), (4000, 4000, 5000))
DIAMETER = 36  # px, the mean cell of the Fluorescent Neuronal Cells images
REFERENCE = Path(__file__).parents[1] / "tests" / "segmentation" / "reference.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    parser.add_argument("--largest", type=int, default=4000, help="side to go up to")
    arguments = parser.parse_args()
    pipelines = load_reference()
    print("| preset | image | what | median ms | 95th percentile ms | times faster |")
    print("|---|---|---|---:|---:|---:|")
    for height, width, count in SIZES:
        if height > arguments.largest:
            continue
        probability = synthesize(height, width, count)
        for preset in PRESETS:
            rows = measure(probability, preset, pipelines[preset], arguments.seconds)
            for what, taken, ratio in rows:
                print(
                    f"| {preset} | {width}×{height}, {count} cells | {what} "
                    f"| {1e3 * median(taken):.2f} "
                    f"| {1e3 * np.percentile(taken, 95):.2f} | {ratio:.1f} |",
                    flush=True,
                )


def measure(
    probability: NDArray[np.float32],
    preset: str,
    reference: Callable[..., NDArray[np.int32]],
    seconds: float,
) -> Iterator[tuple[str, list[float], float]]:
    """Yield what was measured, the times, and the reference's median over theirs."""
    # Every step of the drag is a threshold that was not seen before.
    drag = iter(
        np.random.default_rng(1).permutation(np.linspace(0.2, 0.8, 4001)).tolist()
    )
    whole = clock(lambda: reference(probability, next(drag)), seconds)
    yield "reference", whole, 1.0
    scratch = clock(
        lambda: segment(probability, threshold=next(drag), preset=preset), seconds
    )
    yield "`segment`", scratch, median(whole) / median(scratch)
    live = LiveSegmenter(probability, preset=preset)
    steps = clock(lambda: live.update(next(drag)), seconds)
    yield "live, any new threshold", steps, median(whole) / median(steps)
    slider = iter(slide())
    steps = clock(lambda: live.update(next(slider)), seconds)
    yield "live, threshold slider by 0.01", steps, median(whole) / median(steps)
    sizes = iter(np.tile(np.arange(0, 400, 5), 1000).tolist())
    steps = clock(lambda: live.update(0.5, next(sizes)), seconds)
    yield "live, minimum size by 5 px", steps, median(whole) / median(steps)


def slide() -> Iterator[float]:
    """Yield the thresholds of a slider that goes up and down, never twice the same."""
    rng = np.random.default_rng(2)
    while True:
        start = 0.2 + 0.01 * rng.random()
        up = start + 0.01 * np.arange(60)
        yield from up.tolist()
        yield from (up[::-1] - 0.005).tolist()


def clock(work: Callable[[], object], seconds: float) -> list[float]:
    """Return wall times of several calls, the first one (warming up) left out."""
    work()
    taken: list[float] = []
    while len(taken) < 3 or (sum(taken) < seconds and len(taken) < 300):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def synthesize(height: int, width: int, count: int) -> NDArray[np.float32]:
    """Return a probability map of soft ellipses; one in five touches another."""
    rng = np.random.default_rng(0)
    probability = np.zeros((height, width), dtype=np.float32)
    centers = np.empty((0, 2))
    while len(centers) < count:
        others = centers
        if len(centers) % 10 == 9:
            touched = rng.integers(len(centers))
            angle = rng.uniform(0, 2 * np.pi)
            step = 0.85 * DIAMETER * np.array([np.sin(angle), np.cos(angle)])
            center = centers[touched] + step
            others = np.delete(centers, touched, axis=0)
        else:
            center = rng.uniform((0, 0), (height, width))
        if (center < 0).any() or (center >= (height, width)).any():
            continue
        near = np.hypot(*(others - center).T) < 1.15 * DIAMETER
        if near.any():
            continue
        centers = np.vstack((centers, center))
        paint_cell(probability, center, rng)
    return probability


def paint_cell(
    probability: NDArray[np.float32],
    center: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    top, left = np.maximum(center.astype(int) - 2 * DIAMETER, 0)
    window = probability[top : top + 4 * DIAMETER, left : left + 4 * DIAMETER]
    rows, columns = np.indices(window.shape)
    y, x = rows + top - center[0], columns + left - center[1]
    angle, stretch = rng.uniform(0, np.pi), rng.uniform(1, 1.3)
    along = (y * np.sin(angle) + x * np.cos(angle)) / stretch
    across = (y * np.cos(angle) - x * np.sin(angle)) * stretch
    radius = DIAMETER / 2 * rng.uniform(0.85, 1.15)
    soft = 1 / (1 + np.exp((np.hypot(along, across) - radius) / 1.5))
    np.maximum(window, soft, out=window)


def load_reference() -> dict[str, Callable[..., NDArray[np.int32]]]:
    spec = importlib.util.spec_from_file_location("reference", REFERENCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PIPELINES


if __name__ == "__main__":
    main()

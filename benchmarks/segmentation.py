"""Measure segmentation against the whole-image reference pipeline in the same run.

    python benchmarks/segmentation.py

Prints a Markdown table for each preset. Ratios are times of the reference divided by
ours; medians are wall time.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.benchmarking import PIPELINES, draw_probability
from napari_cresunet.segmentation import PRESETS, LiveSegmenter, segment

SIZES = ((600, 800, 25), (1200, 1600, 100), (4000, 4000, 5000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    parser.add_argument("--largest", type=int, default=4000, help="side to go up to")
    arguments = parser.parse_args()
    print("| preset | image | what | median ms | 95th percentile ms | times faster |")
    print("|---|---|---|---:|---:|---:|")
    for height, width, count in SIZES:
        if height > arguments.largest:
            continue
        probability = draw_probability(height, width, count)
        for preset in PRESETS:
            rows = measure(probability, preset, PIPELINES[preset], arguments.seconds)
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


if __name__ == "__main__":
    main()

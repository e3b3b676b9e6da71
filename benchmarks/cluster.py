"""Measure what worker processes gain, and what a task costs on a cluster.

    python benchmarks/cluster.py

Counts the same synthetic images in this process, on one worker process that has all
cores, and on several that share them, taking turns. Prints a Markdown table of images
per second, and as ratios to this process.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import tifffile

from napari_cresunet.batch import (
    BatchOptions,
    ModelSpec,
    Pool,
    cluster_pool,
    iter_batch,
    local_pool,
)
from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.steps import drain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--side", type=int, default=512, help="of an image, in px")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--backend", default="torch")
    arguments = parser.parse_args()
    options = BatchOptions(
        model=ModelSpec(device="cpu", backend=arguments.backend), probability=False
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster_pool(f"local:{arguments.workers}") as many,
        cluster_pool("local:1") as one,
    ):
        paths = write_images(Path(folder), arguments.images, arguments.side)
        places = {
            "this process": local_pool(),
            "1 worker": one,
            f"{arguments.workers} workers": many,
        }
        rates = measure(paths, options, places, arguments.rounds)
        report(rates)
        print(f"\nA task that does nothing: {1e3 * overhead(many):.1f} ms")


def write_images(folder: Path, n: int, side: int) -> list[Path]:
    """Write synthetic images."""
    scene = NeuronScene(n_cells=20, diameter=32)
    paths = []
    for number in range(n):
        image, _ = synthesize_neurons(scene, seed=number)
        paths.append(folder / f"{number}.tif")
        cropped = np.ascontiguousarray(image[:side, :side])
        tifffile.imwrite(paths[-1], cropped, photometric="rgb")
    return paths


def measure(
    paths: list[Path], options: BatchOptions, places: dict[str, Pool], rounds: int
) -> dict[str, list[float]]:
    """Return images per second of each place in each round, after one to warm up."""
    rates: dict[str, list[float]] = {name: [] for name in places}
    for number in range(rounds + 1):
        for name, pool in places.items():
            with tempfile.TemporaryDirectory() as output:
                started = time.perf_counter()
                result = drain(iter_batch(paths, Path(output), options, pool=pool))
                seconds = time.perf_counter() - started
            assert result.n_counted == len(paths)
            if number:
                rates[name].append(len(paths) / seconds)
    return rates


def report(rates: dict[str, list[float]]) -> None:
    """Print the median of each place, and its ratio to the first in the same round."""
    first = next(iter(rates.values()))
    print("| where | images/s | ratio |\n|---|---:|---:|")
    for name, values in rates.items():
        ratios = [one / other for one, other in zip(values, first, strict=True)]
        print(f"| {name} | {median(values):.2f} | {median(ratios):.2f} |")


def nothing(number: int) -> int:
    return number


def overhead(pool: Pool, n: int = 300) -> float:
    """Return the seconds of a task that does nothing, when many follow each other."""
    started = time.perf_counter()
    done = [item for item in pool.map_unordered(nothing, range(n)) if item]
    assert len(done) == n
    return (time.perf_counter() - started) / n


if __name__ == "__main__":
    main()

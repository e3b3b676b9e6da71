"""Images per second of a batch, beside reading, counting and writing one by one.

    python benchmarks/batch.py [--images 12] [--size 600 800]

Both ways take turns within one run, so that they see the same load, and write the same
images: once where the network sees every pixel, once where cells are four times as wide
as it wants them, so that it sees a sixteenth and all else counts, as beside a GPU.
Then: what it costs to find that 1,000 images are done, and a
report on them.
"""

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import tifffile

from napari_cresunet.batch import (
    BatchOptions,
    CountOptions,
    ModelSpec,
    find_images,
    iter_batch,
    iter_count,
    write_batch_report,
    write_count,
)
from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.inference import read_image
from napari_cresunet.steps import drain

ROUNDS = 3
DIAMETER = 36.5  # px, at which the network sees every pixel
MANY = 1000


def scene_of(size: tuple[int, int]) -> NeuronScene:
    """Return a scene with a cell in 100 × 100 px."""
    height, width = size
    n_cells = height * width // 100**2
    return NeuronScene(
        height=height,
        width=width,
        n_cells=n_cells,
        diameter=DIAMETER,
        n_unfocused=n_cells // 4,
        n_faint=n_cells // 4,
        n_filaments=0,
        n_dotted=0,
    )


def write_images(folder: Path, number: int, size: tuple[int, int]) -> list[Path]:
    """Write compressed images of neurons, as a microscope's export may be."""
    folder.mkdir()
    for index in range(number):
        image, _ = synthesize_neurons(scene_of(size), seed=index)
        tifffile.imwrite(
            folder / f"{index:04}.tif", image, photometric="rgb", compression="zlib"
        )
    return find_images([str(folder)])


def one_by_one(paths: list[Path], output: Path, options: BatchOptions) -> None:
    """Read, count and write one image after the other."""
    model = options.model.load()
    for path in paths:
        count = drain(iter_count(read_image(path), model, options.count))
        record = {"image": str(path)} | count.record
        write_count(output, path.stem, count, record)


def batch(paths: list[Path], output: Path, options: BatchOptions) -> None:
    """Do the same side by side, with tables, hashes and thumbnails."""
    drain(iter_batch(paths, output, options))


def compare(paths: list[Path], options: BatchOptions, folder: Path) -> None:
    """Print images per second of both ways."""
    ways = {"one by one": one_by_one, "batch": batch}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way(paths, folder / f"{options.count.diameter:g} {name} {number}", options)
            if number:  # the first round loads and compiles
                seconds[name].append(time.perf_counter() - started)
    print(f"cells of {options.count.diameter:g} px:")
    for name, taken in seconds.items():
        ratio = median(a / b for a, b in zip(seconds["one by one"], taken, strict=True))
        rate = len(paths) / median(taken)
        print(f"| {name} | {rate:.2f} images/s | {ratio:.2f}× |", flush=True)


def skip_many(options: BatchOptions, folder: Path) -> None:
    """Print what 1,000 small images cost at first, again, and in a report."""
    paths = write_images(folder / "many", MANY, (64, 64))
    # As of yesterday: only files that may still change are read again.
    for path in paths:
        os.utime(path, (time.time() - 86_400,) * 2)
    output = folder / "many results"
    for said in ("counting", "finding that all are done"):
        started = time.perf_counter()
        batch(paths, output, options)
        print(f"{said}: {time.perf_counter() - started:.2f} s for {MANY} images")
    started = time.perf_counter()
    report = write_batch_report(output)
    taken, size = time.perf_counter() - started, report.stat().st_size / 1e6
    print(f"report on {MANY} images: {taken:.2f} s, {size:.1f} MB")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="fluorescent-cells")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--size", type=int, nargs=2, default=(600, 800))
    parser.add_argument("--skip", action="store_true", help="only the 1,000 images")
    chosen = parser.parse_args()
    options = BatchOptions(
        model=ModelSpec(chosen.model, chosen.device, chosen.backend),
        count=CountOptions(diameter=DIAMETER),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not chosen.skip:
            images = folder / "images"
            paths = write_images(images, chosen.images, tuple(chosen.size))
            for diameter in (DIAMETER, 4 * DIAMETER):
                count = CountOptions(diameter=diameter)
                compare(paths, replace(options, count=count), folder)
        skip_many(options, folder)


if __name__ == "__main__":
    np.random.seed(0)  # noqa: NPY002
    main()

"""Time and memory of prediction, as ratios within one run.

    python benchmarks/inference.py

The reference is plain eager torch: the whole 1600×1200 image at once, contiguous.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from image_sets import FNC_DIAMETER

from napari_cresunet.benchmarking import reference_probability
from napari_cresunet.inference import Model, load_model, predict
from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import ModelCard

SIZE = (1200, 1600)
ROUNDS = 3


def make_model() -> Model:
    torch.manual_seed(0)
    card = ModelCard(
        name="benchmark",
        title="Random weights",
        variant="c-resunet",
        scaling="adaptive",
        diameter=FNC_DIAMETER,
        threshold=0.5,
        min_size=40,
        min_distance=20,
    )
    network = VARIANTS["c-resunet"].build()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():  # statistics of an image keep the log-odds in a usual range
        network.train()(torch.rand(1, 3, 128, 128))
    network = network.eval().to(memory_format=torch.channels_last)
    return Model(card, network, "cpu")


def compare() -> None:
    """Print the table of times; ways take turns, so that all see the same load."""
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    plain, fast = make_model(), make_model()
    plain.network.to(memory_format=torch.contiguous_format)
    ways = {
        "eager torch, contiguous, whole": lambda: reference_probability(
            image, plain.network, plain.card
        ),
        "predict, whole (channels-last)": lambda: predict(image, fast, tile=1600),
        "predict, automatic tile": lambda: predict(image, fast),
        "predict, tile 1024": lambda: predict(image, fast, tile=1024),
        "predict, tile 512": lambda: predict(image, fast, tile=512),
        "predict, zoom 0.5": lambda: predict(image, fast, diameter=73),
    }
    seconds = {name: [] for name in ways}
    results = {}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            start = time.perf_counter()
            results[name] = run()
            seconds[name].append(time.perf_counter() - start)
    first = next(iter(ways))
    print(f"{SIZE[1]}×{SIZE[0]} RGB, {torch.get_num_threads()} threads\n")
    print("| way | seconds | ratio | largest difference |\n|---|---|---|---|")
    for name, values in seconds.items():
        ratio = median(values) / median(seconds[first])
        difference = abs(results[name] - results[first]).max()
        shown = "another scale" if "zoom" in name else f"{difference:.1e}"
        print(f"| {name} | {median(values):.2f} | {ratio:.2f} | {shown} |")


def peak_megabytes() -> int:
    # getrusage would give the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


def measure(path: str, side: int) -> None:
    """Print the peak memory in MB; runs in a process of its own."""
    model = load_model(device="cpu")
    image = np.memmap(path, np.uint8, "r", shape=(side, side))
    predict(np.zeros((8, 8), np.uint8), model)
    before = peak_megabytes()
    predict(image, model, diameter=FNC_DIAMETER)
    print(peak_megabytes() - before)


def compare_memory(sides: list[int]) -> None:
    """Print how the peak of the bundled model grows with a memory-mapped image."""
    print("\n| memory-mapped image | input + output, MB | peak beyond that, MB |")
    print("|---|---|---|")
    for side in sides:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image.raw"
            np.memmap(path, np.uint8, "w+", shape=(side, side))[:] = 9
            command = [sys.executable, __file__, "--measure", str(path), str(side)]
            peak = subprocess.run(command, capture_output=True, text=True, check=True)
        needed = round(5 * side**2 / 1e6)
        print(f"| {side}×{side} | {needed} | {int(peak.stdout) - needed} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="*", default=[2000, 6000, 20_000])
    parser.add_argument("--memory-only", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], int(arguments.measure[1]))
        return
    if not arguments.memory_only:
        compare()
    if sys.platform == "linux":
        compare_memory(arguments.sides)


if __name__ == "__main__":
    main()

"""Measure time and memory of counting images larger than memory.

    python benchmarks/slides.py                      # the engine, up to 20,000 x 20,000
    python benchmarks/slides.py --network default    # with the default model

Prints a Markdown table. Every count runs in a process of its own, whose peak memory is
that of all of it: Python, PyTorch or OpenVINO, and the pages of files it has mapped.
The slides are synthetic RGB, written as OME-Zarr block by block; cells are 36.5 px. By
default a convolution that tells bright from dark stands in for the network, so that the
table shows what reading, joining, painting and writing cost. Seconds are of the
processor, all threads together.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_cresunet.inference import Model

DIAMETER = 36.5  # px
CELLS = 250  # of a megapixel: 100,000 in 400 megapixels
PATCH = 1024  # px
N_PATCHES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sides", type=int, nargs="+", default=[2500, 5000, 10000, 20000]
    )
    parser.add_argument("--network", default="none", help="name or file of a model")
    parser.add_argument(
        "--diameter", type=float, default=DIAMETER, help="told to it, px"
    )
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--block", type=int, default=None, help="px")
    parser.add_argument(
        "--folder", type=Path, default=None, help="where slides are kept"
    )
    parser.add_argument("--count", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.count:
        count(**json.loads(arguments.count))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, arguments.folder or Path(folder))


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    print(
        "| side, px | cells | predicting, s per Mpx | the rest, s per Mpx "
        "| peak memory, MB |\n|---:|---:|---:|---:|---:|"
    )
    for side in arguments.sides:
        path = folder / f"slide_{side}.ome.zarr"
        if not path.exists():
            make_slide(path, side)
        with tempfile.TemporaryDirectory(dir=folder) as output:
            told = counted(arguments, path, Path(output))
        megapixels = side * side / 1e6
        print(
            f"| {side} | {told['count']} | {told['predicting'] / megapixels:.3f} "
            f"| {told['rest'] / megapixels:.3f} | {told['peak']:.0f} |",
            flush=True,
        )


def counted(arguments: argparse.Namespace, path: Path, output: Path) -> dict[str, Any]:
    """Count in another process, and return what it tells."""
    job = {
        "path": str(path),
        "output": str(output),
        "network": arguments.network,
        "diameter": arguments.diameter,
        "backend": arguments.backend,
        "block": arguments.block,
    }
    done = subprocess.run(
        [sys.executable, __file__, "--count", json.dumps(job)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def count(
    path: str,
    output: str,
    network: str,
    diameter: float,
    backend: str,
    block: int | None,
) -> None:
    """Count a slide and print how much of each stage there was, and the peak."""
    from napari_cresunet.batch import CountOptions, ModelSpec, iter_count_slide

    is_none = network == "none"
    model: Any = bright_model() if is_none else ModelSpec(network, backend=backend)
    if not is_none and network == "default":
        model = ModelSpec(backend=backend)
    options = CountOptions(diameter=None if is_none else diameter)
    steps = iter_count_slide(path, model, options, output, block=block)
    taken: list[tuple[int, float]] = []
    before = time.process_time()
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result = stop.value
            break
        taken.append((step.done, time.process_time() - before))
        before = time.process_time()
        if sys.stderr.isatty():
            print(f"\r{step.done}/{step.total} ", end="", file=sys.stderr)
    height, width = (part[1] for part in result.record["region"])
    tile = result.record["tile"]
    n_tiles = -(-height // tile) * -(-width // tile)
    told = {
        "count": result.count,
        "predicting": sum(part for done, part in taken if done <= n_tiles),
        "rest": sum(part for done, part in taken if done > n_tiles),
        "peak": _peak(),
    }
    print(json.dumps(told))


def bright_model() -> "Model":
    """Return a model that only tells bright from dark."""
    import torch
    from torch import nn

    from napari_cresunet.inference import Model
    from napari_cresunet.weights import ModelCard

    class Bright(nn.Module):
        stride = 8
        receptive_radius = 8

        def __init__(self) -> None:
            super().__init__()
            self.mean = nn.Conv2d(3, 1, 5, padding=2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(self.mean(x))

    network = Bright().eval()
    with torch.no_grad():
        network.mean.weight.zero_()
        network.mean.weight[:, 0] = 40 / 25  # red, where yellow cells are brightest
        network.mean.bias.fill_(-40 * 0.25)
    card = ModelCard(
        name="bright",
        title="Bright",
        variant="simple-c-resunet",
        scaling="unit",
        diameter=DIAMETER,
        threshold=0.5,
        min_size=40,
        min_distance=10,
    )
    return Model(card, network, "cpu")


@cache
def draw_patches() -> list[NDArray[np.uint8]]:
    from napari_cresunet.datasets import NeuronScene, synthesize_neurons

    scene = NeuronScene(
        height=PATCH, width=PATCH, n_cells=CELLS * PATCH**2 // 10**6, diameter=DIAMETER
    )
    return [synthesize_neurons(scene, seed=seed)[0] for seed in range(N_PATCHES)]


def make_slide(path: Path, side: int) -> None:
    """Write a synthetic slide chunk by chunk, from a few patches turned at random."""
    from napari_cresunet.pyramids import create_pyramid
    from napari_cresunet.steps import drain

    patches = draw_patches()
    rng = np.random.default_rng(0)
    writer = create_pyramid(
        path, (side, side, 3), "uint8", kind="image", rgb=True, chunk=PATCH
    )
    for top in range(0, side, PATCH):
        for left in range(0, side, PATCH):
            bottom, right = min(top + PATCH, side), min(left + PATCH, side)
            patch = np.rot90(patches[rng.integers(N_PATCHES)], rng.integers(4))
            where = (slice(top, bottom), slice(left, right), slice(None))
            writer.write(where, patch[: bottom - top, : right - left])
    drain(writer.finish())


def _peak() -> float:
    """Return the most memory that this process had, in MB."""
    if sys.platform == "linux":
        # getrusage would give the peak of the process that started this one.
        lines = Path("/proc/self/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()

"""Peak memory of one way, measured in a process of its own."""

import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.benchmarking._scenes import draw_probability
from napari_cresunet.benchmarking._ways import THRESHOLD, Way

SMALL = 128
"""Side in px of what warms up: libraries and compiled functions are loaded then."""
_CHILD = "from napari_cresunet.benchmarking._memory import main; main()"


def peak_of(way: Way, pixels: NDArray[Any]) -> float | None:
    """Measure the peak memory of a way.

    Parameters
    ----------
    way : Way
        What runs.
    pixels : ndarray
        Image or probability.

    Returns
    -------
    float or None
        MB (10^6 bytes) beyond libraries, model and `pixels`; on CUDA those of the GPU.
        None where they cannot be measured, or where memory ran out.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.npy"
        np.save(path, pixels)
        told = subprocess.run(
            [sys.executable, "-c", _CHILD, json.dumps(asdict(way)), str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        return float(told.stdout.split()[-1])
    except (ValueError, IndexError):
        return None


def main() -> None:
    """Print the peak in MB; the arguments are a way as JSON and a file of pixels."""
    way, pixels = Way(**json.loads(sys.argv[1])), np.load(sys.argv[2])
    _warm_up(way, pixels)
    before = _memory_now(way.device)
    way.ready(pixels)()
    sys.stdout.write(f"{(_peak(way.device) - before) / 1e6}\n")


def _warm_up(way: Way, pixels: NDArray[Any]) -> None:
    from napari_cresunet.segmentation import segment

    cells = draw_probability(SMALL, SMALL, 2)
    segment(cells, threshold=THRESHOLD)
    way.ready(pixels[:SMALL, :SMALL] if pixels.ndim == 3 else cells)()


def _memory_now(device: str) -> int:
    """Return the bytes that this process has."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.memory_allocated(device))
    return _of_status("VmRSS") if platform.system() == "Linux" else _peak(device)


def _peak(device: str) -> int:
    """Return the most bytes that this process had so far."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    if platform.system() == "Linux":
        # getrusage would give the peak of the process that started this one.
        return _of_status("VmHWM")
    return _peak_elsewhere()


def _peak_elsewhere() -> int:
    """Return the peak on macOS and Windows."""
    try:
        import resource
    except ImportError:
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _of_status(name: str) -> int:
    """Return a line of Linux' account of this process, in bytes."""
    status = Path("/proc/self/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return 1024 * int(lines[name].split()[0])

"""The computer that a benchmark ran on."""

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("napari-cresunet", "torch", "openvino", "nncf"),
    *("numpy", "scipy", "scikit-image", "numba"),
)


def describe_machine() -> dict[str, Any]:
    """Tell what this computer is.

    Returns
    -------
    dict
        Ready for JSON: processor, cores (that this process may use), threads (of
        torch), memory_gb (None where unknown), gpus (a list of name and memory_gb),
        system, python, and versions of the packages that matter.
    """
    import torch

    return {
        "processor": processor_name(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "memory_gb": _gigabytes(total_memory()),
        "gpus": _gpus(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": _versions(),
    }


def processor_name() -> str:
    """Return what the processor calls itself."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.CalledProcessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            told = subprocess.run(command, capture_output=True, text=True, check=True)
            return told.stdout.strip()
    return platform.processor() or platform.machine() or "unknown"


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def total_memory() -> int | None:
    """Return the bytes of memory of this computer, None where that is unknown."""
    if hasattr(os, "sysconf"):
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return _of_psutil("total")


def free_memory(device: str) -> int | None:
    """Return the bytes that a device has free, None where that is unknown.

    Parameters
    ----------
    device : str
        "cpu", "mps", "cuda", "cuda:1" and so on.

    Returns
    -------
    int or None
        Memory of the GPU on CUDA, of the computer otherwise.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    if platform.system() == "Linux":
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))
    return _of_psutil("available")


def _of_psutil(name: str) -> int | None:
    try:
        import psutil
    except ImportError:
        return None
    return int(getattr(psutil.virtual_memory(), name))


def _gigabytes(n_bytes: int | None) -> float | None:
    return None if n_bytes is None else round(n_bytes / 1e9, 1)


def _gpus() -> list[dict[str, Any]]:
    import torch

    if torch.cuda.is_available():
        known = [
            torch.cuda.get_device_properties(index)
            for index in range(torch.cuda.device_count())
        ]
        return [
            {"name": gpu.name, "memory_gb": _gigabytes(gpu.total_memory)}
            for gpu in known
        ]
    if torch.backends.mps.is_available():
        return [{"name": "Apple GPU (MPS)", "memory_gb": None}]
    return []


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found

"""One training on several devices or hosts, through torchrun.

`torchrun --nproc-per-node 4 -m napari_cresunet train ...` starts one process for each
device; each learns from its part of every batch and DistributedDataParallel averages
the gradients. Process 0 alone validates, writes and tells.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import nn

from napari_cresunet.inference import resolve_device

_PATIENCE = timedelta(hours=2)
"""The others wait this long for the first process to validate."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Which process this is, of how many, and its device."""

    rank: int
    count: int
    device: str

    @property
    def is_first(self) -> bool:
        """Whether this process validates, writes and tells."""
        return self.rank == 0

    def shared(self, values: list[float]) -> list[float]:
        """Return the first process's numbers in every process.

        Parameters
        ----------
        values : list of float
            In other processes than the first only their number counts.

        Returns
        -------
        list of float
            Those of the first process.
        """
        if self.count == 1:
            return values
        # MPS has no float64, but no process group either.
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(tensor, src=0)
        return [float(value) for value in tensor]


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started; without torchrun there is one.

    Parameters
    ----------
    device : str
        As for `load_model`; with several CUDA devices each process takes its own.

    Yields
    ------
    Processes
        This process's place among them.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or not torch.distributed.is_torchelastic_launched():
        yield Processes(0, 1, resolve_device(device))
        return
    if device == "auto" and torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    device = resolve_device(device)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    torch.distributed.init_process_group(
        "nccl" if "cuda" in device else "gloo", timeout=_PATIENCE
    )
    try:
        yield Processes(torch.distributed.get_rank(), count, device)
    finally:
        torch.distributed.destroy_process_group()


def spread(module: nn.Module, processes: Processes) -> nn.Module:
    """Let a module average its gradients with the other processes.

    Parameters
    ----------
    module : Module
        On the process's device.
    processes : Processes
        This process's place.

    Returns
    -------
    Module
        Itself when there is one process.
    """
    if processes.count == 1:
        return module
    ids = [torch.device(processes.device)] if "cuda" in processes.device else None
    return nn.parallel.DistributedDataParallel(module, device_ids=ids)

"""How arrays lie in memory, and what to do when it runs out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from napari_cresunet.errors import EngineError
from napari_cresunet.inference import is_out_of_memory


@contextmanager
def memory_told(advice: str) -> Iterator[None]:
    """Turn the errors of missing memory into an `EngineError` that gives advice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise EngineError(f"There is not enough memory: {advice}.") from error


def layout_for(device: str) -> torch.memory_format:
    """Return the order of axes in memory that trains fastest on a device.

    Parameters
    ----------
    device : str
        Where the network learns.

    Returns
    -------
    torch.memory_format
        Channels last is made for the tensor cores of GPUs. On CPUs the gradients of the
        weights take up to three times longer with it.
    """
    on_gpu = device.startswith("cuda")
    return torch.channels_last if on_gpu else torch.contiguous_format

"""The only place where networks run: a batch of inputs in, their probability out."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._devices import import_torch

if TYPE_CHECKING:
    from torch import nn


class Runner(Protocol):
    """A network, ready on its device."""

    device: str
    """As in `available_devices`."""
    backend: str
    """"torch" or "openvino"."""
    precision: str
    """"full", "half" or "int8"."""
    most: int
    """The largest batch that is worth while."""

    def run(self, batch: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run the network on inputs of one shape.

        Parameters
        ----------
        batch : sequence of ndarray of shape (1 or 3, Y, X)
            In [0, 1]; gray is repeated to three channels. Y and X are multiples of the
            network's stride.

        Returns
        -------
        list of ndarray of shape (Y, X)
            Probability, one for each input.

        Notes
        -----
        Where memory runs out, the error is one that `is_out_of_memory` knows.
        """
        ...

    def on_cpu(self) -> "Runner":
        """Return the same network on the CPU, in full precision."""
        ...

    def release(self) -> None:
        """Free the memory that is kept for another input of the same shape."""
        ...


class TorchRunner:
    """A network that PyTorch runs in float32, on any device.

    Parameters
    ----------
    network : Module
        In evaluation mode, on `device`.
    device : str
        Where it is.
    """

    backend = "torch"
    precision = "full"
    most = 1

    def __init__(self, network: "nn.Module", device: str) -> None:
        self.network = network
        self.device = device

    def run(self, batch: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run the network; see `Runner`."""
        torch = import_torch()
        device = next(self.network.parameters()).device
        cudnn = torch.backends.cudnn
        # TF32 would cost three digits on recent GPUs; the setting ends with the block.
        with torch.inference_mode(), cudnn.flags(enabled=True, allow_tf32=False):
            inputs = torch.from_numpy(np.stack(batch)).to(device).expand(-1, 3, -1, -1)
            output = self.network(inputs.contiguous(memory_format=torch.channels_last))
            probability: NDArray[np.float32] = output[:, 0].cpu().numpy()
        return list(probability)

    def on_cpu(self) -> "TorchRunner":
        """Return a copy on the CPU, because the model stays where the user put it."""
        return TorchRunner(cpu_copy(self.network), "cpu")

    def release(self) -> None:
        """Do nothing: PyTorch gives memory to whatever is computed next."""


def cpu_copy(network: Any) -> "nn.Module":
    """Return a copy of a network on the CPU, in float32 as it was loaded."""
    copied: nn.Module = copy.deepcopy(network).to("cpu")
    return copied

"""A network on a device, together with the card that says how to feed it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.inference._devices import import_torch, resolve_device
from napari_cresunet.weights import DEFAULT_MODEL, find_weights, load_network

if TYPE_CHECKING:
    from torch import nn

    from napari_cresunet.weights import ModelCard


@dataclass(frozen=True, slots=True)
class Model:
    """What `predict` needs."""

    card: "ModelCard"
    network: "nn.Module"
    """In evaluation mode, on `device`."""
    device: str


def load_model(name_or_path: str | Path = DEFAULT_MODEL, device: str = "auto") -> Model:
    """Load a model.

    Parameters
    ----------
    name_or_path : str or Path, optional
        Name of a bundled or imported model, or a .safetensors or Keras .h5 file.
    device : str, optional
        "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:1", "mps".

    Returns
    -------
    Model
        Ready to predict.

    Notes
    -----
    A device that is not there is an `InputError`, a model that is not there or a file
    that cannot be used a `WeightsError`, and a PyTorch that does not load an
    `EngineError`.
    """
    torch = import_torch()
    device = resolve_device(device)
    card, network = load_network(find_weights(name_or_path))
    network = network.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack memory_format
    return Model(card, network, device)

"""What all formats share: the network by itself, its card as text, writing a file."""

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import written_whole
from napari_cresunet.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

    from napari_cresunet.inference import Model
    from napari_cresunet.models import Network
    from napari_cresunet.weights import ModelCard

CARD = "card"
"""Under this name the card travels as JSON, "card.json" where names are files'."""

INPUT, OUTPUT = "image", "probability"
"""Names of what goes in and what comes out."""


def portable_network(model: "Model") -> "Network":
    """Copy a model's network to the CPU, in plain memory order.

    Parameters
    ----------
    model : Model
        The model; it stays as it is.

    Returns
    -------
    Network
        In evaluation mode, float32.
    """
    import torch

    network: Any = deepcopy(model.network).cpu().float().eval()
    plain: Network = network.to(memory_format=torch.contiguous_format)
    return plain.requires_grad_(False)


def example_input(network: "Network") -> "Tensor":
    """Return an image (1, 3, Y, X) for tracing, whose sides differ.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    Tensor of shape (1, 3, 4 * stride, 3 * stride)
        Zeros.
    """
    import torch

    return torch.zeros(1, 3, 4 * network.stride, 3 * network.stride)


def card_values(card: "ModelCard") -> dict[str, Any]:
    """Return a card as plain values, without where it lay on this machine."""
    values = card.to_dict()
    del values["source"]
    return values


def card_text(card: "ModelCard") -> str:
    """Return a card as JSON, without where it lay on this machine."""
    return json.dumps(card_values(card), ensure_ascii=False)


def missing_package(name: str) -> str:
    """Return the message that a package for exporting is not installed."""
    return (
        f"Exporting needs the package {name}, which is not installed; "
        'install it with: pip install "napari-cresunet[export]"'
    )


def write_export(path: str | Path, content: bytes) -> Path:
    """Write a file in one step: it is there whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file to write or replace; missing folders are made.
    content : bytes
        All of it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WeightsError
        If it cannot be written.
    """
    path = Path(path)
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be written ({error.strerror}); "
            "choose another folder or free some space."
        ) from error
    return path

"""From weight files to networks and back."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._fluocells import read_fluocells
from napari_cresunet.weights._keras import read_keras
from napari_cresunet.weights._safetensors import (
    Tensors,
    check_variant,
    is_hdf5,
    read_tensors,
    write_tensors,
)
from napari_cresunet.weights._store import source_of

if TYPE_CHECKING:
    from torch import nn


def load_network(path: str | Path) -> tuple[ModelCard, "nn.Module"]:
    """Load a network with its weights.

    Parameters
    ----------
    path : str or Path
        A safetensors file with a model card, or a Keras HDF5 file (see `import_keras`).

    Returns
    -------
    card : ModelCard
        Its card.
    network : torch.nn.Module
        The network in evaluation mode, float32, on the CPU.

    Notes
    -----
    A file that is missing, damaged, unsafe or made for another network is a
    `WeightsError`.
    """
    path = Path(path)
    if is_hdf5(path):
        return import_keras(path)
    card, tensors = read_tensors(path)
    network = _build_network(path, tensors, card)
    return replace(card, source=source_of(path)), network


def import_keras(
    path: str | Path, *, name: str | None = None
) -> tuple[ModelCard, "nn.Module"]:
    """Load a c-ResUnet that Keras 2 saved as HDF5; TensorFlow is not needed.

    Parameters
    ----------
    path : str or Path
        A whole model or its weights, with layers named `conv2d_K`,
        `batch_normalization_K` and `conv2d_transpose_K`, K starting anywhere.
    name : str, optional
        The model's name; that of the file if not given.

    Returns
    -------
    card : ModelCard
        A card with the recommendations that were published for c-ResUnet.
    network : torch.nn.Module
        The network in evaluation mode, float32, on the CPU.

    Notes
    -----
    A file that is no HDF5, or whose layers are not those of a c-ResUnet, is a
    `WeightsError` that names the first layer that does not fit.
    """
    path = Path(path)
    card, tensors = read_keras(path, name=name)
    return card, _build_network(path, tensors, card)


def import_fluocells(
    path: str | Path, *, name: str | None = None
) -> tuple[ModelCard, "nn.Module"]:
    """Load a c-ResUnet that fluocells saved with PyTorch; fastai is not needed.

    Parameters
    ----------
    path : str or Path
        The .pth file: a state dict, or a dict with one under "model".
    name : str, optional
        The model's name; that of the file if not given.

    Returns
    -------
    card : ModelCard
        A card with the threshold of fluocells, 0.5.
    network : torch.nn.Module
        The network in evaluation mode, float32, on the CPU.

    Notes
    -----
    A file that holds more than tensors is not opened, and nothing in it is ever run.
    That, a damaged file and one of another network are each a `WeightsError`.
    """
    path = Path(path)
    card, tensors = read_fluocells(path, name=name)
    return card, _build_network(path, tensors, card)


def save_weights(path: str | Path, network: "nn.Module", card: ModelCard) -> ModelCard:
    """Write a network's weights and their card into one safetensors file.

    The file is there whole or not at all; one that exists is replaced.

    Parameters
    ----------
    path : str or Path
        The file to write; missing folders are made.
    network : torch.nn.Module
        The network, on any device, of the variant that `card` names.
    card : ModelCard
        Its card; `weights_hash` is set here.

    Returns
    -------
    ModelCard
        The card with `weights_hash`, and `path` as its source.

    Notes
    -----
    A network that is not of the card's variant, weights that are not finite and a file
    that cannot be written are each a `WeightsError`; nothing is written then.
    """
    path = Path(path)
    check_variant(path, card)
    tensors = {
        name: tensor.detach().cpu().contiguous().numpy()
        for name, tensor in network.state_dict().items()
    }
    _build_network(path, tensors, card)
    return write_tensors(path, tensors, card)


def _build_network(path: Path, tensors: Tensors, card: ModelCard) -> "nn.Module":
    """Return the card's network with these weights, or refuse what does not fit."""
    import torch

    from napari_cresunet.models import VARIANTS

    network = VARIANTS[card.variant].build_empty()
    expected = network.state_dict()
    _check_names(path, set(tensors), set(expected), card.variant)
    for name, parameter in expected.items():
        wanted = (str(parameter.dtype).removeprefix("torch."), tuple(parameter.shape))
        found = (tensors[name].dtype.name, tensors[name].shape)
        if found != wanted:
            raise WeightsError(
                f"{path.name} does not fit the network {card.variant!r}: {name} is "
                f"{found[0]} of shape {found[1]} instead of {wanted[0]} of shape "
                f"{wanted[1]}; use weights of that network."
            )
        if not np.isfinite(tensors[name]).all():
            raise WeightsError(
                f"{path.name} cannot be used: {name} holds values that are not finite; "
                "train again with a smaller learning rate or copy the file again."
            )
    state = {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
    network.load_state_dict(state, assign=True)
    return network.eval()


def _check_names(path: Path, found: set[str], expected: set[str], variant: str) -> None:
    missing, surplus = sorted(expected - found), sorted(found - expected)
    if missing:
        raise WeightsError(
            f"{path.name} does not fit the network {variant!r}: "
            f"{missing[0]} is missing; use weights of that network."
        )
    if surplus:
        raise WeightsError(
            f"{path.name} does not fit the network {variant!r}: "
            f"it has no {surplus[0]}; use weights of that network."
        )

"""Taking a model into the user's folder."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._network import (
    import_fluocells,
    load_network,
    save_weights,
)
from napari_cresunet.weights._safetensors import SUFFIX
from napari_cresunet.weights._store import stored_models, user_model_folder

if TYPE_CHECKING:
    from torch import nn

_TORCH_SUFFIXES = (".pth", ".pt")


def import_model(
    path: str | Path, *, name: str | None = None, overwrite: bool = False
) -> ModelCard:
    """Copy a model into the user's folder, so that it is found by its name.

    Parameters
    ----------
    path : str or Path
        A Keras HDF5 file of c-ResUnet, a .pth file of fluocells or a safetensors file
        with a model card.
    name : str, optional
        Its name from now on: letters, digits, "-", "_" and ".". If not given, that of
        the card (for the files of others that of the file).
    overwrite : bool, optional
        Whether a model of the user with the same name is replaced.

    Returns
    -------
    ModelCard
        The card as stored.

    Notes
    -----
    A file that cannot be used, and a name that is taken or not allowed, is a
    `WeightsError`.
    """
    path = Path(path)
    is_torch = path.suffix.lower() in _TORCH_SUFFIXES
    card, network = import_fluocells(path) if is_torch else load_network(path)
    card = card if name is None else replace(card, name=name)
    return store_model(card, network, overwrite=overwrite)


def store_model(
    card: ModelCard, network: "nn.Module", *, overwrite: bool = False
) -> ModelCard:
    """Write a network into the user's folder under its card's name.

    Parameters
    ----------
    card : ModelCard
        Its card.
    network : torch.nn.Module
        The network of the card's variant.
    overwrite : bool, optional
        Whether a model of the user with the same name is replaced.

    Returns
    -------
    ModelCard
        The card as stored.

    Notes
    -----
    A name that is taken, and a file that cannot be written, is a `WeightsError`.
    """
    target = free_place(card.name, overwrite=overwrite)
    return replace(save_weights(target, network, card), source="user")


def free_place(name: str, *, overwrite: bool = False) -> Path:
    """Return the file that a model of this name goes into.

    Parameters
    ----------
    name : str
        The model's name.
    overwrite : bool, optional
        Whether a model of the user with the same name is replaced.

    Returns
    -------
    Path
        In the user's folder; it exists only if it may be overwritten.

    Raises
    ------
    WeightsError
        If the name is taken.
    """
    stored = stored_models()
    target = user_model_folder() / f"{name}{SUFFIX}"
    if name in stored:
        present, target = stored[name]
        if present.source == "bundled":
            raise WeightsError(
                f"The name {name!r} is that of a bundled model; "
                "give the model another name."
            )
    if target.exists() and not overwrite:
        raise WeightsError(
            f"There is already a model {name!r} ({target}); "
            "give another name or allow it to be overwritten."
        )
    return target

"""Taking a model into the user's folder."""

from dataclasses import replace
from pathlib import Path

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._network import load_network, save_weights
from napari_cresunet.weights._safetensors import SUFFIX
from napari_cresunet.weights._store import stored_models, user_model_folder


def import_model(
    path: str | Path, *, name: str | None = None, overwrite: bool = False
) -> ModelCard:
    """Copy a model into the user's folder, so that it is found by its name.

    Parameters
    ----------
    path : str or Path
        A Keras HDF5 file of c-ResUnet or a safetensors file with a model card.
    name : str, optional
        Its name from now on: letters, digits, "-", "_" and ".". If not given, that of
        the card (for Keras files that of the file).
    overwrite : bool, optional
        Whether a model of the user with the same name is replaced.

    Returns
    -------
    ModelCard
        The card as stored.

    Raises
    ------
    WeightsError
        If the file cannot be used, or the name is taken or not allowed.
    """
    card, network = load_network(path)
    card = card if name is None else replace(card, name=name)
    stored = stored_models()
    target = user_model_folder() / f"{card.name}{SUFFIX}"
    if card.name in stored:
        present, target = stored[card.name]
        if present.source == "bundled":
            raise WeightsError(
                f"The name {card.name!r} is that of a bundled model; "
                "give the model another name."
            )
    if target.exists() and not overwrite:
        raise WeightsError(
            f"There is already a model {card.name!r} ({target}); "
            "give another name or allow it to be overwritten."
        )
    return replace(save_weights(target, network, card), source="user")

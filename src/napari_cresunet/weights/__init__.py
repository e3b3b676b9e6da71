"""Model cards, weight files and where they are kept.

A model is one safetensors file whose header carries its card. Nothing is ever
unpickled. Reading cards and listing models needs no torch, loading a network does.
"""

from napari_cresunet.weights._card import SCALINGS, ModelCard
from napari_cresunet.weights._import import import_model
from napari_cresunet.weights._network import import_keras, load_network, save_weights
from napari_cresunet.weights._store import (
    DEFAULT_MODEL,
    find_weights,
    list_models,
    read_card,
    user_model_folder,
)

__all__ = [
    "DEFAULT_MODEL",
    "SCALINGS",
    "ModelCard",
    "find_weights",
    "import_keras",
    "import_model",
    "list_models",
    "load_network",
    "read_card",
    "save_weights",
    "user_model_folder",
]

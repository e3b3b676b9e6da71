"""Model cards, weight files and where they are kept.

A model is one safetensors file whose header carries its card. Of the files of others
nothing is ever run. Reading cards and listing models needs no torch, loading a network
does.
"""

from napari_cresunet.weights._card import CHANNELS, SCALINGS, ModelCard, zoom_into
from napari_cresunet.weights._download import (
    GITHUB,
    download_folder,
    find_downloaded,
    iter_download,
)
from napari_cresunet.weights._import import import_model
from napari_cresunet.weights._network import (
    import_fluocells,
    import_keras,
    load_network,
    save_weights,
)
from napari_cresunet.weights._released import RELEASED, Released
from napari_cresunet.weights._store import (
    DEFAULT_MODEL,
    find_weights,
    list_models,
    read_card,
    user_model_folder,
)

__all__ = [
    "CHANNELS",
    "DEFAULT_MODEL",
    "GITHUB",
    "RELEASED",
    "SCALINGS",
    "ModelCard",
    "Released",
    "download_folder",
    "find_downloaded",
    "find_weights",
    "import_fluocells",
    "import_keras",
    "import_model",
    "iter_download",
    "list_models",
    "load_network",
    "read_card",
    "save_weights",
    "user_model_folder",
    "zoom_into",
]

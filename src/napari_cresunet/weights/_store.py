"""Which models there are, and where their files lie."""

import logging
import os
import re
from dataclasses import replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._keras import read_keras
from napari_cresunet.weights._safetensors import SUFFIX, is_hdf5, read_header_card

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "fluorescent-cells"
"""The model that is used when none is named."""

FOLDER_VARIABLE = "NAPARI_CRESUNET_MODELS"
"""Environment variable that puts the user's models elsewhere."""

_LOOKS_LIKE_A_PATH = re.compile(
    r"[/\\]|\.(safetensors|h5|hdf5|keras|pth|pt|pkl)$", re.I
)


def user_model_folder() -> Path:
    """Return the folder of the user's own models; it need not exist yet.

    Returns
    -------
    Path
        What the environment variable `NAPARI_CRESUNET_MODELS` says, otherwise "models"
        in the user's data folder for this application.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("napari-cresunet", appauthor=False) / "models"


def bundled_model_folder() -> Path:
    """Return the folder of the models that come with the package."""
    return Path(str(files("napari_cresunet.weights"))) / "bundled"


def source_of(path: Path) -> str:
    """Return "bundled", "user" or the path itself: a card's `source`."""
    folder = path.resolve().parent
    if folder == bundled_model_folder().resolve():
        return "bundled"
    return "user" if folder == user_model_folder().resolve() else str(path)


def read_card(path: str | Path) -> ModelCard:
    """Read a weight file's card; of a safetensors file only the header is read.

    Parameters
    ----------
    path : str or Path
        A safetensors file with a model card, or a Keras HDF5 file of c-ResUnet.

    Returns
    -------
    ModelCard
        Its card.

    Notes
    -----
    A file that is missing, damaged, unsafe or made for another network is a
    `WeightsError`.
    """
    path = Path(path)
    if is_hdf5(path):
        return read_keras(path)[0]
    return replace(read_header_card(path), source=source_of(path))


def list_models() -> list[ModelCard]:
    """Return the cards of all models that can be found by name.

    Returns
    -------
    list of ModelCard
        The bundled ones, the default first, then the user's; each by name.

    Notes
    -----
    A file in the user's folder that cannot be used, or whose name is taken, is left out
    with a logged warning.
    """
    return [card for card, _ in stored_models().values()]


def stored_models() -> dict[str, tuple[ModelCard, Path]]:
    """Return name → (card, file) of all usable models, as `list_models` orders them."""
    stored: dict[str, tuple[ModelCard, Path]] = {}
    for folder in (bundled_model_folder(), user_model_folder()):
        found = [item for path in folder.glob(f"*{SUFFIX}") for item in _try_card(path)]
        for card, path in sorted(found, key=_default_first):
            if card.name in stored:
                logger.warning(
                    "Left out %s: the name %s is that of %s",
                    path,
                    card.name,
                    stored[card.name][1],
                )
            else:
                stored[card.name] = (card, path)
    return stored


def _try_card(path: Path) -> list[tuple[ModelCard, Path]]:
    try:
        return [(read_card(path), path)]
    except (WeightsError, OSError) as error:
        logger.warning("Left out %s: %s", path, error)
        return []


def _default_first(item: tuple[ModelCard, Path]) -> tuple[bool, str, Path]:
    card, path = item
    return (card.name != DEFAULT_MODEL, card.name, path)


def find_weights(name_or_path: str | Path) -> Path:
    """Find the weight file of a model.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a model as in `list_models`, or a file. A text without a
        separator and without a suffix of weight files is a name.

    Returns
    -------
    Path
        The file, which exists; whether it can be used is seen on loading.

    Raises
    ------
    WeightsError
        If there is no such model (near matches are named) or no such file.
    """
    stored = stored_models()
    if isinstance(name_or_path, str) and name_or_path in stored:
        return stored[name_or_path][1]
    if isinstance(name_or_path, Path) or _LOOKS_LIKE_A_PATH.search(name_or_path):
        path = Path(name_or_path).expanduser()
        is_hdf5(path)  # refuses what can be seen to be no weight file
        return path
    near = get_close_matches(str(name_or_path), stored, n=3, cutoff=0.5)
    choice = " or ".join(near or stored)
    raise WeightsError(
        f"There is no model {str(name_or_path)!r}; "
        + (f"did you mean {choice}?" if choice else "give the path of a weight file.")
    )

"""What the user of the dock Train chose, and the settings that follow from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.config import Options, option
from napari_cresunet.state._training_data import Folders
from napari_cresunet.weights import DEFAULT_MODEL, ModelCard

if TYPE_CHECKING:
    from napari_cresunet.training import TrainConfig

LAYERS, FOLDER, FOLDERS = "layers", "folder", "folders"
"""What to learn from."""
DEFAULT_NAME = "my-cells"
RECIPE = "fluorescent-cells"
"""The preset whose losses and augmentation fine-tuning uses."""
OWN_CONTROLS = (
    *("name", "title", "variant", "start", "freeze_encoder"),
    *("data", "license", "citation"),
)
"""Settings that are chosen elsewhere in the dock, or follow from what is."""
GROUPS: dict[str, tuple[str, ...]] = {
    "Learning": (
        *("epochs", "batch_size", "learning_rate", "optimizer", "momentum"),
        *("schedule", "stop_patience", "monitor", "averaging", "precision", "seed"),
    ),
    "Images and crops": (
        *("validation", "match_distance", "scaling", "channels", "diameter"),
        "largest_diameter",
        *("crop_size", "crop_step", "subset", "samples"),
        *("cell_repeats", "artifact_repeats"),
    ),
    "Variation of crops": (
        *("flip", "rotation", "zoom", "shift", "elastic"),
        *("brightness", "contrast", "noise"),
    ),
    "Loss": (
        *("cross_entropy", "positive_weight", "negative_weight"),
        *("weight_maps", "weight_sigma", "touching_weight"),
        *("dice", "focal", "focal_tversky"),
    ),
}
"""How the other settings are shown."""
FROM_CARD = ("scaling", "channels", "diameter", "largest_diameter")
"""Settings that fine-tuning takes from the model's card."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainChoices(Options):
    """The controls that are always in sight."""

    learn_from: str = option(LAYERS, "Where the images and the true cells are.")
    folder: str = option(
        "",
        "A folder with the folders images and masks (or labels), whose files have the "
        "same names, or with images beside masks, such as a.tif and a_mask.tif.",
    )
    images: str = option("", "A folder of images.")
    masks: str = option(
        "", "A folder of masks, label images or annotations named as the images."
    )
    start: str = option(
        DEFAULT_MODEL,
        "Going on from a model needs few images and little time. From scratch the "
        "network knows nothing and needs many.",
    )
    freeze_encoder: bool = option(
        False,
        "The half of the network that sees stays as it is, the half that decides "
        "learns. Quicker, and safer with very few cells.",
    )
    system: str = option(RECIPE, "The network, with the settings that were published.")
    diameter: float | None = option(
        None,
        "Diameter of a typical cell in your images. Left empty, it is measured from "
        "the labels of each image.",
        unit="px",
        low=0.5,
        high=10_000,
    )
    name: str = option(
        DEFAULT_NAME, "What the new model is called: letters, digits, - _ and ."
    )
    device: str = option("auto", "Where the network learns.")


def base_config(choices: TrainChoices, card: ModelCard | None) -> "TrainConfig":
    """Return the settings before the user changed any.

    Parameters
    ----------
    choices : TrainChoices
        What the user chose.
    card : ModelCard or None
        Of the model to start from; None for from scratch.

    Returns
    -------
    TrainConfig
        Fine-tuning follows the card and the recipe, from scratch the system.
    """
    from napari_cresunet.training import fine_tuning, get_preset

    named: dict[str, Any] = {"name": choices.name, "title": choices.name}
    if card is None:
        return replace(get_preset(choices.system), **named)
    return replace(
        fine_tuning(card, get_preset(RECIPE), start=card.name),
        **named,
        freeze_encoder=choices.freeze_encoder,
    )


def folders_of(choices: TrainChoices) -> Folders | None:
    """Return the folders that were chosen; None if there are none, or layers."""
    if choices.learn_from == FOLDER and choices.folder:
        return Folders(images=Path(choices.folder))
    if choices.learn_from == FOLDERS and choices.images and choices.masks:
        return Folders(images=Path(choices.images), masks=Path(choices.masks))
    return None


def check_name(name: str, models: Iterable[ModelCard], trainings: Iterable[str]) -> str:
    """Look whether a new model may be called so.

    Parameters
    ----------
    name : str
        What the user typed.
    models : iterable of ModelCard
        All models there are.
    trainings : iterable of str
        Names of interrupted trainings.

    Returns
    -------
    str
        What is wrong and what to do, in a sentence; empty if it may.
    """
    if not _NAME.fullmatch(name):
        return (
            f"A model cannot be called {name!r}: use letters, digits, '-', '_' and "
            "'.', beginning with a letter or digit."
        )
    # Some systems take names that differ in case only for the same file.
    for card in models:
        if card.name.lower() == name.lower():
            whose = "a bundled" if card.source == "bundled" else "already a"
            return f"{card.name!r} is {whose} model: give the new one another name."
    if name.lower() in (training.lower() for training in trainings):
        return (
            f"There is an interrupted training {name!r}: continue or discard it, or "
            "give another name."
        )
    return ""


def free_name(models: Iterable[ModelCard], trainings: Iterable[str]) -> str:
    """Return a name that nothing has yet, such as "my-cells-2"."""
    models, trainings = list(models), list(trainings)
    name, number = DEFAULT_NAME, 1
    while check_name(name, models, trainings):
        number += 1
        name = f"{DEFAULT_NAME}-{number}"
    return name

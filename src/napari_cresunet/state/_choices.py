"""What the user chose, and the numbers that follow from it."""

from dataclasses import dataclass

from napari_cresunet.config import Options, option
from napari_cresunet.segmentation import DEFAULT_PRESET, PRESETS
from napari_cresunet.weights import DEFAULT_MODEL, ModelCard


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices(Options):
    """The controls of the dock. None follows the model's recommendation."""

    model: str = option(DEFAULT_MODEL, "The network that tells cells from background.")
    diameter: float | None = option(
        None,
        "Diameter of a typical cell in your image. The image is resampled for the "
        "network so that cells have the size it was trained on. Left empty, nothing is "
        "resampled.",
        unit="px",
        low=0.5,
        high=10_000,
    )
    threshold: float | None = option(
        None,
        "A pixel belongs to a cell where its probability is above this.",
        low=0,
        high=1,
    )
    min_size: int | None = option(
        None, "Smaller objects are not counted.", unit="px", low=0, high=10_000_000
    )
    device: str = option("auto", "Where the network runs.")
    tile: int | None = option(
        None,
        "Large images are predicted in tiles of this side; a smaller one needs less "
        "memory. The result does not depend on it.",
        unit="px",
        low=8,
        high=16_384,
    )
    view_only: bool = option(
        False,
        "Predict and count only what the canvas shows now. Quick on large images.",
    )
    preset: str = option(
        DEFAULT_PRESET, "The published recipe that splits touching cells."
    )
    min_distance: int | None = option(
        None,
        "Touching cells are split where their centers are at least this far apart.",
        unit="px",
        low=1,
        high=10_000,
    )
    new_layers: bool = option(
        False, "Keep the layers of the last run and put the next result into new ones."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What turns probability into labels, with nothing left open."""

    threshold: float
    min_size: int
    preset: str
    min_distance: int | None
    """None where the preset has its own way."""


def resolve(choices: Choices, card: ModelCard) -> Settings:
    """Fill what the user left open with the model's recommendations.

    Parameters
    ----------
    choices : Choices
        What the user chose.
    card : ModelCard
        The chosen model's card.

    Returns
    -------
    Settings
        Sizes and distances are in px of the image.
    """
    threshold, size = choices.threshold, choices.min_size
    distance = choices.min_distance
    diameter = choices.diameter
    if PRESETS[choices.preset].min_distance is None:
        distance = None
    elif distance is None:
        distance = card.min_distance_at(diameter)
    return Settings(
        threshold=card.threshold if threshold is None else threshold,
        min_size=card.min_size_at(diameter) if size is None else size,
        preset=choices.preset,
        min_distance=distance,
    )

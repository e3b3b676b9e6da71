"""What the user chose, and the numbers that follow from it."""

from dataclasses import dataclass
from types import MappingProxyType

from napari_cresunet.config import Options, option
from napari_cresunet.segmentation import DEFAULT_PRESET, PRESETS
from napari_cresunet.weights import DEFAULT_MODEL, ModelCard

ENGINES = MappingProxyType(
    {
        "auto": ("automatic", "auto", "auto"),
        "torch": ("PyTorch", "torch", "auto"),
        "openvino": ("OpenVINO", "openvino", "full"),
        "int8": ("OpenVINO, 8 bits", "openvino", "int8"),
    }
)
"""What may run a network: its title, backend and precision."""


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
    engine: str = option(
        "auto",
        "What runs the network. On the processor OpenVINO finds the same cells as "
        "PyTorch and takes a third of the time. With 8 bits it takes half of that, but "
        "finds slightly other cells: how count and F1 change is measured when it is "
        "first used, and shown.",
    )
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


def describe_engine(choices: Choices, card: ModelCard | None) -> str:
    """Tell what the user should know of the chosen engine.

    Parameters
    ----------
    choices : Choices
        What the user chose.
    card : ModelCard or None
        The chosen model's card.

    Returns
    -------
    str
        Of 8 bits, what they change; empty for the others.
    """
    if choices.engine != "int8" or card is None:
        return ""
    from napari_cresunet.inference import read_quantized

    known = read_quantized(card.weights_hash)
    if known is None:
        return "What 8 bits change is measured when you press Run."
    return known.text

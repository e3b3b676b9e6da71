"""What a batch does with each image."""

from dataclasses import dataclass, field

from napari_cresunet.batch._counting import CountOptions
from napari_cresunet.batch._specs import ModelSpec
from napari_cresunet.config import Options, option


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchOptions(Options):
    """What a batch does with each image, and what it writes."""

    model: ModelSpec = field(default_factory=ModelSpec)
    """Which network runs, and where."""
    count: CountOptions = field(default_factory=CountOptions)
    """How cells are counted; a list of images may say otherwise for some."""
    channel: str | None = option(
        None, "Channel of what is counted block by block: number from 0, or name."
    )
    probability: bool = option(True, "Write the probability of each pixel.")
    overlay: bool = option(False, "Write a picture of each image with its cells.")
    cells: bool = option(False, "Write a table of the cells of each image.")
    report: bool = option(False, "Write a report over all images.")
    again: bool = option(False, "Count again what is counted already.")

"""Labels of a batch that were corrected by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_cresunet.batch._entries import Entry
from napari_cresunet.correction import LogEntry, Pins
from napari_cresunet.measurement import Region


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reviewed:
    """Labels of one image, as they were corrected or are about to be."""

    labels: NDArray[Any]
    """(..., Y, X) of any whole numbers: 0 is background."""
    pins: Pins = field(default_factory=Pins)
    """What new labels must leave as it is."""
    log: tuple[LogEntry, ...] = ()
    """What was done by hand."""
    reviewed: tuple[int, ...] = ()
    """Labels of the cells that were looked at, ascending."""
    regions: tuple[Region, ...] = ()
    """Areas in which cells are counted, in px of the image."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in µm; None if nobody knows."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the automatic labels came about; what is saved is only that of the batch."""


def open_review(output: str | Path, name: str) -> Reviewed:
    """Read the labels of an image for review.

    Parameters
    ----------
    output : str or Path
        The folder of the batch.
    name : str
        `Entry.name`.

    Returns
    -------
    Reviewed
        What was saved last; the automatic labels if nothing was yet, with the pixel
        size of the image file.

    Raises
    ------
    InputError
        If there is no such image, it was not counted, or its files are missing or
        damaged.
    """
    raise NotImplementedError


def save_review(output: str | Path, name: str, reviewed: Reviewed) -> Entry:
    """Write what was corrected: the files of the image, its row, and all tables.

    Parameters
    ----------
    output : str or Path
        The folder of the batch.
    name : str
        `Entry.name`.
    reviewed : Reviewed
        Labels of the shape of the image.

    Returns
    -------
    Entry
        Of state "reviewed", with the corrected count.

    Raises
    ------
    InputError
        If there is no such image, or the labels are of another shape.
    EngineError
        If it cannot be written.
    """
    raise NotImplementedError

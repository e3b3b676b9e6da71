"""What is kept of one image that was counted and corrected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_cresunet.correction import LogEntry, Pins
from napari_cresunet.measurement import Region


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageReference:
    """Which image was counted; its pixels are not kept."""

    name: str
    path: Path | None = None
    """Where it was read from; None if it was in no file."""
    sample: tuple[str, str] | None = None
    """Plugin and name of a sample of napari, where it was one."""
    hash: str = ""
    """Of its pixels, see `image_hash`; empty if they were not read."""
    shape: tuple[int, ...] = ()
    """With the axis of colors, where there is one."""
    dtype: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StudyContent:
    """Everything that goes into the folder of a study, and comes out of it."""

    name: str
    image: ImageReference | None = None
    """None if the labels belong to no image."""
    labels: NDArray[Any]
    """(..., Y, X) of any whole numbers: 0 is background."""
    pins: Pins = field(default_factory=Pins)
    log: tuple[LogEntry, ...] = ()
    reviewed: tuple[int, ...] = ()
    """Labels of the cells that were looked at, ascending."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the labels came about, ready for JSON; what JSON cannot hold, such as NaN,
    comes back as None."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in µm."""
    offset: tuple[int, int] = (0, 0)
    """Row and column of the image at which the labels begin."""
    regions: tuple[Region, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """Counts and scores, ready for JSON as `record`."""

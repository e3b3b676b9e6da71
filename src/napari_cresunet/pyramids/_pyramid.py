"""An image larger than memory, at several resolutions."""

from dataclasses import dataclass
from pathlib import Path

from napari_cresunet.pyramids._level import Level


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pyramid:
    """An image in files, read part by part.

    It can be sent to another process, which opens the files anew.
    """

    name: str
    """What it is called: the name of its file or folder without suffixes."""
    path: Path
    """The file or folder, as it was given."""
    levels: tuple[Level, ...]
    """Full resolution first; each (..., Y, X) or (..., Y, X, 3)."""
    is_rgb: bool
    """Whether the last axis holds red, green and blue."""
    leading: tuple[str, ...] = ()
    """Names of the axes before Y, X, such as ("t", "z"); none of length 1."""
    pixel_size: tuple[float, float] | None = None
    """Height and width in µm at full resolution; None if the file does not say it."""
    factors: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    """How many pixels of full resolution a pixel of each level is high and wide."""
    channels: tuple[str, ...] = ()
    """Names of all channels of the file; empty if it has one, or if they are colors."""
    channel: int | None = None
    """Which of them this is."""
    is_labels: bool = False
    """Whether the file says that it holds labels of cells."""

    @property
    def image(self) -> Level:
        """The image at full resolution."""
        return self.levels[0]

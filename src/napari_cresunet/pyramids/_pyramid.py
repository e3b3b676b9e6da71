"""An image larger than memory, at several resolutions."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cresunet.pyramids._level import Level

_SUFFIXES = re.compile(r"(\.ome)?\.(zarr|tiff?|svs|ndpi)$", re.IGNORECASE)


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
    remark: str = ""
    """What the user should know, such as why reading is slow; mostly empty."""

    @property
    def image(self) -> Level:
        """The image at full resolution."""
        return self.levels[0]

    def __reduce__(self) -> tuple[Callable[..., "Pyramid"], tuple[Any, ...]]:
        """Return how to open it in another process."""
        return _open_again, (self.path, self.channel)


def _open_again(path: Path, channel: int | None) -> Pyramid:
    from napari_cresunet.pyramids._opening import open_pyramid

    return open_pyramid(path, channel=channel)


def name_of(path: Path) -> str:
    """Return the name of a file or folder without suffixes.

    Parameters
    ----------
    path : Path
        The file or folder.

    Returns
    -------
    str
        Its name.

    Examples
    --------
    >>> name_of(Path("slides/mouse 3.ome.zarr")), name_of(Path("a.v2.tif"))
    ('mouse 3', 'a.v2')
    """
    name = path.resolve().name
    return _SUFFIXES.sub("", name) or name

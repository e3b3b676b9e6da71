"""An image larger than memory as it is counted: its planes, and what tells it apart."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.batch._slides_plan import plane_index
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.pyramids import Pyramid, is_pyramid, open_pyramid

SLIDE_PIXELS = 64_000_000
"""From this size of a plane on a TIFF is counted block by block: as a whole, it would
need more than a GB beside the network."""
_PATCH = 16  # px
_PATCHES = 4  # along each axis
_SAMPLED_PLANES = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SlideSource:
    """An image of which only parts are read.

    It can be sent to another process if it has a path.
    """

    image: Any
    """(..., Y, X) or (..., Y, X, 3 or 4)."""
    is_rgb: bool
    leading: tuple[int, ...]
    """Lengths of the axes before Y, X."""
    extent: tuple[int, int]
    """Y and X."""
    name: str
    path: Path | None = None
    """Absolute; None for an array."""
    axes: tuple[str, ...] | None = None
    """Names of the leading axes, if they are known."""
    pixel_size: tuple[float, float] | None = None
    channel: int | None = None

    @property
    def n_planes(self) -> int:
        """How many planes there are."""
        return prod(self.leading)

    def plane(self, number: int) -> tuple[int, ...]:
        """Return where a plane is on the leading axes."""
        return plane_index(number, self.leading)


class PlaneView:
    """One plane of a source, of which a part may be in memory already.

    Parameters
    ----------
    source : SlideSource
        The image.
    plane : int
        Which plane, counted through all leading axes.
    """

    def __init__(self, source: SlideSource, plane: int) -> None:
        self.shape = tuple(source.image.shape[len(source.leading) :])
        self.dtype = np.dtype(source.image.dtype)
        self._image = source.image
        self._plane = source.plane(plane)
        self._corner = (0, 0)
        self._part: NDArray[Any] = np.empty((0, 0), self.dtype)

    def load(self, rows: slice, columns: slice) -> "PlaneView":
        """Read a part, from which smaller parts are taken later."""
        self._part = np.asarray(self._image[(*self._plane, rows, columns)])
        self._corner = (rows.start, columns.start)
        return self

    def __getitem__(self, where: tuple[slice, slice]) -> NDArray[Any]:
        """Return a part, from memory if it is there."""
        inner = []
        for part, first, length in zip(
            where, self._corner, self._part.shape[:2], strict=True
        ):
            start, stop, step = part.start, part.stop, part.step
            if start is None or stop is None or step is not None:
                break
            if start < first or stop > first + length:
                break
            inner.append(slice(start - first, stop - first))
        if len(inner) == 2:
            return self._part[tuple(inner)]
        return np.asarray(self._image[(*self._plane, *where)])


def is_slide(path: str | Path, channel: int | str | None = None) -> bool:
    """Tell whether an image is to be counted block by block.

    Parameters
    ----------
    path : str or Path
        A file or folder.
    channel : int or str, optional
        Which channel is to be counted, as for `open_pyramid`.

    Returns
    -------
    bool
        True for a folder of zarr, and for a TIFF that is better read part by part and
        has planes of 64 million px and more. It is cheap: no pixel is read.
    """
    path = Path(path)
    if not is_pyramid(path):
        return False
    if path.is_dir():
        return True
    try:
        image = open_pyramid(path.absolute(), channel=channel)
        height, width = open_source(image).extent
    except InputError:
        # Whoever reads it says why it cannot be read.
        return False
    return height * width >= SLIDE_PIXELS


def open_source(image: Any, name: str | None = None) -> SlideSource:
    """Make one of whatever may be given as an image.

    Parameters
    ----------
    image : Pyramid, str, Path or array-like
        As for `iter_count_slide`.
    name : str, optional
        What it is called; by default as its pyramid, or "image".

    Returns
    -------
    SlideSource
        No pixel is read.

    Raises
    ------
    InputError
        If it is no image.
    """
    from napari_cresunet.inference import plane_shape

    if isinstance(image, str | Path):
        # Of a single channel, or the one that is told.
        image = open_pyramid(Path(image).absolute())
    if isinstance(image, Pyramid):
        leading, extent, is_rgb = plane_shape(image.image, rgb=image.is_rgb)
        return SlideSource(
            image=image.image,
            is_rgb=is_rgb,
            leading=leading,
            extent=extent,
            name=name or image.name,
            path=image.path.absolute(),
            axes=image.leading,
            pixel_size=image.pixel_size,
            channel=image.channel,
        )
    leading, extent, is_rgb = plane_shape(image)
    if not hasattr(image, "shape"):
        image = np.asarray(image)
    return SlideSource(
        image=image, is_rgb=is_rgb, leading=leading, extent=extent, name=name or "image"
    )


@contextmanager
def still_there(source: SlideSource) -> Iterator[None]:
    """Make sure that the files of an image were there all through a block of code.

    Parameters
    ----------
    source : SlideSource
        The image. Of zarr, what is missing would be read as black.

    Raises
    ------
    EngineError
        If they are gone.
    """
    failure: Exception | None = None
    try:
        yield
    except (InputError, OSError) as error:
        failure = error
    if source.path is not None and not source.path.exists():
        raise EngineError(
            f"{source.path} is not there any more: bring it back and start the same "
            "again; what is done stays."
        ) from failure
    if failure is not None:
        raise failure


def identity(source: SlideSource) -> dict[str, Any]:
    """Return what tells an image from others without reading all of it.

    Parameters
    ----------
    source : SlideSource
        The image.

    Returns
    -------
    dict
        Ready for JSON: path, channel, shape, dtype, number, size and latest change of
        its files, and the hash of some small parts of its first, middle and last plane.
        Of an array in memory it is the hash of all of it. So a file that was replaced
        or written to is another image, and one that was changed with its size and time
        kept is noticed only where one of the parts was changed.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in _sample(source):
        digest.update(np.ascontiguousarray(part).tobytes())
    return {
        "path": None if source.path is None else str(source.path),
        "channel": source.channel,
        "shape": [int(length) for length in source.image.shape],
        "dtype": np.dtype(source.image.dtype).str,
        "files": None if source.path is None else files_of(source.path),
        "sample": digest.hexdigest(),
    }


def files_of(path: Path) -> list[int]:
    """Return number, bytes and time of the latest change of all files of an image."""
    files = [path] if path.is_file() else path.rglob("*")
    stats = [file.stat() for file in files if not file.is_dir()]
    latest = max((stat.st_mtime_ns for stat in stats), default=0)
    return [len(stats), sum(stat.st_size for stat in stats), latest]


def _sample(source: SlideSource) -> Iterator[NDArray[Any]]:
    if type(source.image) is np.ndarray:
        # Row by row, so that no copy of the whole is made.
        yield from source.image
        return
    last = source.n_planes - 1
    starts = [
        sorted({int(place) for place in np.linspace(0, max(0, n - _PATCH), _PATCHES)})
        for n in source.extent
    ]
    for number in sorted({last * i // (_SAMPLED_PLANES - 1) for i in range(3)}):
        for top in starts[0]:
            for left in starts[1]:
                where = slice(top, top + _PATCH), slice(left, left + _PATCH)
                yield np.asarray(source.image[(*source.plane(number), *where)])

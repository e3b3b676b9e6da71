"""Reading an image of a batch, unless an earlier run has counted it."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_cresunet._files import hash_of
from napari_cresunet._typing import Image
from napari_cresunet.batch._counting import CountOptions
from napari_cresunet.batch._journal import Document, Listed
from napari_cresunet.errors import InputError

_SETTLED = 2.0  # s
"""A file that changed later than this may change again within its time stamp."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One image to be counted; goes to other processes."""

    image: Listed
    count: CountOptions
    """With what the list says of this image."""
    known: Document | None = None
    """What is noted of an earlier run, where everything but the image is the same."""
    is_reviewed: bool = False
    """Whether it was corrected by hand; then it is not counted."""
    lacking: tuple[str, ...] = ()
    """Of what is to be written beside the labels: what is not there yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one image; comes from other processes."""

    state: Literal["done", "kept", "failed"]
    """Kept is what needed no counting."""
    document: Document = field(default_factory=dict)
    """For the journal; empty if it need not be written."""
    error: str = ""
    message: str = ""
    """One sentence for the user, mostly empty."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Loaded:
    """An image that was read, and is to be counted."""

    pixels: Image
    hash: str
    """SHA-256 of the file."""
    stamp: tuple[int, int] | None
    """Size and time of the file, if they tell it from any later state."""
    pixel_size: tuple[float, float] | None
    known: Document | None = None
    """Set if only pictures of an earlier count are to be drawn."""

    @property
    def n_bytes(self) -> int:
        """Bytes that it takes until it is written, with probability and labels."""
        return int(self.pixels.nbytes) + 8 * math.prod(self.pixels.shape)


def read(task: Task, channel: str | None = None) -> Loaded | Outcome:
    """Read an image, unless an earlier run has counted it.

    Parameters
    ----------
    task : Task
        The image.
    channel : str, optional
        That was chosen; refused, because this reads whole images.

    Returns
    -------
    Loaded or Outcome
        The outcome "kept" if nothing is to be done.

    Raises
    ------
    InputError
        If the image holds no finite number, or cannot be read, or with a channel.
    """
    from napari_cresunet._images import read_image, read_pixel_size

    path, known = task.image.path, task.known
    if task.is_reviewed and not path.exists():
        return Outcome(state="kept")
    if not path.exists():
        raise InputError(f"There is no file {task.image.given}.")
    if channel is not None:
        raise InputError(
            f"{task.image.given} is read whole, with all its channels: choose no "
            "channel, or save the channel as a file of its own."
        )
    stamp = stamp_of(path)
    is_same = known is not None and _is_same(path, stamp, known)
    if is_same and not task.lacking:
        return _kept(task.image, known or {}, stamp)
    if task.is_reviewed and not is_same:
        return Outcome(state="kept", message="its image has changed since its review")
    # read_image says what is wrong with a file better than hashing does.
    pixels = read_image(path)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).any():
        raise InputError(f"{task.image.given} holds no finite number: export it again.")
    return Loaded(
        pixels=pixels,
        hash=hash_of(path),
        stamp=stamp,
        pixel_size=read_pixel_size(path),
        known=known if is_same else None,
    )


def _kept(image: Listed, known: Document, stamp: tuple[int, int] | None) -> Outcome:
    """Return the outcome of an image that is as it was."""
    wanted = done_of(image, stamp)
    is_noted = all(known.get(name) == value for name, value in wanted.items())
    return Outcome(state="kept", document={} if is_noted else {**known, **wanted})


def done_of(image: Listed, stamp: tuple[int, int] | None) -> dict[str, Any]:
    """Return what the journal notes of an image that is done, whatever was counted."""
    return {
        "path": str(image.path),
        "given": image.given,
        "group": image.group,
        "state": "done",
        "error": "",
        "stamp": stamp and list(stamp),
    }


def stamp_of(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file; None if it has only just been written."""
    status = path.stat()
    if time.time() - status.st_mtime < _SETTLED:
        return None
    return status.st_size, status.st_mtime_ns


def _is_same(path: Path, stamp: tuple[int, int] | None, known: Document) -> bool:
    if stamp is not None and known.get("stamp") == list(stamp):
        return True
    return bool(hash_of(path) == known["record"].get("image_hash"))

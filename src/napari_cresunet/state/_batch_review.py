"""One image of a batch: opened for review, and saved."""

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_cresunet.batch import Entry, Reviewed, open_review, save_review
from napari_cresunet.errors import CResUNetError, InputError
from napari_cresunet.state._errors import describe_error
from napari_cresunet.state._run import Progress
from napari_cresunet.state._study_saving import describe_age

_ZARR = ".zarr"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OpenedImage:
    """What the layers of one image of a batch show."""

    entry: Entry
    image: tuple[Any, ...]
    """(..., Y, X) or (..., Y, X, 3 or 4); of a pyramid all levels, the finest first."""
    is_rgb: bool
    labels: tuple[Any, ...]
    """(..., Y, X), levels as above; more than one cannot be corrected."""
    probability: tuple[Any, ...] = ()
    """(..., Y, X), levels as above; empty if it was not kept."""
    reviewed: Reviewed | None = None
    """What there is to correct; None of an image that is only looked at."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in µm."""
    record: dict[str, Any] = field(default_factory=dict)


def iter_open_image(
    output: Path, entry: Entry
) -> Generator[Progress, None, OpenedImage]:
    """Read an image of a batch with its labels.

    Parameters
    ----------
    output : Path
        The folder of results.
    entry : Entry
        The image; done or reviewed.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    OpenedImage
        Image, labels, and the probability if it was kept.

    Raises
    ------
    InputError
        If the image was not counted, or any of it cannot be read.
    """
    yield Progress(text=f"Opening {entry.name}…")
    why_not = why_not_open(entry)
    if why_not:
        raise InputError(why_not)
    if str(entry.record.get("labels", "")).endswith(_ZARR):
        return _open_slide(output, entry)
    reviewed = open_review(output, entry.name)
    image, _ = _read_levels(entry.path)
    is_rgb = _check_shape(entry, image[0].shape, reviewed.labels.shape)
    return OpenedImage(
        entry=entry,
        image=image,
        is_rgb=is_rgb,
        labels=(reviewed.labels,),
        probability=_read_probability(output, entry, reviewed.labels.shape),
        reviewed=reviewed,
        pixel_size=reviewed.pixel_size,
        record=dict(reviewed.record),
    )


def why_not_open(entry: Entry) -> str:
    """Say why an image cannot be looked at.

    Parameters
    ----------
    entry : Entry
        Any image of a batch.

    Returns
    -------
    str
        One sentence; empty if it can.
    """
    if entry.state == "failed":
        return entry.error or f"{entry.name} could not be counted: run again."
    if entry.state in ("waiting", "running"):
        return f"{entry.name} is not counted yet: press Run, or wait until it is."
    return ""


def _open_slide(output: Path, entry: Entry) -> OpenedImage:
    """Read an image that is larger than memory, level by level, nothing of it yet."""
    image, pixel_size = _read_levels(entry.path)
    labels, _ = _read_levels(output / str(entry.record["labels"]))
    shape = labels[0].shape
    return OpenedImage(
        entry=entry,
        image=image,
        is_rgb=_check_shape(entry, image[0].shape, shape),
        labels=labels,
        probability=_read_probability(output, entry, shape),
        pixel_size=pixel_size,
        record=dict(entry.record),
    )


def _read_levels(path: Path) -> tuple[tuple[Any, ...], tuple[float, float] | None]:
    """Return an image as one array, or of a pyramid all levels, and its px in µm."""
    from napari_cresunet._images import read_image
    from napari_cresunet.plugin import lazy_levels
    from napari_cresunet.pyramids import is_pyramid, open_pyramid

    if is_pyramid(path):
        try:
            pyramid = open_pyramid(path)
        except InputError:
            if path.is_dir():
                raise
        else:
            return tuple(lazy_levels(pyramid)), pyramid.pixel_size
    return (read_image(path),), None


def _read_probability(
    output: Path, entry: Entry, shape: tuple[int, ...]
) -> tuple[Any, ...]:
    """Return the probability, if it was kept and is of these labels."""
    name = entry.record.get("probability")
    if not name or not (output / str(name)).exists():
        return ()
    try:
        levels, _ = _read_levels(output / str(name))
    except CResUNetError:  # cells can be corrected without it
        return ()
    return levels if tuple(levels[0].shape) == tuple(shape) else ()


def _check_shape(entry: Entry, image: tuple[int, ...], labels: tuple[int, ...]) -> bool:
    """Return whether an image has colors; an error if labels are not of it."""
    if tuple(image) == tuple(labels):
        return False
    if tuple(image[:-1]) == tuple(labels) and image[-1] in (3, 4):
        return True
    raise InputError(
        f"{entry.path} is {_size(image)} px now and its labels are {_size(labels)} px: "
        "the image was changed after it was counted, so run again."
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewSaved:
    """That a review was written."""

    entry: Entry | None
    """The image as it is now; None if newer labels were written already."""
    number: int
    """Of the last change that is in it."""


class ReviewSaver:
    """Knows what of the opened image is saved.

    Parameters
    ----------
    take : callable
        Returns the labels as they are now as `Reviewed`; None if they are gone.
    output : Path
        The folder of results.
    name : str
        `Entry.name`.
    """

    def __init__(
        self, take: Callable[[], Reviewed | None], output: Path, name: str
    ) -> None:
        self.output, self.name = output, name
        self.problem = ""
        """Why the last change is not saved, as a sentence; empty if all is well."""
        self.saved_at: float | None = None
        """Seconds since the epoch."""
        self.is_saving = False
        self._take = take
        self._number = self._saved = 0
        # The following belongs to whoever holds the lock: the thread that saves may
        # still be at it when the window is closed.
        self._lock = threading.Lock()
        self._written = 0
        self._is_closed = False
        _OPEN.add(self)

    @property
    def is_dirty(self) -> bool:
        """Whether something has changed since it was saved."""
        return self._number > self._saved

    def note_change(self) -> None:
        """Something has changed that is to be saved."""
        self._number += 1

    def words(self, now: float) -> str:
        """Say whether it is saved.

        Parameters
        ----------
        now : float
            Seconds since the epoch.

        Returns
        -------
        str
            Such as "Saved 3 s ago."; empty if there was nothing to be saved.
        """
        if self.problem:
            return f"Not saved: {self.problem}"
        if self.saved_at is None:
            return ""
        return f"Saved {describe_age(now - self.saved_at)}."

    def begin(self) -> Generator[Progress, None, ReviewSaved] | None:
        """Take the labels as they are, to be saved in another thread.

        Returns
        -------
        generator or None
            Which saves them; None if the labels are gone.
        """
        reviewed = self._take()
        if reviewed is None:
            return None
        self.is_saving = True
        return _iter_save(self, reviewed, self._number)

    def finish(self, saved: ReviewSaved) -> None:
        """The labels were written.

        Parameters
        ----------
        saved : ReviewSaved
            From the generator.
        """
        self.is_saving, self.problem = False, ""
        self._saved = max(self._saved, saved.number)
        self.saved_at = time.time()

    def fail(self, error: BaseException) -> bool:
        """The labels could not be written.

        Parameters
        ----------
        error : BaseException
            Why.

        Returns
        -------
        bool
            Whether that is news, which the user should be told.
        """
        sentence = describe_error(error)
        is_news = sentence != self.problem
        self.is_saving, self.problem = False, sentence
        return is_news

    def write(self, reviewed: Reviewed, number: int) -> Entry | None:
        """Write labels, unless newer ones are there already.

        Parameters
        ----------
        reviewed : Reviewed
            What to write.
        number : int
            Of the last change in it.

        Returns
        -------
        Entry or None
            As `save_review`; None if there was nothing to do.
        """
        with self._lock:
            if self._is_closed or number < self._written:
                return None
            entry = save_review(self.output, self.name, reviewed)
            self._written = number
        return entry

    def close(self) -> Entry | None:
        """Save what has changed, here and now; nothing is saved afterwards.

        Returns
        -------
        Entry or None
            As of `write`; if it could not be saved, `problem` says why.
        """
        entry = None
        try:
            reviewed = self._take() if self.is_dirty and not self._is_closed else None
            if reviewed is not None:
                entry = self.write(reviewed, self._number)
        except Exception as error:  # noqa: BLE001 nothing may stop what closes
            self.problem = describe_error(error)
        with self._lock:
            self._is_closed = True
        _OPEN.discard(self)
        return entry


_OPEN: "weakref.WeakSet[ReviewSaver]" = weakref.WeakSet()


@atexit.register
def close_reviews() -> None:
    """Save what is not saved when a process ends in order."""
    for saver in list(_OPEN):
        saver.close()


def _iter_save(
    saver: ReviewSaver, reviewed: Reviewed, number: int
) -> Generator[Progress, None, ReviewSaved]:
    """Write labels in another thread."""
    yield Progress(text=f"Saving {saver.name}…")
    entry = saver.write(reviewed, number)
    return ReviewSaved(entry=entry, number=number)

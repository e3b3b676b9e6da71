"""Saving what is corrected, by itself and without waiting for it."""

import atexit
import concurrent.futures.thread  # noqa: F401 it cannot be imported while Python ends
import threading
import time
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_cresunet.errors import InputError
from napari_cresunet.state._errors import describe_error
from napari_cresunet.state._run import Progress, as_progress
from napari_cresunet.studies import (
    Claim,
    ImageReference,
    StudyContent,
    claim_new,
    iter_image_hash,
    studies_folder,
    write_study,
)

_SAVING = "Saving…"
_OPEN: "weakref.WeakSet[StudySaver]" = weakref.WeakSet()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StudySnapshot:
    """What layers held at one moment; nobody changes it any more."""

    content: StudyContent
    """Without the name of the study and the hash of the image."""
    pixels: Any = None
    """The image, whose hash is computed on the way; None if there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudySaved:
    """That a study was written."""

    folder: Path
    number: int
    """Of the last change that is in it."""
    image: ImageReference | None


class StudySaver:
    """Knows what of one layer of labels is saved, and where.

    Parameters
    ----------
    take : callable
        Returns a `StudySnapshot` of the layer as it is now; None if it is gone.
    name : str
        What the study is called.
    image : ImageReference, optional
        What was known of the image before its layer went.
    claim : Claim, optional
        The folder, where the study was opened; otherwise it gets one of its own.
    folder : Path, optional
        A folder to be claimed that could not be until now.
    """

    changed = Signal()
    """What the user should know of it is other than before."""

    def __init__(
        self,
        take: Callable[[], StudySnapshot | None],
        name: str,
        *,
        image: ImageReference | None = None,
        claim: Claim | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.problem = ""
        """Why the last change is not saved, as a sentence; empty if all is well."""
        self.saved_at: float | None = None
        """Seconds since the epoch."""
        self.is_saving = False
        self._take = take
        self._image = image
        self._number = self._saved = 0
        self._folder = folder if claim is None else claim.folder
        # The following belongs to whoever holds the lock: the thread that saves may
        # still be at it when the window is closed.
        self._lock = threading.Lock()
        self._claim = claim
        self._is_automatic = False
        self._is_closed = False
        self._written = -1
        self._hashed: tuple[Callable[[], Any], str] = (lambda: None, "")
        _OPEN.add(self)

    @property
    def folder(self) -> Path | None:
        """Where it is or will be saved; None until it has a folder."""
        return self._folder

    @property
    def is_dirty(self) -> bool:
        """Whether something has changed since it was saved."""
        return self._number > self._saved

    @property
    def is_kept(self) -> bool:
        """Whether there is anything to be saved, or to be found later."""
        return self._number > 0 or self._folder is not None

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
            Such as "Saved 3 s ago in neurons_01."
        """
        if self.problem:
            return f"Not saved: {self.problem}"
        if self.saved_at is None or self._folder is None:
            return "" if self._folder is None else f"Opened from {self._folder.name}."
        return f"Saved {describe_age(now - self.saved_at)} in {self._folder.name}."

    # Saving

    def begin(
        self, folder: Path | None = None
    ) -> Generator[Progress, None, StudySaved] | None:
        """Take a snapshot, to be saved in another thread.

        Parameters
        ----------
        folder : Path, optional
            Where the study is to be from now on; new or empty.

        Returns
        -------
        generator or None
            As `iter_save_study`; None if the layer is gone.
        """
        snapshot = self._take()
        if snapshot is None:
            return None
        self.is_saving = True
        return iter_save_study(self, snapshot, self._number, folder)

    def finish(self, saved: StudySaved) -> None:
        """A snapshot was written.

        Parameters
        ----------
        saved : StudySaved
            From the generator.
        """
        self.is_saving, self.problem = False, ""
        self._saved = max(self._saved, saved.number)
        self._folder, self._image = saved.folder, saved.image
        self.saved_at = time.time()
        self.changed.emit()

    def fail(self, error: BaseException) -> bool:
        """A snapshot could not be written.

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
        self.changed.emit()
        return is_news

    def close(self) -> str:
        """Save what has changed, here and now, and let go of the folder.

        Returns
        -------
        str
            Why it could not be saved, as a sentence; empty if all is well.
        """
        with self._lock:
            if self._is_closed:
                return ""
            try:
                snapshot = self._take() if self.is_dirty else None
                if snapshot is not None:
                    image = self._known(snapshot.pixels)
                    self._put(self._named(snapshot, image), self._number, None)
            except Exception as error:  # noqa: BLE001 nothing may stop what closes
                self.problem = describe_error(error)
            finally:
                self._is_closed = True
                if self._claim is not None:
                    self._claim.close()
        _OPEN.discard(self)
        return self.problem

    # In another thread

    def write(
        self, snapshot: StudySnapshot, image: str, number: int, folder: Path | None
    ) -> StudySaved:
        """Write a snapshot, unless a newer one is there already.

        Parameters
        ----------
        snapshot : StudySnapshot
            What to write.
        image : str
            The hash of its image.
        number : int
            Of the last change in it.
        folder : Path or None
            Where it is to be from now on.

        Returns
        -------
        StudySaved
            Where it is.

        Raises
        ------
        InputError
            If the folder is in use.
        EngineError
            If it cannot be written.
        """
        content = self._named(snapshot, image)
        with self._lock:
            if not self._is_closed:
                self._put(content, number, folder)
            place = self._folder if self._claim is None else self._claim.folder
        return StudySaved(folder=place or Path(), number=number, image=content.image)

    def _put(self, content: StudyContent, number: int, folder: Path | None) -> None:
        if folder is not None:
            self._move(content, folder)
        elif number > self._written or self._claim is None:
            claim = self._claim or self._claim_first()
            self._claim = claim
            write_study(claim.folder, content)
        self._written = max(self._written, number)

    def _claim_first(self) -> Claim:
        if self._folder is not None:
            return Claim(self._folder)
        self._is_automatic = True
        return claim_new(self.name)

    def _move(self, content: StudyContent, folder: Path) -> None:
        """Write in another folder, and only then let go of the one before."""
        _check_empty(folder)
        claim = Claim(folder)
        try:
            write_study(folder, content)
        except BaseException:
            claim.discard()
            raise
        before, is_automatic = self._claim, self._is_automatic
        self._claim, self._is_automatic = claim, False
        if before is None:
            return
        # Nobody has chosen that one, and nobody would look for it.
        if is_automatic and before.folder.parent == studies_folder():
            before.discard()
        else:
            before.close()

    def iter_hash(self, pixels: Any) -> Generator[Progress, None, str]:
        """Compute the hash of an image, if that was not done before.

        Parameters
        ----------
        pixels : array or None
            The image.

        Yields
        ------
        Progress
            Between blocks.

        Returns
        -------
        str
            Empty for None.
        """
        known = self._known(pixels)
        if known or pixels is None:
            return known
        found = yield from as_progress(iter_image_hash(pixels), _SAVING)
        self._hashed = (_reference_to(pixels), found)
        return found

    def _known(self, pixels: Any) -> str:
        read, known = self._hashed
        return known if pixels is not None and read() is pixels else ""

    def _named(self, snapshot: StudySnapshot, image: str) -> StudyContent:
        """Return what is written, with the hash of the image."""
        reference = snapshot.content.image
        if reference is None or snapshot.pixels is None:
            reference = self._image
        else:
            reference = replace(reference, hash=image)
        return replace(snapshot.content, name=self.name, image=reference)


def _reference_to(pixels: Any) -> Callable[[], Any]:
    """Return what gives an array as long as others need it, where that can be."""
    try:
        return weakref.ref(pixels)
    except TypeError:
        return lambda: pixels


def _check_empty(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(
            f"{folder} is not empty: give the name of a new folder for the study."
        )


def iter_save_study(
    saver: StudySaver,
    snapshot: StudySnapshot,
    number: int,
    folder: Path | None = None,
) -> Generator[Progress, None, StudySaved]:
    """Write a snapshot.

    Parameters
    ----------
    saver : StudySaver
        Whose.
    snapshot : StudySnapshot
        What to write.
    number : int
        Of the last change in it.
    folder : Path, optional
        Where it is to be from now on; new or empty.

    Yields
    ------
    Progress
        Between parts of the image, where it may be closed: nothing is written then.

    Returns
    -------
    StudySaved
        Where it is.

    Raises
    ------
    InputError
        If the folder is in use or not empty.
    EngineError
        If it cannot be written; what was there before stays.
    """
    yield Progress(text=_SAVING)
    image = yield from saver.iter_hash(snapshot.pixels)
    return saver.write(snapshot, image, number, folder)


@atexit.register
def close_studies() -> None:
    """Save and close all studies; a process that ends in order leaves none open."""
    for saver in list(_OPEN):
        saver.close()


def describe_age(seconds: float) -> str:
    """Say how long ago something was.

    Parameters
    ----------
    seconds : float
        How long.

    Returns
    -------
    str
        Such as "5 minutes ago".
    """
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s ago"
    if seconds < 3600:
        number, unit = seconds // 60, "minute"
    elif seconds < 86_400:
        number, unit = seconds // 3600, "hour"
    else:
        number, unit = seconds // 86_400, "day"
    return f"{number:.0f} {unit}{'' if number == 1 else 's'} ago"

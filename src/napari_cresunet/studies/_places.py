"""Where studies lie, who works on them, and which were never closed.

A window that works on a study holds the file "lock" in its folder, and deletes it when
it closes the study. So a lock that is there, but held by nobody, is left of a process
that was killed. Studies elsewhere are found by a note in the folder of all studies.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import IO

from napari_cresunet._files import lock_file, written_whole
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.studies._document import DATA_FILE
from napari_cresunet.studies._files import STUDY, peek_study
from napari_cresunet.weights import user_model_folder

_LOCK, _ELSEWHERE = "lock", "elsewhere"
_UNSAFE = re.compile(r"[^\w -]")
"""What is not in the name of every system's files, or means something in names."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|elsewhere)", re.I)
"""No names of files on Windows, and ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unclosed:
    """A study that a process left without closing it."""

    folder: Path
    name: str
    n_edits: int
    """Entries of its log."""
    age: float
    """Seconds since it was written."""


def studies_folder() -> Path:
    """Return the folder of all studies: beside that of the user's models."""
    return user_model_folder().parent / "studies"


class Claim:
    """The sole right to write a study, until it is closed or the process dies.

    Parameters
    ----------
    folder : Path
        The folder of the study; made if it does not exist.

    Raises
    ------
    InputError
        If another window works there.
    EngineError
        If nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = _held(folder / _LOCK)
        except OSError as error:
            raise EngineError(
                f"{folder} cannot be written ({error.strerror or error}): free some "
                "space, or save the study in another folder."
            ) from error
        if file is None:
            raise InputError(
                f"The study {folder.name!r} is open in another window: close it there "
                "first."
            )
        self._file: IO[bytes] = file
        self._note = _note_of(folder)
        if self._note is not None:
            with suppress(OSError), written_whole(self._note) as note:
                note.write(json.dumps({"folder": str(folder.resolve())}).encode())

    def discard(self) -> None:
        """Delete the study, and close; what else is in its folder stays.

        Raises
        ------
        EngineError
            If it cannot be deleted.
        """
        try:
            # First, for without it nobody takes the rest for a study.
            (self.folder / STUDY).unlink(missing_ok=True)
            for path in self.folder.iterdir():
                if DATA_FILE.fullmatch(path.name):
                    path.unlink()
        except OSError as error:
            raise EngineError(
                f"{self.folder} cannot be deleted ({error.strerror}): close what uses "
                "it, or delete it yourself."
            ) from error
        finally:
            self.close()

    def close(self) -> None:
        """Give the right back, in an orderly way: nobody will offer to restore it."""
        if self._file.closed:
            return
        lock = self.folder / _LOCK
        with suppress(OSError):
            # POSIX deletes what is open, so that no lock is ever there unheld.
            if os.name == "posix":
                lock.unlink(missing_ok=True)
            self._file.close()
            if os.name != "posix":
                lock.unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
        if self._note is not None:
            with suppress(OSError):
                self._note.unlink(missing_ok=True)


def _held(lock: Path) -> IO[bytes] | None:
    """Return the lock, open and held; None if somebody else holds it."""
    while True:
        file = lock.open("a+b")
        if not lock_file(file):
            file.close()
            return None
        # Whoever held it before may just have deleted it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        file.close()


def _note_of(folder: Path) -> Path | None:
    """Return the note that leads to a study elsewhere."""
    place = folder.resolve()
    if place.parent == studies_folder().resolve():
        return None
    name = hashlib.blake2b(os.fsencode(place), digest_size=8).hexdigest()
    return studies_folder() / _ELSEWHERE / f"{name}.json"


def claim_new(name: str) -> Claim:
    """Claim a folder of its own for a new study.

    Parameters
    ----------
    name : str
        What to call it, such as the name of the image.

    Returns
    -------
    Claim
        Of a folder in `studies_folder` that holds no study, with this name or a number
        behind it.

    Raises
    ------
    EngineError
        If nothing can be written there.
    """
    stem = _UNSAFE.sub("_", name)[:60].strip() or "study"
    if _RESERVED.fullmatch(stem):
        stem += "_"
    names = (f"{stem} {number}" for number in count(2))
    folders = (studies_folder() / name for name in chain([stem], names))
    while True:
        folder = next(folders)
        if not (folder / STUDY).exists():
            with suppress(InputError):  # another window was quicker
                return Claim(folder)


def find_unclosed() -> list[Unclosed]:
    """Return the studies that were left by a process that was killed.

    Returns
    -------
    list of Unclosed
        The latest first; without those that another window works on, and those that
        cannot be read.
    """
    found = [study for folder in _folders() for study in _look(folder)]
    return sorted(found, key=lambda study: study.age)


def _folders() -> Iterator[Path]:
    for lock in studies_folder().glob(f"*/{_LOCK}"):
        yield lock.parent
    for note in (studies_folder() / _ELSEWHERE).glob("*.json"):
        with suppress(OSError, ValueError, LookupError, TypeError):
            yield Path(json.loads(note.read_text(encoding="utf-8"))["folder"])


def _look(folder: Path) -> list[Unclosed]:
    lock, study = folder / _LOCK, folder / STUDY
    try:
        with lock.open("r+b") as file:
            is_free = lock_file(file)
        age = max(0.0, time.time() - study.stat().st_mtime)
        document = peek_study(folder)
        name, n_edits = str(document["name"]), len(document["log"])
    except (OSError, InputError, LookupError, TypeError):
        return []
    unclosed = Unclosed(folder=folder, name=name, n_edits=n_edits, age=age)
    return [unclosed] if is_free else []


def discard_study(folder: Path) -> None:
    """Delete a study; what else is in its folder stays.

    Parameters
    ----------
    folder : Path
        Its folder; it need not exist.

    Raises
    ------
    InputError
        If another window works there.
    EngineError
        If it cannot be deleted.
    """
    if folder.is_dir():
        Claim(folder).discard()

"""What is noted of a batch in its folder, so that a killed run goes on where it was.

::

    OUT/.batch/
        batch.json             which images, in their order, and the options
        records/NAME.json      what came of an image; written last of all its files
        reviews/NAME/          a study: the labels corrected by hand
        reviews/NAME.saving    there while a review is being saved
        earlier/NAME-1/        a review that was counted over on demand
        thumbnails/NAME.jpg    for the report
        lock, tables.lock      held by a run; held while tables are written

A record is deleted before the files it tells of are replaced. So what has a record is
whole, whenever the process is killed.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from napari_cresunet._files import lock_file
from napari_cresunet._writing import as_plain, json_bytes, told_why, write_bytes
from napari_cresunet.errors import EngineError, InputError

FOLDER = ".batch"
_FORMAT = 1
_PATIENCE = 30.0  # s
"""How long tables may be locked by another process that writes them."""

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One line of batch.json: an image, and what it is called."""

    name: str
    path: Path
    """Absolute."""
    given: str
    """As the user wrote it; what tables show."""
    group: str = ""
    diameter: float | None = None
    threshold: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "name": self.name,
            "path": str(self.path),
            "given": self.given,
            "group": self.group,
            "diameter": self.diameter,
            "threshold": self.threshold,
        }


@dataclass(slots=True)
class Journal:
    """The notes of one batch; threads may write records side by side.

    Without a folder everything stays in memory.
    """

    output: Path | None
    documents: dict[str, Document] = field(default_factory=dict)
    """What came of each image, by its name; those of images that are not in the list,
    too."""
    _seen: dict[str, int] = field(default_factory=dict)
    """When the files were changed that `documents` were read from or written to."""

    @property
    def folder(self) -> Path:
        """The folder of the notes."""
        if self.output is None:
            raise ValueError("a batch that writes nothing has no folder")
        return self.output / FOLDER

    def record_file(self, name: str) -> Path:
        """Return where it is noted what came of an image."""
        return self.folder / "records" / f"{name}.json"

    def review_folder(self, name: str) -> Path:
        """Return the folder of the study of an image, which need not exist."""
        return self.folder / "reviews" / name

    def thumbnail_file(self, name: str) -> Path:
        """Return the small picture of an image."""
        return self.folder / "thumbnails" / f"{name}.jpg"

    def is_reviewed(self, name: str) -> bool:
        """Tell whether somebody corrected an image, and that is still there."""
        return (
            self.output is not None
            and (self.review_folder(name) / "study.json").exists()
        )

    def refresh(self) -> None:
        """Read the records that others have written since."""
        if self.output is None:
            return
        folder = self.folder / "records"
        with suppress(FileNotFoundError):
            for path in folder.iterdir():
                if path.suffix != ".json":
                    continue
                with suppress(OSError):
                    changed = path.stat().st_mtime_ns
                    if self._seen.get(path.stem) == changed:
                        continue
                    document = _read_json(path)
                    self._seen[path.stem] = changed
                    if document is not None:
                        self.documents[path.stem] = document

    def read(self, name: str) -> Document | None:
        """Read what came of one image, as it is noted now; None if nothing is."""
        document = _read_json(self.record_file(name))
        if document is not None:
            self.documents[name] = document
        return document

    def write(self, name: str, document: Document) -> None:
        """Note what came of an image; all its other files are there."""
        plain = as_plain({"format": _FORMAT, "name": name} | dict(document))
        self.documents[name] = plain
        if self.output is None:
            return
        path = self.record_file(name)
        write_bytes(path, json_bytes(plain))
        with suppress(OSError):
            self._seen[name] = path.stat().st_mtime_ns

    def forget(self, name: str) -> None:
        """Note that the files of an image are about to be replaced."""
        self.documents.pop(name, None)
        self._seen.pop(name, None)
        if self.output is not None:
            with told_why(self.record_file(name)):
                self.record_file(name).unlink(missing_ok=True)

    def set_aside(self, name: str) -> Path:
        """Keep the review of an image that is counted anew under another name.

        Returns
        -------
        Path
            The new folder.
        """
        earlier = self.folder / "earlier"
        folders = (earlier / f"{name}-{number}" for number in count(1))
        target = next(folder for folder in folders if not folder.exists())
        with told_why(target):
            earlier.mkdir(exist_ok=True)
            self.review_folder(name).rename(target)
        return target

    def write_list(
        self, images: Sequence[Listed], options: Mapping[str, Any], card: Any
    ) -> None:
        """Note which images there are, in their order, and what is done with them."""
        if self.output is None:
            return
        content = {
            "format": _FORMAT,
            "options": options,
            "model": card,
            "images": [image.to_dict() for image in images],
        }
        write_bytes(self.folder / "batch.json", json_bytes(as_plain(content)))

    def read_list(self) -> tuple[list[Listed], dict[str, Any], dict[str, Any]]:
        """Read which images there are.

        Returns
        -------
        tuple of (list of Listed, dict, dict)
            The images, the options and the card of the model as plain values; empty if
            there is no batch yet, or the file is damaged.
        """
        content = (
            None if self.output is None else _read_json(self.folder / "batch.json")
        )
        try:
            images = [
                Listed(**(image | {"path": Path(image["path"])}))
                for image in (content or {}).get("images", [])
            ]
        except (TypeError, KeyError):
            return [], {}, {}
        content = content or {}
        return images, content.get("options") or {}, content.get("model") or {}

    def known_names(self) -> dict[Path, str]:
        """Return the names that images have already, by their absolute paths."""
        listed = {image.path: image.name for image in self.read_list()[0]}
        noted = {
            Path(document["path"]): name
            for name, document in self.documents.items()
            if isinstance(document.get("path"), str)
        }
        return listed | noted


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return the content of a file; None if there is none, or it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    is_ours = isinstance(content, dict) and content.get("format") == _FORMAT
    return content if is_ours else None


@contextmanager
def open_journal(output: Path | None) -> Iterator[Journal]:
    """Open the notes of a batch for a run, alone.

    Parameters
    ----------
    output : Path or None
        The folder of the batch; made if missing. None keeps everything in memory.

    Yields
    ------
    Journal
        With what earlier runs have left.

    Raises
    ------
    InputError
        If another run is at work in the folder.
    """
    journal = Journal(output)
    if output is None:
        yield journal
        return
    output.mkdir(parents=True, exist_ok=True)
    path = journal.folder / "lock"
    with told_why(path):
        path.parent.mkdir(exist_ok=True)
        lock = path.open("a+b")
    with lock:
        if not lock_file(lock):
            raise InputError(
                f"Another run is counting into {output}: wait for it, or choose "
                "another folder."
            )
        journal.refresh()
        yield journal


@contextmanager
def locked_tables(journal: Journal) -> Iterator[None]:
    """Keep others from writing tables or reviews in the block; wait for them before.

    Parameters
    ----------
    journal : Journal
        Of a batch with a folder.

    Yields
    ------
    None
        While nobody else writes.

    Raises
    ------
    EngineError
        If another process holds them for half a minute.
    """
    path = journal.folder / "tables.lock"
    with told_why(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+b")
    with lock:
        until = time.monotonic() + _PATIENCE
        while not lock_file(lock):
            if time.monotonic() > until:
                raise EngineError(
                    f"Another process has been writing tables in {journal.output} for "
                    "long: close it and try again."
                )
            time.sleep(0.02)
        yield

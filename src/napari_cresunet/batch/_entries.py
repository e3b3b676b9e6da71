"""What is known of each image of a batch, and what an earlier run left of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_cresunet.batch._counting import CountOptions
from napari_cresunet.batch._inputs import ListedImage
from napari_cresunet.batch._journal import Document, Journal, Listed
from napari_cresunet.batch._options import BatchOptions
from napari_cresunet.batch._specs import ModelSpec
from napari_cresunet.errors import InputError

State = Literal["waiting", "running", "done", "failed", "reviewed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One image of a batch."""

    name: str
    """First part of the names of its results; different for each image."""
    path: Path
    """The image; absolute."""
    state: State = "waiting"
    count: int | None = None
    """Cells that were found automatically; None before."""
    corrected: int | None = None
    """Cells after the review by hand; None before."""
    error: str = ""
    """One sentence if it failed, else empty."""
    seconds: float | None = None
    """That its counting took, without what waited for others."""
    group: str = ""
    """Whatever the list of images says of it, such as an animal or a treatment."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the automatic labels came about, ready for JSON, with the names of its files
    as "labels", "probability", "overlay" and "cells"; empty before."""

    @property
    def best_count(self) -> int | None:
        """What goes into a paper: the corrected count, else the automatic one."""
        return self.count if self.corrected is None else self.corrected


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is in the folder of a batch."""

    output: Path
    entries: tuple[Entry, ...]
    """In the order in which the images were given."""
    options: BatchOptions | None = None
    """Of the last run; None if the notes of it cannot be used any more."""
    images: tuple[ListedImage, ...] = ()
    """The same images as `iter_batch` takes them."""


def read_batch(output: str | Path) -> Batch:
    """Read what earlier runs left in a folder; neither torch nor images are loaded.

    Parameters
    ----------
    output : str or Path
        The folder.

    Returns
    -------
    Batch
        Entries whose records are damaged are waiting again.

    Raises
    ------
    InputError
        If there is no batch in the folder.
    """
    journal = Journal(Path(output))
    images, options, _ = journal.read_list()
    if not images:
        raise InputError(
            f"There is no batch in {output}: choose the folder that an earlier run "
            "wrote to, or begin a new one."
        )
    journal.refresh()
    entries = tuple(
        entry_of(image, journal.documents.get(image.name)) for image in images
    )
    listed = tuple(
        ListedImage(
            path=image.path,
            diameter=image.diameter,
            threshold=image.threshold,
            group=image.group,
        )
        for image in images
    )
    return Batch(
        output=Path(output),
        entries=entries,
        options=_options_from(options),
        images=listed,
    )


def read_entry(output: str | Path, name: str) -> Entry | None:
    """Read what is noted of one image of a batch now.

    Parameters
    ----------
    output : str or Path
        The folder.
    name : str
        `Entry.name`.

    Returns
    -------
    Entry or None
        None if nothing is noted, such as while its files are being replaced.
    """
    document = Journal(Path(output)).read(name)
    if document is None:
        return None
    image = Listed(
        name=name,
        path=Path(document["path"]),
        given=document["given"],
        group=document["group"],
    )
    return entry_of(image, document)


def entry_of(
    image: Listed, document: Document | None, *, is_running: bool = False
) -> Entry:
    """Return the entry of an image.

    Parameters
    ----------
    image : Listed
        The image.
    document : mapping or None
        What came of it, as noted in the journal; None if nothing is known.
    is_running : bool, optional
        Whether it is being counted.

    Returns
    -------
    Entry
        The entry.
    """
    known = document or {}
    record, review = known.get("record") or {}, known.get("review") or {}
    state: State = "running" if is_running else "waiting"
    if known:
        state = "failed" if known.get("state") == "failed" else "done"
        state = "reviewed" if review else state
    is_counted = state in ("done", "reviewed")
    return Entry(
        name=image.name,
        path=image.path,
        state=state,
        count=record.get("count") if is_counted else None,
        corrected=review.get("count"),
        error=str(known.get("error") or "") if state == "failed" else "",
        seconds=record.get("seconds") if is_counted else None,
        group=image.group,
        record=dict(record) | {"image": image.given} if is_counted else {},
    )


def options_to_dict(options: BatchOptions) -> dict[str, Any]:
    """Return options ready for JSON."""
    model = options.model
    return options.to_dict() | {
        "model": {
            "name_or_path": str(model.name_or_path),
            "device": model.device,
            "backend": model.backend,
            "precision": model.precision,
        }
    }


def _options_from(values: Mapping[str, Any]) -> BatchOptions | None:
    """Return the options of a file; None if another version wrote it."""
    try:
        return BatchOptions.from_dict(
            dict(values)
            | {
                "model": ModelSpec(**values["model"]),
                "count": CountOptions.from_dict(values["count"]),
            }
        )
    except (InputError, KeyError, TypeError):
        return None

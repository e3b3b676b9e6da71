"""Labels of a batch that were corrected by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._writing import as_plain, write_bytes
from napari_cresunet.batch._entries import Entry, entry_of
from napari_cresunet.batch._journal import Document, Journal, Listed, locked_tables
from napari_cresunet.batch._tables import Tables
from napari_cresunet.correction import LogEntry, Pins
from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region
from napari_cresunet.studies import (
    ImageReference,
    StudyContent,
    read_study,
    write_study,
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reviewed:
    """Labels of one image, as they were corrected or are about to be."""

    labels: NDArray[Any]
    """(..., Y, X) of any whole numbers: 0 is background."""
    pins: Pins = field(default_factory=Pins)
    """What new labels must leave as it is."""
    log: tuple[LogEntry, ...] = ()
    """What was done by hand."""
    reviewed: tuple[int, ...] = ()
    """Labels of the cells that were looked at, ascending."""
    regions: tuple[Region, ...] = ()
    """Areas in which cells are counted, in px of the image."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in µm; None if nobody knows."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the automatic labels came about; what is saved is only that of the batch."""


def open_review(output: str | Path, name: str) -> Reviewed:
    """Read the labels of an image for review.

    Parameters
    ----------
    output : str or Path
        The folder of the batch.
    name : str
        `Entry.name`.

    Returns
    -------
    Reviewed
        What was saved last; the automatic labels if nothing was yet, with the pixel
        size of the image file.

    Notes
    -----
    `InputError` if there is no such image, it was not counted, or its files are missing
    or damaged.
    """
    from napari_cresunet._images import read_image

    journal, _, document = _find(Path(output), name)
    if journal.is_reviewed(name):
        return _from_study(journal.review_folder(name))
    record = document["record"]
    size = record.get("pixel_size_um")
    return Reviewed(
        labels=read_image(journal.folder.parent / record["labels"]),
        pixel_size=None if size is None else (size[0], size[1]),
        record=record,
    )


def _from_study(folder: Path) -> Reviewed:
    content = read_study(folder)
    return Reviewed(
        labels=content.labels,
        pins=content.pins,
        log=content.log,
        reviewed=content.reviewed,
        regions=content.regions,
        pixel_size=content.pixel_size,
        record=content.record,
    )


def save_review(output: str | Path, name: str, reviewed: Reviewed) -> Entry:
    """Write what was corrected: the files of the image, its row, and all tables.

    Parameters
    ----------
    output : str or Path
        The folder of the batch.
    name : str
        `Entry.name`.
    reviewed : Reviewed
        Labels of the shape of the image.

    Returns
    -------
    Entry
        Of state "reviewed", with the corrected count.

    Raises
    ------
    InputError
        If there is no such image, or the labels are of another shape.

    Notes
    -----
    May be called while a run goes on in the same folder. What cannot be written is an
    `EngineError`; what was saved before is still there then.
    """
    journal, image, document = _find(Path(output), name)
    shape = tuple(document["record"]["shape"])
    if np.shape(reviewed.labels) != shape:
        raise InputError(
            f"The labels of {name} must have the shape of its image, {shape}; got "
            f"{np.shape(reviewed.labels)}."
        )
    with locked_tables(journal):
        # A run may have begun to replace the files meanwhile, or drawn pictures.
        _, image, document = _find(Path(output), name)
        saving = journal.review_folder(name).with_name(f"{name}.saving")
        write_bytes(saving, b"")
        study = _study(image, reviewed, document)
        write_study(journal.review_folder(name), study)
        _note(journal, image, reviewed, document)
        saving.unlink(missing_ok=True)
    images, _, card = journal.read_list()
    Tables(journal, images, card).write()
    return entry_of(image, journal.documents[name])


def _find(output: Path, name: str) -> tuple[Journal, Listed, Document]:
    """Return the journal, and what is known of an image that was counted."""
    journal = Journal(output.absolute())
    image = next((x for x in journal.read_list()[0] if x.name == name), None)
    if image is None:
        raise InputError(
            f"There is no image {name!r} in the batch {output}: choose one of its list."
        )
    document = journal.read(name)
    record = (document or {}).get("record") or {}
    labels = record.get("labels")
    if document is None or labels is None:
        raise InputError(f"{name} has no labels yet: count it first.")
    if not labels.endswith(".tif"):
        raise InputError(
            f"{name} was counted block by block; its labels, {labels}, cannot be "
            "corrected here."
        )
    return journal, image, document


def _study(image: Listed, reviewed: Reviewed, document: Document) -> StudyContent:
    return StudyContent(
        name=image.name,
        image=ImageReference(
            name=image.path.name,
            path=image.path,
            shape=tuple(document["record"]["shape"]),
        ),
        labels=reviewed.labels,
        pins=reviewed.pins,
        log=reviewed.log,
        reviewed=reviewed.reviewed,
        record=document["record"],
        pixel_size=reviewed.pixel_size,
        regions=reviewed.regions,
    )


def _note(
    journal: Journal, image: Listed, reviewed: Reviewed, document: Document
) -> None:
    """Write the label image and the record of what the study has already."""
    from napari_cresunet.export import hand_edits
    from napari_cresunet.inference import write_labels

    record = document["record"]
    labels = reviewed.labels
    n_cells = int(np.count_nonzero(np.unique(labels)))
    review = {
        "count": n_cells,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "n_pinned": len(reviewed.pins.cells),
        "edits": {one.kind: one.n_steps for one in hand_edits(reviewed.log)},
        "pixel_size_um": reviewed.pixel_size,
    }
    if labels.dtype.kind == "b" or labels.max(initial=0) < 2**31:
        labels = labels.astype(np.int32)
    write_labels(
        journal.folder.parent / record["labels"],
        labels,
        as_plain(dict(record) | {"corrected": n_cells, "review": review}),
    )
    rows = _region_rows(reviewed)
    journal.write(
        image.name,
        dict(document)
        | {"state": "done", "error": "", "review": review, "regions": rows},
    )


def _region_rows(reviewed: Reviewed) -> list[dict[str, Any]]:
    from napari_cresunet.measurement import counted_planes, measure, measure_regions

    shape = np.shape(reviewed.labels)
    is_simple = len(shape) == 2 and not reviewed.regions
    numbers = np.unique(reviewed.labels)
    # Measuring all shapes takes long, and only places and planes matter.
    cells = {"label": numbers[numbers > 0]} if is_simple else measure(reviewed.labels)
    return measure_regions(
        cells,
        shape,
        reviewed.regions,
        pixel_size=reviewed.pixel_size,
        n_planes=counted_planes(cells, shape),
    )


def restore_reviews(journal: Journal, images: Sequence[Listed]) -> None:
    """Finish what a killed process left of saving a review.

    Parameters
    ----------
    journal : Journal
        Of the batch.
    images : sequence of Listed
        Those whose reviews are looked at.
    """
    folder = journal.folder / "reviews"
    if not folder.exists():
        return
    left = {path.stem for path in folder.glob("*.saving")}
    for image in images:
        document = journal.documents.get(image.name)
        is_noted = document is not None and bool(document.get("review"))
        if not journal.is_reviewed(image.name):
            continue
        if is_noted and image.name not in left:
            continue
        content = read_study(journal.review_folder(image.name))
        with locked_tables(journal):
            known = document or {
                "path": str(image.path),
                "given": image.given,
                "group": image.group,
                "stamp": None,
                "record": content.record,
            }
            _note(journal, image, _from_study(journal.review_folder(image.name)), known)
    for name in left:
        (folder / f"{name}.saving").unlink(missing_ok=True)

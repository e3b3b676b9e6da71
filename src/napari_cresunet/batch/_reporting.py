"""The report of a batch, made from what is noted of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._writing import write_bytes
from napari_cresunet.batch._entries import Entry, entry_of
from napari_cresunet.batch._journal import Document, Journal, Listed
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.export import ReportedImage

REPORT = "report.html"
_LINKED = ("labels", "probability", "overlay", "cells")


def write_batch_report(output: str | Path) -> Path:
    """Write report.html: all counts of a batch, and which of them to look at.

    Parameters
    ----------
    output : str or Path
        The folder of the batch.

    Returns
    -------
    Path
        The report; one that exists is replaced.

    Raises
    ------
    InputError
        If there is no batch in the folder.

    Notes
    -----
    No image is read: thumbnails are there already. A file that cannot be written is an
    `EngineError`.
    """
    from napari_cresunet.export import batch_report

    journal = Journal(Path(output).absolute())
    images, options, card = journal.read_list()
    if not images:
        raise InputError(
            f"There is no batch in {output}: choose the folder that an earlier run "
            "wrote to."
        )
    journal.refresh()
    rows = [
        _reported(journal, image, journal.documents.get(image.name)) for image in images
    ]
    title = f"Cells of {journal.folder.parent.name}"
    text = batch_report(rows, title=title, settings=options, model=card)
    path = journal.folder.parent / REPORT
    write_bytes(path, text.encode(errors="backslashreplace"))
    return path


def _reported(
    journal: Journal, image: Listed, document: Document | None
) -> "ReportedImage":
    from napari_cresunet.export import ReportedImage

    entry = entry_of(image, document)
    known = document or {}
    is_counted = entry.best_count is not None
    regions = known.get("regions") or [{}]
    thumbnail = journal.thumbnail_file(image.name)
    review = known.get("review") or {}
    return ReportedImage(
        name=image.name,
        image=image.given,
        state=entry.state,
        count=entry.count,
        corrected=entry.corrected,
        error=entry.error,
        group=image.group,
        density=regions[-1].get("density_per_mm2") if is_counted else None,
        regions=tuple(regions) if is_counted else (),
        record=entry.record,
        pixel_size=_size(entry, review),
        n_pinned=review.get("n_pinned") if is_counted else None,
        thumbnail=thumbnail if is_counted and thumbnail.exists() else None,
        files={kind: entry.record[kind] for kind in _LINKED if entry.record.get(kind)},
    )


def _size(entry: Entry, review: dict[str, Any]) -> tuple[float, float] | None:
    """Return the size of a pixel, as corrected if it was."""
    size = review.get("pixel_size_um") or entry.record.get("pixel_size_um")
    return None if size is None else (size[0], size[1])

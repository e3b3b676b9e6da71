"""The tables of a batch: counts.csv, counts.json and regions.csv."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import write_csv
from napari_cresunet._writing import as_plain, json_bytes, told_why, write_bytes
from napari_cresunet.batch._entries import entry_of
from napari_cresunet.batch._journal import Document, Journal, Listed, locked_tables

if TYPE_CHECKING:
    from napari_cresunet.weights import ModelCard

COUNT_FIELDS = (
    *("count", "threshold", "min_size", "model", "seconds"),
    *("planes", "preset", "min_distance", "diameter", "device", "weights_hash"),
    *("image_hash", "version", "time", "labels", "probability"),
)
"""Columns of a record."""
_STATE_FIELDS = ("state", "error", "corrected", "group", "name", "backend", "precision")
_REGION_FIELDS = (
    *("image", "region", "count", "area_px", "area_mm2", "density_per_mm2"),
    *("planes", "overlaps", "state", "group", "name"),
)
_SHARE = 20
"""Tables are written again after so many times what writing them took."""
_PAUSE = 3.0  # s
"""And never sooner than this."""


class Tables:
    """The tables of one batch, written now and then while a run goes on."""

    def __init__(
        self, journal: Journal, images: Sequence[Listed], card: Mapping[str, Any]
    ) -> None:
        self._journal = journal
        self._images = images
        self._card = card
        self._next = time.monotonic() + _PAUSE

    def write_if_due(self) -> None:
        """Write the tables if they are old enough; nothing without a folder."""
        if self._journal.output is not None and time.monotonic() > self._next:
            self.write()

    def write(self) -> None:
        """Write the tables, with what others have noted meanwhile."""
        if self._journal.output is None:
            return
        started = time.monotonic()
        with locked_tables(self._journal):
            self._journal.refresh()
            write_tables(
                self._journal.output, self._images, self._journal.documents, self._card
            )
        ended = time.monotonic()
        self._next = ended + max(_PAUSE, _SHARE * (ended - started))


def write_tables(
    output: Path,
    images: Sequence[Listed],
    documents: Mapping[str, Document],
    card: Mapping[str, Any],
) -> None:
    """Write counts.csv and regions.csv for reading, counts.json with all that is known.

    Parameters
    ----------
    output : Path
        The folder.
    images : sequence of Listed
        The images, in the order of the rows.
    documents : mapping of str to mapping
        What came of them, by their names. Images that are not in it have no row.
    card : mapping
        Of the model, ready for JSON.

    Notes
    -----
    A file that cannot be written is an `EngineError`; each is there whole or not at
    all.
    """
    known = [
        (image, documents[image.name]) for image in images if image.name in documents
    ]
    names = ("image", *COUNT_FIELDS, *_STATE_FIELDS)
    _write_table(output / "counts.csv", names, [_count_row(*one) for one in known])
    rows = [row for one in known for row in _region_rows(*one)]
    regions = output / "regions.csv"
    if rows or regions.exists():
        _write_table(regions, _REGION_FIELDS, rows)
    _write_json(output / "counts.json", known, card)


def _write_table(
    path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    with told_why(path):
        write_csv(path, names, rows)


def _count_row(image: Listed, document: Document) -> dict[str, Any]:
    entry = entry_of(image, document)
    row = {name: entry.record.get(name) for name in (*COUNT_FIELDS, *_STATE_FIELDS)}
    return row | {
        "image": image.given,
        "state": entry.state,
        "error": entry.error,
        "corrected": entry.corrected,
        "group": image.group,
        "name": image.name,
    }


def _region_rows(image: Listed, document: Document) -> Iterator[dict[str, Any]]:
    entry = entry_of(image, document)
    if entry.count is None:
        return
    beside = {"state": entry.state, "group": image.group, "name": image.name}
    for row in document.get("regions") or ():
        known = {name: row.get(name) for name in _REGION_FIELDS}
        yield known | {"image": image.given} | beside


def _write_json(
    path: Path, known: Sequence[tuple[Listed, Document]], card: Mapping[str, Any]
) -> None:
    records, failures = [], []
    for image, document in known:
        entry = entry_of(image, document)
        if entry.state == "failed":
            failures.append({"image": image.given, "error": entry.error})
            continue
        beside = {"name": image.name, "group": image.group, "state": entry.state}
        review = document.get("review")
        corrected = {"corrected": entry.corrected, "review": review} if review else {}
        records.append({**entry.record, **beside, **corrected})
    # One line for each image: indenting all takes five times as long.
    lines = b",\n".join(json_bytes(record).rstrip() for record in records)
    rest = json_bytes({"failed": failures, "model": as_plain(card)}, indent=2)
    write_bytes(path, b'{"images": [\n' + lines + b"\n]," + rest.removeprefix(b"{"))


def write_one(
    output: Path, name: str, record: Mapping[str, Any], card: "ModelCard"
) -> None:
    """Write the tables of a single image that is no file.

    Parameters
    ----------
    output : Path
        The folder.
    name : str
        First part of the names of its results.
    record : mapping
        From `write_count`, with what the image is as "image".
    card : ModelCard
        Of the model.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    image = Listed(name=name, path=output / name, given=str(record["image"]))
    document = {name: {"record": as_plain(record)}}
    write_tables(output, [image], document, card.to_dict())

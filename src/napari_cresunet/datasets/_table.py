"""Folders with images/, labels/ and a table of their splits."""

import csv
from pathlib import Path

from napari_cresunet._images import PICTURE_SUFFIXES, TIFF_SUFFIXES
from napari_cresunet.datasets._entries import Entry
from napari_cresunet.datasets._truths import TruthFile, files_in, stem_of_file
from napari_cresunet.errors import InputError


def has_table(folder: Path) -> bool:
    """Tell whether a folder has a table of its splits."""
    return (folder / "split.csv").is_file()


def read_table(folder: Path) -> list[Entry]:
    """List the pairs that a table names.

    Parameters
    ----------
    folder : Path
        Holds `split.csv`, `images` and `labels` or `masks`.

    Returns
    -------
    list of Entry
        In the order of the table.

    Raises
    ------
    InputError
        If a column or a file is missing, or a length is no number.
    """
    table = folder / "split.csv"
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        reader = csv.DictReader(stream)
        for column in ("name", "split"):
            if column not in (reader.fieldnames or ()):
                raise InputError(f"{table} has no column {column!r}: add one.")
        rows = list(reader)
    truths = folder / ("labels" if (folder / "labels").is_dir() else "masks")
    places = [_by_name(part) for part in (folder / "images", truths)]
    entries = []
    for row in rows:
        name = row["name"]
        for place, part in zip(places, (folder / "images", truths), strict=True):
            if name not in place:
                path = part / f"{name}.png"
                raise InputError(f"{path} does not exist though split.csv names it.")
        image, truth = (place[name] for place in places)
        entries.append(
            Entry(
                name=name,
                image=image,
                truth=TruthFile(truth),
                split=row["split"],
                match_distance=_length(table, row, "match_px"),
                cell_diameter=_length(table, row, "diameter_px"),
            )
        )
    return entries


def _by_name(folder: Path) -> dict[str, Path]:
    suffixes = TIFF_SUFFIXES + PICTURE_SUFFIXES
    found = files_in(folder, suffixes) if folder.is_dir() else []
    return {stem_of_file(path): path for path in found}


def _length(table: Path, row: dict[str, str], column: str) -> float | None:
    text = row.get(column)
    if not text:
        return None
    try:
        length = float(text)
    except ValueError:
        length = 0.0
    if not 0 < length < float("inf"):
        raise InputError(
            f"{table} says {column} {text} for {row['name']}: write a length in px."
        )
    return length

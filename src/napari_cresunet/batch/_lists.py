"""Lists of images as CSV, as spreadsheets write them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_cresunet.batch._inputs import IMAGE_SUFFIXES, ZARR_SUFFIX, ListedImage
from napari_cresunet.errors import InputError

_IMAGE_COLUMNS = ("image", "path")
_NUMBERS = {"diameter": (0.1, 1e6), "threshold": (0.0, 1.0)}
"""Columns of numbers and their bounds, both inclusive."""
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where in a row things stand; None if they do not."""

    image: int
    diameter: int | None = None
    threshold: int | None = None
    group: int | None = None


def read_list(path: Path) -> list[ListedImage]:
    """Read a list of images.

    Parameters
    ----------
    path : Path
        CSV in UTF-8, separated by commas, semicolons or tabs; as in `list_images`.

    Returns
    -------
    list of ListedImage
        One for each row that is not empty.

    Raises
    ------
    InputError
        If it cannot be read, lists no image, or a row cannot be used.
    """
    rows = _rows(path)
    if not rows:
        raise InputError(f"{path} lists no image: give one in each row.")
    columns, has_head = _columns(rows[0][1])
    listed = [
        _listed(path, number, row, columns)
        for number, row in (rows[1:] if has_head else rows)
    ]
    if not listed:
        raise InputError(f"{path} lists no image: give one in each row.")
    return listed


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty, with the number of their line."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): ask for permission or copy it "
            "elsewhere."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not in UTF-8: save it as CSV in UTF-8.") from error
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [(reader.line_num, [part.strip() for part in row]) for row in reader]
    except csv.Error as error:
        raise InputError(
            f"{path}, row {reader.line_num}: {error}; save the list as CSV again."
        ) from error
    return [(number, row) for number, row in rows if any(row)]


def _columns(first: Sequence[str]) -> tuple[_Columns, bool]:
    """Tell where things stand, and whether the first row only says that."""
    names = [name.casefold() for name in first]
    places = {name: names.index(name) for name in names}
    image = next((places[name] for name in _IMAGE_COLUMNS if name in places), None)
    has_head = image is not None or not names[0].endswith(
        (*IMAGE_SUFFIXES, ZARR_SUFFIX)
    )
    if not has_head:
        return _Columns(0), False
    known = {name: places.get(name) for name in (*_NUMBERS, "group")}
    return _Columns(image or 0, **known), True


def _listed(
    path: Path, number: int, row: Sequence[str], columns: _Columns
) -> ListedImage:
    def field(place: int | None) -> str:
        return row[place] if place is not None and place < len(row) else ""

    name = field(columns.image)
    if not name:
        raise InputError(f"{path}, row {number}: no image is named; name one.")
    return ListedImage(
        path=path.parent / name,
        diameter=_number(path, number, "diameter", field(columns.diameter)),
        threshold=_number(path, number, "threshold", field(columns.threshold)),
        group=field(columns.group),
    )


def _number(path: Path, row: int, name: str, text: str) -> float | None:
    if not text:
        return None
    low, high = _NUMBERS[name]
    try:
        # Spreadsheets of many countries write a comma in numbers.
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InputError(
            f"{path}, row {row}: {name} must be a number from {low:g} to {high:g}, got "
            f"{text!r}."
        )
    return value

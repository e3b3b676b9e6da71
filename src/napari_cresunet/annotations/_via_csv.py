"""VGG Image Annotator (VIA): annotations exported as CSV, a region in each row."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.annotations._annotated import AnnotatedImage
from napari_cresunet.annotations._parsing import Table
from napari_cresunet.annotations._place import Place
from napari_cresunet.annotations._via import read_region

if TYPE_CHECKING:
    from napari_cresunet.annotations._shapes import Cell

_SHAPE = "region_shape_attributes"


def is_via_csv(table: Table) -> bool:
    """Tell whether a table is one that VIA exports."""
    # Version 1 began the header like a comment.
    return table.names[:1] in {("filename",), ("#filename",)} and _SHAPE in table.names


def read_via_csv(path: Path, table: Table) -> list[AnnotatedImage]:
    """Read the images of a table of VIA.

    Parameters
    ----------
    path : Path
        The file, for messages.
    table : Table
        What it holds.

    Returns
    -------
    list of AnnotatedImage
        In the order of the file, without a size: VIA writes none. Every region is a
        cell, whatever its attributes; an image without regions has a row of its own.

    Raises
    ------
    InputError
        If a region is a line, or a name or coordinate is missing.
    """
    images: dict[str, list[Cell]] = {}
    for line, record in table.records():
        place = Place(path, f"line {line}")
        name = record.get(table.names[0])
        if not name:
            raise place.fault("`filename` is missing")
        cells = images.setdefault(name, [])
        shape = _parse_shape(place, record.get(_SHAPE, "{}"))
        if shape != {}:
            cells.append((read_region(place, {"shape_attributes": shape}),))
    return [AnnotatedImage(name, None, cells) for name, cells in images.items()]


def _parse_shape(place: Place, text: str) -> Any:
    try:
        return json.loads(text)
    except (RecursionError, ValueError) as error:
        raise place.fault(f"`{_SHAPE}` is no JSON") from error

"""Tables of points: rows and columns under the names that programs give them."""

from dataclasses import dataclass
from pathlib import Path

from napari_cresunet.annotations._annotated import AnnotatedImage
from napari_cresunet.annotations._parsing import Table
from napari_cresunet.annotations._place import Place, one_plane
from napari_cresunet.annotations._shapes import Cell, Dot

_PAIRS = (
    ("centroid_y", "centroid_x"),
    ("center_y", "center_x"),
    ("row", "column"),
    ("row", "col"),
    ("y", "x"),
)
"""Names of the columns for row and column in px, the surest first."""
_NUMBERED = ("axis-", "centroid-")
"""napari and scikit-image number the axes; the last two are row and column."""
_PLANES = ("plane", "slice", "z", "frame", "t", "channel", "ch")
_IMAGES = ("image", "filename")
_SUMMARY = ("Mean", "SD", "Min", "Max")
"""Labels of the rows that ImageJ puts below its results."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Names of columns in lower case."""

    row: str
    column: str
    planes: tuple[str, ...]


def is_points_csv(table: Table) -> bool:
    """Tell whether a table has columns of points."""
    return _columns(table.names) is not None


def read_points_csv(path: Path, table: Table) -> list[AnnotatedImage]:
    """Read the images of a table of points.

    Parameters
    ----------
    path : Path
        The file, for messages.
    table : Table
        What it holds.

    Returns
    -------
    list of AnnotatedImage
        One image, or one for each name in a column `image` or `filename`, in the order
        of the file and without a size.

    Raises
    ------
    InputError
        If a coordinate is missing, or the points are on several planes.

    Notes
    -----
    Whole numbers are the centers of pixels, as in napari, scikit-image and the points
    of ImageJ. Only the centers of areas that ImageJ measures count from the corner of
    the first pixel; its results say an area there, and 0 for points.
    """
    columns = _columns(table.names)
    if columns is None:
        raise Place(path, "line 1").fault("it names no columns of points")
    name_column = next((name for name in _IMAGES if name in table.names), "")
    groups: dict[str, list[tuple[Place, dict[str, str]]]] = {}
    for line, record in table.records():
        if not _is_no_cell(table, columns, record):
            group = groups.setdefault(record.get(name_column, ""), [])
            group.append((Place(path, f"line {line}"), record))
    images = []
    for name, records in (groups or {"": []}).items():
        for plane in columns.planes:
            found = dict.fromkeys(record.get(plane, "") for _, record in records)
            one_plane(Place(path, f"column {plane}"), found)
        cells: list[Cell] = [
            (_dot(table, columns, place, record),) for place, record in records
        ]
        images.append(AnnotatedImage(name, None, cells))
    return images


def _columns(names: tuple[str, ...]) -> _Columns | None:
    """Find the columns; None where there are none."""
    if "vertex-index" in names:  # outlines that napari saved
        return None
    planes = tuple(name for name in _PLANES if name in names)
    for row, column in _PAIRS:
        if row in names and column in names:
            return _Columns(row, column, planes)
    for prefix in _NUMBERED:
        axes = [f"{prefix}{axis}" for axis in range(8) if f"{prefix}{axis}" in names]
        if len(axes) > 1:
            return _Columns(axes[-2], axes[-1], (*planes, *axes[:-2]))
    return None


def _is_imagej(table: Table) -> bool:
    return {"X", "Y", "Area"} <= set(table.header)


def _is_no_cell(table: Table, columns: _Columns, record: dict[str, str]) -> bool:
    if _is_imagej(table):
        return record.get("label") in _SUMMARY
    # Our own tables have a row for each label, even if no pixel has it any more.
    return columns.row == "centroid_y" and record.get("area") in ("0", "0.0")


def _dot(table: Table, columns: _Columns, place: Place, record: dict[str, str]) -> Dot:
    row = place.number(record.get(columns.row), columns.row)
    column = place.number(record.get(columns.column), columns.column)
    if _is_imagej(table) and place.number(record.get("area", 0), "Area") > 0:
        return Dot(row - 0.5, column - 0.5)
    return Dot(row, column)

"""The table of cells: what its columns are called, how it is sorted and written."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TITLES = {
    "label": ("cell", "Number of the cell in the labels layer."),
    "region": ("region", "Where its centroid lies."),
    "plane": ("plane", "From 0; of a cell in several planes the middle one."),
    "planes": ("planes", "In how many planes it is."),
    "area_px": ("area px", "Pixels of the cell."),
    "area_um2": ("area µm²", "Area of the cell."),
    "equivalent_diameter_px": ("⌀ px", "Diameter of a disc of the same area."),
    "equivalent_diameter_um": ("⌀ µm", "Diameter of a disc of the same area."),
    "major_axis_px": ("long px", "Long axis of the ellipse that fits best."),
    "major_axis_um": ("long µm", "Long axis of the ellipse that fits best."),
    "minor_axis_px": ("short px", "Short axis of the ellipse that fits best."),
    "minor_axis_um": ("short µm", "Short axis of the ellipse that fits best."),
    "eccentricity": ("eccentr.", "0 is a circle, close to 1 a line."),
    "solidity": ("solidity", "Part of its convex hull that it fills; low if dented."),
    "centroid_y_px": ("y px", "Row of the centroid."),
    "centroid_x_px": ("x px", "Column of the centroid."),
    "centroid_y_um": ("y µm", "Centroid, from the top of the image."),
    "centroid_x_um": ("x µm", "Centroid, from the left of the image."),
    "touches_border": ("at border", "Whether the edge of the image may cut it."),
    "mean_probability": ("mean p", "Mean of the network's probability in the cell."),
    "max_probability": ("max p", "Highest probability in the cell."),
    "mean_intensity": ("mean", "Mean brightness of the image in the cell."),
    "background": ("backgr.", "Brightness of the surroundings of the cell."),
    "integrated_intensity": (
        "integrated",
        "Sum of brightness minus that of the surroundings.",
    ),
}
_DIGITS = 4


def column_title(name: str) -> str:
    """Return what a column is called in a narrow table.

    Parameters
    ----------
    name : str
        As in `measurement.measure`.

    Returns
    -------
    str
        Short; the name of a channel comes last.
    """
    stem, channel = _split(name)
    title = _TITLES[stem][0] if stem in _TITLES else stem.replace("_", " ")
    return f"{title} {channel}" if channel else title


def column_text(name: str) -> str:
    """Return what a column means, in a sentence.

    Parameters
    ----------
    name : str
        As in `measurement.measure`.

    Returns
    -------
    str
        With the name that files have for it.
    """
    stem, channel = _split(name)
    text = _TITLES[stem][1] if stem in _TITLES else ""
    of = f" Channel: {channel}." if channel else ""
    return f"{text}{of} In files: {name}.".strip()


def _split(name: str) -> tuple[str, str]:
    """Return the measure and the channel that a column is of."""
    if name in _TITLES:
        return name, ""
    for stem in ("mean_intensity", "background", "integrated_intensity"):
        if name.startswith(f"{stem}_"):
            return stem, name.removeprefix(f"{stem}_")
    return name, ""


def cell_text(value: Any) -> str:
    """Return a value of the table as it is shown.

    Parameters
    ----------
    value : bool, int, float or str
        Of numpy or of Python.

    Returns
    -------
    str
        Four digits of a part; a dash for what is unknown.
    """
    if isinstance(value, bool | np.bool_):
        return "yes" if value else ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        return str(value)
    if not np.isfinite(value):
        return "\N{EN DASH}"
    if abs(value) >= 10 ** (_DIGITS - 1):
        return f"{value:.0f}"
    return f"{value:#.{_DIGITS}g}"


def sorted_rows(
    columns: Mapping[str, NDArray[Any]], name: str, *, is_descending: bool = False
) -> NDArray[np.intp]:
    """Return the order of the rows by a column.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (N,)
        The table.
    name : str
        One of the columns; another leaves the rows as they are.
    is_descending : bool, optional
        Whether the largest comes first.

    Returns
    -------
    ndarray of intp, shape (N,)
        Numbers of rows. Equal values stay in order; what is unknown, or without a
        name, comes last either way.
    """
    if name not in columns:
        n = len(next(iter(columns.values()))) if columns else 0
        return np.arange(n)
    values = columns[name]
    if values.dtype.kind in "USO":
        names, ranks = np.unique(values.astype(str), return_inverse=True)
        # An empty name sorts first, so its rank is 0.
        values = np.where(names[ranks] == "", np.nan, ranks)
    values = values.astype(np.float64)
    return np.argsort(-values if is_descending else values, kind="stable")


def table_text(columns: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]) -> str:
    """Return a table with tabs, for a spreadsheet.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (N,)
        The table.
    rows : ndarray of intp
        Its rows in the order that is wanted.

    Returns
    -------
    str
        Names of columns first; unknown numbers are empty.
    """
    lines = ["\t".join(columns)]
    for row in rows:
        values = (column[row] for column in columns.values())
        lines.append("\t".join(_plain(value) for value in values))
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.8g}"
    return str(value)

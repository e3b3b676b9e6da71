"""The tools of the dock "Correct cells": what clicks and strokes do to labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.correction import (
    Edit,
    Grown,
    add_outline,
    cells_at,
    cells_in_box,
    cells_on_path,
    delete,
    grow,
    merge,
    split_at_line,
    split_at_seeds,
    trim,
)
from napari_cresunet.errors import InputError

JOIN, SPLIT, TRIM = "join", "split", "trim"
DELETE, ADD, OUTLINE = "delete", "add", "outline"

_LEAST_AREA = 8
"""Px of the smallest cell that a click finds."""
_MOST_TIMES = 20
"""The largest one has this many times the area of a usual cell."""
_LEAST_PEAK = 0.05
"""A peak that is lower is taken only where there is no higher one."""

Place = tuple[int, ...]
"""Leading axes, row and column of a pixel; it may be outside of the labels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """What the mouse does in the canvas while its button is down."""

    title: str
    key: str
    hint: str
    """What to do, while it is active."""
    meaning: str
    """What it is for."""

    @property
    def caption(self) -> str:
        """Such as "Join (J)"."""
        return f"{self.title} ({self.key})"


TOOLS = {
    JOIN: Tool(
        title="Join",
        key="J",
        hint="Drag across the cells to join, or click them one by one; Enter joins.",
        meaning="Several cells become one.",
    ),
    SPLIT: Tool(
        title="Split",
        key="S",
        hint="Drag a line across a cell to cut it, or click once in each part; Enter "
        "splits.",
        meaning="One cell becomes two or more.",
    ),
    TRIM: Tool(
        title="Trim",
        key="T",
        hint="Drag a line across a cell: the smaller part goes.",
        meaning="A part of a cell becomes background.",
    ),
    DELETE: Tool(
        title="Delete",
        key="D",
        hint="Click a cell, or drag a box around the centers of several.",
        meaning="Cells become background, and stay away at other thresholds.",
    ),
    ADD: Tool(
        title="Add",
        key="A",
        hint="Click a cell that was missed; Enter adds what is outlined.",
        meaning="A cell is found where you click.",
    ),
    OUTLINE: Tool(
        title="Outline",
        key="O",
        hint="Drag around a cell that was missed.",
        meaning="A cell is what you draw around.",
    ),
}
"""In the order in which they are shown."""


def is_inside(shape: tuple[int, ...], place: Sequence[float]) -> bool:
    """Tell whether a place is one of the labels'.

    Parameters
    ----------
    shape : tuple of int
        Of the labels.
    place : sequence of float
        One number for each axis; whole numbers are the centers of pixels.

    Returns
    -------
    bool
        False beyond the border.
    """
    return all(-0.5 <= at < side - 0.5 for at, side in zip(place, shape, strict=True))


def edit_of_stroke(tool: str, labels: NDArray[Any], path: NDArray[np.float64]) -> Edit:
    """Return what a stroke with the mouse changes.

    Parameters
    ----------
    tool : str
        One of `TOOLS` except "add", which only knows clicks.
    labels : ndarray of shape (..., Y, X), int
        The cells.
    path : ndarray of shape (N, D), float
        Where the mouse went, from the press of its button on.

    Returns
    -------
    Edit
        The change.

    Raises
    ------
    InputError
        If the stroke changes nothing: too few cells were met, or nothing was cut.
    """
    if tool == JOIN:
        return merge(labels, cells_on_path(labels, path))
    if tool == DELETE:
        cells = cells_in_box(labels, path[[0, -1]])
        if not cells:
            raise InputError(
                "No cell has its center in this box: drag it around the centers."
            )
        return delete(labels, cells)
    change = {SPLIT: split_at_line, TRIM: trim, OUTLINE: add_outline}[tool]
    return change(labels, path)


def edit_of_marks(
    tool: str,
    labels: NDArray[Any],
    marks: Sequence[Place],
    landscape: NDArray[np.floating] | None = None,
) -> Edit:
    """Return what clicks change that wait for each other.

    Parameters
    ----------
    tool : str
        "join" or "split".
    labels : ndarray of shape (..., Y, X), int
        The cells.
    marks : sequence of tuple of int
        Where the user clicked.
    landscape : ndarray of shape (..., Y, X), float, optional
        What is low between the parts of a cell, such as the probability.

    Returns
    -------
    Edit
        The change.

    Raises
    ------
    InputError
        If there are too few marks, or seeds in several cells.
    """
    places = np.array(marks, float).reshape(len(marks), labels.ndim)
    if tool == JOIN:
        return merge(labels, cells_at(labels, places))
    return split_at_seeds(labels, places, landscape)


def grown_at(
    labels: NDArray[Any],
    place: Place,
    landscapes: Iterable[NDArray[np.floating]],
    usual_area: float,
) -> Grown:
    """Find a cell at a place, in the first landscape that shows one.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        The cells that are there already.
    place : tuple of int
        Where the user clicked.
    landscapes : iterable of ndarray of shape (..., Y, X), float
        Where it may be found, from 0 to 1; the later ones only where the first are
        flat.
    usual_area : float
        Px of a usual cell.

    Returns
    -------
    Grown
        The cell at several levels.

    Raises
    ------
    InputError
        If none shows a cell there.
    """
    faint, error = None, None
    for landscape in landscapes:
        try:
            grown = grow(
                landscape,
                labels,
                place,
                min_size=_LEAST_AREA,
                max_size=round(_MOST_TIMES * usual_area),
            )
        except InputError as found_none:
            error = error or found_none
            continue
        if grown.levels[0] >= _LEAST_PEAK:
            return grown
        faint = faint or grown
    if faint is not None:
        return faint
    raise error or InputError(
        "There is neither a probability nor an image to find a cell in: draw its "
        "outline (O)."
    )

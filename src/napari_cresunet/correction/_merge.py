"""Whole cells joined, deleted and numbered anew."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import as_label_image, check_signs, checked_labels
from napari_cresunet._typing import Indices
from napari_cresunet.correction._edit import DELETE, MERGE, RELABEL, Edit, make_edit
from napari_cresunet.correction._patches import pixels_of
from napari_cresunet.correction._places import (
    known_cells,
    numbered,
)
from napari_cresunet.errors import InputError

_SIDES = ((-1, 0), (0, -1), (0, 1), (1, 0))
_ACROSS = [
    (row, column)
    for row in range(4)
    for column in range(-3, 4)
    if (row > 0 or column > 0) and 1 < row * row + column * column <= 9
]
"""From one side to the other of a gap of at most 2 px: the half that looks down."""


def merge(labels: ArrayLike, cells: Iterable[int]) -> Edit:
    """Make one cell of several.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    cells : iterable of int
        Labels of at least two cells. The lowest stays.

    Returns
    -------
    Edit
        In all planes. Between cells that share no side of a pixel, background that is
        at most 2 px wide, such as the line of a watershed, becomes part of the cell.

    Raises
    ------
    InputError
        If there are fewer than two cells, one does not exist, or the labels are not
        whole numbers from 0 to 2**31 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[4, 4, 0, 2, 2, 0, 9]])
    >>> edit = merge(labels, [2, 4])
    >>> edit.applied_to(labels)
    array([[2, 2, 2, 2, 2, 0, 9]])
    >>> edit.before, edit.after
    ((2, 4), (2,))
    """
    image = checked_labels(labels)
    known = known_cells(cells)
    if len(known) < 2:
        raise InputError("Only cells, at least two, can be merged: choose another one.")
    places, which = pixels_of(image, known)
    gap = _gap(image, places, _join(image, places, which, len(known)))
    label = known[0]
    return make_edit(
        MERGE, image, [(places[which > 0], label), (gap, label)], (known, [label])
    )


def _join(image: NDArray[Any], places: Indices, which: Indices, count: int) -> Indices:
    """Number what cells and those that share a side with them make up."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones, others = [], []
    for row, column in ((0, 1), (1, 0)):
        sources, targets = _moved(image, places, row, column)
        found = np.searchsorted(places, targets).clip(max=len(places) - 1)
        is_cell = places[found] == targets
        ones.append(which[sources[is_cell]])
        others.append(which[found[is_cell]])
    pairs = (np.concatenate(ones), np.concatenate(others))
    graph = coo_array((np.ones(len(pairs[0])), pairs), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    numbers: Indices = groups[which].astype(np.intp)
    return numbers


def _moved(
    image: NDArray[Any], places: Indices, row: int, column: int
) -> tuple[Indices, Indices]:
    """Return which places have a neighbor there within the plane, and the neighbors."""
    height, width = image.shape[-2:]
    rows, columns = places // width % height + row, places % width + column
    is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    sources = np.flatnonzero(is_inside)
    return sources, places[sources] + row * width + column


def _gap(image: NDArray[Any], places: Indices, groups: Indices) -> Indices:
    """Return the background between groups where they are close."""
    line, width = image.ravel(), image.shape[-1]
    is_outermost = np.zeros(len(places), np.bool_)
    for row, column in _SIDES:
        sources, targets = _moved(image, places, row, column)
        is_outermost[sources[line[targets] == 0]] = True
    places, groups = places[is_outermost], groups[is_outermost]
    gap = [np.zeros(0, np.intp)]
    for row, column in _ACROSS if groups.any() else ():
        sources, targets = _moved(image, places, row, column)
        found = np.searchsorted(places, targets).clip(max=len(places) - 1)
        is_other = (places[found] == targets) & (groups[found] != groups[sources])
        starts = places[sources[is_other]]
        # All of the rectangle from one to the other: a line would leave holes.
        for down in range(row + 1):
            for right in range(min(column, 0), max(column, 0) + 1):
                gap.append(starts + down * width + right)
    between = np.unique(np.concatenate(gap))
    free: Indices = between[line[between] == 0]
    return free


def delete(labels: ArrayLike, cells: Iterable[int]) -> Edit:
    """Turn cells into background.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    cells : iterable of int
        Labels of at least one cell.

    Returns
    -------
    Edit
        In all planes.

    Raises
    ------
    InputError
        If there is no cell, one does not exist, or the labels are not whole numbers
        from 0 to 2**31 - 1.

    Examples
    --------
    >>> delete([[1, 1, 2]], [1]).applied_to([[1, 1, 2]])
    array([[0, 0, 2]])
    """
    image = checked_labels(labels)
    known = known_cells(cells)
    if not known:
        raise InputError("There is no cell to delete: choose one.")
    places, _ = pixels_of(image, known)
    return make_edit(DELETE, image, [(places, 0)], (known, ()))


def relabel(labels: ArrayLike) -> Edit:
    """Number the cells anew, from 1 without gaps.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background. May hold labels beyond int32.

    Returns
    -------
    Edit
        Cells are numbered in the order of their first pixel, through rows, then planes.

    Notes
    -----
    Raises `InputError` if the labels are not whole numbers of at least 0.

    Examples
    --------
    >>> relabel([[0, 8, 8], [3, 0, 8]]).applied_to([[0, 8, 8], [3, 0, 8]])
    array([[0, 1, 1],
           [2, 0, 1]])
    """
    image = as_label_image(labels)
    check_signs(image)
    line = image.ravel()
    places = np.flatnonzero(line > 0)
    old = line[places]
    cells, which = numbered(old)
    # Of equal indices the last one is kept, which backwards is the first pixel.
    firsts = np.empty(len(cells), np.intp)
    firsts[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    numbers = np.empty(len(cells), image.dtype)
    numbers[np.argsort(firsts)] = np.arange(1, len(cells) + 1)
    new = numbers[which]
    is_new = new != old
    return Edit(
        kind=RELABEL,
        pixels=places[is_new],
        values=new[is_new],
        before=tuple(cells.tolist()),
        after=tuple(range(1, len(cells) + 1)),
    )

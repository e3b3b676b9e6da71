"""Outlines of the cells of a label image, along the edges of their pixels."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._label_images import checked_labels, planes_of
from napari_cresunet.errors import InputError

Ring: TypeAlias = NDArray[np.float64]
"""(N, 2), corners in row and column; the last is joined to the first."""


def outlines_of(labels: NDArray[Any]) -> dict[int, list[Ring]]:
    """Return the outlines of every cell, exactly along the edges of its pixels.

    Parameters
    ----------
    labels : ndarray of shape (Y, X), int
        Label image; 0 is background. Numbers may be left out.

    Returns
    -------
    dict of int to list of ndarray of float64, shape (N, 2)
        For each label, ascending, its rings: corners in row and column, where whole
        numbers are the centers of pixels, so that corners lie at halves. The last
        corner is joined to the first, which is not repeated; no three in a row lie on a
        line. Around a part of the cell one goes clockwise as one sees it, around a hole
        the other way. A pixel belongs to the cell if its center is inside of an odd
        number of its rings.

    Raises
    ------
    InputError
        If it is no plane of whole numbers of at least 0.

    Notes
    -----
    No ring crosses or touches itself. Pixels that touch at a corner only are parts of
    their own. Two rings of a cell may share corners, but no edge.

    Examples
    --------
    >>> import numpy as np
    >>> outlines_of(np.array([[0, 3, 3]]))
    {3: [array([[-0.5,  2.5],
           [ 0.5,  2.5],
           [ 0.5,  0.5],
           [-0.5,  0.5]])]}
    """
    from napari_cresunet.annotations._tracing import trace

    plane = checked_labels(labels)
    if plane.ndim != 2:
        raise InputError(
            f"`labels` must be one plane (Y, X) to be outlined, got shape "
            f"{plane.shape}."
        )
    # One kind of numbers: the walk is compiled for each.
    corners, ends, is_pinched = trace(np.ascontiguousarray(plane, np.int32))
    outlines: dict[int, list[Ring]] = {}
    starts = np.append(0, ends)[:-1].astype(np.intp)
    owners = _owners(plane, corners, starts)
    halves = corners.astype(np.float64) - 0.5
    for label, start, end, is_split in zip(
        owners.tolist(),
        starts.tolist(),
        ends.tolist(),
        is_pinched.tolist(),
        strict=True,
    ):
        ring = halves[start:end]
        outlines.setdefault(label, []).extend(_simple(ring) if is_split else [ring])
    return dict(sorted(outlines.items()))


def box_of(rings: Sequence[Ring]) -> tuple[int, int, int, int]:
    """Return the box around outlines.

    Parameters
    ----------
    rings : sequence of ndarray of shape (N, 2)
        At least one, from `outlines_of`.

    Returns
    -------
    tuple of int
        Top, left, bottom and right of their pixels, the last two exclusive.
    """
    corners = np.concatenate(list(rings)) + 0.5
    top, left = corners.min(axis=0).astype(int).tolist()
    bottom, right = corners.max(axis=0).astype(int).tolist()
    return top, left, bottom, right


def pieces_of(plane: NDArray[Any], rings: list[Ring]) -> list[list[Ring]]:
    """Tell which holes are in which part of a cell.

    Parameters
    ----------
    plane : ndarray of shape (Y, X), int
        Label image.
    rings : list of ndarray of shape (N, 2)
        All rings of one of its cells, from `outlines_of`.

    Returns
    -------
    list of list of ndarray
        For each part its outer ring and its holes.
    """
    if len(rings) == 1:
        return [rings]
    from scipy import ndimage

    top, left, bottom, right = box_of(rings)
    places = [_pixel_beside(ring) for ring in rings]
    part = plane[top:bottom, left:right]
    numbers, _ = ndimage.label(part == plane[places[0]])
    pieces: dict[int, list[Ring]] = {}
    for ring, (row, column) in zip(rings, places, strict=True):
        piece = pieces.setdefault(int(numbers[row - top, column - left]), [])
        piece.insert(0 if is_outer(ring) else len(piece), ring)
    return list(pieces.values())


def outlines_in_planes(labels: NDArray[Any]) -> dict[int, list[tuple[int, list[Ring]]]]:
    """Return the outlines of every cell in each plane that it is on.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        Label image.

    Returns
    -------
    dict of int to list of tuple of int and list of ndarray
        For each label, ascending: numbers of planes, counted through all leading axes,
        and the cell's rings there; see `outlines_of`.

    Raises
    ------
    InputError
        If it is no label image.
    """
    found: dict[int, list[tuple[int, list[Ring]]]] = {}
    for number, plane in enumerate(planes_of(checked_labels(labels))):
        for label, rings in outlines_of(plane).items():
            found.setdefault(label, []).append((number, rings))
    return dict(sorted(found.items()))


def is_outer(ring: Ring) -> bool:
    """Tell whether a ring goes around a part of a cell, not around a hole."""
    rows, columns = ring.T
    return bool(columns @ np.roll(rows, -1) > rows @ np.roll(columns, -1))


def _owners(
    plane: NDArray[Any], corners: NDArray[np.int32], starts: NDArray[np.intp]
) -> NDArray[Any]:
    """Return the label of each walk: below its first edge, which goes to the right."""
    first = corners[starts]
    return plane[first[:, 0], first[:, 1] - 1]


def _simple(walk: Ring) -> list[Ring]:
    """Divide a walk wherever it comes back to a corner."""
    rings: list[Ring] = []
    path: list[tuple[float, float]] = []
    places: dict[tuple[float, float], int] = {}
    for row, column in walk.tolist():
        corner = (row, column)
        if corner in places:
            first = places[corner]
            loop = path[first:]
            rings.append(np.array(loop))
            for left in loop[1:]:
                del places[left]
            del path[first + 1 :]
            continue
        places[corner] = len(path)
        path.append(corner)
    return [np.array(path), *rings]


def _pixel_beside(ring: Ring) -> tuple[int, int]:
    """Return the pixel on the right hand at the beginning of a ring."""
    (row, column), (next_row, next_column) = ring[:2]
    down, right = np.sign([next_row - row, next_column - column])
    # Half a pixel ahead and half a pixel to the right hand, (right, -down) turned.
    return int(row + (down + right) / 2), int(column + (right - down) / 2)

"""Walking along the edges of pixels around every cell at once, compiled by numba."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled

_AHEAD = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Right, down, left, up: rows and columns of a step."""
_REACH = ((0, 1), (1, 1), (1, 0), (0, 0))
"""From the first corner of a pixel to where its edge in this direction ends; along the
top one goes right, then down, left and up."""


@compiled
def trace(
    labels: NDArray[Any],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.bool_]]:
    """Walk around all parts of all cells.

    Parameters
    ----------
    labels : ndarray of shape (Y, X), int
        0 is background; C order.

    Returns
    -------
    corners : ndarray of int32, shape (N, 2)
        Row and column of the corners of all walks, one after the other; (0, 0) is the
        upper left corner of the first pixel. The cell is on the right hand: around a
        part one goes clockwise as one sees it, around a hole the other way. A walk
        begins along the top of a pixel.
    ends : ndarray of int64, shape (W,)
        Where the walks end.
    is_pinched : ndarray of bool, shape (W,)
        Whether the walk may go through a corner twice, where pixels of the cell touch
        at that corner only.
    """
    height, width = labels.shape
    n_edges, n_tops = _count(labels)
    corners = np.empty((n_edges, 2), np.int32)
    ends = np.empty(n_tops, np.int64)
    is_pinched = np.zeros(n_tops, np.bool_)
    is_walked = np.zeros((height, width), np.bool_)
    n_corners = n_walks = 0
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label == 0 or is_walked[row, column]:
                continue
            # Every walk goes along the top of some pixel.
            if not _is_at(labels, row - 1, column, label):
                n_corners, is_pinched[n_walks] = _walk(
                    labels, row, column, is_walked, corners, n_corners
                )
                ends[n_walks] = n_corners
                n_walks += 1
    return corners[:n_corners].copy(), ends[:n_walks].copy(), is_pinched[:n_walks]


@compiled
def _is_at(labels: NDArray[Any], row: int, column: int, label: int) -> bool:
    height, width = labels.shape
    if row < 0 or row >= height or column < 0 or column >= width:
        return False
    return bool(labels[row, column] == label)


@compiled
def _count(labels: NDArray[Any]) -> tuple[int, int]:
    """Count the edges of pixels that outlines go along, and those on top of pixels."""
    height, width = labels.shape
    n_edges = n_tops = 0
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label == 0:
                continue
            is_top = not _is_at(labels, row - 1, column, label)
            n_tops += is_top
            n_edges += is_top
            n_edges += not _is_at(labels, row + 1, column, label)
            n_edges += not _is_at(labels, row, column - 1, label)
            n_edges += not _is_at(labels, row, column + 1, label)
    return n_edges, n_tops


@compiled
def _walk(
    labels: NDArray[Any],
    first_row: int,
    first_column: int,
    is_walked: NDArray[np.bool_],
    corners: NDArray[np.int32],
    n_corners: int,
) -> tuple[int, bool]:
    """Walk once around, from the top of a pixel, and write down the corners."""
    label = labels[first_row, first_column]
    row, column, direction = first_row, first_column, 0
    is_pinched = False
    while True:
        if direction == 0:
            is_walked[row, column] = True
        next_row = row + _AHEAD[direction][0]
        next_column = column + _AHEAD[direction][1]
        # The pixel before the left hand.
        side_row = next_row + _AHEAD[direction - 1][0]
        side_column = next_column + _AHEAD[direction - 1][1]
        is_ahead = _is_at(labels, next_row, next_column, label)
        is_beside = _is_at(labels, side_row, side_column, label)
        if is_ahead and not is_beside:
            row, column = next_row, next_column
        else:
            corners[n_corners, 0] = row + _REACH[direction][0]
            corners[n_corners, 1] = column + _REACH[direction][1]
            n_corners += 1
            if is_ahead:
                row, column = side_row, side_column
                direction = (direction + 3) % 4
            else:
                # Pixels that touch at a corner only are not joined.
                is_pinched |= is_beside
                direction = (direction + 1) % 4
        if direction == 0 and row == first_row and column == first_column:
            return n_corners, is_pinched

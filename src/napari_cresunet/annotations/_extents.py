"""How far cells reach, also beyond the image."""

import math

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.annotations._shapes import (
    Box,
    Cell,
    Dot,
    Ellipse,
    Outlines,
    Part,
    Polygon,
)


def extent_of(cell: Cell) -> tuple[float, float, float, float] | None:
    """Return the box around a cell, wherever the image ends.

    Parameters
    ----------
    cell : sequence of Part
        Such as one of `AnnotatedImage.cells`.

    Returns
    -------
    tuple of float or None
        Top, left, bottom and right in px; whole numbers are the centers of pixels, so
        an image reaches from -0.5 to its size - 0.5. None for what is told by pixels of
        the image, and cannot reach beyond it.
    """
    found = [corners for part in cell if (corners := _corners(part)) is not None]
    if not found:
        return None
    corners = np.concatenate(found)
    top, left = corners.min(axis=0).tolist()
    bottom, right = corners.max(axis=0).tolist()
    return top, left, bottom, right


def _corners(part: Part) -> NDArray[np.float64] | None:
    match part:
        case Polygon():
            return part.points
        case Outlines():
            return np.concatenate(list(part.rings))
        case Box():
            ends = [[part.top, part.left], [part.bottom, part.right]]
            return np.array(ends, np.float64) - 0.5
        case Ellipse():
            center = np.array([part.row, part.column])
            turn = math.cos(part.turn), math.sin(part.turn)
            reach = np.hypot(
                np.multiply(turn, part.row_radius),
                np.multiply(turn[::-1], part.column_radius),
            )
            return np.stack([center - reach, center + reach])
        case Dot():
            return np.array([[part.row, part.column]])
    return None

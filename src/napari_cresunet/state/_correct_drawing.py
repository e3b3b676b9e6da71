"""Lines that are shown in the image while cells are corrected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices

Path = NDArray[np.float64]
"""(N, D): points of a line, whole numbers are the centers of pixels."""


def cross(place: Sequence[float], arm: float) -> Path:
    """Return a cross as one line.

    Parameters
    ----------
    place : sequence of float
        Leading axes, row and column of its middle.
    arm : float
        How far it reaches, in px.

    Returns
    -------
    ndarray of shape (7, D), float
        The line, which passes the middle three times.
    """
    path = np.repeat(np.asarray(place, float)[np.newaxis], 7, axis=0)
    path[0, -2] -= arm
    path[2, -2] += arm
    path[4, -1] -= arm
    path[6, -1] += arm
    return path


def outlines_of_pixels(pixels: Indices, shape: tuple[int, ...]) -> list[Path]:
    """Return the lines around pixels of one plane.

    Parameters
    ----------
    pixels : ndarray of intp, shape (N,)
        Places in an array laid out in one line (C order).
    shape : tuple of int
        Of that array.

    Returns
    -------
    list of ndarray of shape (M, D), float
        Closed lines between the pixels and what is around them, and around holes.
    """
    from skimage.measure import find_contours

    if not len(pixels):
        return []
    places = np.stack(np.unravel_index(pixels, shape), axis=1)
    corner = places[:, -2:].min(axis=0) - 1
    size = places[:, -2:].max(axis=0) - corner + 2
    mask = np.zeros(size, np.float32)
    mask[tuple((places[:, -2:] - corner).T)] = 1
    leading: Any = places[0, :-2]
    return [
        np.column_stack([np.tile(leading, (len(line), 1)), line + corner])
        for line in find_contours(mask, 0.5)
    ]

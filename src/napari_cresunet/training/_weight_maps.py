"""Weight maps: how much each pixel counts in the loss [Morelli et al. 2021]."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_cresunet._typing import Labels

PAPER_DIAMETER = 36.5
"""Cell diameter in px of the paper's images, at which its lengths are given."""
CELL_WEIGHT = 1.5
SMALLEST_CELL, SMALLEST_HOLE = 100, 200
"""Smaller ones are dropped and filled, in px at `PAPER_DIAMETER`."""
_REACH = 6.0  # standard deviations; farther away a cell adds less than 2e-8


def weight_map(labels: Labels, *, sigma: float = 25.0) -> NDArray[np.float32]:
    """Weigh background by how close it is to how many cells.

    Parameters
    ----------
    labels : ndarray of int, shape (Y, X)
        Label image.
    sigma : float, optional
        Reach of a cell in px.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In cells 1.5; elsewhere the sum over all cells of exp(-d² / 2σ²), d being the
        distance to the cell, but at least 1. Between two cells it is up to 2, among
        several cells more.

    Notes
    -----
    Morelli et al., Sci Rep 11:22920 (2021), "weights map". A cell is looked at only as
    far as it adds anything.

    Examples
    --------
    >>> weight_map(np.array([[1, 1, 0, 2]])).round(2)
    array([[1.5, 1.5, 2. , 1.5]], dtype=float32)
    """
    total = np.zeros(labels.shape, np.float64)
    margin = int(np.ceil(_REACH * sigma))
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        window = tuple(
            slice(max(0, side.start - margin), side.stop + margin) for side in box
        )
        distance = ndimage.distance_transform_edt(labels[window] != number)
        total[window] += np.exp(-(distance**2) / (2 * sigma**2))
    weights = np.where(labels > 0, CELL_WEIGHT, np.maximum(total, 1))
    return weights.astype(np.float32)


def clean_cells(labels: Labels, *, diameter: float = PAPER_DIAMETER) -> Labels:
    """Drop cells and fill holes that are too small to be meant.

    Parameters
    ----------
    labels : ndarray of int, shape (Y, X)
        Label image.
    diameter : float, optional
        Diameter of the cells in px; the paper's 100 and 200 px grow and shrink with its
        square.

    Returns
    -------
    ndarray of int, shape (Y, X)
        A label image with the same numbers, some of them missing.
    """
    scale = (diameter / PAPER_DIAMETER) ** 2
    cleaned = labels.copy()
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        cell = labels[box] == number
        if cell.sum() < SMALLEST_CELL * scale:
            cleaned[box][cell] = 0
        else:
            free = _small_holes(cell, SMALLEST_HOLE * scale) & (cleaned[box] == 0)
            cleaned[box][free] = number
    return cleaned


def _small_holes(cell: NDArray[np.bool_], size: float) -> NDArray[np.bool_]:
    """Return the pixels of a cell's holes that have fewer px than `size`."""
    holes, _ = ndimage.label(ndimage.binary_fill_holes(cell) & ~cell)
    is_small = np.bincount(holes.flat) < size
    is_small[0] = False
    small: NDArray[np.bool_] = is_small[holes]
    return small

"""One number for a cell that is seen on several planes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_cresunet._typing import Indices, Labels
from napari_cresunet.errors import InputError
from napari_cresunet.measurement._checks import label_planes


@dataclass(frozen=True, slots=True)
class _Plane:
    """The foreground of one plane."""

    pixels: Indices
    """(P,): places of its pixels, ascending."""
    cells: Indices
    """(P,): which cell each belongs to; 0..n - 1 by its first pixel."""
    areas: Indices
    """(n,): pixels of each cell."""


def link_planes(labels: ArrayLike, *, min_overlap: float = 0.5) -> Labels:
    """Give cells that lie above each other one number.

    Parameters
    ----------
    labels : array_like of shape (..., Z, Y, X), int
        0 is background. Equal labels on two planes mean nothing: each is a cell of its
        plane. Of one plane (Y, X) nothing can be linked.
    min_overlap : float, optional
        Two cells of neighboring planes are one if they share at least this part of the
        smaller one's area; above 0, at most 1.

    Returns
    -------
    ndarray of int32, shape (..., Z, Y, X)
        1..N in the order of the first pixel, plane by plane and row by row.

    Raises
    ------
    InputError
        If the labels are none, or `min_overlap` is out of bounds.

    Notes
    -----
    Only the last leading axis is linked: of (T, Z, Y, X) each time is linked for
    itself. Of several partners a cell has the one that it shares most pixels with, and
    no other: two cells that grow into one stay two. A plane on which a cell is missing
    makes it two cells.

    Examples
    --------
    >>> import numpy as np
    >>> planes = np.array([[[1, 1, 0, 2]], [[1, 1, 0, 0]], [[0, 0, 0, 1]]])
    >>> link_planes(planes).tolist()
    [[[1, 1, 0, 2]], [[1, 1, 0, 0]], [[0, 0, 0, 3]]]
    """
    if not 0 < min_overlap <= 1:
        raise InputError(
            f"`min_overlap` must be above 0 and at most 1, got {min_overlap}."
        )
    given = np.asarray(labels)
    planes = label_planes(given)
    depth = given.shape[-3] if given.ndim > 2 else 1
    linked = np.zeros(planes.shape, np.int32)
    total = 0
    above = numbers = None
    for place, plane in enumerate(planes):
        here = _foreground(plane.ravel())
        is_first = place % depth == 0
        partners = (
            np.full(len(here.areas), -1)
            if above is None or is_first
            else _partners(above, here, plane.size, min_overlap)
        )
        is_new = partners < 0
        own = total + np.cumsum(is_new)
        if numbers is not None:
            own = np.where(is_new, own, numbers[partners] if len(numbers) else own)
        total += int(np.count_nonzero(is_new))
        linked[place].ravel()[here.pixels] = own[here.cells]
        above, numbers = here, own
    return linked.reshape(given.shape)


def _foreground(plane: Indices) -> _Plane:
    pixels = np.flatnonzero(plane)
    _, first, found = np.unique(plane[pixels], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    cells = rank[found]
    return _Plane(pixels, cells, np.bincount(cells, minlength=len(first)))


def _partners(above: _Plane, here: _Plane, size: int, min_overlap: float) -> Indices:
    """Return for each cell the one above that it continues, or -1."""
    cell_above = np.full(size, -1)
    cell_above[above.pixels] = above.cells
    upper = cell_above[here.pixels]
    is_shared = upper >= 0
    keys = upper[is_shared] * len(here.areas) + here.cells[is_shared]
    pairs, shared = np.unique(keys, return_counts=True)
    uppers, lowers = np.divmod(pairs, max(len(here.areas), 1))
    smaller = np.minimum(above.areas[uppers], here.areas[lowers])
    partners = np.full(len(here.areas), -1)
    is_free = np.ones(len(above.areas), np.bool_)
    order = np.lexsort((lowers, uppers, -shared / smaller, -shared))
    for pair in order[shared[order] >= min_overlap * smaller[order]].tolist():
        one, other = uppers[pair], lowers[pair]
        if is_free[one] and partners[other] < 0:
            partners[other] = one
            is_free[one] = False
    return partners

"""Single cells cut out of a label image, and numbers for new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._label_images import MOST
from napari_cresunet._typing import Indices, Mask
from napari_cresunet.errors import InputError

_NO_CELL = "There is no cell {}: choose one that is in the image."
_FEW = 6
"""Up to so many cells are looked for one by one, which is faster."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Patch:
    """A cell in one plane, cut out."""

    label: int
    plane: int
    """Number of the plane, counted through all leading axes."""
    top: int
    left: int
    mask: Mask
    """(H, W): True where the cell is."""
    shape: tuple[int, ...]
    """Of the whole label image."""

    def cut(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return this part of an image of the same shape, as a view of it."""
        height, width = self.mask.shape
        plane: NDArray[Any] = image[np.unravel_index(self.plane, self.shape[:-2])]
        return plane[self.top : self.top + height, self.left : self.left + width]

    def places(self, mask: Mask) -> Indices:
        """Return where a mask of this part is True, in the image laid out in a line."""
        rows, columns = np.nonzero(mask)
        rows += self.plane * self.shape[-2] + self.top
        places: Indices = rows * self.shape[-1] + columns + self.left
        return places


def pixels_of(image: NDArray[Any], cells: Sequence[int]) -> tuple[Indices, Indices]:
    """Find the pixels of cells.

    Parameters
    ----------
    image : ndarray of int
        A label image or one of its planes.
    cells : sequence of int
        Labels, ascending.

    Returns
    -------
    tuple of two ndarrays of shape (N,)
        Places in the image laid out in one line, ascending, and which of the cells
        each one belongs to.

    Raises
    ------
    InputError
        If a cell has no pixel.
    """
    for cell in cells:
        if not 0 < cell <= np.iinfo(image.dtype).max:
            raise InputError(_NO_CELL.format(cell))
    line = image.ravel()
    if len(cells) > _FEW:
        places = np.flatnonzero(np.isin(line, np.array(cells, image.dtype)))
    else:
        is_cell = np.zeros(line.shape, np.bool_)
        for cell in cells:
            is_cell |= line == cell
        places = np.flatnonzero(is_cell)
    which = np.searchsorted(np.array(cells, image.dtype), line[places])
    is_missing = np.bincount(which, minlength=len(cells)) == 0
    if is_missing.any():
        raise InputError(_NO_CELL.format(cells[int(np.argmax(is_missing))]))
    return places, which


def patches_of(
    image: NDArray[Any],
    cells: Sequence[int],
    *,
    plane: int | None = None,
    margin: int = 1,
) -> list[Patch]:
    """Cut cells out, each plane for itself.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X), int
        The label image.
    cells : sequence of int
        Labels, ascending.
    plane : int, optional
        Number of the only plane to look at.
    margin : int, optional
        Px around a cell, less at the border of the image.

    Returns
    -------
    list of Patch
        By cell, then plane.

    Notes
    -----
    Raises `InputError` if a cell has no pixel.
    """
    first = plane or 0
    one = (
        image[np.unravel_index(first, image.shape[:-2])] if plane is not None else image
    )
    places, which = pixels_of(one, cells)
    order = np.argsort(which, kind="stable")
    places, which = places[order], which[order]
    height, width = image.shape[-2:]
    planes = places // (height * width)
    is_new = (np.diff(which, prepend=-1) != 0) | (np.diff(planes, prepend=-1) != 0)
    bounds = [*np.flatnonzero(is_new).tolist(), len(places)]
    patches = []
    for start, stop in pairwise(bounds):
        rows, columns = np.divmod(places[start:stop], width)
        rows -= planes[start] * height
        top, left = (max(int(x.min()) - margin, 0) for x in (rows, columns))
        bottom = min(int(rows.max()) + margin + 1, height)
        right = min(int(columns.max()) + margin + 1, width)
        mask = np.zeros((bottom - top, right - left), np.bool_)
        mask[rows - top, columns - left] = True
        patches.append(
            Patch(
                label=cells[which[start]],
                plane=first + int(planes[start]),
                top=top,
                left=left,
                mask=mask,
                shape=image.shape,
            )
        )
    return patches


def free_labels(image: NDArray[Any], count: int) -> list[int]:
    """Return labels for new cells.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X), int
        The label image.
    count : int
        How many.

    Returns
    -------
    list of int
        Those after the highest label; where the dtype or int32 ends before, the
        lowest that are free.

    Raises
    ------
    InputError
        If there are not so many.
    """
    highest = int(image.max(initial=0))
    last = min(int(np.iinfo(image.dtype).max), MOST)
    if highest + count <= last:
        return list(range(highest + 1, highest + count + 1))
    taken = np.unique(image)
    candidates = np.arange(1, min(len(taken) + count, last) + 1)
    free = candidates[~np.isin(candidates, taken)][:count].tolist()
    if len(free) < count:
        raise InputError(
            f"No label is free for a new cell, {image.dtype} ends at {last}: convert "
            "the labels to int32."
        )
    return list(free)

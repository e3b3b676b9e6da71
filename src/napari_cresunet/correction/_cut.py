"""Cells cut at a line."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import checked_labels
from napari_cresunet._typing import Indices, Labels, Mask
from napari_cresunet.correction._edit import SPLIT, TRIM, Edit, make_edit
from napari_cresunet.correction._patches import Patch, free_labels, patches_of
from napari_cresunet.correction._places import (
    labels_of,
    pixels_on_path,
    plane_of,
)
from napari_cresunet.errors import InputError

_AROUND = np.ones((3, 3))
_CRUMB = 0.01
"""Of the cell's pixels. A line that only grazes a cell makes no cell of less."""
_CRUMB_PX = 4
"""The same where the parts are thrown away, however large the cell is."""


def split_at_line(labels: ArrayLike, path: ArrayLike) -> Edit:
    """Cut cells in two at a line.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    path : array_like of shape (N, D)
        Corners of the line in px, all in one plane.

    Returns
    -------
    Edit
        Every cell that the line goes through from side to side is cut, in this plane.
        The largest part keeps the label; pixels under the line go to the part that is
        nearer, the larger one of two. What is cut off must be 1 % of the cell or more.

    Notes
    -----
    Raises `InputError` if no cell is cut, the path has no point or is not in one plane,
    no label is free, or the labels are not whole numbers from 0 to 2**31 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 4, 4, 4, 4, 4, 0]] * 2)
    >>> split_at_line(labels, [[-1, 4], [2, 4]]).applied_to(labels)
    array([[0, 4, 4, 4, 4, 5, 0],
           [0, 4, 4, 4, 4, 5, 0]])
    """
    image = checked_labels(labels)
    cuts = [
        (patch, parts, np.unique(parts[parts > 0])[::-1])
        for patch, parts in _cut(image, path, most=None)
    ]
    fresh = iter(free_labels(image, sum(len(numbers) for _, _, numbers in cuts)))
    changes, before, after = [], [], []
    for patch, parts, numbers in cuts:
        before.append(patch.label)
        after.append(patch.label)
        for number in numbers:
            after.append(next(fresh))
            changes.append((patch.places(parts == number), after[-1]))
    return make_edit(SPLIT, image, changes, (before, after))


def trim(labels: ArrayLike, path: ArrayLike) -> Edit:
    """Cut off what is on the smaller side of a line.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    path : array_like of shape (N, D)
        Corners of the line in px, all in one plane.

    Returns
    -------
    Edit
        Of every cell that the line goes through from side to side, the largest part
        stays; the others become background, in this plane.

    Notes
    -----
    Raises `InputError` as `split_at_line`.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 4, 4, 4, 4, 4, 0]] * 2)
    >>> trim(labels, [[-1, 4], [2, 4]]).applied_to(labels)
    array([[0, 4, 4, 4, 4, 0, 0],
           [0, 4, 4, 4, 4, 0, 0]])
    """
    image = checked_labels(labels)
    cuts = _cut(image, path, most=_CRUMB_PX)
    cells = [patch.label for patch, _ in cuts]
    changes = [(patch.places(parts > 0), 0) for patch, parts in cuts]
    return make_edit(TRIM, image, changes, (cells, cells))


def _cut(
    image: NDArray[Any], path: ArrayLike, *, most: int | None
) -> list[tuple[Patch, Labels]]:
    """Return the cells that are cut, and their parts: 0 where nothing changes."""
    pixels = pixels_on_path(path, image)
    cells = tuple(sorted(labels_of(image, pixels)))
    cuts = []
    if cells:
        for patch in patches_of(image, cells, plane=plane_of(pixels, image)):
            parts = _parts(patch.mask, _under(patch, pixels), most)
            if parts.any():
                cuts.append((patch, parts))
    if not cuts:
        raise InputError(
            "The line cuts no cell in two: draw it from outside of the cell across to "
            "the other side."
        )
    return cuts


def _under(patch: Patch, pixels: Indices) -> Mask:
    """Return where the line is, in the part of the image around a cell."""
    line = np.zeros(patch.mask.shape, np.bool_)
    corner = (patch.top, patch.left)
    places = pixels[:, -2:] - corner
    places = places[((places >= 0) & (places < line.shape)).all(axis=1)]
    line[tuple(places.T)] = True
    return line


def _parts(mask: Mask, line: Mask, most: int | None) -> Labels:
    """Number what is cut off: 0 for what stays."""
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(mask, _AROUND)
    parts, count = ndimage.label(mask & ~line, _AROUND)
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    least = _CRUMB * np.count_nonzero(mask)
    areas[areas < (least if most is None else min(most, least))] = 0
    areas[0] = 0
    # The larger a part, the higher its number: the largest wins what is left over.
    order = np.argsort(areas, kind="stable")
    ranks = np.empty(count + 1, np.int32)
    ranks[order] = np.arange(count + 1) - np.count_nonzero(areas == 0) + 1
    parts = _fill(mask, ranks.clip(min=0)[parts])
    stays = ndimage.maximum(parts, pieces, np.arange(n_pieces + 1))
    stays[0] = 0
    parts[parts == stays.astype(np.int32)[pieces]] = 0
    return parts


def _fill(mask: Mask, parts: Labels) -> Labels:
    """Give pixels without a part to the nearest one, equally near to the highest."""
    from scipy import ndimage

    open_before = 0
    is_open = mask & (parts == 0)
    # Step by step from pixel to pixel of the cell, so that no part falls apart.
    while (n_open := int(np.count_nonzero(is_open))) and n_open != open_before:
        parts = np.where(is_open, ndimage.maximum_filter(parts, 3), parts)
        open_before, is_open = n_open, mask & (parts == 0)
    return parts

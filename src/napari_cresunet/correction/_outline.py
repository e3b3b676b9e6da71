"""Outlines of cells: drawn, filled and smoothed."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import checked_labels
from napari_cresunet._typing import Indices, Mask
from napari_cresunet.config import check_bounds
from napari_cresunet.correction._edit import ADD, FILL_HOLES, SMOOTH, Edit, make_edit
from napari_cresunet.correction._patches import free_labels, patches_of
from napari_cresunet.correction._places import (
    as_points,
    is_inside,
    known_cells,
    nearest_pixels,
)
from napari_cresunet.errors import InputError

_LARGEST_RADIUS = 50
"""Px; more than a cell has, and the time grows with the square."""


def add_outline(labels: ArrayLike, path: ArrayLike) -> Edit:
    """Add the cell that an outline goes around.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    path : array_like of shape (N, D)
        At least three corners in px, all in one plane; the last one is joined to the
        first.

    Returns
    -------
    Edit
        Background pixels whose center is inside become a cell. Other cells keep theirs.

    Raises
    ------
    InputError
        If the outline has fewer than three points, is not in one plane or holds no
        background, no label is free, or the labels are not whole numbers from 0 to
        2**31 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 0, 0, 0], [0, 0, 7, 7], [0, 0, 0, 0]])
    >>> add_outline(labels, [[-1, -1], [-1, 4], [1.5, 4], [1.5, -1]]).applied_to(labels)
    array([[8, 8, 8, 8],
           [8, 8, 7, 7],
           [0, 0, 0, 0]])
    """
    image = checked_labels(labels)
    points = as_points(path, image)
    if len(points) < 3:
        raise InputError(
            f"An outline has three points or more, got {len(points)}: draw it around "
            "the cell."
        )
    pixels = _inside_outline(image, points)
    pixels = pixels[image[tuple(pixels.T)] == 0]
    if not len(pixels):
        raise InputError(
            "The outline holds no background: draw it around pixels that belong to no "
            "cell."
        )
    (label,) = free_labels(image, 1)
    places = np.ravel_multi_index(tuple(pixels.T), image.shape)
    return make_edit(ADD, image, [(places, label)], ((), [label]))


def _inside_outline(image: NDArray[Any], points: NDArray[np.float64]) -> Indices:
    from skimage import draw

    planes = np.unique(nearest_pixels(points, image)[:, :-2], axis=0)
    if len(planes) > 1:
        raise InputError("The outline goes through several planes: draw it in one.")
    # So far outside, a coordinate would overflow.
    rows, columns = points[:, -2:].clip(-1e6, 1e6).T
    found = np.column_stack(draw.polygon(rows, columns, shape=image.shape[-2:]))
    pixels = np.column_stack([np.repeat(planes, len(found), axis=0), found])
    return pixels[is_inside(pixels, image)]


def fill_holes(labels: ArrayLike, cells: Iterable[int]) -> Edit:
    """Fill the holes of cells.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    cells : iterable of int
        Labels of at least one cell.

    Returns
    -------
    Edit
        In each plane, background that is enclosed by one of the cells becomes part of
        it; a bay at the border of the image is not enclosed. Cells without a hole are
        not in it.

    Notes
    -----
    Raises `InputError` if there is no cell, one does not exist, or the labels are not
    whole numbers from 0 to 2**31 - 1.

    Examples
    --------
    >>> labels = [[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]]
    >>> fill_holes(labels, [1]).applied_to(labels)
    array([[1, 1, 1, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 0]])
    """
    from scipy import ndimage

    image = checked_labels(labels)
    changes = []
    for patch in patches_of(image, _some(cells)):
        holes = ndimage.binary_fill_holes(patch.mask) & (patch.cut(image) == 0)
        if holes.any():
            changes.append((patch.places(holes), patch.label))
    changed = [label for _, label in changes]
    return make_edit(FILL_HOLES, image, changes, (changed, changed))


def smooth(labels: ArrayLike, cells: Iterable[int], radius: int = 2) -> Edit:
    """Smooth the outlines of cells.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    cells : iterable of int
        Labels of at least one cell.
    radius : int, optional
        Px, from 1 to 50: what is narrower goes, bays and spurs alike.

    Returns
    -------
    Edit
        In each plane, a pixel belongs to the cell if most pixels around it do. Cells
        that would vanish or fall apart are smoothed with the largest smaller radius
        with which they do not, or not at all; then they are not in it. No cell takes
        pixels of others.

    Notes
    -----
    Raises `InputError` if there is no cell, one does not exist, the radius is out of
    bounds, or the labels are not whole numbers from 0 to 2**31 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((7, 9), int)
    >>> labels[1:6, 1:6] = 1
    >>> labels[3, 6:8] = 1  # a spur
    >>> smooth(labels, [1]).applied_to(labels)[3]
    array([0, 1, 1, 1, 1, 1, 0, 0, 0])
    """
    check_bounds("radius", radius, 1, _LARGEST_RADIUS)
    image = checked_labels(labels)
    known = _some(cells)
    # A pixel that one cell took is no background any more for the next one.
    now = image.copy()
    changes, changed = [], []
    for patch in patches_of(image, known, margin=int(radius) + 1):
        here = patch.cut(now)
        is_free = (here == 0) | patch.mask
        smoothed = _smoothed(patch.mask, is_free, int(radius))
        if (smoothed == patch.mask).all():
            continue
        here[patch.mask & ~smoothed] = 0
        here[smoothed] = patch.label
        changes.append((patch.places(patch.mask & ~smoothed), 0))
        changes.append((patch.places(smoothed & ~patch.mask), patch.label))
        changed.append(patch.label)
    return make_edit(SMOOTH, image, changes, (changed, changed))


def _some(cells: Iterable[int]) -> tuple[int, ...]:
    known = known_cells(cells)
    if not known:
        raise InputError("There is no cell to change: choose one.")
    return known


def _smoothed(mask: Mask, is_free: Mask, largest: int) -> Mask:
    """Smooth with the largest radius that leaves the cell whole."""
    from scipy import ndimage

    around = np.ones((3, 3))
    _, n_pieces = ndimage.label(mask, around)
    for radius in range(largest, 0, -1):
        steps = np.arange(-radius, radius + 1) ** 2
        disk = steps[:, None] + steps <= radius * radius
        # Mirrored at the border of the image, where a cell goes on.
        n_near = ndimage.convolve(mask.astype(np.int32), disk, mode="reflect")
        smoothed: Mask = (2 * n_near > np.count_nonzero(disk)) & is_free
        _, n_left = ndimage.label(smoothed, around)
        if 0 < n_left <= n_pieces:
            return smoothed
    return mask

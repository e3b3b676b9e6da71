"""Label images under correction, and what places and paths in them point at.

Coordinates are in px; whole numbers are the centers of pixels, so the first pixel
reaches from -0.5 to 0.5.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import as_label_image, check_signs
from napari_cresunet._typing import Indices
from napari_cresunet.errors import InputError

_FAR = 1e9
"""Px; lines are bent so far outside of any image, where precision would end."""


def check_landscape(landscape: ArrayLike, image: NDArray[Any]) -> NDArray[Any]:
    """Return a map of real numbers, or refuse what is none or of another image.

    Parameters
    ----------
    landscape : array_like of shape (..., Y, X)
        The map.
    image : ndarray of shape (..., Y, X), int
        The label image.

    Returns
    -------
    ndarray of shape (..., Y, X)
        The same map, not copied.

    Raises
    ------
    InputError
        If the shapes differ or it is not of real numbers.
    """
    heights = np.asarray(landscape)
    if heights.dtype.kind not in "buif":
        raise InputError(
            f"The map holds {heights.dtype} and not numbers: give the probability or "
            "the brightness."
        )
    if heights.shape != image.shape:
        raise InputError(
            f"The map has the shape {heights.shape} and the labels {image.shape}: give "
            "the map of this image."
        )
    return heights


def as_points(points: ArrayLike, image: NDArray[Any]) -> NDArray[np.float64]:
    """Return points as an array.

    Parameters
    ----------
    points : array_like of shape (N, D)
        One row each.
    image : ndarray of D axes
        The label image.

    Returns
    -------
    ndarray of float64, shape (N, D)
        The same.

    Raises
    ------
    InputError
        If they have other axes than the image, or a coordinate is not finite.
    """
    found = np.asarray(points, np.float64)
    if not found.size:
        return np.zeros((0, image.ndim))
    if found.ndim != 2 or found.shape[1] != image.ndim:
        raise InputError(
            f"Points in these labels have {image.ndim} coordinates each, one row a "
            f"point; got an array of shape {found.shape}."
        )
    if not np.isfinite(found).all():
        raise InputError("A point has a coordinate that is not finite.")
    return found


def nearest_pixels(points: NDArray[np.float64], image: NDArray[Any]) -> Indices:
    """Return the pixels around points.

    Parameters
    ----------
    points : ndarray of shape (N, D)
        Finite coordinates.
    image : ndarray of D axes
        The label image.

    Returns
    -------
    ndarray of shape (N, D)
        Indices, those outside of the image at most one px from it.
    """
    pixels: Indices = np.floor(points + 0.5).clip(-1, image.shape).astype(np.intp)
    return pixels


def is_inside(pixels: Indices, image: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pixels are in the image.

    Parameters
    ----------
    pixels : ndarray of shape (N, D)
        Indices.
    image : ndarray of D axes
        The label image.

    Returns
    -------
    ndarray of bool, shape (N,)
        True inside.
    """
    return np.asarray(((pixels >= 0) & (pixels < image.shape)).all(axis=1), np.bool_)


def pixels_on_path(path: ArrayLike, image: NDArray[Any]) -> Indices:
    """Return the pixels that a line goes through.

    Parameters
    ----------
    path : array_like of shape (N, D)
        Corners of the line, all in one plane; a single point is its pixel.
    image : ndarray of D axes
        The label image.

    Returns
    -------
    ndarray of shape (M, D)
        Pixels inside of the image, in the order of the line; each shares a side with
        the one before, unless the line was outside between them. One may come twice.

    Raises
    ------
    InputError
        If the path has no point or is not in one plane.
    """
    points = as_points(path, image)
    if not len(points):
        raise InputError("The line has no point: draw it across a cell.")
    planes = np.unique(nearest_pixels(points, image)[:, :-2], axis=0)
    if len(planes) > 1:
        raise InputError("The line goes through several planes: draw it in one.")
    points = points.clip(-_FAR, _FAR)
    pixels = _walk(points[:, -2:], (image.shape[-2], image.shape[-1]))
    pixels = np.column_stack([np.repeat(planes, len(pixels), axis=0), pixels])
    return pixels[is_inside(pixels, image)]


def _walk(points: NDArray[np.float64], shape: tuple[int, int]) -> Indices:
    """Return row and column of each pixel that a line goes through, sides shared."""
    corners = np.arange(len(points), dtype=np.float64)
    times = [corners]
    for axis in (0, 1):
        times.append(_crossings(points[:, axis], shape[axis]))
    moments = np.unique(np.concatenate(times))
    middles = (moments[1:] + moments[:-1]) / 2 if len(points) > 1 else corners
    steps = [np.interp(middles, corners, points[:, axis]) for axis in (0, 1)]
    pixels = np.floor(np.column_stack(steps) + 0.5).clip(-1, shape).astype(np.intp)
    # Through a corner between pixels: the line goes around it.
    is_diagonal = (np.abs(np.diff(pixels, axis=0)) == 1).all(axis=1)
    before = np.flatnonzero(is_diagonal)
    between = np.column_stack([pixels[before + 1, 0], pixels[before, 1]])
    return np.insert(pixels, before + 1, between, axis=0)


def _crossings(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return when a coordinate goes from one pixel to the next, in corners passed."""
    # Far outside of the image nothing needs to be known.
    pixels = np.floor(values + 0.5).clip(-1, size).astype(np.intp)
    start, stop = pixels[:-1], pixels[1:]
    counts = np.abs(stop - start)
    which = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    edges = np.minimum(start, stop)[which] + rank + 0.5
    length = values[1:] - values[:-1]
    times: NDArray[np.float64] = which + (edges - values[which]) / length[which]
    return times


def cells_at(labels: ArrayLike, points: ArrayLike) -> tuple[int, ...]:
    """Return the cells at points.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    points : array_like of shape (N, D)
        One coordinate for each axis of the labels, in px.

    Returns
    -------
    tuple of int
        Labels, each once, in the order of the points. Background and points outside of
        the image are skipped.

    Notes
    -----
    Raises `InputError` if the labels are not whole numbers, or the points have another
    number of coordinates or one that is not finite.

    Examples
    --------
    >>> cells_at([[0, 7, 7], [3, 0, 7]], [[0, 2], [1, 0], [0, 1.4], [9, 9]])
    (7, 3)
    """
    image = as_label_image(labels)
    pixels = nearest_pixels(as_points(points, image), image)
    return labels_of(image, pixels[is_inside(pixels, image)])


def cells_on_path(labels: ArrayLike, path: ArrayLike) -> tuple[int, ...]:
    """Return the cells that a line crosses.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    path : array_like of shape (N, D)
        Corners of the line in px, all in one plane; may be a single point.

    Returns
    -------
    tuple of int
        Labels, each once, in the order of the line.

    Notes
    -----
    Raises `InputError` if the labels are not whole numbers, or the path has no point,
    another number of coordinates, one that is not finite, or is not in one plane.

    Examples
    --------
    >>> cells_on_path([[0, 7, 7, 0, 3]], [[0, 4], [0, 0]])
    (3, 7)
    """
    image = as_label_image(labels)
    return labels_of(image, pixels_on_path(path, image))


def labels_of(image: NDArray[Any], pixels: Indices) -> tuple[int, ...]:
    """Return the cells at pixels.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X), int
        The label image.
    pixels : ndarray of shape (N, D)
        Indices, all inside.

    Returns
    -------
    tuple of int
        Labels above 0, each once, in the order of the pixels.
    """
    found = image[tuple(pixels.T)].tolist()
    return tuple(dict.fromkeys(label for label in found if label > 0))


def plane_of(pixels: Indices, image: NDArray[Any]) -> int:
    """Return the number of the plane that pixels are in.

    Parameters
    ----------
    pixels : ndarray of shape (N, D)
        Indices of at least one pixel, all in the same plane and inside.
    image : ndarray of shape (..., Y, X), int
        The label image.

    Returns
    -------
    int
        Counted through all leading axes.
    """
    if image.ndim == 2:
        return 0
    return int(np.ravel_multi_index(tuple(pixels[0, :-2]), image.shape[:-2]))


def cells_in_box(labels: ArrayLike, corners: ArrayLike) -> tuple[int, ...]:
    """Return the cells of a plane whose center is in a box.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    corners : array_like of shape (2, D)
        Two opposite corners in px, both in one plane. The sides belong to the box.

    Returns
    -------
    tuple of int
        Labels, ascending. The center is the mean of the pixels in this plane.

    Raises
    ------
    InputError
        If the labels are not whole numbers of at least 0, or the corners are not two
        finite points of one plane.

    Examples
    --------
    >>> cells_in_box([[7, 7, 0, 3, 3]], [[1, 2], [-1, 0]])
    (7,)
    """
    image = as_label_image(labels)
    check_signs(image)
    points = as_points(corners, image)
    if len(points) != 2:
        raise InputError(f"A box has two corners, got {len(points)}.")
    pixels = nearest_pixels(points, image)[:, :-2]
    if (pixels[0] != pixels[1]).any():
        raise InputError("The box goes through several planes: draw it in one.")
    if ((pixels[0] < 0) | (pixels[0] >= image.shape[:-2])).any():
        return ()
    plane = image[tuple(pixels[0])]
    # In one line, and of True and False, they are found several times as fast.
    places = np.flatnonzero(plane.ravel() > 0)
    rows, columns = np.divmod(places, plane.shape[-1])
    cells, which = numbered(plane.ravel()[places])
    areas = np.bincount(which, minlength=len(cells))
    low, high = np.sort(points[:, -2:], axis=0)
    is_in = np.ones(len(cells), np.bool_)
    for axis, values in enumerate((rows, columns)):
        means = np.bincount(which, weights=values, minlength=len(cells)) / areas
        is_in = is_in & (means >= low[axis]) & (means <= high[axis])
    return tuple(cells[is_in].tolist())


def numbered(values: NDArray[Any]) -> tuple[NDArray[Any], Indices]:
    """Return the distinct labels, ascending, and which of them each one is.

    Parameters
    ----------
    values : ndarray of shape (N,), int
        Labels of at least 0.

    Returns
    -------
    tuple of two ndarrays, shapes (K,) and (N,)
        As `numpy.unique` with `return_inverse`, in a fraction of the time.
    """
    highest = int(values.max(initial=0))
    if highest > 4 * len(values) + 100_000:
        cells, which = np.unique(values, return_inverse=True)
        return cells, which.astype(np.intp)
    is_there = np.zeros(highest + 1, np.bool_)
    is_there[values] = True
    ranks = np.cumsum(is_there) - 1
    return np.flatnonzero(is_there).astype(values.dtype), ranks[values]


def known_cells(cells: Iterable[int]) -> tuple[int, ...]:
    """Return labels ascending, each once.

    Parameters
    ----------
    cells : iterable of int
        Labels.

    Returns
    -------
    tuple of int
        The same, sorted.
    """
    return tuple(sorted({int(cell) for cell in cells}))

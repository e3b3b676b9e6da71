"""How the truth of an image, in whatever form, becomes one label for each cell."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Labels
from napari_cresunet.errors import InputError

_BLACK, _WHITE = 20, 235
"""JPEG moves black and white no farther than this, except close to an edge."""
_LEAST_WHITE = 0.25
"""Part of what is not black; 0.09 in a label image with all values of 8 bits."""
_LEAST_LONELY = 0.2
"""Part of the grays without an equal neighbor: 0.38 and more in JPEG of quality 20 to
100 and in resized masks, under 0.001 in label images of cells (synthetic neurons)."""


def as_labels(truth: ArrayLike, *, name: str = "The truth") -> Labels:
    """Turn a mask or label image into labels.

    Parameters
    ----------
    truth : array_like of shape (Y, X), (Y, X, 3) or (Y, X, 4)
        - True and False, or 0 and one other value such as 255: a mask, whose
          8-connected parts are the cells;
        - several whole numbers: a label image, one number for each cell, which may
          touch others or be in several pieces;
        - 8 bits, black and white with uneven grays between: a mask that was saved with
          loss, such as JPEG, or resized; white is above 127;
        - parts of 1, such as 0.3: white is above 0.5;
        - equal color channels: one of them; transparency is ignored.
    name : str, optional
        What to call it in messages, such as the path of its file.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        0 is background, 1..N are the cells.

    Raises
    ------
    InputError
        If it is no plane of numbers, its color channels differ, or it has values that
        are negative, not finite, or neither whole nor in [0, 1].

    Examples
    --------
    >>> as_labels([[255, 0, 255], [255, 0, 0]])
    array([[1, 0, 2],
           [1, 0, 0]], dtype=int32)
    >>> as_labels([[7, 7, 3], [0, 0, 3]])
    array([[2, 2, 1],
           [0, 0, 1]], dtype=int32)
    """
    numbers = as_numbers(_one_plane(np.asarray(truth), name), name=name)
    if numbers.dtype.kind == "b":
        return connected(numbers)
    values, inverse = np.unique(numbers, return_inverse=True)
    # Without a 0 the lowest label is at place 0.
    offset = np.count_nonzero(values) - values.size + 1
    return (inverse.reshape(numbers.shape) + offset).astype(np.int32)


def as_numbers(truth: NDArray[Any], *, name: str) -> NDArray[Any]:
    """Tell masks from label images, by the rules of `as_labels`.

    Parameters
    ----------
    truth : ndarray of shape (..., Y, X)
        Mask or label image.
    name : str
        What to call it in messages.

    Returns
    -------
    ndarray of shape (..., Y, X)
        Of bool for a mask; else whole numbers, as they were.

    Raises
    ------
    InputError
        As `as_labels`.
    """
    if truth.dtype.kind not in "buif":
        raise InputError(
            f"{name} holds {truth.dtype} and not numbers: give a mask or a label image."
        )
    if truth.dtype.kind == "f":
        truth = _whole_or_mask(truth, name)
    if truth.dtype.kind == "b" or not truth.size:
        return truth
    if truth.min() < 0:
        raise InputError(f"{name} has negative labels: cells are numbered from 1.")
    if _is_lossy_mask(truth):
        lossless: NDArray[Any] = truth > 127
        return lossless
    highest = truth.max()
    is_single = np.count_nonzero(truth) == np.count_nonzero(truth == highest)
    return truth != 0 if highest and is_single else truth


def connected(mask: NDArray[np.bool_]) -> Labels:
    """Number the 8-connected parts of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        True where there is a cell.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        0 is background, 1..N are the parts.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(mask, np.ones((3, 3)), output=np.int32)
    return np.asarray(labels, np.int32)


def _one_plane(truth: NDArray[Any], name: str) -> NDArray[Any]:
    if truth.ndim == 3 and truth.shape[-1] in (3, 4):
        colors = truth[..., :3]
        if (colors != colors[..., :1]).any():
            raise InputError(
                f"{name} is a color picture whose channels differ: save the mask or "
                "the labels in one channel."
            )
        return colors[..., 0]
    if truth.ndim != 2:
        raise InputError(
            f"{name} has the shape {truth.shape}: the truth is one plane (Y, X)."
        )
    return truth


def _whole_or_mask(plane: NDArray[Any], name: str) -> NDArray[Any]:
    """Return whole numbers as integers, and parts of 1 as a mask."""
    if not np.isfinite(plane).all():
        raise InputError(f"{name} has values that are not finite: mark them 0.")
    if (plane == np.round(plane)).all():
        if np.abs(plane).max(initial=0) > np.iinfo(np.int64).max // 2:
            raise InputError(
                f"{name} has values too large for labels: number them anew."
            )
        return plane.astype(np.int64)
    low, high = plane.min(), plane.max()
    if low < 0 or high > 1:
        raise InputError(
            f"{name} has values from {low:g} to {high:g} that are neither whole "
            "numbers nor in [0, 1]: save a mask or labels."
        )
    mask: NDArray[Any] = plane > 0.5
    return mask


def _is_lossy_mask(plane: NDArray[Any]) -> bool:
    """Tell whether it is black and white but for grays that are nowhere even."""
    if plane.dtype != np.uint8:
        return False
    n_bright = np.count_nonzero(plane > _BLACK)
    n_white = np.count_nonzero(plane >= _WHITE)
    is_gray = (plane > 0) & (plane < 255)
    n_gray = np.count_nonzero(is_gray)
    if not n_gray or not n_white or n_white < _LEAST_WHITE * n_bright:
        return False
    has_twin = np.zeros(plane.shape, np.bool_)
    down, right = np.s_[..., 1:, :], np.s_[..., 1:]
    up, left = np.s_[..., :-1, :], np.s_[..., :-1]
    for here, there in ((down, up), (right, left)):
        is_equal = plane[here] == plane[there]
        has_twin[here] |= is_equal
        has_twin[there] |= is_equal
    return bool(np.count_nonzero(is_gray & ~has_twin) > _LEAST_LONELY * n_gray)

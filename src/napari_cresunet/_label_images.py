"""What an array must be that is said to hold the labels of cells."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.errors import InputError

MOST = np.iinfo(np.int32).max
"""The highest label that all parts of this program can take."""


def as_label_image(labels: ArrayLike) -> NDArray[Any]:
    """Return a label image, or refuse what is none by its kind and shape alone.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X)
        What is said to be one.

    Returns
    -------
    ndarray of shape (..., Y, X), int
        The same, not copied.

    Raises
    ------
    InputError
        If it has fewer than two axes or another dtype.
    """
    image = np.asarray(labels)
    if image.dtype.kind not in "iu":
        raise InputError(
            f"`labels` must hold whole numbers, got {image.dtype}: convert them to "
            "int32."
        )
    if image.ndim < 2:
        raise InputError(
            f"`labels` must have at least two axes (Y, X), got shape {image.shape}."
        )
    return image


def check_signs(image: NDArray[Any]) -> None:
    """Refuse negative labels.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X), int
        The label image.

    Raises
    ------
    InputError
        If a label is negative.
    """
    if image.dtype.kind == "i" and image.min(initial=0) < 0:
        raise InputError(
            f"`labels` must not be negative, got {image.min()}: number cells from 1."
        )


def check_numbers(image: NDArray[Any], highest: int = MOST) -> None:
    """Refuse labels that are negative or too high.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X), int
        The label image.
    highest : int, optional
        The highest label that can be taken.

    Raises
    ------
    InputError
        If a label is none of 0 to `highest`.
    """
    check_signs(image)
    if np.iinfo(image.dtype).max <= highest:
        return
    found = int(image.max(initial=0))
    if found > highest:
        raise InputError(
            f"`labels` must be at most {highest}, got {found}: number the cells anew."
        )


def checked_labels(labels: ArrayLike) -> NDArray[Any]:
    """Return a label image whose labels fit into int32, or refuse it.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X)
        What is said to be one.

    Returns
    -------
    ndarray of shape (..., Y, X), int
        The same, not copied.

    Notes
    -----
    Raises `InputError` as `as_label_image` and `check_numbers`.
    """
    image = as_label_image(labels)
    check_numbers(image)
    return image


def planes_of(image: NDArray[Any]) -> NDArray[Any]:
    """Return a label image with one leading axis, also if it is empty.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X)
        The label image.

    Returns
    -------
    ndarray of shape (planes, Y, X)
        A view where possible.
    """
    return image.reshape(math.prod(image.shape[:-2]), *image.shape[-2:])

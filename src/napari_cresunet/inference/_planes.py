"""What an image is: its axes, and how parts of it are read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError

COLOR_CHANNELS = (3, 4)
"""Lengths of the last axis of RGB and RGBA images."""


def as_image(image: Any) -> Any:
    """Return the image as something that has a shape, a dtype and slices.

    Parameters
    ----------
    image : array-like
        Array, memory map, dask or zarr array (these stay as they are), or nested lists.

    Returns
    -------
    array-like
        Of integers or floating-point numbers, with at least two axes and no empty one.

    Raises
    ------
    InputError
        If it is no image.
    """
    pixels = _as_array(image)
    dtype = np.dtype(pixels.dtype)
    if dtype.kind == "b":
        raise InputError(
            "A boolean array is a mask, not an image: pass the microscopy image itself."
        )
    if dtype.kind == "c":
        raise InputError(
            "The image has complex values: pass its magnitude, `numpy.abs(image)`."
        )
    if dtype.kind not in "uif":
        raise InputError(
            f"The image must be an array of numbers, got {type(image).__name__} of "
            f"dtype {dtype}; open files with `read_image`."
        )
    shape = tuple(pixels.shape)
    if len(shape) < 2:
        raise InputError(
            f"The image must have at least the axes (Y, X), got the shape {shape}."
        )
    if 0 in shape:
        raise InputError(f"The image is empty, its shape is {shape}: choose another.")
    return pixels


def _as_array(image: Any) -> Any:
    """Return what already is an array unread, anything else as a NumPy array."""
    try:
        np.dtype(image.dtype)
        if hasattr(image, "shape") and hasattr(image, "__getitem__"):
            return image
    except (AttributeError, TypeError):
        pass
    try:
        return np.asarray(image)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The image must be an array of numbers, got {type(image).__name__} that "
            "cannot be made one."
        ) from error


def plane_shape(
    image: Any, *, rgb: bool | None = None
) -> tuple[tuple[int, ...], tuple[int, int], bool]:
    """Tell the leading axes, height and width, and whether the last axis is color.

    Parameters
    ----------
    image : array-like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image.
    rgb : bool, optional
        Whether the last axis is color. By default it is if the image has at least three
        axes and the last one is 3 or 4 long: color images of any size are common,
        stacks of gray images three or four pixels wide are not.

    Returns
    -------
    leading : tuple of int
        Lengths of the axes before Y and X.
    extent : tuple of int
        Y and X.
    is_rgb : bool
        Whether there is a color axis behind X.

    Raises
    ------
    InputError
        If `image` is no image, or `rgb` is True and its last axis cannot be color.

    Examples
    --------
    >>> plane_shape(np.zeros((5, 40, 30, 3)))
    ((5,), (40, 30), True)
    >>> plane_shape(np.zeros((5, 40, 30)))
    ((5,), (40, 30), False)
    """
    shape = tuple(int(length) for length in as_image(image).shape)
    can_be_color = len(shape) >= 3 and shape[-1] in COLOR_CHANNELS
    if rgb and not can_be_color:
        raise InputError(
            f"A color image must have the shape (..., Y, X, 3 or 4), got {shape}; "
            "pass rgb=False for a gray one."
        )
    is_rgb = can_be_color if rgb is None else rgb
    spatial = shape[:-1] if is_rgb else shape
    return spatial[:-2], (spatial[-2], spatial[-1]), is_rgb


def read_region(
    image: Any, plane: tuple[int, ...], rows: slice, columns: slice, *, is_rgb: bool
) -> NDArray[Any]:
    """Read a part of one plane, and nothing else of the image.

    Parameters
    ----------
    image : array-like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image.
    plane : tuple of int
        Position on the leading axes.
    rows, columns : slice
        The part; steps are allowed.
    is_rgb : bool
        Whether the last axis is color.

    Returns
    -------
    ndarray of shape (1 or 3, rows, columns)
        Channels first; transparency is left out.
    """
    region = np.asarray(image[(*plane, rows, columns)])
    return np.moveaxis(region[..., :3], -1, 0) if is_rgb else region[np.newaxis]

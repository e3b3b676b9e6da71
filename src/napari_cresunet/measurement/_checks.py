"""What labels and the size of a pixel must be."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import as_label_image, check_numbers, planes_of
from napari_cresunet.errors import InputError

PixelSize = tuple[float, float]
"""Height and width of a pixel in µm."""


def label_planes(labels: ArrayLike) -> NDArray[Any]:
    """Return labels as planes.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.

    Returns
    -------
    ndarray of shape (planes, Y, X)
        A view where possible.

    Raises
    ------
    InputError
        If there are less than two axes, or the labels are not whole numbers from 0 to
        2**63 - 1.
    """
    image = as_label_image(labels)
    check_numbers(image, np.iinfo(np.int64).max)
    return planes_of(image)


def check_pixel_size(pixel_size: PixelSize | None) -> PixelSize | None:
    """Check the size of a pixel.

    Parameters
    ----------
    pixel_size : tuple of float or None
        Height and width in µm.

    Returns
    -------
    tuple of float or None
        The same as floating-point numbers.

    Raises
    ------
    InputError
        If it is not two finite numbers above 0.
    """
    if pixel_size is None:
        return None
    sides = tuple(map(float, pixel_size))
    if len(sides) != 2 or not all(0 < side < math.inf for side in sides):
        raise InputError(
            "`pixel_size` must be height and width in µm, both above 0, got "
            f"{pixel_size}."
        )
    return sides[0], sides[1]

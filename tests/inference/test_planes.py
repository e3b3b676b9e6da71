import re

import numpy as np
import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.inference import plane_shape
from napari_cresunet.inference._planes import as_image, read_region


@pytest.mark.parametrize(
    ("shape", "rgb", "expected"),
    [
        ((40, 30), None, ((), (40, 30), False)),
        ((5, 40, 30), None, ((5,), (40, 30), False)),
        ((40, 30, 3), None, ((), (40, 30), True)),
        ((40, 30, 4), None, ((), (40, 30), True)),
        ((2, 5, 40, 30, 4), None, ((2, 5), (40, 30), True)),
        ((3, 40, 30), None, ((3,), (40, 30), False)),
        ((40, 4), None, ((), (40, 4), False)),
        ((1, 1, 3), None, ((), (1, 1), True)),
        ((1, 1, 3), True, ((), (1, 1), True)),
        ((1, 1, 3), False, ((1,), (1, 3), False)),
    ],
)
def test_the_axes_rule(shape, rgb, expected):
    assert plane_shape(np.zeros(shape, np.uint8), rgb=rgb) == expected


@pytest.mark.parametrize("shape", [(40, 30), (40, 3), (5, 40, 30)])
def test_color_that_is_none_is_refused(shape):
    message = (
        f"A color image must have the shape (..., Y, X, 3 or 4), got {shape}; "
        "pass rgb=False for a gray one."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        plane_shape(np.zeros(shape), rgb=True)


MASK = "A boolean array is a mask, not an image: pass the microscopy image itself."
NUMBERS = "The image must be an array of numbers, got "


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            np.zeros((5, 5), bool),
            MASK,
        ),
        (
            np.zeros((5, 5), complex),
            "The image has complex values: pass its magnitude, `numpy.abs(image)`.",
        ),
        (
            "cells.png",
            NUMBERS + "str of dtype <U9; open files with `read_image`.",
        ),
        (
            None,
            NUMBERS + "NoneType of dtype object; open files with `read_image`.",
        ),
        ([[1, 2], [3]], NUMBERS + "list that cannot be made one."),
        (5, "The image must have at least the axes (Y, X), got the shape ()."),
        (
            np.zeros(5),
            "The image must have at least the axes (Y, X), got the shape (5,).",
        ),
        (
            np.zeros((0, 5)),
            "The image is empty, its shape is (0, 5): choose another.",
        ),
        (
            np.zeros((0, 5, 5, 3)),
            "The image is empty, its shape is (0, 5, 5, 3): choose another.",
        ),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(image, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        as_image(image)


def test_lists_and_tensors_become_arrays_and_arrays_stay_unread():
    torch = pytest.importorskip("torch")
    array = np.zeros((2, 3), np.float16)
    assert as_image(array) is array
    assert as_image([[1, 2], [3, 4]]).shape == (2, 2)
    assert as_image(torch.zeros(4, 5)).dtype == np.float32


def test_a_region_comes_channels_first_without_transparency():
    image = np.arange(2 * 4 * 5 * 4).reshape(2, 4, 5, 4)
    region = read_region(image, (1,), slice(1, 3), slice(0, 5), is_rgb=True)
    assert region.shape == (3, 2, 5)
    assert np.array_equal(region[2], image[1, 1:3, :, 2])

"""An image with its truth, made of arrays such as the data of layers."""

import re

import numpy as np
import pytest

from napari_cresunet.datasets import Pair, pair_from_arrays
from napari_cresunet.errors import InputError


@pytest.fixture
def truth():
    """Two cells of 4 and 8 px."""
    labels = np.zeros((6, 8), np.uint16)
    labels[1:3, 1:3] = 1
    labels[4:6, 2:6] = 2
    return labels


def refused(message, *arguments):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        pair_from_arrays("a", *arguments)


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3), (6, 8, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_the_image_stays_as_it_is_but_for_transparency(truth, shape, dtype):
    image = np.random.default_rng(0).integers(0, 99, shape).astype(dtype)
    pair = pair_from_arrays("a", image, truth, match_distance=7, cell_diameter=5)
    assert pair.image.dtype == dtype
    np.testing.assert_array_equal(
        pair.image, image[..., :3] if len(shape) > 2 else image
    )
    np.testing.assert_array_equal(pair.labels, truth)
    assert pair.labels.dtype == np.int32
    assert (pair.name, pair.weight) == ("a", 1.0)
    assert (pair.match_distance, pair.cell_diameter) == (7, 5)


def test_a_mask_becomes_cells(truth):
    pair = pair_from_arrays("a", truth, truth > 0)
    assert pair.labels.max() == 2


def test_the_diameter_is_that_of_the_mean_area(truth):
    pair = pair_from_arrays("a", truth, truth)
    assert pair.diameter == pytest.approx(2 * np.sqrt((4 + 8) / 2 / np.pi))
    empty = Pair(name="b", image=truth, labels=np.zeros((6, 8), np.int32))
    assert empty.diameter is None


def test_sizes_that_differ_are_named(truth):
    refused(
        "Image and labels of a differ in size: (5, 8) and (6, 8).",
        np.zeros((5, 8)),
        truth,
    )


IMAGES = {
    "stack": (
        np.zeros((4, 6, 8)),
        "has the shape (4, 6, 8): use one plane (Y, X), or (Y, X, 3) in color.",
    ),
    "empty": (np.zeros((0, 8)), "has no pixel: leave it out."),
    "mask": (np.zeros((6, 8), bool), "holds bool and not numbers: give its pixels."),
    "complex": (
        1j * np.ones((6, 8)),
        "holds complex128 and not numbers: give its pixels.",
    ),
    "nan": (
        np.full((6, 8), np.nan),
        "has pixels that are not finite: mend or leave it out.",
    ),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_what_is_no_image_is_refused(truth, kind):
    image, message = IMAGES[kind]
    refused(f"The image a {message}", image, truth)


def test_what_is_no_truth_is_refused_by_name(truth):
    refused(
        "The truth of a has negative labels: cells are numbered from 1.",
        truth,
        -truth.astype(int),
    )

"""Masks and label images become one label for each cell."""

import io
import re

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.transform import resize

from napari_cresunet._labels import as_labels
from napari_cresunet.datasets import synthesize_neurons
from napari_cresunet.datasets._neurons import NeuronScene
from napari_cresunet.errors import InputError

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20)))


@pytest.fixture(scope="module")
def neurons():
    """Labels of 12 synthetic neurons, some of them touching."""
    scene = NeuronScene(height=300, width=400, n_cells=12, diameter=24)
    return synthesize_neurons(scene, seed=3)[1]


@given(mask=MASKS, value=st.sampled_from([1, 7, 255, 65535]))
def test_the_parts_of_a_mask_are_the_cells_whatever_its_value(mask, value):
    expected, _ = ndimage.label(mask, [[1, 1, 1]] * 3)
    for truth in (mask, mask * np.uint16(value), mask * float(value)):
        labels = as_labels(truth)
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, expected)


def test_corners_that_touch_belong_together():
    assert as_labels(np.eye(5, dtype=np.uint8) * 255).max() == 1


@given(
    truth=arrays(
        np.int64, (8, 9), elements=st.sampled_from([0, 3, 4, 90, 70_000, 2**40])
    )
)
def test_labels_are_numbered_anew_and_never_joined_or_parted(truth):
    values = np.unique(truth[truth > 0])
    if values.size < 2:
        return
    expected = np.zeros(truth.shape, int)
    for number, value in enumerate(values, start=1):
        expected[truth == value] = number
    for dtype in (np.int64, np.uint64, np.float64):
        np.testing.assert_array_equal(as_labels(truth.astype(dtype)), expected)


def test_touching_cells_and_cells_in_pieces_keep_their_labels():
    truth = [[5, 5, 9, 9, 0, 5]]
    assert as_labels(truth).tolist() == [[1, 1, 2, 2, 0, 1]]


@pytest.mark.parametrize("quality", [50, 75, 95, 100])
def test_a_mask_saved_as_jpeg_is_a_mask(neurons, quality):
    mask = neurons > 0
    stream = io.BytesIO()
    iio.imwrite(stream, mask.astype(np.uint8) * 255, extension=".jpg", quality=quality)
    read = iio.imread(stream.getvalue(), extension=".jpg")
    assert np.unique(read).size > 2
    np.testing.assert_array_equal(as_labels(read) > 0, mask)
    assert as_labels(read).max() == ndimage.label(mask, np.ones((3, 3)))[1]


def test_a_mask_that_was_resized_smoothly_is_a_mask(neurons):
    half = resize((neurons > 0).astype(float), (150, 200), order=1, anti_aliasing=True)
    gray = np.round(half * 255).astype(np.uint8)
    for truth, mask in ((gray, gray > 127), (half, half > 0.5)):
        expected, _ = ndimage.label(mask, np.ones((3, 3)))
        np.testing.assert_array_equal(as_labels(truth), expected)


@pytest.mark.parametrize("n_cells", [2, 21, 60, 235, 240, 255])
def test_label_images_of_8_bits_are_not_taken_for_masks(n_cells):
    truth = np.zeros((16 * 16, 16 * 4), np.uint8)
    for number in range(n_cells):
        row, column = divmod(number, 16)
        truth[row * 16 : row * 16 + 9, column * 4 : column * 4 + 3] = number + 1
    np.testing.assert_array_equal(as_labels(truth), truth)
    last = truth[-64:]  # a crop may hold the highest labels only
    np.testing.assert_array_equal(as_labels(last) > 0, last > 0)
    assert as_labels(last).max() == np.unique(last[last > 0]).size


@pytest.mark.parametrize("values", [(127, 255), (85, 170, 255), (250, 255)])
def test_labels_stretched_for_the_eye_stay_labels(values):
    truth = np.repeat(np.array([[0, *values]], np.uint8), 6, axis=1)
    assert as_labels(truth).max() == len(values)


@pytest.mark.parametrize("channels", [3, 4])
def test_equal_channels_are_one_and_transparency_is_ignored(channels):
    truth = np.zeros((4, 6, channels), np.uint8)
    truth[1:3, 1:3, :3] = 255
    truth[..., 3:] = 200
    assert as_labels(truth).tolist() == (truth[..., 0] // 255).tolist()


def test_nothing_marked_gives_no_label_and_nothing_left_out_one_less():
    assert as_labels(np.zeros((3, 4), np.uint8)).tolist() == [[0] * 4] * 3
    assert as_labels([[4, 4, 6]]).tolist() == [[1, 1, 2]]
    assert as_labels(np.zeros((0, 4))).shape == (0, 4)


REFUSED = {
    "color": (
        np.arange(12).reshape(2, 2, 3),
        (
            "is a color picture whose channels differ: save the mask or the labels in "
            "one channel."
        ),
    ),
    "stack": (
        np.zeros((2, 5, 6)),
        "has the shape (2, 5, 6): the truth is one plane (Y, X).",
    ),
    "line": (np.zeros(5), "has the shape (5,): the truth is one plane (Y, X)."),
    "words": (
        [["a", "b"]],
        "holds <U1 and not numbers: give a mask or a label image.",
    ),
    "negative": (
        [[0, -1]],
        "has negative labels: cells are numbered from 1.",
    ),
    "negative float": (
        [[0.0, -1.0]],
        "has negative labels: cells are numbered from 1.",
    ),
    "nan": ([[0, np.nan]], "has values that are not finite: mark them 0."),
    "intensity": (
        [[0.5, 12.25]],
        (
            "has values from 0.5 to 12.25 that are neither whole numbers nor in "
            "[0, 1]: save a mask or labels."
        ),
    ),
    "huge": (
        [[0, 1e300]],
        "has values too large for labels: number them anew.",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_neither_mask_nor_labels_is_refused_by_name(kind):
    truth, message = REFUSED[kind]
    with pytest.raises(InputError, match=f"^{re.escape(f'm.png {message}')}$"):
        as_labels(truth, name="m.png")

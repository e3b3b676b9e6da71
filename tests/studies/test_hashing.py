"""Whether an image is still the one that was corrected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_cresunet.errors import InputError
from napari_cresunet.studies import (
    ImageReference,
    check_image,
    image_hash,
    iter_image_hash,
)

DTYPES = (
    arrays.boolean_dtypes()
    | arrays.integer_dtypes()
    | arrays.unsigned_integer_dtypes()
    | arrays.floating_dtypes(sizes=(16, 32, 64))
    | arrays.complex_number_dtypes(sizes=(64, 128))
)
IMAGES = arrays.arrays(DTYPES, arrays.array_shapes(max_dims=4, max_side=4))


@given(image=IMAGES)
def test_neither_layout_nor_order_of_bytes_nor_blocks_matter(image):
    known = image_hash(image)
    assert len(known) == 32
    assert image_hash(np.asfortranarray(image)) == known
    assert image_hash(np.repeat(image, 2, axis=-1)[..., ::2]) == known
    assert image_hash(image.astype(image.dtype.newbyteorder("S"))) == known
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_cresunet.studies._hashing._BLOCK", 3)
        assert image_hash(image) == known


@given(image=IMAGES, data=st.data())
def test_another_value_shape_or_dtype_is_another_image(image, data):
    known = image_hash(image)
    assert image_hash(image[np.newaxis]) != known
    other = image.copy()
    place = tuple(data.draw(st.integers(0, length - 1)) for length in image.shape)
    other[place] = image[place] == 0
    assert image_hash(other) != known
    if image.dtype.kind in "iu":
        signed = {"i": "u", "u": "i"}[image.dtype.kind]
        as_other = image.view(f"{signed}{image.dtype.itemsize}")
        assert image_hash(as_other) != known


def test_lists_maps_and_dask_arrays_are_images_too(tmp_path):
    image = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    known = image_hash(image)
    np.save(tmp_path / "image.npy", image)
    assert image_hash(np.load(tmp_path / "image.npy", mmap_mode="r")) == known
    assert image_hash(np.arange(3).tolist()) == image_hash(np.arange(3))
    dask = pytest.importorskip("dask.array")
    assert image_hash(dask.from_array(image, chunks=(2, 3, 4))) == known


def test_a_large_image_is_read_block_by_block():
    class Rows:
        """An image that is never in memory as a whole."""

        dtype = np.dtype(np.uint8)

        def __init__(self, *shape):
            self.shape = shape
            self.largest = 0

        def __getitem__(self, part):
            if isinstance(part, int):
                part = slice(part, part + 1)
            rows = np.zeros((part.stop - part.start, *self.shape[1:]), np.uint8)
            self.largest = max(self.largest, rows.nbytes)
            return rows

    image = Rows(100, 1000, 1000)
    steps = list(iter_image_hash(image))
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].total == len(steps) == 4
    assert image.largest <= 32 * 1024**2


def test_an_image_of_no_numbers_is_refused():
    with pytest.raises(InputError) as caught:
        image_hash(np.array([["a", "b"]]))
    assert str(caught.value) == (
        "The image holds <U1 and not numbers: give an image of numbers."
    )


def test_the_same_image_is_fine_and_others_are_told_apart():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    reference = ImageReference(
        name="a.tif", hash=image_hash(image), shape=(3, 4), dtype="uint8"
    )
    assert check_image(reference, image) == ""
    assert check_image(reference, image.astype(">u1")) == ""
    rest = "; the corrections may not fit."
    start = "The image 'a.tif' has changed since: "
    assert check_image(reference, image[:, :2]) == (
        f"{start}it was 3 × 4 and is 3 × 2{rest}"
    )
    assert check_image(reference, image.astype(np.uint16)) == (
        f"{start}it was uint8 and is uint16{rest}"
    )
    assert check_image(reference, image + 1) == f"{start}its pixels are others{rest}"
    assert check_image(reference, image, found="f" * 32) == (
        f"{start}its pixels are others{rest}"
    )


def test_pixels_that_were_never_read_are_not_compared():
    reference = ImageReference(name="a", shape=(3, 4), dtype="uint8")
    assert check_image(reference, np.ones((3, 4), np.uint8)) == ""

"""Parts of an image are what NumPy would give."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from napari_cresunet.pyramids._level import Arrangement, Level


class InMemory:
    """A stand-in for what reads a file: counts what was read of it."""

    def __init__(self, pixels):
        self._pixels = pixels
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self.chunks = pixels.shape
        self.n_read = 0

    def __getitem__(self, where):
        part = self._pixels[where]
        self.n_read += part.size
        return part


# t, c, z, x, y in the file; (t, z, y, x) or (t, z, y, x, c) here.
STORED = np.arange(2 * 4 * 3 * 6 * 5, dtype=">u2").reshape(2, 4, 3, 6, 5)
GRAY = (Arrangement(order=(0, 2, 4, 3), fixed={1: 2}), STORED[:, 2].swapaxes(2, 3))
COLOR = (
    Arrangement(order=(0, 2, 4, 3, 1), is_rgb=True),
    STORED.transpose(0, 2, 4, 3, 1)[..., :3],
)


def level(arrangement):
    source = InMemory(STORED)
    return source, Level(source, arrangement, path=Path("a"), reopen=(str, ("again",)))


@pytest.mark.parametrize("which", [GRAY, COLOR], ids=["gray", "color"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_part_is_that_of_the_array_and_no_more_is_read(which, data):
    arrangement, wanted = which
    where = data.draw(
        basic_indices(wanted.shape, allow_newaxis=False, allow_ellipsis=True)
    )
    slices = where if isinstance(where, tuple) else (where,)
    source, image = level(arrangement)
    if any(isinstance(one, slice) and (one.step or 1) < 0 for one in slices):
        with pytest.raises(IndexError, match="goes backward"):
            image[where]
        return
    part = image[where]
    assert np.array_equal(part, wanted[where])
    assert part.shape == wanted[where].shape
    assert part.dtype == np.dtype(np.uint16)
    assert source.n_read == part.size


def test_an_image_tells_what_it_is():
    _, image = level(COLOR[0])
    assert image.shape == (2, 3, 5, 6, 3)
    assert image.chunks == (2, 3, 5, 6, 3)
    assert (image.ndim, image.size, image.nbytes, len(image)) == (5, 540, 1080, 2)
    assert repr(image) == "<Level (2, 3, 5, 6, 3) uint16 of a>"
    assert np.array_equal(np.asarray(image, float), COLOR[1])
    assert pickle.loads(pickle.dumps(image)) == "again"


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (2, "2 is outside of an axis of 2"),
        ((0, -4), "-4 is outside of an axis of 3"),
        ((0, 0, 0, 0, 0), r"\(0, 0, 0, 0, 0\) is too much for 4 axes"),
        ((..., ...), r"\(Ellipsis, Ellipsis\) is too much for 4 axes"),
        ([0, 1], r"\[0, 1\] is neither a number nor a slice"),
        (None, "None is neither a number nor a slice"),
        (slice(None, None, -1), r"slice\(None, None, -1\) goes backward"),
    ],
)
def test_other_indices_are_refused(where, message):
    _, image = level(GRAY[0])
    with pytest.raises(IndexError, match=f"^{message}$"):
        image[where]

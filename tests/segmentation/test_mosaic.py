"""Packing and window maxima."""

import numpy as np
import pytest
from scipy import ndimage

from napari_cresunet.segmentation._mosaic import lay_out, window_max


@pytest.mark.parametrize("count", [1, 2, 37, 400])
@pytest.mark.parametrize("gap", [1, 10])
def test_boxes_keep_their_distance(count, gap):
    rng = np.random.default_rng(count)
    heights, widths = rng.integers(1, 60, (2, count))
    tops, lefts, shape = lay_out(heights, widths, gap)
    filled = np.zeros(shape, dtype=int)
    for box in zip(tops, lefts, heights, widths, strict=True):
        top, left, height, width = box
        filled[top - gap : top + height, left - gap : left + width] += 1
        assert top >= gap
        assert left >= gap
        assert top + height + gap <= shape[0]
        assert left + width + gap <= shape[1]
    assert filled.max() == 1


def test_packing_wastes_little():
    heights, widths = np.random.default_rng(0).integers(30, 45, (2, 300))
    _, _, shape = lay_out(heights, widths, 1)
    assert np.prod(shape) < 1.25 * (heights * widths).sum()


@pytest.mark.parametrize("size", [2, 3, 21, 30, 40])
def test_window_maxima_equal_scipys_filter(size):
    image = np.random.default_rng(size).random((70, 90))
    before, after = size // 2, size - 1 - size // 2
    expected = ndimage.maximum_filter(image, size=size)
    np.testing.assert_array_equal(
        window_max(image, before, after),
        expected[before : 70 - after, before : 90 - after],
    )

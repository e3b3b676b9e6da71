"""Window maxima against scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from napari_cresunet.segmentation._peaks import _window_max


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (70, 3), (40, 55)])
@pytest.mark.parametrize("size", [1, 2, 3, 21, 30, 40, 100])
def test_window_maxima_equal_scipys_filter(shape, size):
    image = np.random.default_rng(size).integers(0, 999, shape).astype(np.int32)
    expected = ndimage.maximum_filter(image, size=size, mode="constant")
    np.testing.assert_array_equal(_window_max(image, size), expected)

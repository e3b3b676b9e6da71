import io

import numpy as np
import pytest
from PIL import Image

from napari_cresunet.export import thumbnail


def opened(content):
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture).astype(int)


@pytest.mark.parametrize(
    "shape", [(300, 700), (300, 700, 3), (300, 700, 4), (5, 300, 700)]
)
def test_large_images_become_small_ones_of_the_same_form(shape):
    labels = np.zeros(shape[:-1] if shape[-1] in (3, 4) else shape, np.int32)
    image = np.random.default_rng(0).integers(0, 60_000, shape).astype(np.uint16)
    picture = opened(thumbnail(image, labels))
    assert picture.shape == (300 // 4, 700 // 4, 3)


def test_cells_are_blue_and_the_rest_is_gray():
    labels = np.zeros((400, 400), np.int32)
    labels[100:200, 100:200] = 1
    picture = opened(thumbnail(np.zeros((400, 400)), labels))
    assert picture[75, 75] == pytest.approx((52, 108, 140), abs=12)
    assert picture[150, 150] == pytest.approx((0, 0, 0), abs=12)


def test_small_images_stay_as_they_are():
    assert opened(thumbnail(np.zeros((7, 9)), np.zeros((7, 9), int))).shape == (7, 9, 3)


def test_what_is_not_finite_is_black():
    image = np.full((20, 20), np.nan, np.float32)
    assert opened(thumbnail(image, np.zeros((20, 20), int))).max() < 5

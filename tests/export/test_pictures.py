import numpy as np
from skimage.color import rgb2lab

from napari_cresunet.export._pictures import (
    FOUND_COLOR,
    TRUE_COLOR,
    heatmap,
    overlay,
    stretched,
)


def test_heatmap_grows_lighter_in_even_steps():
    ramp = np.linspace(0, 1, 1000, dtype=np.float32)[np.newaxis]
    lightness = rgb2lab(heatmap(ramp))[0, :, 0]
    assert lightness[0] < 1
    assert lightness[-1] > 94
    assert np.abs(lightness - 96 * ramp[0]).max() < 5


def test_small_images_are_enlarged_by_a_whole_number():
    assert heatmap(np.zeros((10, 300), np.float32)).shape == (30, 900, 3)
    assert heatmap(np.zeros((10, 1600), np.float32)).shape == (10, 1600, 3)


def test_overlay_draws_found_and_true_cells_side_by_side():
    image = np.full((1000, 1000, 3), 7, np.uint8)
    cell = np.zeros((1000, 1000), np.int32)
    cell[100:110, 200:220] = 1
    picture = overlay(image, cell, cell)
    assert tuple(picture[99, 210]) == FOUND_COLOR
    assert tuple(picture[100, 210]) == TRUE_COLOR
    assert tuple(picture[105, 210]) == (7, 7, 7)
    assert (image == 7).all()


def test_overlay_separates_touching_cells():
    labels = np.ones((1000, 1000), np.int32)
    labels[:, 500:] = 2
    picture = overlay(np.zeros((1000, 1000), np.uint8), labels)
    assert tuple(picture[300, 500]) == FOUND_COLOR


def test_overlay_of_gray_16_bit_stretches_the_range():
    image = np.linspace(1000, 3000, 1000 * 1000).reshape(1000, 1000).astype(np.uint16)
    picture = overlay(image, np.zeros((1000, 1000), np.int32))
    assert picture.dtype == np.uint8
    assert picture[0].max() < 10
    assert picture[-1].min() > 245
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_overlay_of_a_constant_image_is_dark():
    image = np.full((1000, 1000), 5.0)
    assert overlay(image, np.zeros((1000, 1000), np.int32)).max() == 0


def test_what_is_not_finite_is_black_and_spoils_no_contrast():
    image = np.linspace(0, 1, 10_000).reshape(100, 100)
    image[0, :3] = np.nan, np.inf, -np.inf
    gray = stretched(image)
    assert gray[0, :3].tolist() == [0, 0, 0]
    assert gray[50, 0] in (127, 128)
    assert gray[-1, -1] == 255

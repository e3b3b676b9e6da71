import re

import numpy as np
import pytest
from scipy import ndimage

from napari_cresunet.benchmarking import PIPELINES, draw_image, draw_probability
from napari_cresunet.errors import InputError


def test_as_many_cells_are_drawn_as_wanted():
    probability = draw_probability(600, 800, 40)
    assert probability.shape == (600, 800)
    assert probability.dtype == np.float32
    assert 0 <= probability.min() < probability.max() <= 1
    # One in ten is drawn at the side of another, so that regions are fewer than cells.
    assert ndimage.label(probability > 0.5)[1] == 36
    assert PIPELINES["tashfeen2025"](probability, 0.5).max() == 40


def test_cells_can_be_smaller():
    small, usual = (draw_probability(600, 800, 40, size) > 0.5 for size in (18, 36))
    assert ndimage.label(small)[1] == 36
    assert usual.sum() == pytest.approx(4 * small.sum(), rel=0.1)


def test_drawings_are_the_same_every_time():
    np.testing.assert_array_equal(
        draw_probability(200, 200, 5), draw_probability(200, 200, 5)
    )
    np.testing.assert_array_equal(draw_image(96, 128, 5), draw_image(96, 128, 5))


def test_too_many_cells_are_refused():
    message = "50 cells have no room in 100×80 px: draw at most 2."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        draw_probability(80, 100, 50)


def test_an_image_is_in_color_and_holds_light():
    image = draw_image(96, 128, 5)
    assert image.shape == (96, 128, 3)
    assert image.dtype == np.uint8
    assert image.max() > 100

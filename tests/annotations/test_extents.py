"""How far cells reach, also beyond the image."""

import numpy as np
import pytest

from napari_cresunet.annotations import extent_of
from napari_cresunet.annotations._shapes import (
    Box,
    Dot,
    Ellipse,
    Outlines,
    Polygon,
    Runs,
)

TRIANGLE = np.array([[-3.0, 5.0], [9.0, -2.5], [4.0, 40.0]])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Polygon(TRIANGLE), (-3, -2.5, 9, 40)),
        (Outlines([TRIANGLE, TRIANGLE / 2]), (-3, -2.5, 9, 40)),
        (Dot(3.25, -7), (3.25, -7, 3.25, -7)),
        (Box(-1, 2, 5, 7), (-1.5, 1.5, 4.5, 6.5)),
        (Ellipse(10, 20, 3, 8), (7, 12, 13, 28)),
        (Ellipse(10, 20, 3, 8, turn=np.pi / 2), (2, 17, 18, 23)),
    ],
)
def test_a_shape_reaches_as_far_as_its_corners(part, expected):
    assert extent_of([part]) == pytest.approx(expected)


@pytest.mark.parametrize("turn", [0.3, 1.0, 2.5, -0.7])
def test_a_turned_ellipse_reaches_as_far_as_its_pixels(turn):
    ellipse = Ellipse(100, 100, 30, 80, turn)
    rows, columns = ellipse.pixels((200, 200))
    expected = (rows.min(), columns.min(), rows.max(), columns.max())
    assert extent_of([ellipse]) == pytest.approx(expected, abs=1)


def test_a_cell_reaches_as_far_as_all_its_parts():
    assert extent_of([Dot(3, 4), Dot(-1, 9)]) == (-1, 4, 3, 9)


def test_what_is_told_by_pixels_cannot_reach_beyond_the_image():
    assert extent_of([Runs(np.array([2, 3]), height=4)]) is None
    assert extent_of([Runs(np.array([2, 3]), height=4), Dot(1, 2)]) == (1, 2, 1, 2)

"""Which cells places, lines and boxes point at, and which label images are taken."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.correction.checks import LABELS, cells_of

from napari_cresunet.correction import cells_at, cells_in_box, cells_on_path, delete
from napari_cresunet.correction._places import numbered, pixels_on_path
from napari_cresunet.errors import InputError

COORDINATE = st.floats(-4, 12, allow_nan=False, width=32)


@settings(deadline=None)
@given(labels=LABELS, data=st.data())
def test_cells_at_points_are_those_of_the_nearest_pixels(labels, data):
    point = st.tuples(*[COORDINATE] * labels.ndim)
    points = data.draw(st.lists(point, max_size=6))
    expected = []
    for point in points:
        pixel = tuple(int(np.floor(x + 0.5)) for x in point)
        if all(0 <= x < size for x, size in zip(pixel, labels.shape, strict=True)):
            label = int(labels[pixel])
            if label and label not in expected:
                expected.append(label)
    assert cells_at(labels, points) == tuple(expected)


@settings(deadline=None)
@given(path=st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=4))
def test_a_line_goes_through_the_pixels_that_small_steps_along_it_meet(path):
    image = np.zeros((9, 8), np.uint8)
    pixels = [tuple(pixel) for pixel in pixels_on_path(path, image).tolist()]
    corners = np.array(path)
    steps = np.linspace(0, 1, 4001)[:, None]
    points = [corners[:1]]
    points += [a + steps * (b - a) for a, b in pairwise(corners)]
    # So near to an edge, the pixel is a matter of rounding.
    points = np.concatenate(points)
    is_clear = (np.abs((points + 0.5) % 1 - 0.5) < 0.499).all(axis=1)
    met = np.floor(points[is_clear] + 0.5).astype(int)
    met = met[((met >= 0) & (met < image.shape)).all(axis=1)]
    assert {tuple(pixel) for pixel in met.tolist()} <= set(pixels)
    rows, columns = np.array(pixels).reshape(-1, 2).T
    for row, column in zip(rows, columns, strict=True):
        # No pixel is farther from the line than its corner is from its center.
        assert np.hypot(*(points - (row, column)).T).min() < 0.5**0.5 + 0.01


@settings(deadline=None)
@given(
    path=st.lists(
        st.tuples(st.floats(0, 8, width=32), st.floats(0, 7, width=32)), min_size=2
    )
)
def test_each_pixel_of_a_line_within_the_image_shares_a_side_with_the_one_before(path):
    pixels = pixels_on_path(path, np.zeros((9, 8), np.uint8))
    assert set(np.abs(np.diff(pixels, axis=0)).sum(axis=1).tolist()) <= {0, 1}


def test_a_line_from_corner_to_corner_leaves_no_gap():
    pixels = pixels_on_path([[0, 0], [2, 2]], np.zeros((3, 3), np.uint8))
    assert pixels.tolist() == [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2]]


def test_a_line_may_end_far_outside_of_the_image():
    labels = np.zeros((50, 60), np.int32)
    labels[25] = np.arange(60)
    assert cells_on_path(labels, [[25, -1e30], [25, 1e30]]) == tuple(range(1, 60))
    assert cells_on_path(labels, [[-1e30, 1e30], [1e30, 2e30]]) == ()
    assert cells_on_path(labels, [[-1e5, 30], [1e5, 30]]) == (30,)


def test_cells_on_a_line_come_in_its_order_each_once():
    labels = np.array([[9, 0, 3, 0, 9, 5]], np.uint16)
    assert cells_on_path(labels, [[0, 5], [0, 0], [0, 5]]) == (5, 9, 3)
    assert cells_on_path(labels, [[0.2, 1.8]]) == (3,)
    assert cells_on_path(labels, [[0, 1]]) == ()
    assert cells_on_path(labels, [[5, 5], [9, 9]]) == ()


def test_places_in_stacks_begin_with_their_plane():
    labels = np.zeros((2, 3, 4, 5), np.int32)
    labels[1, 2, 3, 0:3] = [6, 0, 7]
    labels[0, 2, 3, 0:3] = 8
    assert cells_at(labels, [[1, 2, 3, 2], [0.6, 2.4, 3, 0], [0, 2, 3, 0]]) == (7, 6, 8)
    assert cells_on_path(labels, [[1, 2, 3, -1], [1, 2, 3, 4]]) == (6, 7)
    assert cells_on_path(labels, [[5, 2, 3, -1], [5, 2, 3, 4]]) == ()
    assert cells_in_box(labels, [[1, 2, 0, 0], [1, 2, 4, 4]]) == (6, 7)
    assert cells_in_box(labels, [[1, 3, 0, 0], [1, 3, 4, 4]]) == ()


@settings(deadline=None)
@given(labels=LABELS, data=st.data())
def test_cells_in_a_box_are_those_with_their_mean_pixel_inside(labels, data):
    assume(labels.ndim == 2)
    one, other = (data.draw(st.tuples(COORDINATE, COORDINATE)) for _ in range(2))
    low, high = np.minimum(one, other), np.maximum(one, other)
    expected = []
    for cell in cells_of(labels):
        center = np.argwhere(labels == cell).mean(axis=0)
        assume(
            (np.abs(center - low) > 1e-9).all() and (abs(center - high) > 1e-9).all()
        )
        if (center >= low).all() and (center <= high).all():
            expected.append(cell)
    assert cells_in_box(labels, [one, other]) == tuple(expected)


def test_the_sides_of_a_box_belong_to_it():
    assert cells_in_box(np.array([[0, 4, 4]]), [[0, 1.5], [0, 1.5]]) == (4,)


@settings(deadline=None)
@given(
    values=st.lists(st.integers(0, 2**40) | st.integers(0, 9), max_size=30),
)
def test_numbering_labels_is_unique_with_inverse(values):
    values = np.array(values, np.int64)
    cells, which = numbered(values)
    expected, inverse = np.unique(values, return_inverse=True)
    np.testing.assert_array_equal(cells, expected)
    np.testing.assert_array_equal(which, inverse)


def refused(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize("dtype", ["bool", "float32"])
def test_labels_that_are_no_whole_numbers_are_refused(dtype):
    with refused(
        f"`labels` must hold whole numbers, got {dtype}: convert them to int32."
    ):
        cells_at(np.zeros((3, 3), dtype), [[0, 0]])


def test_labels_without_rows_and_columns_are_refused():
    with refused("`labels` must have at least two axes (Y, X), got shape (3,)."):
        cells_at(np.zeros(3, int), [[0]])


def test_negative_labels_are_refused():
    with refused("`labels` must not be negative, got -1: number cells from 1."):
        delete(np.array([[-1, 1]]), [1])


def test_labels_beyond_int32_are_to_be_numbered_anew_first():
    with refused(
        "`labels` must be at most 2147483647, got 2147483648: number the cells anew."
    ):
        delete(np.array([[2**31, 1]], np.uint64), [1])


def test_the_highest_label_of_int32_can_be_edited():
    labels = np.array([[2**31 - 1, 1]], np.uint32)
    assert delete(labels, [2**31 - 1]).applied_to(labels).tolist() == [[0, 1]]


@pytest.mark.parametrize("points", [[[1, 2, 3]], [1, 2], [[[1, 2]]]])
def test_points_with_other_axes_than_the_labels_are_refused(points):
    shape = np.shape(points)
    with refused(
        "Points in these labels have 2 coordinates each, one row a point; got an array "
        f"of shape {shape}."
    ):
        cells_at(np.zeros((3, 3), int), points)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_points_that_are_not_finite_are_refused(value):
    with refused("A point has a coordinate that is not finite."):
        cells_at(np.zeros((3, 3), int), [[0, value]])


def test_a_line_without_points_is_refused():
    with refused("The line has no point: draw it across a cell."):
        cells_on_path(np.zeros((3, 3), int), [])


def test_a_line_through_planes_is_refused():
    with refused("The line goes through several planes: draw it in one."):
        cells_on_path(np.zeros((2, 3, 3), int), [[0, 1, 1], [1, 1, 1]])


def test_a_box_through_planes_is_refused():
    with refused("The box goes through several planes: draw it in one."):
        cells_in_box(np.zeros((2, 3, 3), int), [[0, 1, 1], [1, 1, 1]])


def test_a_box_of_one_corner_is_refused():
    with refused("A box has two corners, got 1."):
        cells_in_box(np.zeros((3, 3), int), [[1, 1]])


def test_an_empty_image_has_no_cells():
    labels = np.zeros((0, 5), np.int32)
    assert cells_at(labels, [[0, 0]]) == ()
    assert cells_on_path(labels, [[0, 0], [0, 5]]) == ()
    assert cells_in_box(labels, [[0, 0], [5, 5]]) == ()

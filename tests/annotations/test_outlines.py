"""Outlines along the edges of pixels."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import ndimage
from tests.annotations.label_images import label_images, planes, ring, steps

from napari_cresunet.annotations import outlines_of
from napari_cresunet.annotations._outlines import (
    is_outer,
    outlines_in_planes,
    pieces_of,
)
from napari_cresunet.errors import InputError


def inside(rings, shape):
    """Tell which pixels have an odd number of upright edges on their left."""
    found = np.zeros(shape, bool)
    for row in range(shape[0]):
        for column in range(shape[1]):
            n_crossed = 0
            for corners in rings:
                for here, there in zip(corners, np.roll(corners, -1, 0), strict=True):
                    low, high = sorted((here[0], there[0]))
                    n_crossed += low < row < high and here[1] < column
            found[row, column] = n_crossed % 2
    return found


def area(corners):
    """The surveyor's formula; positive if clockwise as one sees it."""
    rows, columns = corners.T
    return (columns @ np.roll(rows, -1) - rows @ np.roll(columns, -1)) / 2


@settings(deadline=None)
@given(labels=label_images())
def test_the_pixels_inside_of_an_odd_number_of_rings_are_the_cell(labels):
    outlines = outlines_of(labels)
    assert list(outlines) == np.unique(labels[labels > 0]).tolist()
    for label, rings in outlines.items():
        np.testing.assert_array_equal(inside(rings, labels.shape), labels == label)
        assert sum(map(area, rings)) == np.count_nonzero(labels == label)


@settings(deadline=None)
@given(labels=label_images())
def test_rings_never_touch_themselves_and_turn_at_every_corner(labels):
    for corners in (one for rings in outlines_of(labels).values() for one in rings):
        assert len(np.unique(corners, axis=0)) == len(corners) >= 4
        assert ((corners * 2) % 2 == 1).all()
        moves = np.roll(corners, -1, axis=0) - corners
        is_upright = moves[:, 0] != 0
        assert (is_upright != (moves[:, 1] != 0)).all()
        assert (is_upright != np.roll(is_upright, 1)).all()


@settings(deadline=None)
@given(labels=label_images())
def test_there_is_a_ring_around_each_part_and_each_hole(labels):
    for label, rings in outlines_of(labels).items():
        parts, n_parts = ndimage.label(labels == label)
        n_holes = 0
        for number in range(1, n_parts + 1):
            around = np.pad(parts != number, 1, constant_values=True)
            n_holes += ndimage.label(around)[1] - 1
        assert [is_outer(one) for one in rings].count(True) == n_parts
        assert len(rings) == n_parts + n_holes


@settings(deadline=None)
@given(labels=label_images())
def test_each_part_gets_its_own_holes(labels):
    for label, rings in outlines_of(labels).items():
        parts, n_parts = ndimage.label(labels == label)
        pieces = pieces_of(labels, rings)
        assert len(pieces) == n_parts
        for piece in pieces:
            assert [is_outer(one) for one in piece] == [True] + [False] * (
                len(piece) - 1
            )
            found = inside(piece, labels.shape)
            (number,) = np.unique(parts[found])
            np.testing.assert_array_equal(found, parts == number)


def test_a_rectangle_has_four_corners_clockwise_from_the_upper_right():
    labels = np.zeros((5, 6), np.uint8)
    labels[1:3, 2:6] = 7
    ((label, (corners,)),) = outlines_of(labels).items()
    assert label == 7
    assert corners.tolist() == [[0.5, 5.5], [2.5, 5.5], [2.5, 1.5], [0.5, 1.5]]


def test_a_hole_turns_the_other_way_and_may_hold_a_cell():
    outlines = outlines_of(ring())
    assert [area(one) for one in outlines[1]] == [49, -9]
    assert [area(one) for one in outlines[2]] == [1]


def test_pixels_that_touch_at_a_corner_have_rings_of_their_own():
    (rings,) = outlines_of(steps()).values()
    assert [area(one) for one in rings] == [1, 1, 1, 1]


def test_a_loop_that_closes_at_a_corner_is_a_part_with_a_hole():
    labels = np.ones((3, 3), np.int32)
    labels[0, 0] = labels[1, 1] = 0
    (rings,) = outlines_of(labels).values()
    assert [area(one) for one in rings] == [8, -1]


def test_cells_on_several_planes_have_outlines_on_each():
    stack = np.zeros((2, 2, 3, 4), np.int32)
    stack[0, 1, 0, 0] = stack[1, 1, 2, 2:] = 5
    stack[0, 1, 1] = 9
    found = outlines_in_planes(stack)
    assert {label: [n for n, _ in parts] for label, parts in found.items()} == {
        5: [1, 3],
        9: [1],
    }
    for parts in found.values():
        for number, rings in parts:
            assert [one.tolist() for one in rings] in [
                [ring.tolist() for ring in other]
                for other in outlines_of(planes(stack)[number]).values()
            ]


def test_without_cells_there_are_no_outlines():
    assert outlines_of(np.zeros((3, 4), np.int32)) == {}
    assert outlines_of(np.zeros((0, 4), np.int32)) == {}


BAD = [
    (
        np.zeros(3, int),
        "`labels` must have at least two axes (Y, X), got shape (3,).",
    ),
    (
        np.zeros((2, 2, 2), int),
        "`labels` must be one plane (Y, X) to be outlined, got shape (2, 2, 2).",
    ),
    (
        np.zeros((2, 2)),
        "`labels` must hold whole numbers, got float64: convert them to int32.",
    ),
    (
        np.array([[-4, 0]]),
        "`labels` must not be negative, got -4: number cells from 1.",
    ),
    (
        np.array([[2**31, 0]]),
        "`labels` must be at most 2147483647, got 2147483648: number the cells anew.",
    ),
]


@pytest.mark.parametrize(("labels", "message"), BAD)
def test_what_is_no_plane_of_labels_is_refused(labels, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        outlines_of(labels)

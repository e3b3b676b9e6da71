"""The unbiased counting frame: frames that tile the plane count every cell once."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from tests.scenes import paint

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import CountingFrame, in_frame

any_labels = arrays(np.int64, (12, 14), elements=st.integers(0, 4))
"""Numbers anywhere: cells of any shape, in pieces, through many frames."""


def tiles(shape, height, width):
    for top, left in product(range(0, shape[0], height), range(0, shape[1], width)):
        yield CountingFrame(top, left, top + height, left + width)


@settings(max_examples=60, deadline=None)
@given(any_labels, st.integers(2, 13), st.integers(1, 15))
def test_frames_side_by_side_count_every_cell_exactly_once(labels, height, width):
    frames = tiles(labels.shape, height, width)
    counted = np.concatenate([in_frame(labels, frame) for frame in frames])
    assert sorted(counted.tolist()) == [n for n in np.unique(labels) if n]


def crosses(pixels, frame):
    """Walk along the forbidden line, in steps between pixels that touch."""
    left, bottom, right = frame.left, frame.bottom, frame.right
    here = set(map(tuple, pixels.tolist()))
    for row, column in here:
        for down, across in product((-1, 0, 1), repeat=2):
            other = (row + down, column + across)
            if other not in here:
                continue
            rows, columns = sorted((row, other[0])), sorted((column, other[1]))
            is_above = rows[1] < bottom
            if is_above and columns[0] < left <= columns[1]:
                return True  # the left side, or its extension upward
            is_within = left <= columns[0] and columns[1] < right
            if is_within and rows[0] < bottom <= rows[1]:
                return True  # the bottom
            is_below = rows[0] >= bottom
            if is_below and columns[0] < right <= columns[1]:
                return True  # the extension of the right side downward
            if down and across and is_corner(rows, columns, frame):
                return True
    return False


def is_corner(rows, columns, frame):
    """Tell whether a diagonal step goes through the lower left corner."""
    if not rows[0] < frame.bottom <= rows[1]:
        return False
    return columns[0] < frame.left <= columns[1]


@settings(max_examples=80, deadline=None)
@given(
    arrays(np.bool_, (9, 11), elements=st.booleans()),
    st.tuples(*[st.integers(0, 8)] * 2),
    st.tuples(*[st.integers(1, 6)] * 2),
)
def test_connected_cells_are_counted_as_a_walk_along_the_line_says(mask, place, size):
    labels, n_cells = ndimage.label(mask, np.ones((3, 3)))
    (top, left), (height, width) = place, size
    frame = CountingFrame(top, left, top + height, left + width)
    expected = []
    for number in range(1, n_cells + 1):
        pixels = np.argwhere(labels == number)
        is_in = any(
            top <= row < frame.bottom and left <= column < frame.right
            for row, column in pixels.tolist()
        )
        if is_in and not crosses(pixels, frame):
            expected.append(number)
    assert in_frame(labels, frame).tolist() == expected


def test_each_side_counts_or_forbids():
    labels = paint(
        *[(20, 45, 4), (30, 60, 4), (30, 30, 4), (40, 45, 4), (30, 45, 4)],
        *[(10, 30, 4), (50, 60, 4), (20, 60, 4), (5, 75, 4)],
    )
    # Top, right, left, bottom, inside; left side above, right side below, the corner
    # between top and right, and outside.
    frame = CountingFrame(top=20, left=30, bottom=40, right=60)
    assert in_frame(labels, frame).tolist() == [1, 2, 5, 8]


def test_the_extensions_forbid_as_the_sides_do():
    labels = np.zeros((12, 12), int)
    labels[0, 2:8] = labels[0:6, 7] = 1  # down from the left side's extension
    labels[6:11, 7] = labels[10, 7:11] = 2  # out by the bottom
    labels[5, 4:11] = labels[5:12, 10] = labels[11, 6:11] = 3  # around, and back below
    frame = CountingFrame(top=4, left=4, bottom=9, right=9)
    assert in_frame(labels, frame).tolist() == []


def test_edges_between_pixels_are_meant_exactly():
    labels = np.arange(1, 26).reshape(5, 5)
    assert in_frame(labels, CountingFrame(0.5, 0.5, 2.5, 2.5)).tolist() == [
        *(7, 8, 12, 13)
    ]
    assert in_frame(labels, CountingFrame(1, 1, 3, 3)).tolist() == [7, 8, 12, 13]
    assert CountingFrame(0.5, 1, 2.5, 4).area_px == 6


def test_a_frame_beyond_the_image_counts_what_the_image_shows():
    labels = np.arange(1, 26).reshape(5, 5)
    assert len(in_frame(labels, CountingFrame(-10, -10, 99, 99))) == 25
    assert in_frame(labels, CountingFrame(50, 50, 60, 60)).tolist() == []


def test_cells_of_a_stack_are_seen_from_above():
    labels = np.zeros((3, 9, 9), np.uint16)
    labels[0, 4, 4] = labels[1, 4, 2:5] = 300
    labels[2, 4, 5] = 7
    frame = CountingFrame(top=3, left=3, bottom=7, right=7)
    assert in_frame(labels, frame).tolist() == [7]


@pytest.mark.parametrize("sides", [(5, 0, 5, 9), (0, 9, 5, 0), (0, 0, np.nan, 9)])
def test_a_frame_without_area_is_refused(sides):
    message = (
        "A counting frame needs top < bottom and left < right, got "
        f"{sides[0]:g}, {sides[1]:g}, {sides[2]:g} and {sides[3]:g}."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CountingFrame(*sides)

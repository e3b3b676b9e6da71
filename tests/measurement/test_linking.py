"""Cells that lie above each other are one cell."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.scenes import paint

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import link_planes, measure

stacks = arrays(np.int64, (4, 5, 6), elements=st.integers(0, 3))


def strip(*lines):
    """Return planes of one row each."""
    return np.array([[list(map(int, line))] for line in lines])


def test_a_cell_through_three_planes_is_counted_once():
    cell = paint((30, 45, 9))
    other = paint((10, 10, 5))
    stack = np.stack([cell + 2 * other, cell * 5, cell * 3, other])
    linked = link_planes(stack)
    assert linked.dtype == np.int32
    assert np.unique(linked[0]).tolist() == [0, 1, 2]
    table = measure(linked)
    # The small one comes first; it is missing on two planes.
    assert table["label"].tolist() == [1, 2, 3]
    assert table["planes"].tolist() == [1, 3, 1]
    assert ((linked == 2) == np.stack([cell, cell, cell, cell * 0])).all()


@pytest.mark.parametrize(
    ("planes", "expected"),
    [
        (("1122", "3333"), ("1122", "1111")),  # equal shares: the first
        (("1112", "3333"), ("1112", "1111")),
        (("1222", "3333"), ("1222", "2222")),
        (("3333", "1222"), ("1111", "2111")),  # one that falls apart goes on in one
        (("110", "000", "110"), ("110", "000", "220")),  # a gap
        (("1100", "0110"), ("1100", "0110")),  # half of the smaller one
        (("11100", "00111"), ("11100", "00222")),  # a third
        (("1111", "0010", "1111"), ("1111", "0010", "1111")),  # thin in the middle
        (("000", "220", "220"), ("000", "110", "110")),
        (("12", "21"), ("12", "12")),  # equal numbers mean nothing
    ],
)
def test_cells_are_linked_as_worked_out_by_hand(planes, expected):
    assert (link_planes(strip(*planes)) == strip(*expected)).all()


def test_most_shared_pixels_decide_not_the_largest_part():
    # The lower small cell lies within the upper one, but the large one shares more.
    linked = link_planes(strip("111111110", "022333333"))
    assert (linked == strip("111111110", "022111111")).all()


def test_the_least_overlap_counts_too():
    stack = strip("11110", "00222")
    assert link_planes(stack, min_overlap=2 / 3).max() == 1
    assert link_planes(stack, min_overlap=0.67).max() == 2
    assert link_planes(strip("1110", "0011"), min_overlap=0.5).max() == 1
    assert link_planes(strip("1110", "0011"), min_overlap=0.51).max() == 2


def test_only_the_last_leading_axis_is_linked():
    cell = paint((30, 45, 9))
    stack = np.stack([cell] * 6)
    assert link_planes(stack).max() == 1
    times = link_planes(stack.reshape(2, 3, *cell.shape))
    assert [np.unique(time).tolist() for time in times] == [[0, 1], [0, 2]]


def test_one_plane_is_only_numbered():
    plane = np.array([[0, 9, 9], [4, 9, 0]], np.uint16)
    assert link_planes(plane).tolist() == [[0, 1, 1], [2, 1, 0]]


@pytest.mark.parametrize("shape", [(0, 4, 4), (3, 0, 4), (3, 4, 4)])
def test_without_cells_nothing_is_linked(shape):
    linked = link_planes(np.zeros(shape, int))
    assert linked.shape == shape
    assert not linked.any()


def link_slowly(stack, min_overlap):
    """Go over all pairs of cells, most shared pixels first."""
    total, above, linked = 0, {}, np.zeros(stack.shape, int)
    for place, plane in enumerate(stack):
        masks = {n: plane == n for n in dict.fromkeys(plane.ravel().tolist()) if n}
        pairs = []
        for rank, (number, mask) in enumerate(masks.items()):
            for order, (one, other) in enumerate(above.items()):
                shared = int((mask & other).sum())
                part = shared / min(mask.sum(), other.sum())
                if shared and part >= min_overlap:
                    pairs.append((-shared, -part, order, rank, one, number))
        given_to = {}
        for *_, one, number in sorted(pairs):
            if number not in given_to and one not in given_to.values():
                given_to[number] = one
        above_next = {}
        for number, mask in masks.items():
            if number not in given_to:
                total += 1
                given_to[number] = total
            linked[place][mask] = given_to[number]
            above_next[given_to[number]] = mask
        above = above_next
    return linked


@settings(max_examples=100, deadline=None)
@given(stacks, st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_links_are_those_of_a_slow_loop(stack, min_overlap):
    linked = link_planes(stack, min_overlap=min_overlap)
    expected = link_slowly(stack, min_overlap)
    # A pair that ties in all is decided by which cell begins first.
    assert (linked == expected).all()


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_linking_again_changes_nothing_and_no_plane_has_fewer_cells(stack):
    linked = link_planes(stack)
    assert ((linked > 0) == (stack > 0)).all()
    for before, after in zip(stack, linked, strict=True):
        pairs = {tuple(pair) for pair in zip(before.flat, after.flat, strict=True)}
        assert len(pairs) == len(np.unique(before)) == len(np.unique(after))
    numbers = list(dict.fromkeys(linked[linked > 0].tolist()))
    assert numbers == list(range(1, len(numbers) + 1))
    assert (link_planes(linked) == linked).all()


@pytest.mark.parametrize(
    ("labels", "min_overlap", "message"),
    [
        (
            np.zeros((2, 3, 4)),
            0.5,
            "`labels` must hold whole numbers, got float64: convert them to int32.",
        ),
        (
            np.zeros((2, 3, 4), int),
            1.5,
            "`min_overlap` must be above 0 and at most 1, got 1.5.",
        ),
        (
            np.zeros((2, 3, 4), int),
            0,
            "`min_overlap` must be above 0 and at most 1, got 0.",
        ),
        (
            np.zeros((2, 3, 4), int),
            np.nan,
            "`min_overlap` must be above 0 and at most 1, got nan.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(labels, min_overlap, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        link_planes(labels, min_overlap=min_overlap)

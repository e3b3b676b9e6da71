"""Cells cut at a line."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import disk
from skimage.measure import label as connect
from tests.correction.checks import LABELS, apply, cells_of

from napari_cresunet.correction import split_at_line, trim
from napari_cresunet.errors import InputError

NO_CUT = (
    "The line cuts no cell in two: draw it from outside of the cell across to the "
    "other side."
)
COORDINATE = st.floats(-3, 11, width=32)


def refused(message=NO_CUT):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def n_pieces(mask):
    return connect(mask, connectivity=2).max()


def draw_paths(labels, data):
    plane = [data.draw(st.integers(0, size - 1)) for size in labels.shape[:-2]]
    ends = data.draw(
        st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=4)
    )
    return [[*plane, *end] for end in ends]


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data())
def test_splitting_conserves_every_cell_and_makes_no_piece_without_a_cut(labels, data):
    path = draw_paths(labels, data)
    try:
        new = apply(labels, lambda image: split_at_line(image, path))
    except InputError as error:
        assert str(error) == NO_CUT  # noqa: PT017
        return
    np.testing.assert_array_equal(new > 0, labels > 0)
    plane = tuple(path[0][:-2])
    for cell in cells_of(labels):
        parts = cells_of(new[labels == cell])
        if len(parts) == 1:
            continue
        # The largest keeps the label among what was one piece, and each is in one.
        assert cell in parts
        was, now = labels[plane] == cell, new[plane]
        pieces = connect(was, connectivity=2)
        for part in set(parts) - {cell}:
            assert n_pieces(now == part) == 1
            (piece,) = np.unique(pieces[now == part])
            n_kept = np.count_nonzero((pieces == piece) & (now == cell))
            assert n_kept >= np.count_nonzero(now == part)
        assert n_pieces(now == cell) == pieces.max()


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data())
def test_trimming_leaves_what_a_split_leaves(labels, data):
    # No cell is so large here that crumbs would be told apart.
    path = draw_paths(labels, data)
    try:
        new = apply(labels, lambda image: trim(image, path))
    except InputError as error:
        assert str(error) == NO_CUT  # noqa: PT017
        return
    split = split_at_line(labels, path).applied_to(labels)
    np.testing.assert_array_equal(new, np.where(split == labels, labels, 0))


@settings(deadline=None, max_examples=50)
@given(
    angle=st.floats(0, 2 * np.pi),
    shift=st.floats(-6, 6),
    radius=st.floats(10, 20),
)
def test_a_straight_cut_parts_the_pixels_on_its_two_sides(angle, shift, radius):
    labels = np.zeros((50, 52), np.int32)
    labels[disk((25, 26), radius)] = 7
    normal = np.array([np.sin(angle), np.cos(angle)])
    along = np.array([-normal[1], normal[0]])
    middle = np.array([25, 26]) + shift * normal
    path = [middle - 40 * along, middle + 40 * along]
    new = apply(labels, lambda image: split_at_line(image, path))
    side = (np.argwhere(labels) - middle) @ normal
    values = new[labels > 0]
    assert cells_of(new) == [7, 8]
    for is_side in (side > 1.5, side < -1.5):
        assert len(np.unique(values[is_side])) == 1
    assert np.count_nonzero(values == 7) >= np.count_nonzero(values == 8)


def test_each_cell_on_the_way_is_cut():
    labels = np.zeros((7, 20), np.uint8)
    labels[1:6, 1:6] = 3
    labels[1:6, 6:12] = 9
    labels[2:5, 13:18] = 1
    edit = split_at_line(labels, [[3, -1], [3, 12.4]])
    assert (edit.kind, edit.before, edit.after) == ("split", (3, 9), (3, 9, 10, 11))
    new = edit.applied_to(labels)
    assert new[[1, 5], 3].tolist() == [3, 10] or new[[1, 5], 3].tolist() == [10, 3]
    assert (new[labels == 1] == 1).all()
    areas = {cell: np.count_nonzero(new == cell) for cell in cells_of(new)}
    assert areas == {1: 15, 3: 15, 9: 18, 10: 10, 11: 12}


def test_a_cell_can_be_cut_into_three():
    labels = np.full((4, 12), 2)
    edit = split_at_line(labels, [[-1, 3], [5, 3], [5, 8], [-1, 8]])
    columns = edit.applied_to(labels)[0].tolist()
    # Pixels under a line go to the larger side, the middle.
    assert columns in ([*[3] * 3, *[2] * 6, *[4] * 3], [*[4] * 3, *[2] * 6, *[3] * 3])
    assert edit.after == (2, 3, 4)


@pytest.mark.parametrize(
    "path",
    [
        [[-1, 10], [8, 10]],  # ends inside
        [[10, 3], [10, 16]],  # all inside
        [[10, 10]],
        [[-5, -5], [-9, 30]],  # beside
        [[40, 40], [50, 50]],  # outside of the image
        [[2, -5], [2, 30]],  # along the edge
    ],
    ids=["ends", "inside", "point", "beside", "outside", "edge"],
)
@pytest.mark.parametrize("edit", [split_at_line, trim])
def test_a_line_that_cuts_nothing_is_refused(edit, path):
    labels = np.zeros((20, 20), np.int32)
    labels[2:18, 2:18] = 1
    with refused():
        edit(labels, path)


def test_a_cell_with_a_hole_is_cut_only_right_across():
    labels = np.zeros((15, 15), np.int32)
    labels[2:13, 2:13] = 1
    labels[5:10, 5:10] = 0
    with refused():
        split_at_line(labels, [[7, -1], [7, 7]])
    assert split_at_line(labels, [[7, -1], [7, 16]]).after == (1, 2)


def test_a_cell_one_pixel_wide_is_cut_and_its_last_pixel_can_be_cut_off():
    labels = np.eye(6, dtype=np.int16)
    new = apply(labels, lambda image: split_at_line(image, [[5, 3], [3, 5]]))
    assert np.diag(new).tolist() == [1, 1, 1, 1, 1, 2]
    assert np.diag(trim(labels, [[5, 3], [3, 5]]).applied_to(labels)).sum() == 5


def test_a_line_over_all_of_a_cell_cuts_nothing():
    with refused():
        split_at_line(np.array([[0, 1, 1, 0]]), [[0, -1], [0, 5]])


def test_pieces_that_the_line_misses_keep_their_label():
    labels = np.array([[1, 0, 1, 1, 1, 1, 0, 1, 1]] * 3)
    new = split_at_line(labels, [[-1, 4], [4, 4]]).applied_to(labels)
    assert new.tolist() == [[1, 0, 1, 1, 1, 2, 0, 1, 1]] * 3


def test_a_corner_that_the_line_grazes_is_no_cell_but_can_be_trimmed():
    labels = np.zeros((30, 30), np.int32)
    labels[5:25, 5:25] = 1
    graze = [[4, 9], [9, 4]]  # below it are five pixels of 400, and more under it
    small = [[4, 8], [8, 4]]
    new = trim(labels, graze).applied_to(labels)
    assert 380 < new.sum() < 397
    for path in (small, [[4, 7], [7, 4]]):
        with refused():
            split_at_line(labels, path)
    assert split_at_line(labels, [[4, 11], [11, 4]]).after == (1, 2)


def test_a_cut_acts_in_its_plane_and_the_label_is_new_in_all():
    labels = np.zeros((2, 2, 5, 7), np.int32)
    labels[:, 1, 1:4, 1:6] = 4
    labels[1, 0, 0, 0] = 9
    new = apply(
        labels, lambda image: split_at_line(image, [[1, 1, -1, 3], [1, 1, 5, 3]])
    )
    assert cells_of(new[1, 1]) == [4, 10]
    np.testing.assert_array_equal(new[0], labels[0])
    np.testing.assert_array_equal(new[1, 0], labels[1, 0])
    trimmed = trim(labels, [[0, 1, -1, 4], [0, 1, 5, 4]]).applied_to(labels)
    assert trimmed[0, 1].astype(bool).sum() in (9, 12)
    np.testing.assert_array_equal(trimmed[1], labels[1])


def test_trim_tells_what_was_cut():
    labels = np.array([[0, 6, 6, 6, 6, 6, 0]] * 3, np.uint16)
    edit = trim(labels, [[-1, 4.4], [4, 4.4]])
    assert edit.applied_to(labels)[1].tolist() == [0, 6, 6, 6, 6, 0, 0]
    assert (edit.kind, edit.before, edit.after) == ("trim", (6,), (6,))


def test_a_line_without_a_free_label_is_refused():
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    labels = np.repeat(labels, 4, axis=1)
    with refused(
        "No label is free for a new cell, uint8 ends at 255: convert the labels to "
        "int32."
    ):
        split_at_line(labels, [[-1, 6], [0.4, 6]])

"""Cells joined, deleted and numbered anew."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.correction.checks import LABELS, apply, cells_of

from napari_cresunet.correction import delete, merge, relabel
from napari_cresunet.correction._patches import free_labels
from napari_cresunet.errors import InputError


def refused(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def share_a_side(labels, one, other):
    for axis in (-1, -2):
        here, there = (
            np.moveaxis(labels, axis, 0)[1:],
            np.moveaxis(labels, axis, 0)[:-1],
        )
        pairs = set(zip(here.ravel().tolist(), there.ravel().tolist(), strict=True))
        if {(one, other), (other, one)} & pairs:
            return True
    return False


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data())
def test_merged_cells_are_all_their_pixels_and_narrow_background_between(labels, data):
    cells = cells_of(labels)
    assume(len(cells) > 1)
    chosen = data.draw(st.lists(st.sampled_from(cells), min_size=2, unique=True))
    new = apply(labels, lambda image: merge(image, chosen))
    merged = new == min(chosen)
    was = np.isin(labels, chosen)
    assert merged[was].all()
    assert (labels[merged & ~was] == 0).all()
    others = ~was & (labels > 0)
    np.testing.assert_array_equal(new[others], labels[others])
    if len(chosen) == 2 and share_a_side(labels, *chosen):
        np.testing.assert_array_equal(merged, was)
    # No pixel is added but next to two of the cells.
    for place in np.argwhere(merged & ~was):
        plane, (row, column) = tuple(place[:-2]), place[-2:]
        near = labels[plane][max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4]
        assert len(set(near.ravel().tolist()) & set(chosen)) > 1


@pytest.mark.parametrize(("gap", "is_closed"), [(1, True), (2, True), (3, False)])
@pytest.mark.parametrize("turn", [False, True])
def test_a_gap_of_up_to_two_pixels_is_closed(gap, is_closed, turn):
    labels = np.zeros((12, 20), np.int32)
    labels[3:9, 3:8] = 2
    labels[3:9, 8 + gap : 14 + gap] = 5
    expected = np.where(labels > 0, 2, 0)
    if is_closed:
        expected[3:9, 8 : 8 + gap] = 2
    if turn:
        labels, expected = labels.T, expected.T
    new = merge(labels, [5, 2]).applied_to(labels)
    np.testing.assert_array_equal(new, expected)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_slanting_gap_is_closed_without_a_hole(width):
    rows, columns = np.indices((20, 20))
    side = rows + columns - 19
    labels = np.where(side < 0, 1, np.where(side >= width, 2, 0)).astype(np.int32)
    new = merge(labels, [1, 2]).applied_to(labels)
    assert (new[:, 2:-2] == 1).all()  # the line ends in the corners


def test_the_line_of_a_watershed_is_closed_even_where_cells_touch_at_a_corner():
    labels = np.array(
        [
            [1, 1, 0, 2],
            [1, 0, 2, 2],
            [0, 2, 2, 2],
        ]
    )
    assert (merge(labels, [1, 2]).applied_to(labels) == 1).all()


def test_other_cells_between_stay_and_no_gap_is_closed_across_planes():
    labels = np.array([[[1, 0, 2], [1, 3, 2]], [[2, 0, 0], [0, 0, 0]]])
    new = apply(labels, lambda image: merge(image, [2, 1]))
    assert new.tolist() == [[[1, 1, 1], [1, 3, 1]], [[1, 0, 0], [0, 0, 0]]]


def test_cells_far_apart_are_merged_as_they_are():
    labels = np.array([[3, 0, 0, 0, 0, 8]], np.uint8)
    edit = merge(labels, [8, 3])
    assert edit.applied_to(labels).tolist() == [[3, 0, 0, 0, 0, 3]]
    assert (edit.kind, edit.before, edit.after) == ("merge", (3, 8), (3,))


@pytest.mark.parametrize("cells", [[], [3], [3, 3]])
def test_merging_takes_two_cells(cells):
    with refused("Only cells, at least two, can be merged: choose another one."):
        merge(np.array([[3, 8]]), cells)


@pytest.mark.parametrize("cell", [0, -2, 7, 300, 2**40])
@pytest.mark.parametrize("edit", [merge, delete])
def test_a_cell_that_does_not_exist_is_named(edit, cell):
    labels = np.array([[3, 8]], np.uint8)
    with refused(f"There is no cell {cell}: choose one that is in the image."):
        edit(labels, [3, cell])


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data())
def test_deleted_cells_are_background_in_all_planes(labels, data):
    cells = cells_of(labels)
    assume(cells)
    chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1))
    new = apply(labels, lambda image: delete(image, chosen))
    np.testing.assert_array_equal(new, np.where(np.isin(labels, chosen), 0, labels))


def test_many_cells_can_be_deleted_at_once():
    labels = np.arange(20).reshape(4, 5)
    edit = delete(labels, np.arange(1, 19))
    assert edit.applied_to(labels).sum() == 19
    assert (edit.kind, edit.before, edit.after) == ("delete", tuple(range(1, 19)), ())


def test_deleting_nothing_is_refused():
    with refused("There is no cell to delete: choose one."):
        delete(np.array([[3, 8]]), [])


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, factor=st.sampled_from([1, 3, 25]))
def test_cells_are_numbered_in_the_order_of_their_first_pixel(labels, factor):
    labels = labels * labels.dtype.type(factor)
    new = apply(labels, relabel)
    numbers = {0: 0}
    for label in labels.ravel().tolist():
        numbers.setdefault(label, len(numbers))
    expected = [numbers[label] for label in labels.ravel().tolist()]
    assert new.ravel().tolist() == expected


def test_labels_beyond_int32_can_be_numbered_anew():
    labels = np.array([[2**63 + 5, 0, 7]], np.uint64)
    edit = relabel(labels)
    assert edit.applied_to(labels).tolist() == [[1, 0, 2]]
    assert (edit.before, edit.after) == ((7, 2**63 + 5), (1, 2))


def test_cells_that_are_numbered_already_stay_as_they_are():
    edit = relabel(np.array([[0, 1, 2, 1]]))
    assert edit.is_empty
    assert (edit.kind, edit.before, edit.after) == ("relabel", (1, 2), (1, 2))


def test_new_cells_get_the_labels_after_the_highest():
    assert free_labels(np.array([[3, 9]], np.int16), 3) == [10, 11, 12]
    assert free_labels(np.zeros((0, 2), np.int16), 1) == [1]


@pytest.mark.parametrize(
    ("dtype", "last"), [(np.uint8, 255), (np.int32, 2**31 - 1), (np.int64, 2**31 - 1)]
)
def test_where_no_label_is_higher_the_lowest_free_ones_are_taken(dtype, last):
    labels = np.array([[1, 3, last]], dtype)
    assert free_labels(labels, 3) == [2, 4, 5]


def test_a_full_dtype_has_no_label_for_a_new_cell():
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    with refused(
        "No label is free for a new cell, uint8 ends at 255: convert the labels to "
        "int32."
    ):
        free_labels(labels, 1)
    labels = np.where(labels == 7, 0, labels)
    assert free_labels(labels, 1) == [7]
    with refused(
        "No label is free for a new cell, uint8 ends at 255: convert the labels to "
        "int32."
    ):
        free_labels(labels, 2)

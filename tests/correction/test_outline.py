"""Outlines drawn, filled and smoothed."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.draw import disk
from skimage.measure import label as connect
from tests.correction.checks import LABELS, apply, cells_of

from napari_cresunet.correction import add_outline, fill_holes, smooth
from napari_cresunet.errors import InputError

COORDINATE = st.floats(-3, 11, width=32)


def refused(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def planes_of(labels):
    return labels.reshape(-1, *labels.shape[-2:])


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data())
def test_a_triangle_adds_the_background_inside_of_it(labels, data):
    plane = [data.draw(st.integers(0, size - 1)) for size in labels.shape[:-2]]
    corners = np.array([data.draw(st.tuples(COORDINATE, COORDINATE)) for _ in "abc"])
    (r1, c1), (r2, c2), (r3, c3) = corners
    area = (c2 - c1) * (r3 - r1) - (c3 - c1) * (r2 - r1)
    if abs(area) < 0.5:
        return
    rows, columns = np.indices(labels.shape[-2:])
    depth = np.full(rows.shape, np.inf)
    for (r1, c1), (r2, c2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        cross = (c2 - c1) * (rows - r1) - (r2 - r1) * (columns - c1)
        depth = np.minimum(depth, np.sign(area) * cross / np.hypot(c2 - c1, r2 - r1))
    is_free = (
        planes_of(labels)[
            int(np.ravel_multi_index(plane, labels.shape[:-2])) if plane else 0
        ]
        == 0
    )
    if not (is_free & (depth > 1e-3)).any():
        return
    path = [[*plane, *corner] for corner in corners]
    new = apply(labels, lambda image: add_outline(image, path))
    added = np.zeros(labels.shape, bool)
    added[tuple(plane)] = is_free & (depth > 1e-3)
    assert (new[added] == labels.max() + 1).all()
    added[tuple(plane)] = is_free & (depth > -1e-3)
    np.testing.assert_array_equal(new[~added], labels[~added])


def test_a_drawn_cell_leaves_others_alone_and_may_reach_beyond_the_image():
    labels = np.zeros((6, 6), np.uint16)
    labels[2, 2] = 7
    edit = add_outline(labels, [[-9, -9], [-9, 3], [3, 3], [3, -9]])
    new = edit.applied_to(labels)
    assert (edit.kind, edit.before, edit.after) == ("add", (), (8,))
    assert new[2, 2] == 7
    assert np.count_nonzero(new == 8) == np.count_nonzero(new[:4, :4] == 8) >= 8


@pytest.mark.parametrize("count", [0, 1, 2])
def test_an_outline_of_fewer_than_three_points_is_refused(count):
    with refused(
        f"An outline has three points or more, got {count}: draw it around the cell."
    ):
        add_outline(np.zeros((5, 5), int), [[1, 1], [3, 3]][:count])


@pytest.mark.parametrize(
    "path",
    [
        [[1, 1], [1, 2], [2, 1]],
        [[9, 9], [9, 20], [20, 9]],
        [[3.3, 3.3], [3.3, 3.4], [3.4, 3.3]],
    ],
    ids=["cell", "outside", "tiny"],
)
def test_an_outline_without_background_inside_is_refused(path):
    labels = np.zeros((5, 5), np.int32)
    labels[:3, :3] = 4
    with refused(
        "The outline holds no background: draw it around pixels that belong to no cell."
    ):
        add_outline(labels, path)


def test_an_outline_through_planes_is_refused():
    with refused("The outline goes through several planes: draw it in one."):
        add_outline(np.zeros((2, 5, 5), int), [[0, 1, 1], [0, 1, 3], [1, 3, 1]])


def test_an_outline_in_a_plane_beyond_the_stack_is_refused():
    with refused(
        "The outline holds no background: draw it around pixels that belong to no cell."
    ):
        add_outline(np.zeros((2, 5, 5), int), [[2, 1, 1], [2, 1, 3], [2, 3, 1]])


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data())
def test_holes_are_background_from_which_no_way_leads_out_but_through_the_cell(
    labels, data
):
    cells = cells_of(labels)
    assume(cells)
    chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1, unique=True))
    new = apply(labels, lambda image: fill_holes(image, chosen))
    for plane, filled in zip(planes_of(labels), planes_of(new), strict=True):
        is_hole = np.zeros((len(chosen), *plane.shape), bool)
        for index, cell in enumerate(chosen):
            outside = ndimage.label(np.pad(plane != cell, 1, constant_values=True))[0]
            is_hole[index] = (outside[1:-1, 1:-1] > 1) & (plane == 0)
        np.testing.assert_array_equal(filled != plane, is_hole.any(axis=0))
        for place in np.argwhere(filled != plane):
            index = chosen.index(int(filled[tuple(place)]))
            assert is_hole[(index, *place)]


def test_a_cell_in_a_hole_stays_and_only_cells_with_holes_are_told():
    labels = np.zeros((7, 12), np.int32)
    labels[1:6, 1:6] = 3
    labels[2:5, 2:5] = 0
    labels[3, 3] = 9
    labels[2:5, 8:10] = 4
    edit = fill_holes(labels, [3, 4, 9])
    new = edit.applied_to(labels)
    assert (edit.kind, edit.before, edit.after) == ("fill holes", (3,), (3,))
    assert np.count_nonzero(new == 3) == 24
    assert new[3, 3] == 9


def test_a_bay_at_the_border_of_the_image_is_no_hole():
    edit = fill_holes(np.array([[1, 0, 1], [1, 1, 1]]), [1])
    assert edit.is_empty
    assert (edit.before, edit.after) == ((), ())


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data(), radius=st.integers(1, 4))
def test_smoothed_cells_neither_vanish_nor_fall_apart_nor_take_from_others(
    labels, data, radius
):
    cells = cells_of(labels)
    assume(cells)
    chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1, unique=True))
    new = apply(labels, lambda image: smooth(image, chosen, radius))
    for plane, smoothed in zip(planes_of(labels), planes_of(new), strict=True):
        for cell in cells:
            was, now = plane == cell, smoothed == cell
            if cell not in chosen:
                np.testing.assert_array_equal(was, now)
                continue
            assert now.any() == was.any()
            n_pieces = connect(now, connectivity=2).max()
            assert n_pieces <= connect(was, connectivity=2).max()
        taken = (smoothed != plane) & (smoothed > 0)
        # What a smoothed cell gave up is background, which another may take.
        assert set(plane[taken].tolist()) <= {0, *chosen}


def test_smoothing_takes_spurs_and_fills_bays_and_keeps_what_is_smooth():
    labels = np.zeros((50, 50), np.int32)
    labels[disk((25, 25), 15)] = 1
    smoothed = smooth(labels, [1]).applied_to(labels)
    rough = labels.copy()
    rough[25, 40:45] = 1  # a spur
    rough[24:26, 10:14] = 0  # a bay
    edit = smooth(rough, [1])
    new = edit.applied_to(rough)
    assert (edit.kind, edit.before, edit.after) == ("smooth", (1,), (1,))
    assert not new[25, 42:].any()
    assert np.count_nonzero(new != smoothed) <= 8
    assert np.count_nonzero(smoothed != labels) <= 16


def test_a_cell_at_the_border_of_the_image_is_smoothed_as_if_it_went_on():
    labels = np.zeros((20, 20), np.int32)
    labels[:, 5:15] = 1
    assert smooth(labels, [1], 3).is_empty


def test_a_thin_cell_loses_no_more_than_its_ends():
    labels = np.zeros((9, 20), np.int32)
    labels[4, 2:18] = 6
    new = smooth(labels, [6]).applied_to(labels)
    np.testing.assert_array_equal(np.argwhere(new), [[4, c] for c in range(3, 17)])


@pytest.mark.parametrize("cell", [[[5]], [[5, 5]], [[5, 0], [0, 5]]])
def test_a_cell_of_few_pixels_stays_as_it_is(cell):
    labels = np.pad(np.array(cell), 4)
    edit = smooth(labels, [5])
    assert edit.is_empty
    assert (edit.before, edit.after) == ((), ())


def test_a_thin_neck_is_smoothed_with_less_so_that_the_cell_stays_whole():
    labels = np.zeros((30, 60), np.int32)
    labels[disk((15, 14), 10)] = 1
    labels[disk((15, 44), 10)] = 1
    labels[14:17, 20:40] = 1
    new = smooth(labels, [1], 6).applied_to(labels)
    assert connect(new, connectivity=2).max() == 1


@pytest.mark.parametrize(
    ("radius", "message"),
    [
        (0, "`radius` must be between 1 and 50, got 0."),
        (51, "`radius` must be between 1 and 50, got 51."),
    ],
)
def test_a_radius_out_of_bounds_is_refused(radius, message):
    with refused(message):
        smooth(np.ones((5, 5), int), [1], radius)


@pytest.mark.parametrize("edit", [fill_holes, smooth])
def test_changing_no_cell_is_refused(edit):
    with refused("There is no cell to change: choose one."):
        edit(np.ones((5, 5), int), [])
    with refused("There is no cell 7: choose one that is in the image."):
        edit(np.ones((5, 5), int), [7])

"""Cells split from seeds, given or found."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from skimage.draw import disk, ellipse
from skimage.measure import label as connect
from tests.correction.checks import LABELS, apply, cells_of

from napari_cresunet.correction import split_at_seeds, split_in_two
from napari_cresunet.errors import InputError


def refused(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def two_disks(dtype=np.int32, right=9):
    """Two disks that touch along 16 rows, and a third cell beside."""
    labels = np.zeros((40, 60), dtype)
    labels[disk((20, 16), 12)] = 5
    labels[disk((20, 36), right)] = 5
    labels[2:5, 50:58] = 7
    return labels


@settings(deadline=None, max_examples=50)
@given(labels=LABELS, data=st.data(), is_mapped=st.booleans())
def test_each_part_holds_its_seed_and_all_pixels_are_kept(labels, data, is_mapped):
    places = np.argwhere(labels).tolist()
    assume(places)
    first = data.draw(st.sampled_from(places))
    cell = labels[tuple(first)]
    same = [
        place
        for place in np.argwhere(labels == cell).tolist()
        if place[:-2] == first[:-2] and place != first
    ]
    assume(same)
    seeds = [first, *data.draw(st.lists(st.sampled_from(same), min_size=1, max_size=3))]
    landscape = None
    if is_mapped:
        rng = np.random.default_rng(data.draw(st.integers(0, 99)))
        landscape = rng.random(labels.shape)
    new = apply(labels, lambda image: split_at_seeds(image, seeds, landscape))
    is_plane = np.zeros(labels.shape, bool)
    is_plane[tuple(first[:-2])] = True
    is_cell = is_plane & (labels == cell)
    np.testing.assert_array_equal(new[~is_cell], labels[~is_cell])
    distinct = {tuple(seed) for seed in seeds}
    parts = cells_of(new[is_cell])
    assert {int(new[seed]) for seed in distinct} == set(parts)
    assert len(parts) == len(distinct)
    areas = {part: np.count_nonzero(new[is_cell] == part) for part in parts}
    assert areas[int(cell)] == max(areas.values())
    if connect(is_cell, connectivity=2).max() == 1:
        for part in parts:
            assert connect((new == part) & is_plane, connectivity=2).max() == 1


@pytest.mark.parametrize(
    "seeds",
    [
        [[20, 16], [20, 36]],
        [[20, 8], [20, 30]],  # on the slopes, one close to the neck
        [[12, 12], [27, 39]],
        [[20.4, 16.4], [19.6, 35.6], [20, 16]],
    ],
    ids=["middle", "slopes", "rims", "twice"],
)
def test_seeds_in_two_disks_part_them_at_the_neck_wherever_they_are(seeds):
    labels = two_disks()
    edit = split_at_seeds(labels, seeds)
    new = edit.applied_to(labels)
    assert (edit.kind, edit.before, edit.after) == ("split", (5,), (5, 8))
    assert (new[:, :26][labels[:, :26] == 5] == 5).all()
    assert (new[:, 30:48][labels[:, 30:48] == 5] == 8).all()


def test_seeds_in_one_round_cell_part_it_in_the_middle_between_them():
    labels = np.zeros((41, 41), np.int32)
    labels[disk((20, 20), 15)] = 1
    new = split_at_seeds(labels, [[20, 20], [20, 30]]).applied_to(labels)
    _, columns = np.nonzero(new == 2)
    assert columns.min() in (25, 26)
    assert (new[:, 26:][labels[:, 26:] > 0] == 2).all()


def test_three_seeds_of_which_two_are_in_one_disk_make_three_parts():
    labels = two_disks()
    new = split_at_seeds(labels, [[14, 16], [26, 16], [20, 37]]).applied_to(labels)
    assert len({int(new[14, 16]), int(new[26, 16]), int(new[20, 37])}) == 3
    assert (new[10:19, 12:20] == new[14, 16]).all()
    assert (new[22:31, 12:20] == new[26, 16]).all()
    assert (new[20, 30:44] == new[20, 37]).all()


def test_a_landscape_parts_a_cell_that_its_outline_does_not():
    labels = np.zeros((20, 40), np.int32)
    labels[5:15, 5:35] = 1
    columns = np.arange(40.0)
    bright = np.exp(-(((columns - 9) / 4) ** 2)) + np.exp(-(((columns - 25) / 6) ** 2))
    landscape = np.tile(bright, (20, 1)).astype(np.float32)
    for new in (
        split_at_seeds(labels, [[10, 9], [10, 25]], landscape).applied_to(labels),
        split_in_two(labels, 1, landscape).applied_to(labels),
    ):
        assert (new[5:15, 5:14] == 2).all()
        assert (new[5:15, 17:35] == 1).all()


def test_a_landscape_may_have_holes():
    labels = two_disks()
    landscape = np.full(labels.shape, np.nan)
    assert len(cells_of(split_in_two(labels, 5, landscape).applied_to(labels))) == 3
    landscape[20, 16] = 1
    edit = split_at_seeds(labels, [[20, 16], [20, 36]], landscape)
    assert edit.after == (5, 8)


@pytest.mark.parametrize("right", [6, 9, 12])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_two_disks_that_touch_are_found_and_parted(right, dtype):
    labels = two_disks(dtype, right)
    new = apply(labels, lambda image: split_in_two(image, 5))
    np.testing.assert_array_equal(new > 0, labels > 0)
    assert (new[:, :26][labels[:, :26] == 5] == new[20, 16]).all()
    assert (new[:, 31:48][labels[:, 31:48] == 5] == new[20, 36]).all()
    assert {int(new[20, 16]), int(new[20, 36])} == {5, 8}


@pytest.mark.parametrize("rotation", [0, 0.4, 1.1])
def test_an_ellipse_looks_like_one_cell(rotation):
    labels = np.zeros((60, 60), np.int32)
    labels[ellipse(30, 30, 22, 11, rotation=rotation)] = 3
    with refused("It looks like one cell: cut it with a line."):
        split_in_two(labels, 3)
    # Even brightness tells nothing.
    with refused("It looks like one cell: cut it with a line."):
        split_in_two(labels, 3, np.ones(labels.shape))


@pytest.mark.parametrize(
    "labels", [np.ones((9, 12), int), np.array([[4]]), np.array([[0, 4], [4, 0]])]
)
def test_a_cell_without_background_or_of_few_pixels_looks_like_one(labels):
    with refused("It looks like one cell: cut it with a line."):
        split_in_two(labels, int(labels.max()))


def test_of_three_cells_in_a_row_the_deepest_neck_is_cut():
    labels = np.zeros((30, 80), np.int32)
    for column, radius in ((14, 10), (30, 10), (49, 10)):
        labels[disk((15, column), radius)] = 1
    new = split_in_two(labels, 1).applied_to(labels)
    assert new[15, 14] == new[15, 30] != new[15, 49]


def test_pieces_that_do_not_touch_are_two_cells():
    labels = np.zeros((20, 40), np.int32)
    labels[3:15, 3:17] = 2
    labels[5:12, 20:30] = 2
    new = split_in_two(labels, 2).applied_to(labels)
    assert (new[labels > 0] == np.where(np.argwhere(labels)[:, 1] < 18, 2, 3)).all()


def test_pieces_without_a_seed_go_to_the_nearest_part():
    labels = np.array([[1, 1, 0, 1, 1, 1, 0, 1]])
    new = split_at_seeds(labels, [[0, 0], [0, 4]]).applied_to(labels)
    assert new.tolist() == [[2, 2, 0, 1, 1, 1, 0, 1]]


def test_a_cell_in_several_planes_is_parted_in_one():
    labels = np.zeros((3, 40, 60), np.int32)
    labels[0, 18:23, 14:19] = 5
    labels[1] = two_disks()
    labels[2] = two_disks(right=8)
    np.testing.assert_array_equal(
        split_in_two(labels, 5).applied_to(labels)[1],
        split_in_two(labels[1], 5).applied_to(labels[1]),
    )
    new = apply(labels, lambda image: split_in_two(image, 5, plane=2))
    np.testing.assert_array_equal(new[:2], labels[:2])
    assert cells_of(new[2]) == [5, 7, 8]
    new = split_at_seeds(labels, [[2, 20, 16], [2, 20, 36]]).applied_to(labels)
    np.testing.assert_array_equal(new[:2], labels[:2])
    assert cells_of(new[2]) == [5, 7, 8]


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (
            [],
            "To split a cell takes two seeds or more: click once in each part of it.",
        ),
        (
            [[20, 16], [20.2, 15.8]],
            "To split a cell takes two seeds or more: click once in each part of it.",
        ),
        (
            [[20, 16], [20, 600]],
            "A seed is outside of the image: click inside of the cell.",
        ),
        ([[20, 16], [0, 0]], "A seed is on background: click inside of the cell."),
        (
            [[20, 16], [3, 52]],
            "The seeds are in 2 cells: click in one that is to be split.",
        ),
    ],
    ids=["none", "same", "outside", "background", "two cells"],
)
def test_seeds_that_split_nothing_are_refused(seeds, message):
    with refused(message):
        split_at_seeds(two_disks(), seeds)


def test_seeds_in_several_planes_are_refused():
    with refused("The seeds are in several planes: click in one."):
        split_at_seeds(np.ones((2, 3, 3), int), [[0, 0, 0], [1, 2, 2]])


def test_a_landscape_of_another_image_is_refused():
    labels = two_disks()
    with refused(
        "The map has the shape (40, 59) and the labels (40, 60): give the map of this "
        "image."
    ):
        split_at_seeds(labels, [[20, 16], [20, 36]], np.zeros((40, 59)))
    with refused(
        "The map holds complex128 and not numbers: give the probability or the "
        "brightness."
    ):
        split_in_two(labels, 5, np.zeros(labels.shape, complex))


@pytest.mark.parametrize("cell", [0, 6])
def test_only_a_cell_that_exists_can_be_split(cell):
    with refused(f"There is no cell {cell}: choose one that is in the image."):
        split_in_two(two_disks(), cell)

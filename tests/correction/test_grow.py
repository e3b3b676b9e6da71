"""Cells grown around a place."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.segmentation import watershed
from tests.correction.checks import apply, cells_of

from napari_cresunet.correction import grow
from napari_cresunet.errors import InputError

NOTHING = "Nothing stands out at this place: draw the outline of the cell instead."


def refused(message):
    return pytest.raises(InputError, match=f"^{re.escape(message)}$")


def soft_disk(shape=(90, 100), center=(45, 50), radius=12, width=1.5):
    rows, columns = np.indices(shape)
    distance = np.hypot(rows - center[0], columns - center[1])
    return 1 / (1 + np.exp((distance - radius) / width))


def smoothed(landscape):
    return ndimage.gaussian_filter(
        np.asarray(landscape, np.float64), 1, mode="nearest", truncate=4
    )


def mask_of(grown, labels, index=None):
    mask = np.zeros(labels.size, bool)
    mask[grown.pixels(index)] = True
    return mask.reshape(labels.shape)


def fall_across(heights, mask, is_free):
    """Return the mean difference over pairs of neighbors inside and outside."""
    falls = []
    for row, column in np.argwhere(mask):
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            there = (row + down, column + right)
            if not all(0 <= x < n for x, n in zip(there, mask.shape, strict=True)):
                continue
            if is_free[there] and not mask[there]:
                falls.append(heights[row, column] - heights[there])
    return float(np.mean(falls)) if falls else 0.0


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_cells_are_the_filled_parts_around_the_peak_at_each_level(seed, data):
    rng = np.random.default_rng(seed)
    shape = (data.draw(st.integers(8, 30)), data.draw(st.integers(8, 30)))
    landscape = ndimage.gaussian_filter(rng.random(shape), data.draw(st.floats(0.5, 3)))
    landscape = (landscape - landscape.min()) / np.ptp(landscape)
    labels = np.zeros(shape, np.uint8)
    place = tuple(rng.integers(shape).tolist())
    try:
        grown = grow(landscape, labels, place, min_size=3, max_size=300)
    except InputError as error:
        assert str(error) == NOTHING  # noqa: PT017
        return
    heights, is_free = smoothed(landscape), labels == 0
    assert (np.diff(grown.levels) < 0).all()
    assert (np.diff(grown.areas) > 0).all()
    assert grown.areas[0] >= 3
    assert grown.areas[-1] <= 300
    first = mask_of(grown, labels, 0)
    peak = np.unravel_index(np.argmax(np.where(first, heights, -1)), shape)
    for index, (level, area) in enumerate(zip(grown.levels, grown.areas, strict=True)):
        parts, _ = ndimage.label((heights >= level) & is_free)
        expected = ndimage.binary_fill_holes(parts == parts[peak]) & is_free
        mask = mask_of(grown, labels, index)
        np.testing.assert_array_equal(mask, expected)
        assert area == np.count_nonzero(mask)
        fall = fall_across(heights, mask, is_free)
        np.testing.assert_allclose(grown.falls[index], fall, atol=1e-9)
    scores = grown.falls * grown.areas**0.25
    assert scores[grown.best] == scores.max()
    new = apply(labels, lambda image: grow(landscape, image, place, min_size=3).edit())
    assert set(cells_of(new)) - set(cells_of(labels))


@pytest.mark.parametrize("place", [(45, 50), (52, 46), (36, 55), (45.4, 61.6)])
@pytest.mark.parametrize("factor", [0.3, 1])
def test_a_disk_is_found_from_anywhere_inside(place, factor):
    landscape = factor * soft_disk().astype(np.float32)
    labels = np.zeros(landscape.shape, np.int32)
    labels[0, 0] = 4
    grown = grow(landscape, labels, place)
    mask = mask_of(grown, labels)
    expected = landscape > factor / 2
    assert np.count_nonzero(mask != expected) < 0.1 * np.count_nonzero(expected)
    edit = grown.edit()
    assert (edit.kind, edit.before, edit.after) == ("add", (), (5,))
    assert grown.place == tuple(int(np.floor(x + 0.5)) for x in place)


def test_other_sizes_can_be_chosen():
    landscape = soft_disk()
    labels = np.zeros(landscape.shape, np.int32)
    grown = grow(landscape, labels, (45, 50), min_size=100, max_size=800)
    assert 100 <= grown.areas[0] < grown.areas[grown.best] < grown.areas[-1] <= 800
    for index, area in enumerate(grown.areas.tolist()):
        assert len(grown.edit(index).pixels) == len(grown.pixels(index)) == area
    with refused(f"There are {len(grown.levels)} sizes, from 0 on, got -1."):
        grown.pixels(-1)
    with refused(f"There are {len(grown.levels)} sizes, from 0 on, got 99."):
        grown.edit(99)


def test_a_neighbor_that_is_a_cell_already_keeps_its_pixels():
    landscape = np.maximum(soft_disk(center=(45, 40)), soft_disk(center=(45, 60)))
    labels = np.zeros(landscape.shape, np.int32)
    labels[(landscape > 0.5) & (np.indices(labels.shape)[1] >= 50)] = 2
    labels.setflags(write=False)
    mask = mask_of(grow(landscape, labels, (45, 40)), labels)
    expected = (landscape > 0.5) & (labels == 0)
    assert np.count_nonzero(mask != expected) < 0.1 * np.count_nonzero(expected)
    assert not (mask & (labels > 0)).any()


@pytest.mark.parametrize("seed", range(6))
def test_rims_of_other_cells_are_left_to_them_as_in_a_watershed(seed):
    rng = np.random.default_rng(seed)
    landscape, labels = 0.3 * soft_disk(radius=8), np.zeros((90, 100), np.int32)
    for number, turn in enumerate(rng.permutation(6)[:3] * np.pi / 3, 1):
        away = (45 + 24 * np.sin(turn), 50 + 24 * np.cos(turn))
        other = soft_disk(center=away, radius=rng.integers(6, 11))
        landscape = np.maximum(landscape, other)
        labels[other > 0.6] = number
    grown = grow(landscape, labels, (45, 50))
    heights = smoothed(landscape)
    # All cells flood from the same height.
    markers = labels + 9 * (np.arange(labels.size) == 45 * 100 + 50).reshape(90, 100)
    basin = watershed(np.where(labels, -2, -heights), markers) == 9
    for index in range(len(grown.levels)):
        mask = mask_of(grown, labels, index)
        assert np.count_nonzero(mask & ~basin) < 0.05 * np.count_nonzero(mask)
    found = mask_of(grown, labels)
    expected = (0.3 * soft_disk(radius=8) > 0.15) & basin
    assert np.count_nonzero(found != expected) < 0.25 * np.count_nonzero(expected)


@pytest.mark.parametrize("center", [(0, 50), (89, 99), (45, 0)])
def test_a_cell_at_the_border_of_the_image_is_found(center):
    landscape = soft_disk(center=center)
    labels = np.zeros(landscape.shape, np.int32)
    mask = mask_of(grow(landscape, labels, center), labels)
    expected = landscape > 0.5
    assert np.count_nonzero(mask != expected) < 0.12 * np.count_nonzero(expected)


def test_a_dim_middle_is_filled():
    landscape = soft_disk(radius=14) - 0.8 * soft_disk(radius=5)
    labels = np.zeros(landscape.shape, np.int32)
    mask = mask_of(grow(landscape, labels, (45, 60)), labels)
    assert mask[45, 50]
    np.testing.assert_array_equal(mask, ndimage.binary_fill_holes(mask))


def test_a_cell_far_from_the_corner_of_a_large_stack_is_found_in_its_plane():
    landscape = np.zeros((2, 3, 500, 600), np.float32)
    landscape[1, 2, 400:490, 450:550] = soft_disk()
    landscape[0] = 0.5
    labels = np.zeros(landscape.shape, np.int32)
    grown = grow(landscape, labels, (1, 2, 445, 500))
    planes, rows, columns = np.unravel_index(grown.pixels(), (6, 500, 600))
    assert set(planes.tolist()) == {5}
    assert (np.hypot(rows - 445, columns - 500) < 14).all()
    assert grown.place == (1, 2, 445, 500)


def test_what_reaches_beyond_the_surroundings_is_not_proposed():
    landscape = np.zeros((400, 400))
    landscape[198:203] = 0.5  # a filament through the whole image
    landscape[190:211, 190:211] = 1
    labels = np.zeros(landscape.shape, np.int32)
    grown = grow(landscape, labels, (200, 200))
    assert grown.levels.min() > 0.4
    assert 400 < grown.areas[grown.best] < 500


def test_what_is_not_finite_belongs_to_no_cell():
    landscape = soft_disk()
    landscape[45, 50:] = np.nan
    labels = np.zeros(landscape.shape, np.int32)
    mask = mask_of(grow(landscape, labels, (40, 50)), labels)
    assert not mask[45, 50:].any()
    assert mask[40, 50]


@pytest.mark.parametrize("landscape", [np.zeros((30, 40)), np.full((30, 40), np.nan)])
def test_where_the_map_is_flat_nothing_is_found(landscape):
    with refused(NOTHING):
        grow(landscape, np.zeros(landscape.shape, int), (9, 9))


@pytest.mark.parametrize(
    ("sizes", "place"),
    [
        ({"min_size": 9000}, (45, 50)),
        ({"max_size": 21}, (45, 50)),
        ({}, (2, 2)),
    ],
    ids=["too large", "too small", "background"],
)
def test_where_no_cell_has_the_size_nothing_is_found(sizes, place):
    landscape = (soft_disk() > 0.5).astype(np.float32)
    with refused(NOTHING):
        grow(landscape, np.zeros(landscape.shape, int), place, **sizes)


@pytest.mark.parametrize("place", [(-1, 4), (90, 4), (4, 1e9)])
def test_a_place_outside_of_the_image_is_refused(place):
    landscape = soft_disk()
    with refused("The place is outside of the image: click inside of it."):
        grow(landscape, np.zeros(landscape.shape, int), place)


def test_a_place_in_a_cell_is_refused():
    landscape = soft_disk()
    labels = np.zeros(landscape.shape, np.int32)
    labels[45, 50] = 8
    with refused("Cell 8 is at this place: click on background."):
        grow(landscape, labels, (45, 50))


def test_a_map_of_another_image_is_refused():
    with refused(
        "The map has the shape (90, 100) and the labels (9, 9): give the map of this "
        "image."
    ):
        grow(soft_disk(), np.zeros((9, 9), int), (4, 4))


def test_sizes_that_no_cell_can_have_are_refused():
    landscape = soft_disk()
    labels = np.zeros(landscape.shape, int)
    with refused("`min_size` must be at least 1, got 0."):
        grow(landscape, labels, (45, 50), min_size=0)
    with refused("`max_size` must be at least 50, got 40."):
        grow(landscape, labels, (45, 50), min_size=50, max_size=40)

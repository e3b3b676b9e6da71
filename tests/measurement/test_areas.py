"""Regions become pixels: half-open, so that regions side by side share none."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import (
    Region,
    overlapping_regions,
    region_mask,
    regions_beyond,
    regions_from_labels,
)

SHAPE = (23, 31)


def box(name, top, left, bottom, right, plane=None):
    corners = [[top, left], [top, right], [bottom, right], [bottom, left]]
    return Region(name=name, polygons=(np.array(corners, float),), plane=plane)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 9))
def test_a_polygon_has_the_pixels_that_scikit_image_gives_it(seed, n_corners):
    # Corners at random places have no center of a pixel on their sides; they may cross
    # each other and lie outside.
    rng = np.random.default_rng(seed)
    points = rng.uniform(-8, 36, (n_corners, 2))
    found = region_mask(Region(name="a", polygons=(points,)), SHAPE)
    assert (found == polygon2mask(SHAPE, points)).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-3, 25), st.integers(-3, 33)),
        min_size=2,
        max_size=6,
        unique=True,
    )
)
def test_regions_on_either_side_of_a_line_have_every_pixel_once(line):
    # The line goes from the top to the bottom, by corners on centers of pixels.
    line = np.array([(-5, 10), *sorted(line), (30, 12)], float)
    left = np.vstack([line, [(30, -9), (-5, -9)]])
    right = np.vstack([line[::-1], [(-5, 40), (30, 40)]])
    masks = [
        region_mask(Region(name="", polygons=(polygon,)), SHAPE).astype(int)
        for polygon in (left, right)
    ]
    assert (sum(masks) == 1).all()


def test_the_upper_and_left_side_belong_to_a_box_of_whole_numbers():
    mask = region_mask(box("a", 2, 3, 5, 7), SHAPE)
    assert np.argwhere(mask).min(axis=0).tolist() == [2, 3]
    assert np.argwhere(mask).max(axis=0).tolist() == [4, 6]
    assert mask.sum() == 3 * 4


def test_several_outlines_are_one_region_and_may_overlap():
    parts = [box("", 1, 1, 4, 4), box("", 3, 3, 6, 6), box("", 15, 20, 99, 99)]
    region = Region(name="a", polygons=tuple(part.polygons[0] for part in parts))
    expected = np.any([region_mask(part, SHAPE) for part in parts], axis=0)
    assert (region_mask(region, SHAPE) == expected).all()
    assert expected.sum() == 9 + 9 - 1 + 8 * 11


def test_leading_axes_do_not_count():
    region = box("a", 2, 3, 5, 7)
    assert (region_mask(region, (4, 2, *SHAPE)) == region_mask(region, SHAPE)).all()


@pytest.mark.parametrize(
    "polygons",
    [
        (),
        (np.empty((0, 2)),),
        (np.array([[3.0, 3.0]]),),
        (np.array([[3.0, 3.0], [3.0, 9.0]]),),
        box("", 50, 50, 60, 60).polygons,
        box("", -9, -9, -2, -2).polygons,
        box("", 5, -9, 9, -2).polygons,
    ],
)
def test_what_has_no_area_in_the_image_has_no_pixels(polygons):
    assert not region_mask(Region(name="a", polygons=polygons), SHAPE).any()


def test_overlaps_are_pairs_in_the_order_of_the_regions():
    regions = [
        box("a", 0, 0, 10, 10),
        box("b", 10, 0, 20, 10),
        box("c", 8, 8, 12, 12),
        box("d", 0, 10, 10, 20),
        box("far", 50, 50, 60, 60),
        box("far, too", 50, 50, 60, 60),
    ]
    pairs = overlapping_regions(regions, SHAPE)
    assert pairs == [("a", "c"), ("b", "c"), ("c", "d")]


def test_boxes_that_overlap_do_not_make_regions_overlap():
    lower = np.array([[0, 0], [20, 20], [20, 0]], float)
    upper = np.array([[0, 0], [0, 20], [20, 20]], float)
    regions = [Region(name=str(i), polygons=(p,)) for i, p in enumerate((lower, upper))]
    assert overlapping_regions(regions, SHAPE) == []


def test_regions_of_different_planes_do_not_overlap():
    planes = [box("first", 0, 0, 9, 9, 0), box("second", 0, 0, 9, 9, 1)]
    assert overlapping_regions(planes, SHAPE) == []
    pairs = overlapping_regions([*planes, box("all", 0, 0, 9, 9)], SHAPE)
    assert pairs == [("first", "all"), ("second", "all")]


def test_what_reaches_beyond_the_image_is_named():
    height, width = SHAPE
    regions = [
        box("whole", -0.5, -0.5, height - 0.5, width - 0.5),
        box("above", -0.6, 3, 9, 9),
        box("right", 3, 3, 9, width),
        Region(name="mask", mask=np.ones(SHAPE, bool)),
    ]
    assert regions_beyond(regions, SHAPE) == ["above", "right"]


def test_labels_become_regions_by_their_numbers():
    labels = np.array([[0, 7, 7], [2, 0, 7]])
    regions = regions_from_labels(labels)
    assert [region.name for region in regions] == ["region 2", "region 7"]
    for region, number in zip(regions, (2, 7), strict=True):
        assert (region_mask(region, labels.shape) == (labels == number)).all()


@pytest.mark.parametrize("names", [["CA1", "DG"], {7: "DG", 2: "CA1", 5: "CA3"}])
def test_regions_of_labels_may_have_names(names):
    regions = regions_from_labels([[0, 7, 7], [2, 0, 7]], names)
    assert [region.name for region in regions] == ["CA1", "DG"]


@pytest.mark.parametrize("names", [["CA1"], {2: "CA1"}, ["CA1", ""]])
def test_what_has_no_name_gets_its_number(names):
    regions = regions_from_labels([[0, 7, 7], [2, 0, 7]], names)
    assert [region.name for region in regions] == ["CA1", "region 7"]


def test_labels_without_a_region_are_none():
    assert regions_from_labels(np.zeros((3, 4), int)) == []


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        (np.zeros((3, 4)), "float64 of shape (3, 4)"),
        (np.zeros((2, 3, 4), np.uint8), "uint8 of shape (2, 3, 4)"),
        (np.full((3, 4), -1, np.int32), "int32 of shape (3, 4)"),
    ],
)
def test_what_are_no_labels_are_no_regions(labels, got):
    message = f"Regions must be one plane (Y, X) of whole numbers from 0, got {got}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        regions_from_labels(labels)

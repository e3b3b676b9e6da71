import re

import numpy as np
import pytest
from tests.export.evaluations import SHAPE, evaluated, first, second, squares

from napari_cresunet.errors import InputError
from napari_cresunet.export import KIND_COLORS, case_crops, case_overlay


def color(kind):
    return tuple(bytes.fromhex(KIND_COLORS[kind][1:]))


def places(picture, kind):
    return np.argwhere((picture == color(kind)).all(axis=-1))


def test_each_cell_has_an_outline_in_the_color_of_its_kind():
    picture = case_overlay(first())
    assert picture.shape == (*SHAPE, 3)
    assert picture.dtype == np.uint8
    for corner in ((40, 10), (40, 17), (47, 10), (47, 17)):
        assert tuple(picture[corner]) == color("false positive")
    assert len(places(picture, "false positive")) == 4 * 7  # solid, one px wide
    assert tuple(picture[43, 13]) == (0, 0, 0)  # the image has nothing there


def test_true_cells_are_dashed():
    missed = places(case_overlay(first()), "missed")
    assert 14 <= len(missed) <= 42  # of 28 for each of the two
    assert {tuple(place) for place in missed} < {
        (row, column)
        for row in (*range(10, 18), *range(40, 48))
        for column in range(60, 68)
    }


def test_the_image_is_gray_between_its_darkest_and_brightest():
    picture = case_overlay(first())
    assert tuple(picture[0, 0]) == (0, 0, 0)
    assert tuple(picture[13, 63]) == (255, 255, 255)


def test_colors_count_by_the_brightest_channel():
    gray = first()
    rgb = np.zeros((*SHAPE, 3), np.uint16)
    rgb[..., 1] = gray.image
    colored = evaluated(
        "rgb",
        squares((10, 10), (40, 10)),
        squares((10, 11), (10, 60), (40, 60)),
        image=rgb,
    )
    assert np.array_equal(case_overlay(colored), case_overlay(gray))


def test_points_are_rings_around_their_place():
    picture = case_overlay(second())
    ring = places(picture, "hit") - np.array([34, 34])  # half a px is rounded up
    near = ring[np.hypot(*ring.T) < 3.5]
    assert len(near) > 8
    assert np.abs(np.hypot(*near.T) - 3).max() < 1.6


def test_zoom_enlarges_and_shrink_reduces():
    assert case_overlay(first(), zoom=3).shape == (180, 270, 3)
    small = case_overlay(first(), shrink=4)
    assert small.shape == (15, 23, 3)
    assert len(places(small, "false positive"))


def test_a_plane_that_is_not_there_is_refused():
    message = "There is no plane 1: the image has 1."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        case_overlay(first(), 1)


def test_an_image_of_another_size_is_refused():
    labels = squares((10, 10))
    wrong = evaluated("wrong", labels, labels)
    wrong = type(wrong)(
        name="wrong",
        comparison=wrong.comparison,
        cases=wrong.cases,
        image=np.zeros((4, 5)),
    )
    message = (
        "Image and labels of wrong differ in shape: (4, 5) and (60, 90); take the "
        "image of these labels."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        case_overlay(wrong)


def test_planes_of_a_stack_are_drawn_by_themselves():
    labels = np.stack([squares(), squares((20, 20))])
    stack = evaluated("stack", labels, np.zeros_like(labels))
    assert len(places(case_overlay(stack, 0), "false positive")) == 0
    assert len(places(case_overlay(stack, 1), "false positive")) == 28
    ((number, crop),) = case_crops(stack, ["false positive"], 24)
    assert (number, stack.cases["plane"][number]) == (0, 1)
    assert len(places(crop, "false positive"))


def test_crops_show_every_case_of_the_kinds_in_their_middle():
    one = first()
    crops = case_crops(one, ["missed", "false positive"], 20)
    kinds = one.cases["kind"]
    assert [number for number, _ in crops] == np.flatnonzero(kinds != "hit").tolist()
    for number, crop in crops:
        assert crop.shape == (160, 160, 3)
        drawn = places(crop, kinds[number])
        assert np.abs(drawn.mean(axis=0) - 80).max() < 10


def test_crops_of_one_image_have_one_scale_of_about_four_cells():
    crops = case_crops(first(), ["missed", "false positive"])
    # 8 px squares: discs of the same area are 9.03 px wide.
    assert {crop.shape for _, crop in crops} == {(5 * 36, 5 * 36, 3)}


def test_crops_are_black_beyond_the_edge():
    labels = squares((2, 2))
    edge = evaluated("edge", labels, squares(), image=np.full(SHAPE, 7) + labels)
    ((_, crop),) = case_crops(edge, ["false positive"], 40)
    assert (crop[: 4 * 10] == 0).all()
    assert len(places(crop, "false positive"))


def test_no_more_crops_than_wanted_are_cut():
    assert len(case_crops(first(), ["missed"], at_most=1)) == 1
    assert case_crops(first(), ["split"]) == []

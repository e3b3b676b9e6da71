"""Every cell in one case, and what the table says of it, worked out on paper."""

import re
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evaluation import reference
from tests.scenes import SCENES, paint

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    KINDS,
    Case,
    MatchRule,
    case_places,
    compare,
    evaluate,
    group_cases,
    list_cases,
)

COLUMNS = (
    *("kind", "plane", "row", "column", "predicted", "true", "n_predicted", "n_true"),
    *("distance", "iou", "area", "n_neighbors", "on_border"),
)


def rows_of(table, *names):
    """Return some columns as rows of plain numbers."""
    return list(zip(*(table[name].tolist() for name in names), strict=True))


@pytest.fixture
def one_of_each():
    """A hit, a merge of two, a split, a missed cell and a false one, far apart."""
    labels, truth = np.zeros((100, 100), int), np.zeros((100, 100), int)
    truth[10:20, 10:20] = 11  # 100 px, its center at (14.5, 14.5)
    labels[10:20, 12:22] = 21  # 80 of 120 px shared: IoU 2 / 3
    truth[10:20, 60:70], truth[10:20, 70:74] = 12, 13
    labels[10:20, 60:74] = 22  # center (14.5, 66.5)
    truth[50:60, 10:31] = 14  # center (54.5, 20)
    labels[50:60, 10:18], labels[50:60, 19:31] = 23, 24
    truth[50:54, 70:74] = 15  # center (51.5, 71.5)
    labels[90:94, 40:50] = 25  # center (91.5, 44.5)
    return compare(labels, truth, MatchRule(max_distance=12))


def test_cases_are_listed_by_row_and_column(one_of_each):
    assert group_cases(one_of_each) == [
        Case("hit", (0,), (0,)),
        Case("merged", (1,), (1, 2)),
        Case("missed", (), (4,)),
        Case("split", (3, 2), (3,)),  # the larger piece first
        Case("false positive", (4,), ()),
    ]


def test_the_table_of_a_hand_made_image(one_of_each):
    table = list_cases(one_of_each)
    assert tuple(table) == COLUMNS
    assert table["kind"].tolist() == [
        *("hit", "merged", "missed", "split", "false positive")
    ]
    assert rows_of(table, "row", "column") == [
        *((14.5, 14.5), (14.5, 66.5), (51.5, 71.5), (54.5, 20), (91.5, 44.5))
    ]
    assert rows_of(table, "predicted", "true") == [
        *((21, 11), (22, 12), (0, 15), (24, 14), (25, 0))
    ]
    assert rows_of(table, "n_predicted", "n_true") == [
        *((1, 1), (1, 2), (0, 1), (2, 1), (1, 0))
    ]
    # The outline of the true cell, but the predicted one of a merge and of a false one.
    assert table["area"].tolist() == [100, 140, 16, 210, 40]
    assert table["distance"].tolist() == pytest.approx([2] + [nan] * 4, nan_ok=True)
    assert table["iou"].tolist() == pytest.approx([2 / 3] + [nan] * 4, nan_ok=True)
    assert table["n_neighbors"].tolist() == [0] * 5
    assert not table["on_border"].any()
    assert not table["plane"].any()


def test_a_prediction_whose_partner_is_merged_is_a_case_by_itself():
    comparison = compare(*SCENES["merged_with_speck"]())
    assert comparison.scores.tp == 2
    assert group_cases(comparison) == [
        Case("false positive", (1,), ()),
        Case("merged", (0,), (1, 0)),  # the second cell is the larger one
    ]


@settings(max_examples=40, deadline=None)
@given(reference.scenes, st.sampled_from((2, 9, 40)))
def test_every_cell_is_in_exactly_one_case(scene, limit):
    comparison = compare(*scene, MatchRule(max_distance=limit))
    cases = group_cases(comparison)
    for name, kinds in (
        ("pred", comparison.pred_kinds),
        ("true", comparison.true_kinds),
    ):
        members = [row for case in cases for row in getattr(case, name)]
        assert sorted(members) == list(range(len(kinds)))
        for case in cases:
            assert {str(kinds[row]) for row in getattr(case, name)} <= {case.kind}
    for case in cases:
        counts = len(case.pred), len(case.true)
        if case.kind == "merged":
            assert counts[0] == 1
            assert counts[1] > 1
        elif case.kind == "split":
            assert counts[0] > 1
            assert counts[1] == 1
        elif case.kind in ("hit", "poor outline"):
            assert counts == (1, 1)
        else:
            assert counts in {(1, 0), (0, 1), (1, 1)}
            assert counts != (1, 1) or case.kind == "border"


@settings(max_examples=30, deadline=None)
@given(reference.scenes, st.sampled_from(("box", "centroid")))
def test_the_table_agrees_with_the_images_it_is_of(scene, center):
    labels, truth = scene
    comparison = compare(labels, truth, MatchRule(max_distance=9, center=center))
    table = list_cases(comparison)
    n = len(table["kind"])
    assert [len(column) for column in table.values()] == [n] * len(COLUMNS)
    pixels = {
        0: (labels, reference.cells_of(labels)),
        1: (truth, reference.cells_of(truth)),
    }
    ious = dict(np.ndenumerate(reference.ious_of(labels, truth)))
    names = [list(cells) for _, cells in pixels.values()]
    for k in range(n):
        is_true = table["n_true"][k] == 1
        label = table["true" if is_true else "predicted"][k]
        cell = pixels[is_true][1][0, label]
        assert table["area"][k] == len(cell)
        assert table["on_border"][k] == reference.on_edge(cell, labels.shape)
        if center == "centroid":
            middle = np.mean([pixel[1:] for pixel in cell], axis=0)
            assert [table["row"][k], table["column"][k]] == pytest.approx(middle)
        if table["n_predicted"][k] == table["n_true"][k] == 1:
            pair = tuple(
                side.index((0, table[name][k]))
                for side, name in zip(names, ("predicted", "true"), strict=True)
            )
            assert table["iou"][k] == ious[pair]
            assert table["distance"][k] <= 9
        else:
            assert isnan(table["iou"][k])
            assert isnan(table["distance"][k])
    assert np.isfinite(table["distance"]).sum() <= evaluate(labels, truth).tp or n == 0
    order = np.lexsort((table["column"], table["row"]))
    assert order.tolist() == list(range(n))


@settings(max_examples=30, deadline=None)
@given(reference.scenes, st.sampled_from((1.0, 0.315, (1.0, 2.0))))
def test_neighbors_are_those_of_a_direct_loop(scene, spacing):
    rule = MatchRule(max_distance=9, spacing=spacing)
    comparison = compare(*scene, rule)
    table = list_cases(comparison)
    centers = comparison.true.centers * rule.sides
    for case, n, place in zip(
        group_cases(comparison),
        table["n_neighbors"],
        np.column_stack([table["row"], table["column"]]) * rule.sides,
        strict=True,
    ):
        near = np.hypot(*(centers - place).T) <= 9
        assert n == sum(row not in case.true for row in np.flatnonzero(near))


def test_neighbors_are_counted_in_the_own_plane_and_within_the_distance():
    truth = np.zeros((2, 30, 60), int)
    for number, column in enumerate((5, 15, 25, 50), start=1):
        truth[0, 10, column] = number
    truth[1, 10, 6] = 9
    table = list_cases(compare(np.zeros_like(truth), truth, MatchRule(max_distance=10)))
    assert table["plane"].tolist() == [0, 0, 0, 0, 1]
    assert table["n_neighbors"].tolist() == [1, 2, 1, 0, 0]
    assert table["true"].tolist() == [1, 2, 3, 4, 9]


def test_places_are_in_px_and_distances_in_the_unit_of_the_rule():
    labels, truth = np.zeros((40, 60), int), np.zeros((40, 60), int)
    truth[10:13, 20:23], truth[30, 50] = 1, 2
    labels[13:16, 20:23], labels[30, 50] = 1, 2
    rule = MatchRule(max_distance=2, spacing=(0.5, 0.25))
    table = list_cases(compare(labels, truth, rule))
    assert rows_of(table, "row", "column", "distance") == [(11, 21, 1.5), (30, 50, 0)]
    assert table["kind"].tolist() == ["poor outline", "hit"]
    assert table["iou"].tolist() == [0, 1]


def test_points_are_numbered_from_1_and_borrow_the_predicted_outline():
    labels = np.zeros((40, 60), int)
    labels[0:6, 10:14], labels[20:25, 40:45] = 4, 9
    table = list_cases(compare(labels, [[20, 42], [30, 5], [2, 11]]))
    assert rows_of(table, "kind", "predicted", "true", "row", "column") == [
        ("hit", 4, 3, 2, 11),
        ("hit", 9, 1, 20, 42),
        ("missed", 0, 2, 30, 5),
    ]
    assert table["area"].tolist() == pytest.approx([24, 25, nan], nan_ok=True)
    assert table["on_border"].tolist() == [True, False, False]
    assert np.isnan(table["iou"]).all()
    assert table["distance"][0] == pytest.approx(np.hypot(0.5, 0.5))


def test_a_table_without_cells_has_all_columns():
    empty = np.zeros((8, 9))
    table = list_cases(
        compare(*[empty.astype(int)] * 2), image=empty, probability=empty
    )
    assert tuple(table) == (
        *COLUMNS,
        *("brightness", "background", "contrast", "mean_probability"),
    )
    assert all(column.shape == (0,) for column in table.values())


def test_case_places_follow_the_center_of_the_rule():
    labels, truth = SCENES["merged"]()
    for center, column in (("box", 45), ("centroid", 45)):
        comparison = compare(labels, truth, MatchRule(center=center))
        planes, places = case_places(comparison, group_cases(comparison))
        assert planes.tolist() == [0]
        assert places == pytest.approx(np.array([[30, column]]), abs=0.3)


# What is measured


@pytest.fixture
def bright_cells():
    """A missed cell and a found one on even ground, in an image and its probability.

    The missed one has 16 px of 50 on ground of 10; one of 4 px beside it has 90, which
    is no background. The found one has 70 to its left, 80 to its right, on ground of
    20.
    """
    truth, labels = np.zeros((40, 60), int), np.zeros((40, 60), int)
    image = np.full((40, 60), 10.0)
    image[:, 30:] = 20
    truth[10:14, 10:14], truth[10:12, 15:17] = 1, 2
    image[10:14, 10:14], image[10:12, 15:17] = 50, 90
    truth[20:24, 45:53] = 3
    labels[20:24, 45:49] = 3
    image[20:24, 45:49], image[20:24, 49:53] = 70, 80
    return compare(labels, truth, MatchRule(max_distance=5)), image


def test_brightness_is_the_mean_within_and_background_the_median_around(bright_cells):
    comparison, image = bright_cells
    table = list_cases(comparison, image=image, probability=image / 100)
    assert table["true"].tolist() == [2, 1, 3]
    assert table["kind"].tolist() == ["missed", "missed", "hit"]
    # The true outline: half of it 70, half of it 80.
    assert table["brightness"].tolist() == [90, 50, 75]
    assert table["background"].tolist() == [10, 10, 20]
    assert table["contrast"].tolist() == [80, 40, 55]
    assert table["mean_probability"] == pytest.approx([0.9, 0.5, 0.75])


def test_only_what_is_given_is_measured(bright_cells):
    comparison, image = bright_cells
    assert {*list_cases(comparison, image=image)} - {*COLUMNS} == {
        *("brightness", "background", "contrast")
    }
    assert {*list_cases(comparison, probability=image)} - {*COLUMNS} == {
        "mean_probability"
    }


@pytest.mark.parametrize("n_channels", [3, 4])
def test_of_colors_the_brightest_channel_counts(bright_cells, n_channels):
    comparison, image = bright_cells
    colors = np.zeros((*image.shape, n_channels))
    colors[..., 1], colors[..., 0], colors[..., 3:] = image, image / 2, 999
    assert list_cases(comparison, image=colors)["brightness"].tolist() == [90, 50, 75]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_whole_numbers_do_not_overflow(bright_cells, dtype):
    comparison, image = bright_cells
    table = list_cases(comparison, image=image.astype(dtype))
    assert table["contrast"].tolist() == [80, 40, 55]


def test_a_cell_that_fills_its_surroundings_has_no_background():
    truth = np.ones((6, 6), int)
    truth[:, 3:] = 2
    table = list_cases(compare(np.zeros_like(truth), truth), image=truth * 7.0)
    assert table["brightness"].tolist() == [7, 14]
    assert np.isnan(table["background"]).all()
    assert np.isnan(table["contrast"]).all()


@pytest.mark.parametrize(("diameter", "usual"), [(12, True), (20, False)])
def test_a_missed_point_is_measured_in_a_disc(diameter, usual):
    labels = paint((20, 20, 6), (20, 60, 6), shape=(80, 80)) * usual
    rows, columns = np.indices(labels.shape)
    away = np.hypot(rows - 60, columns - 40)
    # 30 in a disc of 2 px less than is measured, 10 outside of it.
    image = np.where(away <= diameter / 2 - 1, 30.0, 10)
    table = list_cases(compare(labels, [[60, 40]]), image=image)
    area = np.count_nonzero(labels == 1) if usual else np.pi * 100
    inside = away <= np.sqrt(area / np.pi)
    assert table["kind"][-1] == "missed"
    assert table["brightness"][-1] == pytest.approx(image[inside].mean())
    assert table["background"][-1] == 10


def test_a_point_at_the_corner_is_measured_within_the_image():
    image = np.full((40, 40), 5.0)
    image[:11, :11] = 8
    table = list_cases(compare(np.zeros((40, 40), int), [[-1, -1]]), image=image)
    assert 5 < table["brightness"][0] <= 8
    assert table["background"].tolist() == [5]


def test_cells_of_a_stack_are_measured_in_their_plane():
    truth = np.zeros((3, 20, 20), int)
    truth[0, 5:9, 5:9], truth[2, 5:9, 5:9] = 1, 1
    truth[2, 15, 15] = 2
    image = np.zeros((3, 20, 20)) + np.array([1, 2, 3])[:, None, None]
    image[truth > 0] += 10
    table = list_cases(compare(truth, truth), image=image, probability=image / 20)
    assert table["plane"].tolist() == [0, 2, 2]
    assert table["brightness"].tolist() == [11, 13, 13]
    assert table["background"].tolist() == [1, 3, 3]
    assert table["mean_probability"] == pytest.approx([0.55, 0.65, 0.65])


@settings(max_examples=20, deadline=None)
@given(reference.scenes, st.integers(0, 99))
def test_what_is_measured_is_that_of_a_direct_loop(scene, seed):
    labels, truth = scene
    image = np.random.default_rng(seed).random(labels.shape)
    table = list_cases(compare(labels, truth), image=image, probability=image)
    rows, columns = np.indices(labels.shape)
    for k in range(len(table["kind"])):
        is_true = table["n_true"][k] == 1
        side, name = (truth, "true") if is_true else (labels, "predicted")
        inside = side == table[name][k]
        top, bottom = rows[inside].min(), rows[inside].max() + 1
        left, right = columns[inside].min(), columns[inside].max() + 1
        margin = max(3, int(np.ceil(max(bottom - top, right - left) / 2)))
        around = (labels == 0) & (truth == 0)
        around &= (rows >= top - margin) & (rows < bottom + margin)
        around &= (columns >= left - margin) & (columns < right + margin)
        background = np.median(image[around]) if around.any() else nan
        assert table["brightness"][k] == pytest.approx(image[inside].mean())
        assert table["mean_probability"][k] == table["brightness"][k]
        assert table["background"][k] == pytest.approx(background, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("image", (5, 4)), ("image", (4, 5, 2)), ("probability", (4, 5, 3))],
)
def test_an_image_of_another_shape_is_refused(name, shape):
    message = (
        f"Labels and {name} differ in shape: (4, 5) and {shape}; take the {name} of "
        "these labels."
    )
    comparison = compare(*[np.zeros((4, 5), int)] * 2)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        list_cases(comparison, **{name: np.zeros(shape)})


def test_kinds_in_a_table_fit_into_every_table():
    # Columns of several images are joined: strings must not be cut.
    width = max(map(len, KINDS))
    for scene in SCENES.values():
        assert list_cases(compare(*scene()))["kind"].dtype == f"<U{width}"

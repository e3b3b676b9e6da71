"""Cells of labels, masks and points, beside scikit-image and on hand-made images."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops
from tests.evaluation import reference
from tests.scenes import random_scene

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import evaluate, objects_of, true_objects


@pytest.fixture
def two_squares():
    """Return a function that gives an image with two labels: 4 px and 6 px."""

    def draw(first, second, dtype):
        labels = np.zeros((8, 9), dtype)
        labels[1:3, 2:4] = first
        labels[4:6, 5:8] = second
        return labels

    return draw


@settings(max_examples=25, deadline=None)
@given(reference.scenes)
def test_boxes_centers_centroids_and_areas_are_those_of_scikit_image(scene):
    for labels in scene:
        regions = regionprops(labels)
        found = objects_of(labels)
        assert found.ids.tolist() == [one.label for one in regions]
        assert found.boxes.tolist() == [list(one.bbox) for one in regions]
        assert found.areas.tolist() == [one.area for one in regions]
        centroids = np.array([one.centroid for one in regions]).reshape(-1, 2)
        np.testing.assert_allclose(found.centroids(), centroids, atol=1e-9)
        boxes = np.array([one.bbox for one in regions]).reshape(-1, 4)
        top, left, bottom, right = boxes.T
        middle = np.stack([(top + bottom - 1) / 2, (left + right - 1) / 2], axis=1)
        assert (found.centers == middle).all()
        assert (np.append(0, found.ids)[found.index[0]] == labels).all()


def test_boxes_and_centers_of_a_hand_made_image(two_squares):
    found = objects_of(two_squares(3, 7, np.int32))
    assert found.ids.tolist() == [3, 7]
    assert found.boxes.tolist() == [[1, 2, 3, 4], [4, 5, 6, 8]]
    # The middle of the pixels 1..2 and 2..3, and of 4..5 and 5..7.
    assert found.centers.tolist() == [[1.5, 2.5], [4.5, 6]]
    assert found.areas.tolist() == [4, 6]
    assert found.planes.tolist() == [0, 0]
    assert not found.is_mask


def test_an_l_has_its_center_in_the_box_and_its_centroid_near_the_corner():
    labels = np.zeros((9, 9), np.int32)
    labels[2, 2:5] = labels[2:5, 2] = 1
    labels[8, 8] = 2
    found = objects_of(labels)
    assert found.centers[0].tolist() == [3, 3]
    # Five pixels; rows 2, 2, 2, 3, 4 and columns likewise: 13 / 5.
    assert found.centroids()[0].tolist() == [2.6, 2.6]


@pytest.mark.parametrize(
    ("first", "second", "dtype"),
    [
        (7, 200, np.uint8),
        (200, 7, np.uint8),
        (5, 12_000_000, np.int32),
        (12_000_000, 3_000_000_000, np.int64),
        (3_000_000_000, 4_294_967_295, np.uint32),
        (2**53, 2**53 + 1, np.uint64),  # equal in floating-point numbers
        (2**62 + 1, 2**62 + 2, np.int64),
        (3, 12_000_001, np.float64),
    ],
)
def test_labels_stay_what_they_were(two_squares, first, second, dtype):
    labels = two_squares(first, second, dtype)
    found = objects_of(labels)
    assert found.ids.tolist() == sorted((first, second))
    assert found.areas.tolist() == ([4, 6] if first < second else [6, 4])
    numbered = two_squares(1, 2, int) if first < second else two_squares(2, 1, int)
    assert found.index.tolist() == [numbered.tolist()]
    assert evaluate(labels, labels).pairs.tolist() == [[one] * 2 for one in found.ids]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64])
def test_the_label_of_a_lonely_cell_stays_what_it_was(two_squares, dtype):
    labels = two_squares(0, 9, dtype)
    assert objects_of(labels).ids.tolist() == [9]
    assert objects_of(np.stack([labels, labels])).ids.tolist() == [9, 9]
    assert evaluate(labels, two_squares(0, 4, int)).pairs.tolist() == [[9, 4]]


def test_labels_beyond_all_whole_numbers_are_refused(two_squares):
    message = "The label image has values too large for labels: number them anew."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        objects_of(two_squares(1, 2**63, np.uint64))


def test_a_high_label_in_many_planes_takes_no_longer_than_a_low_one(two_squares):
    # A table up to the label for each of 300 planes: minutes.
    stack = np.stack([two_squares(2, 9_999_999, np.int32)] * 300)
    assert objects_of(stack).ids.tolist() == [2, 9_999_999] * 300


def test_a_label_in_two_pieces_is_one_cell():
    labels = np.zeros((8, 12), np.int32)
    labels[1:3, 1:3] = labels[5, 8:10] = 6
    labels[7, 0] = 9
    found = objects_of(labels)
    assert found.ids.tolist() == [6, 9]
    assert found.boxes[0].tolist() == [1, 1, 6, 10]
    assert found.areas.tolist() == [6, 1]
    # Rows 1, 1, 2, 2, 5, 5 and columns 1, 2, 1, 2, 8, 9.
    assert found.centroids()[0].tolist() == [16 / 6, 23 / 6]


@pytest.mark.parametrize("white", [True, 1, 255])
def test_the_parts_of_a_mask_are_its_cells(white):
    mask = np.zeros((8, 12), type(white))
    mask[1:3, 1:3] = mask[5, 8:10] = white
    mask[6, 10] = white  # touches by a corner
    found = objects_of(mask)
    assert found.ids.tolist() == [1, 2]
    assert found.areas.tolist() == [4, 3]
    assert found.is_mask


def test_a_label_in_two_planes_is_two_cells(two_squares):
    one, other = two_squares(3, 7, np.int32), two_squares(7, 0, np.int32)
    stack = np.stack([one, np.zeros_like(one), other, one, one, other])
    found = objects_of(stack.reshape(2, 3, 8, 9))
    assert found.ids.tolist() == [3, 7, 7, 3, 7, 3, 7, 7]
    assert found.planes.tolist() == [0, 0, 2, 3, 3, 4, 4, 5]
    assert found.boxes[2].tolist() == [1, 2, 3, 4]
    assert found.centroids()[4].tolist() == [4.5, 6]
    assert found.shape == (2, 3, 8, 9)
    assert np.unique(found.index).tolist() == list(range(9))


def test_parts_of_a_mask_do_not_join_across_planes():
    mask = np.ones((3, 2, 2), bool)
    assert objects_of(mask).planes.tolist() == [0, 1, 2]


def test_cells_at_each_of_the_four_edges_touch_the_border():
    labels = np.zeros((9, 9), np.int32)
    labels[0, 4], labels[4, 0], labels[8, 4], labels[4, 8] = 1, 2, 3, 4
    labels[1:8, 2:7] = 5
    found = objects_of(np.stack([labels, labels]))
    assert found.touches_border.tolist() == [True, True, True, True, False] * 2


def test_points_have_a_pixel_and_a_plane():
    found = true_objects([[0.4, 2.5, 3.49], [1.6, -0.3, 8.4]], (3, 8, 9))
    assert found.planes.tolist() == [0, 2]
    assert found.centers.tolist() == [[2.5, 3.49], [-0.3, 8.4]]
    assert found.boxes.tolist() == [[3, 3, 4, 4], [0, 8, 1, 9]]
    assert found.areas.tolist() == [0, 0]
    assert found.ids.tolist() == [0, 1]
    assert found.index is None
    assert not found.touches_border.any()
    assert found.centroids() is found.centers


def test_planes_of_points_are_counted_through_all_leading_axes():
    found = true_objects([[1, 2, 0, 0], [0, 1, 0, 0]], (2, 3, 8, 9))
    assert found.planes.tolist() == [5, 1]


@pytest.mark.parametrize(
    "truth", [[], np.empty((0, 2)), np.zeros((8, 9)), np.zeros((8, 9), bool)]
)
def test_a_truth_without_cells_is_taken_in_every_form(truth):
    found = true_objects(truth, (8, 9))
    assert len(found) == 0
    assert found.centers.shape == found.centroids().shape == (0, 2)


def test_objects_are_taken_as_they_are(two_squares):
    found = objects_of(two_squares(1, 2, int))
    assert true_objects(found, (8, 9)) is found
    assert evaluate(found, found).tp == 2


def test_the_image_is_neither_changed_nor_copied_without_need():
    labels, _ = random_scene(4)
    before = labels.copy()
    objects_of(labels)
    assert (labels == before).all()
    numbered = objects_of(labels).index
    assert np.shares_memory(objects_of(numbered).index, numbered)


REFUSED_LABELS = {
    "must have at least two axes (Y, X), got shape (2,).": [1, 2],
    "has negative labels: cells are numbered from 1.": [[0, -1, 2]],
    "has values that are not finite: mark them 0.": [[0, np.nan]],
    "holds <U1 and not numbers: give a mask or a label image.": [["a", "b"]],
    "has values from 0 to 3 that are neither whole numbers nor in [0, 1]: save a mask "
    "or labels.": [[0, 1.5, 3]],
}


@pytest.mark.parametrize("message", REFUSED_LABELS)
def test_what_is_no_label_image_is_refused(message):
    whole = f"^{re.escape(f'The label image {message}')}$"
    with pytest.raises(InputError, match=whole):
        objects_of(REFUSED_LABELS[message])


TAKE = "take the truth of this image."
GIVE = "give one coordinate for each axis."
OUTSIDE = "px: give them in px, the row before the column."


@pytest.mark.parametrize(
    ("truth", "shape", "message"),
    [
        (np.zeros((5, 4), int), (4, 5),
         f"Labels and truth differ in shape: (4, 5) and (5, 4); {TAKE}"),
        (np.zeros((4, 5), int), (2, 4, 5),
         f"Labels and truth differ in shape: (2, 4, 5) and (4, 5); {TAKE}"),
        (objects_of(np.zeros((5, 4), int)), (4, 5),
         f"Labels and truth differ in shape: (4, 5) and (5, 4); {TAKE}"),
        ([[1.5, 2.5], [3, 4]], (2, 40, 50),
         f"The truth has points of 2 coordinates, but the image has 3 axes: {GIVE}"),
        ([[0, 1.5, 2.5], [0, 3, 4]], (40, 50),
         f"The truth has points of 3 coordinates, but the image has 2 axes: {GIVE}"),
        ([[3, 4], [3, np.nan]], (40, 50),
         "The truth has a coordinate that is not finite: leave it out."),
        ([[3, 4], [400, 5], [3, 51.1], [-2, 3]], (40, 50),
         f"The truth has 3 of 4 points outside of the image of 40 x 50 {OUTSIDE}"),
        ([[0, 3, 4], [2, 3, 4]], (2, 40, 50),
         f"The truth has 1 of 2 points outside of the image of 2 x 40 x 50 {OUTSIDE}"),
    ],
)  # fmt: skip
def test_a_truth_that_does_not_fit_is_refused(truth, shape, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        true_objects(truth, shape)


@settings(max_examples=30, deadline=None)
@given(st.floats(-1.5, 40.5), st.floats(-1.5, 50.5))
def test_a_point_up_to_a_px_outside_of_the_outermost_pixels_is_taken(row, column):
    found = true_objects([[row, column]], (40, 50))
    top, left, bottom, right = found.boxes[0]
    assert 0 <= top == bottom - 1 < 40
    assert 0 <= left == right - 1 < 50

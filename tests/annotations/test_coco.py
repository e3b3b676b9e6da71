"""COCO files: outlines, run lengths, and those of Fluorescent Neuronal Cells."""

import json
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as reference

from napari_cresunet.annotations import read_annotations
from napari_cresunet.annotations._coco import _runs, read_coco
from napari_cresunet.annotations._place import Place
from napari_cresunet.annotations._shapes import draw_cells
from napari_cresunet.errors import InputError

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))
SMALL = st.floats(-4, 24, allow_nan=False, width=32)
PLACE = Place("a.json", "annotation 1")


def image(number=1, name="a.png", height=20, width=24):
    return {"id": number, "file_name": name, "height": height, "width": width}


def cell(segmentation=None, number=1, **more):
    return {"image_id": number, "segmentation": segmentation, "category_id": 1, **more}


def draw(segmentation, height=20, width=24):
    content = {"images": [image()], "annotations": [cell(segmentation)]}
    (read,) = read_coco("a.json", content)
    return draw_cells(read.cells, (height, width))


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "a.json"
        path.write_text(json.dumps(content))
        return read_annotations(path, **options)

    return read


@given(mask=MASKS)
def test_run_lengths_give_back_the_mask_compressed_or_not(mask):
    encoded = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    compressed = {"size": list(mask.shape), "counts": encoded["counts"].decode()}
    flat = mask.ravel(order="F").tolist()
    lengths, current = [0], False
    for value in flat:
        if value != current:
            lengths.append(0)
            current = value
        lengths[-1] += 1
    plain = {"size": list(mask.shape), "counts": lengths}
    for outline in (compressed, plain):
        runs = _runs(PLACE, outline, mask.shape)
        np.testing.assert_array_equal(draw_cells([[runs]], mask.shape), mask)


def test_run_lengths_worked_by_hand():
    # Down the first column: 1 background, 2 cell; the rest background.
    labels = draw({"size": [20, 24], "counts": [1, 2, 477]})
    assert np.argwhere(labels).tolist() == [[1, 0], [2, 0]]


@given(
    left=st.integers(0, 20),
    top=st.integers(0, 16),
    size=st.tuples(*[st.integers(1, 9)] * 2),
)
def test_a_rectangle_covers_the_pixels_that_coco_says(left, top, size):
    right, bottom = left + size[0], top + size[1]
    outline = [left, top, right, top, right, bottom, left, bottom]
    runs = reference.frPyObjects([outline], 20, 24)
    np.testing.assert_array_equal(draw([outline]), reference.decode(runs)[..., 0])


@settings(deadline=None)
@given(corners=st.lists(st.tuples(SMALL, SMALL), min_size=3, max_size=3))
def test_a_triangle_holds_the_pixels_whose_center_is_inside(corners):
    (x1, y1), (x2, y2), (x3, y3) = corners
    area = (x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)
    assume(abs(area) > 0.1)
    labels = draw([[number for corner in corners for number in corner]])
    rows, columns = np.mgrid[:20, :24] + 0.5
    depth = np.full(rows.shape, np.inf)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        cross = (x2 - x1) * (rows - y1) - (y2 - y1) * (columns - x1)
        depth = np.minimum(depth, np.sign(area) * cross / np.hypot(x2 - x1, y2 - y1))
    assert labels[depth > 1e-3].all()
    if (depth > 1e-3).any():
        assert not labels[depth < -1e-3].any()


def test_parts_of_a_cell_share_a_label_and_the_first_cell_keeps_its_pixels(read):
    block = [2, 2, 8, 2, 8, 8, 2, 8]
    content = {
        "images": [image()],
        "annotations": [
            cell([block, [12, 2, 14, 2, 14, 4, 12, 4]]),
            cell([[4, 4, 10, 4, 10, 10, 4, 10]]),
            cell([[3, 3, 5, 3, 5, 5, 3, 5]]),  # below the first
            cell(bbox=[18, 12, 4, 3]),
        ],
    }
    expected = np.zeros((20, 24), np.int32)
    expected[4:10, 4:10] = 2
    expected[2:8, 2:8] = 1
    expected[2:4, 12:14] = 1
    expected[12:15, 18:22] = 3
    np.testing.assert_array_equal(read(content), expected)


def test_an_outline_smaller_than_a_pixel_is_the_pixel_around_it():
    labels = draw([[5.1, 3.1, 5.2, 3.1, 5.2, 3.2]])
    assert np.argwhere(labels).tolist() == [[3, 5]]


def neuronal_cells(outlines, flat):
    """Write as the published code of Fluorescent Neuronal Cells does."""
    entries = []
    for name, polygons in outlines.items():
        boxes = []
        for polygon in polygons:
            (left, top), (right, bottom) = np.min(polygon, 0), np.max(polygon, 0)
            size = [int(right - left + 1), int(bottom - top + 1)]
            boxes.append([int(left), int(top), *size])
        written = [np.ravel(p).tolist() if flat else p for p in polygons]
        entries.append(
            {
                "image_id": name,
                "category_id": 2,
                "segmentation": written,
                "bbox": boxes,
                "area": [9.0] * len(boxes),
                "dots": [[3, 3]] * len(boxes),
                "count": len(boxes),
                "iscrowd": 0,
            }
        )
    images = [image(name, f"{name}.png") for name in outlines]
    return {"info": {}, "images": images, "annotations": entries, "licenses": []}


@pytest.mark.parametrize("flat", [False, True])
def test_polygons_of_one_annotation_are_the_cells_of_neuronal_cells(read, flat):
    block = [[1, 1], [1, 3], [4, 3], [4, 1]]
    outlines = {"7": [block, [[9, 9]]], "8": [], "9": [block]}
    content = neuronal_cells(outlines, flat)
    expected = np.zeros((20, 24), np.int32)
    expected[1:4, 1:5] = 1
    expected[9, 9] = 2
    np.testing.assert_array_equal(read(content, image_name="7.png"), expected)
    assert read(content, image_name="8.png").max() == 0
    assert np.count_nonzero(read(content, image_name="9.png")) == 12


FAULTS = [
    ({"images": [{"id": 1}]}, "image 1: `file_name` is missing"),
    ({"images": [3]}, "image 1: `file_name` is missing"),
    ({"images": [image(height=-3)]}, "image 1: -3 x 24 is no size of an image"),
    ({"annotations": [{}]}, "annotation 1: `image_id` is missing"),
    (
        {"annotations": [cell([[1, 2]], number=5)]},
        "annotation 1: there is no image with the id 5",
    ),
    ({"annotations": [cell()]}, "annotation 1: it has no segmentation and no bbox"),
    ({"annotations": [cell([])]}, "annotation 1: it has no segmentation and no bbox"),
    (
        {"annotations": [cell([[1, 2]]), cell([[1, 2, 3]])]},
        "annotation 2: a polygon is no list of x and y in turn",
    ),
    (
        {"annotations": [cell([[1, "a"]])]},
        "annotation 1: `segmentation` is 'a' instead of a number",
    ),
    (
        {"annotations": [cell([[1, True]])]},
        "annotation 1: `segmentation` is True instead of a number",
    ),
    (
        {"annotations": [cell([[1, 10**400]])]},
        f"annotation 1: `segmentation` is 1{'0' * 26}... instead of a number",
    ),
    ({"annotations": [cell(bbox=[1, 2, -3, 4])]}, "annotation 1: `bbox` is negative"),
    ({"annotations": [cell({"counts": [1]})]}, "annotation 1: `size` is missing"),
    (
        {"annotations": [cell({"counts": [1], "size": 3})]},
        "annotation 1: `size` is no height and width",
    ),
    (
        {"annotations": [cell({"counts": {}, "size": [2, 2]})]},
        "annotation 1: `counts` is no list and no text",
    ),
    (
        {"annotations": [cell({"counts": [1, 2], "size": [2, 2]})]},
        "annotation 1: `counts` do not add up to 2 x 2 px",
    ),
    (
        {"annotations": [cell({"counts": [1, 3], "size": [2, 2]})]},
        "annotation 1: `size` is not that of the image (2 x 2 px)",
    ),
    (
        {"annotations": [cell({"counts": " ", "size": [2, 2]})]},
        "annotation 1: `counts` is damaged",
    ),
    (
        {"annotations": [cell({"counts": "oo", "size": [2, 2]})]},
        "annotation 1: `counts` is damaged",
    ),
]


@pytest.mark.parametrize(("change", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(read, tmp_path, change, fault):
    content = {"images": [image()], "annotations": []} | change
    message = (
        f"{tmp_path / 'a.json'}, {fault}; correct it or export the annotations again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(content)

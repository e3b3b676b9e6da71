"""Annotations that VGG Image Annotator exports as CSV."""

import csv
import json
import re

import numpy as np
import pytest

from napari_cresunet.annotations import load_annotations, read_annotations
from napari_cresunet.errors import InputError

SHAPE = (20, 30)
HEADER = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)
RECT = {"name": "rect", "x": 10, "y": 2, "width": 3, "height": 5}
POLYGON = {
    "name": "polygon",
    "all_points_x": [1, 1, 4, 4],
    "all_points_y": [1, 3, 3, 1],
}
POINT = {"name": "point", "cx": 20, "cy": 15}


@pytest.fixture
def write(tmp_path):
    """Write as VIA does: a row for each region, or one for an image without."""

    def write(images, header=HEADER):
        path = tmp_path / "via.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(header)
            for name, regions in images.items():
                for number, region in enumerate(regions or [{}]):
                    shape = region if isinstance(region, str) else json.dumps(region)
                    row = [name, 123, "{}", len(regions), number, shape, "{}"]
                    table.writerow(row)
        return path

    return write


@pytest.mark.parametrize("first", ["filename", "#filename"])
def test_every_region_is_a_cell_of_its_image(write, first):
    header = (first, *HEADER[1:])
    path = write(
        {"a.png": [RECT, POLYGON, POINT], "b.png": [], "c.png": [POINT]}, header
    )
    annotations = load_annotations(path)
    assert annotations.names == ("a.png", "b.png", "c.png")
    expected = np.zeros(SHAPE, np.int32)
    expected[2:7, 10:13] = 1
    expected[1:4, 1:5] = 2
    expected[15, 20] = 3
    np.testing.assert_array_equal(annotations.labels("a.png", shape=SHAPE), expected)
    assert annotations.labels("b.png", shape=SHAPE).max() == 0
    assert annotations.points("c").tolist() == [[15, 20]]


FAULTS = [
    ({"a.png": [RECT, "{"]}, "line 3: `region_shape_attributes` is no JSON"),
    ({"a.png": ["[" * 9999]}, "line 2: `region_shape_attributes` is no JSON"),
    ({"a.png": ["3"]}, "line 2: `shape_attributes` is missing"),
    ({"": [RECT]}, "line 2: `filename` is missing"),
    ({"a.png": [{"name": "circle", "cx": 1, "cy": 2}]}, "line 2: `r` is missing"),
]


@pytest.mark.parametrize(("images", "fault"), FAULTS)
def test_a_fault_is_named_with_its_line(write, images, fault):
    path = write(images)
    message = f"{path}, {fault}; correct it or export the annotations again."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_annotations(path, shape=SHAPE)

"""Projects and exports of the VGG Image Annotator."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.annotations import load_annotations, read_annotations
from napari_cresunet.annotations._shapes import draw_cells
from napari_cresunet.annotations._via import read_via
from napari_cresunet.errors import InputError

SHAPE = (20, 30)


def region(**shape):
    return {"shape_attributes": shape, "region_attributes": {"type": "cell"}}


POLYGON = region(name="polygon", all_points_x=[1, 1, 4, 4], all_points_y=[1, 3, 3, 1])


def content(*regions, name="a.png"):
    return {
        f"{name}12345": {
            "filename": name,
            "size": 12345,
            "regions": list(regions),
            "file_attributes": {},
        }
    }


@pytest.fixture
def read(tmp_path):
    def read(document, shape=SHAPE, **options):
        path = tmp_path / "via.json"
        path.write_text(json.dumps(document))
        return read_annotations(path, shape=shape, **options)

    return read


def test_every_shape_is_a_cell_of_its_own(read):
    labels = read(
        content(
            POLYGON,
            region(name="rect", x=10, y=2, width=3, height=5),
            region(name="point", cx=20, cy=15),
            region(name="circle", cx=24, cy=5, r=2.5),
        )
    )
    expected = np.zeros(SHAPE, np.int32)
    expected[1:4, 1:5] = 1
    expected[2:7, 10:13] = 2
    expected[15, 20] = 3
    rows, columns = np.mgrid[:20, :30]
    expected[np.hypot(rows - 5, columns - 24) < 2.5] = 4
    np.testing.assert_array_equal(labels, expected)


@settings(deadline=None)
@given(
    center=st.tuples(st.floats(-2, 32), st.floats(-2, 22)),
    radii=st.tuples(st.floats(1, 12), st.floats(1, 12)),
    theta=st.floats(-7, 7),
)
def test_a_turned_ellipse_holds_the_pixels_inside(center, radii, theta):
    (cx, cy), (rx, ry) = center, radii
    shape = region(name="ellipse", cx=cx, cy=cy, rx=rx, ry=ry, theta=theta)
    (image,) = read_via("via.json", content(shape))
    labels = draw_cells(image.cells, SHAPE)
    rows, columns = np.mgrid[:20, :30]
    # The x radius lies along (cos theta, sin theta), y pointing down.
    along = (columns - cx) * np.cos(theta) + (rows - cy) * np.sin(theta)
    across = (rows - cy) * np.cos(theta) - (columns - cx) * np.sin(theta)
    distance = (along / rx) ** 2 + (across / ry) ** 2
    assert labels[distance < 1 - 1e-6].all()
    if (distance < 1 - 1e-6).any():
        assert not labels[distance > 1 + 1e-6].any()


@pytest.mark.parametrize("shape", ["circle", "ellipse"])
def test_a_shape_without_extent_is_one_pixel(read, shape):
    labels = read(content(region(name=shape, cx=7.2, cy=3.4, r=0, rx=0, ry=0)))
    assert np.argwhere(labels).tolist() == [[3, 7]]


def test_a_project_and_regions_of_version_1_are_read_too(read):
    plain = read(content(POLYGON))
    project = {"_via_settings": {}, "_via_img_metadata": content(POLYGON)}
    numbered = content()
    numbered["a.png12345"]["regions"] = {"0": POLYGON}
    for document in (project, numbered):
        np.testing.assert_array_equal(read(document), plain)


def test_images_are_found_by_name_with_or_without_folder_and_ending(read, tmp_path):
    document = content(POLYGON) | content(name="sub\\b.png")
    assert read(document, image_name="a.png").max() == 1
    assert read(document, image_name="b.tif").max() == 0
    assert load_annotations(tmp_path / "via.json").names == ("a.png", "sub\\b.png")


def test_an_image_without_file_name_is_called_by_its_key(read, tmp_path):
    document = content(POLYGON)
    del document["a.png12345"]["filename"]
    read(document)
    assert load_annotations(tmp_path / "via.json").names == ("a.png12345",)


FAULTS = [
    (3, "a.png, region 1: `shape_attributes` is missing"),
    ({}, "a.png, region 1: `shape_attributes` is missing"),
    (
        region(name="polyline", all_points_x=[1], all_points_y=[1]),
        (
            "a.png, region 1: its shape is polyline and not polygon, ellipse, circle, "
            "rect or point"
        ),
    ),
    (
        region(name="polygon", all_points_x=[1]),
        "a.png, region 1: `all_points_y` is missing",
    ),
    (
        region(name="polygon", all_points_x=[1, 2], all_points_y=[1]),
        "a.png, region 1: it has 2 x but 1 y",
    ),
    (
        region(name="polygon", all_points_x=[1, None], all_points_y=[1, 2]),
        "a.png, region 1: `all_points_x` is missing",
    ),
    (region(name="circle", cx=1, cy=1), "a.png, region 1: `r` is missing"),
    (region(name="circle", cx=1, cy=1, r=-2), "a.png, region 1: `r` is negative"),
    (
        region(name="rect", x=[1], y=1, width=2, height=2),
        "a.png, region 1: `x` is [1] instead of a number",
    ),
]


@pytest.mark.parametrize(("wrong", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(read, tmp_path, wrong, fault):
    message = (
        f"{tmp_path / 'via.json'}, {fault}; correct it or export the annotations again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(content(wrong))


def test_regions_that_are_no_list_are_named(read, tmp_path):
    document = content()
    document["a.png12345"]["regions"] = 3
    message = (
        f"{tmp_path / 'via.json'}, a.png: `regions` is no list; correct it or export "
        "the annotations again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(document)

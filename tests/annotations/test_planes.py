"""Cells of stacks, and their names, as files say them."""

import json
import re

import numpy as np
import pytest
from roifile import ROI_TYPE, ImagejRoi, roiwrite

from napari_cresunet.annotations import load_annotations, read_annotations
from napari_cresunet.errors import InputError


def box(column, **more):
    roi = ImagejRoi(roitype=ROI_TYPE.RECT, top=0, left=column, bottom=1)
    roi.right = column + 1
    for name, value in more.items():
        setattr(roi, name, value)
    return roi


@pytest.fixture
def rois(tmp_path):
    def write(*found):
        path = tmp_path / "a.zip"
        roiwrite(path, found, name=[f"x/{n}.roi" for n in range(len(found))], mode="w")
        return path

    return write


@pytest.fixture
def geojson(tmp_path):
    def write(*features):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return path

    return write


def feature(column, plane=None, **properties):
    x = column
    corners = [[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]
    geometry = {"type": "Polygon", "coordinates": [corners]}
    geometry |= {"plane": plane} if plane else {}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def refused(message, path, shape):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_annotations(path, shape=shape)


def test_a_position_is_a_plane_and_0_is_all_of_them(rois):
    path = rois(box(0, position=2), box(1), box(2, position=3))
    labels = read_annotations(path, shape=(3, 1, 4))
    assert labels[:, 0].tolist() == [[0, 2, 0, 0], [1, 2, 0, 0], [0, 2, 3, 0]]
    flat = read_annotations(path, shape=(1, 3, 1, 4))
    np.testing.assert_array_equal(flat, labels[np.newaxis])


def test_slice_and_frame_are_the_last_and_first_axis(rois):
    path = rois(
        box(0, z_position=2, t_position=1),
        box(1, z_position=1, t_position=2),
        box(2, t_position=2),  # on all slices
    )
    labels = read_annotations(path, shape=(2, 2, 1, 3))
    assert labels[:, :, 0].tolist() == [
        [[0, 0, 0], [1, 0, 0]],
        [[0, 2, 3], [0, 0, 3]],
    ]


@pytest.mark.parametrize("axis", ["z", "t"])
def test_a_single_axis_is_the_one_that_the_file_uses(geojson, axis):
    plane = {"c": -1, "z": 0, "t": 0}
    path = geojson(feature(0, plane | {axis: 1}), feature(1, plane), feature(2))
    labels = read_annotations(path, shape=(2, 1, 3))
    assert labels[:, 0].tolist() == [[0, 2, 3], [1, 0, 0]]


def test_several_points_of_a_region_may_be_on_different_planes(rois):
    roi = ImagejRoi.frompoints(np.float32([[0, 0], [2, 0]]))
    roi.roitype = ROI_TYPE.POINT
    roi.counters = np.zeros(2, np.uint8)
    roi.counter_positions = np.array([2, 1], np.uint32)
    labels = read_annotations(rois(roi), shape=(2, 1, 3))
    assert labels[:, 0].tolist() == [[0, 0, 2], [1, 0, 0]]


def test_planes_that_the_image_does_not_have_are_refused(rois, geojson):
    path = rois(box(0, position=2), box(0, position=4))
    refused(
        f"{path} has cells on a plane that the image does not have (position: 4): use "
        "the annotations made for it.",
        path,
        (3, 1, 4),
    )
    path = geojson(feature(0, {"z": 1, "t": 1}), feature(1, {"z": 0, "t": 1}))
    refused(
        f"{path} has cells on a plane that the image does not have (plane: z 1 t 1): "
        "use the annotations made for it.",
        path,
        (4, 1, 4),
    )


def test_formats_without_planes_are_refused_for_stacks(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y,x\n0,1\n")
    refused(
        f"{path} marks cells of one plane, but the image has 6 planes: use ImageJ "
        "regions or QuPath GeoJSON.",
        path,
        (2, 3, 1, 4),
    )


def test_points_of_several_planes_are_refused_though_outlines_are_not(rois):
    roi = ImagejRoi.frompoints(np.float32([[0, 0], [2, 0]]))
    roi.roitype = ROI_TYPE.POINT
    roi.counters = np.zeros(2, np.uint8)
    roi.counter_positions = np.array([2, 1], np.uint32)
    path = rois(roi)
    message = (
        f"{path} has cells on several planes (position: 2, 1): save those of one plane "
        "in a file of their own."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_annotations(path).points()


def test_a_file_for_another_size_says_all_axes(tmp_path):
    path = tmp_path / "a.json"
    image = {"id": 1, "file_name": "a.png", "height": 2, "width": 3}
    path.write_text(json.dumps({"images": [image], "annotations": []}))
    refused(
        f"{path} is for an image of 2 x 3 px, but a.png has 4 x 2 x 3 px: use the "
        "annotations made for it.",
        path,
        (4, 2, 3),
    )


def test_cells_have_the_names_of_regions_or_of_their_entries(rois):
    path = rois(box(0, name="Cortex"), box(1))
    assert load_annotations(path).images[0].cell_names == ("Cortex", "1")


def test_cells_have_the_names_of_objects_or_of_their_classes(geojson):
    path = geojson(
        feature(0, name="Hilus", classification={"name": "Region*"}),
        feature(1, classification={"name": "CA1"}),
        feature(2, name=3),
    )
    assert load_annotations(path).images[0].cell_names == ("Hilus", "CA1", "")

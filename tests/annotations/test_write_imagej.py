"""Regions for ImageJ's ROI Manager."""

import os
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from roifile import ROI_TYPE, ImagejRoi, roiread
from tests.annotations.label_images import STACK, label_images, ring, steps

from napari_cresunet.annotations import (
    load_annotations,
    read_annotations,
    write_imagej,
)
from napari_cresunet.errors import EngineError, InputError


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("rois") / "a_RoiSet.zip"


def polygon_area(points):
    x, y = np.asarray(points, float).T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@settings(deadline=None)
@given(labels=label_images(STACK))
def test_what_is_written_is_read_with_the_same_numbers_and_pixels(path, labels):
    write_imagej(path, labels)
    if labels.any():
        found = read_annotations(path, shape=labels.shape)
        np.testing.assert_array_equal(found, labels)


def test_regions_stand_in_the_order_of_labels_and_are_named_by_them(path):
    labels = np.zeros((4, 9), np.uint16)
    labels[0, 0], labels[0, 2], labels[2:, 4:7] = 300, 12, 7
    write_imagej(path, labels)
    rois = roiread(path)
    assert [roi.name for roi in rois] == ["0007", "0012", "0300"]
    assert zipfile.ZipFile(path).namelist() == ["0007.roi", "0012.roi", "0300.roi"]
    assert [roi.position for roi in rois] == [0, 0, 0]


def test_a_traced_outline_has_whole_corners_where_the_first_pixel_begins_at_0(path):
    labels = np.zeros((4, 9), np.int32)
    labels[:2, :3] = 1
    write_imagej(path, labels)
    (roi,) = roiread(path)
    assert roi.roitype == ROI_TYPE.TRACED
    assert roi.coordinates().tolist() == [[3, 0], [3, 2], [0, 2], [0, 0]]
    assert (roi.left, roi.top, roi.right, roi.bottom) == (0, 0, 3, 2)
    assert polygon_area(roi.coordinates()) == 6


def test_holes_and_parts_make_a_composite(path):
    write_imagej(path, ring())
    whole, inner = roiread(path)
    assert whole.composite
    assert inner.roitype == ROI_TYPE.TRACED
    outer, hole = whole.coordinates(multi=True)
    assert polygon_area(outer) == 49
    assert polygon_area(hole) == 9
    write_imagej(path, steps())
    (parts,) = roiread(path)
    assert [polygon_area(part) for part in parts.coordinates(multi=True)] == [1] * 4


def test_a_stack_has_positions_and_two_axes_are_frame_and_slice(path):
    labels = np.zeros((2, 3, 2, 2), np.int32)
    labels[0, 2], labels[1, 0] = 1, 2
    write_imagej(path, labels.reshape(6, 2, 2))
    assert [roi.position for roi in roiread(path)] == [3, 4]
    write_imagej(path, labels)
    places = [(roi.t_position, roi.z_position) for roi in roiread(path)]
    assert places == [(1, 3), (2, 1)]


def test_a_cell_on_several_planes_is_one_region_on_each_and_read_as_one(path):
    labels = np.zeros((3, 2, 2), np.int32)
    labels[0, 0, 0] = labels[2, 0] = 1
    labels[1, 1] = 2
    write_imagej(path, labels)
    assert [roi.name for roi in roiread(path)] == ["0001-0001", "0001-0003", "0002"]
    (image,) = load_annotations(path).images
    assert image.cell_names == ("0001-0001", "0002")
    np.testing.assert_array_equal(read_annotations(path, shape=(3, 2, 2)), labels)


def test_names_are_made_fit_for_files_and_stay_different(path):
    labels = np.array([[1, 2, 3, 4]])
    write_imagej(path, labels, names={1: "a/b\N{GRINNING FACE}", 2: "x", 3: "x"})
    names = ["a_b", "x", "x-0003", "0004"]
    assert [roi.name for roi in roiread(path)] == names
    assert load_annotations(path).images[0].cell_names == tuple(names)


def test_a_single_region_needs_no_archive(tmp_path):
    path = tmp_path / "a.roi"
    labels = np.where(ring() == 1, 1, 0)
    write_imagej(path, labels)
    np.testing.assert_array_equal(read_annotations(path, shape=labels.shape), labels)


def test_without_cells_the_archive_is_empty(path):
    write_imagej(path, np.zeros((4, 4), np.int32))
    assert zipfile.ZipFile(path).namelist() == []


def test_corners_beyond_16_bits_are_exact(path):
    labels = np.zeros((1, 70_000), np.int32)
    labels[0, 33_000:33_005], labels[0, -3:] = 1, 2
    write_imagej(path, labels)
    np.testing.assert_array_equal(read_annotations(path, shape=labels.shape), labels)


@pytest.mark.parametrize(
    "names", [("", ".", " .x", ".x"), ("a", "a-0003", "a", "a"), ("/", "\\", "_", "")]
)
def test_no_name_hides_or_replaces_a_cell(path, names):
    labels = np.array([[1, 0, 2, 0, 3, 0, 4]])
    write_imagej(path, labels, names=dict(enumerate(names, start=1)))
    np.testing.assert_array_equal(read_annotations(path, shape=labels.shape), labels)


def test_the_same_cells_make_the_same_file(path):
    write_imagej(path, ring())
    content = path.read_bytes()
    write_imagej(path, ring())
    assert path.read_bytes() == content


def refused(message, *args, kind=InputError):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        write_imagej(*args)


def test_what_cannot_be_written_is_refused(tmp_path):
    one, two = tmp_path / "a.roi", tmp_path / "a.txt"
    refused(
        f"{one} can hold one region, but there are 2: end its name in .zip.",
        one,
        ring(),
    )
    refused(f"{two} does not end in .zip or .roi: name it so.", two, ring())
    refused(
        "ImageJ knows slices and frames only, but `labels` has 3 leading axes: write a "
        "part of it.",
        two,
        np.ones((1, 1, 1, 2, 2), int),
    )
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_says_why_and_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "a.zip"
    message = (
        f"{path} cannot be written ({os.strerror(17)}): choose another folder or free "
        "some space."
    )
    refused(message, path, ring(), kind=EngineError)


def test_roifile_gives_back_the_corners_it_was_given(path):
    write_imagej(path, ring())
    for roi in roiread(path):
        again = ImagejRoi.frombytes(roi.tobytes())
        assert again == roi

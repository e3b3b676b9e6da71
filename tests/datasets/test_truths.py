"""Truth in files beside images: labels or points, and what in a folder is no truth."""

import re
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest
from roifile import ImagejRoi, roiwrite
from tests.datasets.folders import SHAPE, image, labels, mask, write

from napari_cresunet.datasets import (
    TruthFile,
    image_beside,
    load_pairs,
    match_by_stem,
    pair_folders,
)
from napari_cresunet.errors import InputError

COUNTS = "image,count,threshold\na.png,7,0.5\n"
SPLIT = "name,split\na,train\n"
POINTS = "y,x\n1.5,2\n4,7.25\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with a.png and b.png, and what lies about in such folders."""
    for name in ("a.png", "b.png"):
        write(tmp_path / name, image())
    (tmp_path / "counts.csv").write_text(COUNTS)
    (tmp_path / "split_old.csv").write_text(SPLIT)
    (tmp_path / "damaged.csv").write_bytes(b"\xff\xfe\0")
    (tmp_path / "damaged.zip").write_bytes(b"PK")
    with zipfile.ZipFile(tmp_path / "originals.zip", "w") as archive:
        archive.writestr("a.czi", b"")
    return tmp_path


def rois(path):
    roiwrite(path, [ImagejRoi.frompoints([(1, 2), (4, 2), (4, 5), (1, 5)])])
    return path


def names(pairing):
    return [(path.name, truth.path.name) for path, truth in pairing.pairs]


def test_points_stay_points_and_outlines_become_labels(folder):
    (folder / "a.csv").write_text(POINTS)
    points = TruthFile(folder / "a.csv").read_truth(SHAPE)
    assert points.dtype == np.float64
    assert points.tolist() == [[1.5, 2], [4, 7.25]]
    outlined = TruthFile(rois(folder / "a.zip")).read_truth(SHAPE)
    expected = np.zeros(SHAPE, np.int32)
    expected[2:5, 1:4] = 1
    np.testing.assert_array_equal(outlined, expected)


@pytest.mark.parametrize("pixels", [mask(), labels()])
def test_masks_and_label_images_are_read_as_ever(folder, pixels):
    truth = TruthFile(write(folder / "a_mask.png", pixels))
    np.testing.assert_array_equal(truth.read_truth(SHAPE), truth.read(SHAPE))
    assert truth.read_truth(SHAPE).max() == 2


def test_for_training_a_point_is_a_pixel(folder):
    (folder / "a.csv").write_text(POINTS)
    assert np.argwhere(TruthFile(folder / "a.csv").read(SHAPE)).tolist() == [
        [2, 2],
        [4, 7],
    ]


def test_the_points_of_one_image_of_several_are_read(folder):
    path = folder / "all.csv"
    path.write_text("image,y,x\na.png,1,2\nb.png,3,4\n")
    pairing = match_by_stem(folder, [path])
    assert names(pairing) == [("a.png", "all.csv"), ("b.png", "all.csv")]
    assert pairing.pairs[1][1].read_truth(SHAPE).tolist() == [[3, 4]]


def test_points_outside_of_the_image_are_refused(folder):
    path = folder / "a.csv"
    path.write_text("y,x\n3,400\n")
    message = (
        f"{path}, point 1 is at row 3, column 400, outside of the image of 12 x 16 px: "
        "save the points of this image, in px."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        TruthFile(path).read_truth(SHAPE)


@pytest.mark.parametrize(
    "name",
    [
        *("a.zip", "a_RoiSet.zip", "a_rois.zip", "a.png.geojson", "a.csv"),
        *("a_points.csv", "CellCounter_a.xml", "a_annotations.json"),
    ],
)
def test_names_that_programs_give_are_understood(folder, name):
    content = {
        ".csv": POINTS,
        ".xml": "<CellCounter_Marker_File/>",
        ".json": '{"type": "FeatureCollection", "features": []}',
        ".geojson": '{"type": "FeatureCollection", "features": []}',
    }
    path = folder / name
    if path.suffix == ".zip":
        rois(path)
    else:
        path.write_text(content[path.suffix])
    assert names(match_by_stem(folder, folder)) == [("a.png", name)]
    assert image_beside(path) == folder / "a.png"


def test_tables_and_archives_that_are_no_annotations_are_passed_over(folder):
    write(folder / "a_mask.png", mask())
    pairing = match_by_stem(folder, folder)
    assert names(pairing) == [("a.png", "a_mask.png")]
    assert pairing.truths_alone == ()
    assert [pair.name for pair in load_pairs(folder)] == ["a"]


def test_other_files_make_no_folder_of_pairs(folder):
    message = (
        f"{folder} is laid out in no way that is known here: put images into images/ "
        "and masks of the same names into masks/."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        next(load_pairs(folder))


@pytest.mark.parametrize("name", ["counts.csv", "originals.zip"])
def test_named_explicitly_they_are_refused(folder, name):
    message = f"{folder / name} is in no format of annotations that is known here: "
    with pytest.raises(InputError, match=f"^{re.escape(message)}.*points"):
        TruthFile(folder / name).read_truth(SHAPE)


def test_a_table_of_no_points_is_refused_where_pairs_are_named(folder):
    message = f"{folder / 'counts.csv'} is in no format of annotations that is known"
    with pytest.raises(InputError, match=f"^{re.escape(message)}.*points"):
        next(pair_folders(folder, [folder / "counts.csv"]))


def test_measurements_give_way_to_a_mask(folder, caplog):
    write(folder / "a_mask.png", mask())
    (folder / "a.csv").write_text(" ,Area,X,Y\n1,6,2,3.5\n")
    assert names(match_by_stem(folder, folder)) == [("a.png", "a_mask.png")]
    assert caplog.messages == [
        f"{folder / 'a.csv'} is left out beside {folder / 'a_mask.png'}."
    ]


def test_two_tables_for_one_image_are_refused(folder):
    for name in ("a.csv", "a_points.csv"):
        (folder / name).write_text(POINTS)
    message = (
        f"{folder / 'a.csv'} and {folder / 'a_points.csv'} are for the same image: "
        "leave one of them."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        match_by_stem(folder, folder)


def test_the_image_beside_is_the_one_that_the_file_names(folder):
    path = folder / "RoiSet.zip"
    assert image_beside(path, "scans\\b.tif") == folder / "b.png"
    assert image_beside(path) is None
    iio.imwrite(folder / "RoiSet.png", image())
    assert image_beside(path) == folder / "RoiSet.png"

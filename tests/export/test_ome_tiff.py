"""Labels as OME-TIFF."""

import os
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from napari_cresunet._images import read_image, read_pixel_size
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.export import record_in_ome, write_ome_tiff

SHAPES = {"YX": (5, 7), "ZYX": (3, 5, 7), "TZYX": (2, 3, 5, 7)}

OURS = (
    '<O><CommentAnnotation Namespace="napari-cresunet"><Value>{}</Value>'
    "</CommentAnnotation></O>"
)


def labels_of(shape, highest=9):
    labels = np.arange(np.prod(shape), dtype=np.int32).reshape(shape) % 5
    labels.flat[-1] = highest
    return labels


def metadata_of(path):
    with tifffile.TiffFile(path) as file:
        return file.ome_metadata


@pytest.mark.parametrize("axes", SHAPES)
def test_what_is_written_is_read_with_its_axes(tmp_path, axes):
    path = tmp_path / "a.ome.tif"
    labels = labels_of(SHAPES[axes])
    write_ome_tiff(path, labels)
    np.testing.assert_array_equal(read_image(path), labels)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert file.series[0].axes == axes
        assert file.series[0].shape == labels.shape


@pytest.mark.parametrize(
    ("highest", "kind"),
    [(9, np.uint16), (65_535, np.uint16), (65_536, np.int32), (2**31 - 1, np.int32)],
)
def test_numbers_are_no_wider_than_they_must_be(tmp_path, highest, kind):
    path = tmp_path / "a.ome.tif"
    labels = labels_of((4, 6), highest).astype(np.int64)
    write_ome_tiff(path, labels)
    found = tifffile.imread(path)
    assert found.dtype == kind
    np.testing.assert_array_equal(found, labels)


def test_the_size_of_a_pixel_is_in_ome_and_in_the_resolution(tmp_path):
    path = tmp_path / "a.ome.tif"
    write_ome_tiff(path, labels_of((4, 6)), pixel_size=(0.5, 0.25), name="slice <1>")
    root = ElementTree.fromstring(metadata_of(path))
    (pixels,) = root.findall("./{*}Image/{*}Pixels")
    found = {name: pixels.get(f"PhysicalSize{name}") for name in ("X", "Y", "XUnit")}
    assert found == {"X": "0.25", "Y": "0.5", "XUnit": "µm"}
    assert root.find("./{*}Image").get("Name") == "slice <1>"
    assert read_pixel_size(path) == (0.5, 0.25)
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        assert tags["ResolutionUnit"].value == 3  # cm
        over, below = tags["XResolution"].value
        assert below / over * 1e4 == pytest.approx(0.25)


def test_without_a_size_none_is_said(tmp_path):
    path = tmp_path / "a.ome.tif"
    write_ome_tiff(path, labels_of((4, 6)))
    assert "PhysicalSize" not in metadata_of(path)
    assert read_pixel_size(path) is None


def test_the_record_is_an_annotation_that_is_found_again(tmp_path):
    path = tmp_path / "a.ome.tif"
    record = {"model": "a & b < c", "threshold": 0.4, "scaling": {"low": 0}, "µ": None}
    write_ome_tiff(path, labels_of((4, 6)), record=record)
    assert record_in_ome(metadata_of(path)) == record
    root = ElementTree.fromstring(metadata_of(path))
    (said,) = root.findall(".//{*}CommentAnnotation")
    assert root.find(".//{*}AnnotationRef").get("ID") == said.get("ID")


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<OME/>",
        '<CommentAnnotation Namespace="napari-cresunet"/>',
        OURS.format("3"),
        OURS.format("{"),
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ],
)
def test_metadata_without_our_record_have_none(text):
    assert record_in_ome(text) == {}


def refused(message, *args, kind=InputError):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        write_ome_tiff(*args)


def test_what_cannot_be_written_is_refused(tmp_path):
    path = tmp_path / "a.ome.tif"
    refused(
        "OME-TIFF has T and Z here, but `labels` has 3 leading axes: write a part of "
        "it.",
        path,
        np.ones((1, 1, 1, 2, 2), int),
    )
    refused(
        "`labels` must have a pixel, got shape (0, 4): there is nothing to write.",
        path,
        np.ones((0, 4), int),
    )
    path.mkdir()
    refused(
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space.",
        path,
        labels_of((4, 6)),
        kind=EngineError,
    )
    assert list(tmp_path.iterdir()) == [path]


def test_names_and_records_with_characters_that_xml_has_not_are_read(tmp_path):
    path = tmp_path / "a.ome.tif"
    strange = "µ\x01<\udcff>"
    write_ome_tiff(
        path, labels_of((4, 6)), record={"image": strange, "low": np.nan}, name=strange
    )
    metadata = metadata_of(path)
    assert record_in_ome(metadata) == {"image": strange, "low": None}
    (image,) = ElementTree.fromstring(metadata).findall("{*}Image")
    assert image.get("Name") == "µ_<_>"

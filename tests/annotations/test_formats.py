"""Any annotation file: which format it is in, and files that cannot be read."""

import json
import re
import zipfile

import pytest

from napari_cresunet.annotations import (
    ANNOTATION_SUFFIXES,
    is_annotation_file,
    load_annotations,
    read_annotations,
)
from napari_cresunet.errors import InputError

UNKNOWN = (
    "is in no format of annotations that is known here: use Pascal VOC (.xml), COCO "
    "(.json), VIA (.json), VIA (.csv), ImageJ ROI (.roi, .zip), QuPath GeoJSON "
    "(.geojson, .json), Cell Counter (.xml), columns of points (.csv)."
)
AGAIN = "export the annotations again."


def refused(path, message, **options):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_annotations(path, **options)


def via(path, *names):
    regions = {name: {"filename": name, "regions": []} for name in names}
    path.write_text(json.dumps(regions))
    return path


def test_the_endings_are_known():
    assert set(ANNOTATION_SUFFIXES) == {
        *(".csv", ".geojson", ".json", ".roi", ".xml", ".zip")
    }


DAMAGED = {
    "cut.json": (b'{"a": [1,\n 2', "JSON (line 2, column 3: Expecting ',' delimiter)"),
    "empty.json": (b"", "JSON (line 1, column 1: Expecting value)"),
    "latin.json": ('{"ä": 1}'.encode("latin-1"), "JSON (byte 2 is no UTF-8)"),
    "nest.json": (b"[" * 200_000, "JSON (nested too deep or too long)"),
    "digits.json": (b"9" * 5000, "JSON (nested too deep or too long)"),
    "cut.xml": (b"<annotation>\n<object>", "XML (line 2, column 9)"),
    "empty.xml": (b"", "XML (line 1, column 1)"),
    "cut.geojson": (b"[", "JSON (line 1, column 2: Expecting value)"),
    "latin.csv": ("x,y\n1,ä".encode("latin-1"), "CSV (byte 6 is no UTF-8)"),
    "field.csv": (
        b"x,y\n1," + b"2" * 140_000,
        "CSV (line 2: field larger than field limit (131072))",
    ),
    "empty.zip": (b"", "ZIP (its list of entries cannot be read)"),
    "cut.zip": (b"PK\3\4" + bytes(40), "ZIP (its list of entries cannot be read)"),
    "empty.roi": (b"", "ImageJ ROI (it does not begin with Iout)"),
    "code.xml": (b'<?xml version="1.0" encoding="x"?><a/>', "XML (unknown encoding)"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named_with_the_place(tmp_path, name):
    path = tmp_path / name
    content, reason = DAMAGED[name]
    path.write_bytes(content)
    refused(path, f"{path} is damaged or no {reason}: {AGAIN}")


def test_entities_are_not_expanded(tmp_path):
    path = tmp_path / "bomb.xml"
    path.write_text(
        '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>'
        "<annotation>&c;</annotation>"
    )
    refused(
        path, f"{path} declares entities, which can do harm and are not read: {AGAIN}"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "x,name"),
        ("b.csv", ""),
        ("c.csv", "1,2\n3,4\n"),
        ("d.csv", "index,shape-type,vertex-index,axis-0,axis-1\n"),
        ("a.geojson", "{}"),
        ("a.json", '{"points": [[1, 2]]}'),
        ("b.json", "[1, 2]"),
        ("c.json", '{"_via_img_metadata": 3}'),
        ("a.xml", "<svg/>"),
    ],
)
def test_another_format_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    refused(path, f"{path} {UNKNOWN}")
    assert not is_annotation_file(path)


def test_an_archive_without_regions_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.png", b"")
    refused(path, f"{path} {UNKNOWN}")
    assert not is_annotation_file(path)


KNOWN = {
    "a.json": b'{"images": [], "annotations": []}',
    "b.json": b'{"type": "FeatureCollection", "features": []}',
    "a.geojson": b'{"type": "Feature"}',
    "a.xml": b"<annotation/>",
    "b.xml": b"<CellCounter_Marker_File/>",
    "a.csv": b"y,x\n\xff\n",
    "b.csv": b"filename,region_shape_attributes\n",
    "a.roi": b"Iout",
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_format_is_recognized_without_reading_further_than_needed(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(KNOWN[name])
    assert is_annotation_file(path)


@pytest.mark.parametrize("name", [*DAMAGED, "missing.csv", "a.png"])
def test_what_is_damaged_or_of_another_kind_is_not_recognized(tmp_path, name):
    if name in DAMAGED:
        (tmp_path / name).write_bytes(DAMAGED[name][0])
    is_whole_so_far = name in ("latin.csv", "field.csv")
    assert is_annotation_file(tmp_path / name) is is_whole_so_far


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    refused(tmp_path / "a.xml", f"There is no file {tmp_path / 'a.xml'}.")
    folder = tmp_path / "b.json"
    folder.mkdir()
    refused(folder, f"{folder} cannot be read (Is a directory): name a file that can.")


def test_a_byte_order_mark_and_capitals_do_no_harm(tmp_path):
    path = tmp_path / "A.JSON"
    path.write_text('{"a": {"regions": []}}', encoding="utf-8-sig")
    assert read_annotations(path, shape=(2, 3)).shape == (2, 3)


def test_the_image_must_be_one_of_the_file(tmp_path):
    path = via(tmp_path / "a.json", "a.png", "b.png", "c.png", "d.png")
    refused(
        path,
        f"{path} describes 4 images (a.png, b.png, c.png and 1 more): say which one.",
        shape=(2, 2),
    )
    refused(
        path,
        f"{path} says nothing about e.png; it describes a.png, b.png, c.png and 1 "
        "more.",
        image_name="e.png",
    )
    path = via(tmp_path / "b.json", "x/a.png", "y/a.png")
    refused(
        path, f"{path} describes a.png 2 times: leave one of them.", image_name="a.png"
    )
    path = via(tmp_path / "c.json")
    refused(path, f"{path} describes no image: {AGAIN}")


def test_a_file_is_read_once_for_many_images(tmp_path):
    path = via(tmp_path / "a.json", "a.png", "b.png")
    annotations = load_annotations(path)
    path.unlink()
    assert annotations.names == ("a.png", "b.png")
    assert annotations.labels("b", shape=(3, 4)).shape == (3, 4)

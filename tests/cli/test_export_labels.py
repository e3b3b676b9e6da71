"""The command `export`."""

import csv
import json

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from tests.export.counts import RECORD, SHAPE, image_of, labels_of_three

from napari_cresunet._files import hash_of
from napari_cresunet._images import read_image, read_pixel_size
from napari_cresunet.annotations import read_annotations, write_geojson, write_imagej
from napari_cresunet.export import LABEL_FORMATS
from napari_cresunet.inference import write_labels


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a folder with labels as `count` writes them, and their image."""
    monkeypatch.chdir(tmp_path)
    labels = labels_of_three()
    iio.imwrite("a.png", image_of(labels))
    record = RECORD | {"image": "a.png", "image_hash": hash_of(tmp_path / "a.png")}
    write_labels("a_labels.tif", labels, record)
    return tmp_path


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def table_in(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


TOLD = "Image: a.png, from which these labels were made.\n"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("csv", ["a_cells.csv", "a_cells.json"]),
        ("ome-tiff", ["a_labels.ome.tif"]),
        ("imagej-roi", ["a_RoiSet.zip"]),
        ("geojson", ["a.geojson"]),
        ("coco", ["a.coco.json"]),
        ("overlay", ["a_overlay.png"]),
        ("report", ["a_report.html"]),
    ],
)
def test_every_format_has_a_name_of_its_own(run, here, kind, names):
    before = files_in(here)
    outcome = run("export", "a_labels.tif", "--to", kind)
    first = f"Wrote {names[0]} ({LABEL_FORMATS[kind].title})\n"
    others = "".join(f"Wrote {name}\n" for name in names[1:])
    assert (outcome.status, outcome.out) == (0, first + others)
    assert outcome.err == TOLD
    assert files_in(here) == sorted([*before, *names])


def test_json_says_what_was_written(run, here):
    outcome = run("export", "a_labels.tif", "--to", "csv", "-o", "x/b.csv", "--json")
    assert json.loads(outcome.out) == {
        "format": "csv",
        "cells": 3,
        "files": ["x/b.csv", "x/b.json"],
    }


def test_image_regions_and_size_go_into_the_tables(run, here):
    regions = np.zeros(SHAPE, np.int32)
    regions[:, :30] = 1
    write_geojson("r.geojson", regions, names={1: "CA1"})
    outcome = run(
        *("export", "a_labels.tif", "--to", "csv", "-o", "b.csv"),
        *("--image", "a.png", "--regions", "r.geojson", "--pixel-size", "0.5x0.25"),
    )
    assert (outcome.status, outcome.err) == (0, "")
    rows = table_in(here / "b.csv")
    assert [row["region"] for row in rows] == ["CA1", "", ""]
    assert [float(row["mean_intensity"]) for row in rows] == [900, 900, 900]
    assert float(rows[0]["area_um2"]) == 2
    rows = table_in(here / "b_regions.csv")
    assert [(row["region"], row["count"]) for row in rows] == [
        ("CA1", "1"),
        ("whole image", "3"),
    ]
    record = json.loads((here / "b.json").read_text())
    assert record["model"] == "tiny"
    assert record["pixel_size_from"] == "--pixel-size"
    assert record["files"]["labels"]["hash"] == hash_of(here / "a_labels.tif")


def test_formats_can_be_turned_into_each_other(run, here):
    labels = labels_of_three()
    steps = [
        ("a_labels.tif", "ome-tiff", "b.ome.tif", ["--pixel-size", "0.5x0.25"]),
        ("b.ome.tif", "imagej-roi", "c.zip", []),
        ("c.zip", "geojson", "d.geojson", ["--image", "a.png"]),
        ("d.geojson", "coco", "e.json", ["--image", "a.png"]),
        ("e.json", "ome-tiff", "f.tif", []),
    ]
    for source, kind, target, options in steps:
        outcome = run("export", source, "--to", kind, "-o", target, *options)
        assert outcome.status == 0, outcome.err
    np.testing.assert_array_equal(read_image("b.ome.tif"), labels)
    assert read_pixel_size("b.ome.tif") == (0.5, 0.25)
    numbered = np.searchsorted([0, 2, 5, 300], labels)
    np.testing.assert_array_equal(read_image("f.tif"), numbered)


def test_the_record_outlives_ome_tiff(run, here):
    run("export", "a_labels.tif", "--to", "ome-tiff", "-o", "b.ome.tif")
    outcome = run("export", "b.ome.tif", "--to", "csv", "-o", "c.csv")
    assert outcome.err == TOLD
    record = json.loads((here / "c.json").read_text())
    assert {name: record[name] for name in RECORD} == RECORD


def test_one_cell_in_pieces_and_on_planes_is_one_cell_in_what_was_exported(run, here):
    labels = np.zeros((2, *SHAPE), np.int32)
    labels[0, 3:6, 3:6] = labels[0, 20:23, 30:40] = labels[1, 3:6, 3:6] = 7
    write_imagej("b.zip", labels)
    tifffile.imwrite("b.tif", np.zeros(labels.shape, np.uint8))
    run("export", "b.zip", "--to", "ome-tiff", "--image", "b.tif")
    run("export", "b_labels.ome.tif", "--to", "csv")
    (row,) = table_in(here / "b_cells.csv")
    assert (row["label"], row["planes"], row["area_px"]) == ("1", "2", "39")


def test_what_tifffile_says_by_itself_is_no_record(run, here):
    tifffile.imwrite("c.tif", labels_of_three())
    run("export", "c.tif", "--to", "csv")
    record = json.loads((here / "c_cells.json").read_text())
    assert sorted(record) == ["files", "n_cells", "name", "shape", "written_by"]


def test_an_image_that_has_changed_is_not_taken(run, here):
    iio.imwrite("a.png", image_of(labels_of_three()) + 1)
    outcome = run("export", "a_labels.tif", "--to", "overlay")
    assert (outcome.status, outcome.err) == (0, "")


def test_an_overlay_may_have_numbers_and_is_what_its_name_says(run, here):
    outcome = run(
        "export", "a_labels.tif", "--to", "overlay", "-o", "b.svg", "--numbers"
    )
    assert outcome.status == 0
    text = (here / "b.svg").read_text()
    assert all(f">{number}</text>" in text for number in (2, 5, 300))
    run("export", "a_labels.tif", "--to", "overlay", "-o", "c.svg")
    assert "<text" not in (here / "c.svg").read_text()


def test_stacks_stay_stacks(run, here):
    labels = np.stack([labels_of_three(), np.zeros(SHAPE, np.int32)])
    labels[1, 3, 3] = 7
    tifffile.imwrite("s_labels.tif", labels)
    tifffile.imwrite("s.tif", labels.astype(np.uint16), photometric="minisblack")
    for kind, name in (("imagej-roi", "s_RoiSet.zip"), ("geojson", "s.geojson")):
        assert run("export", "s_labels.tif", "--to", kind).status == 0
        found = read_annotations(name, shape=labels.shape)
        expected = np.searchsorted([0, 2, 5, 7, 300], labels)
        np.testing.assert_array_equal(found, expected)
    outcome = run(
        "export", "s_RoiSet.zip", "--to", "ome-tiff", "-o", "t.tif", "--image", "s.tif"
    )
    assert outcome.status == 0
    np.testing.assert_array_equal(read_image("t.tif"), expected)


WRONG = [
    (
        ["--to", "png"],
        f"Invalid value for '--to': 'png' is not one of {', '.join(LABEL_FORMATS)}",
    ),
    (
        ["--to", "coco", "-o", "a.zip"],
        "Invalid value for '--output': a.zip does not end in .json",
    ),
    (
        ["--to", "imagej-roi", "-o", "a"],
        "Invalid value for '--output': a does not end in .zip or .roi",
    ),
    (
        ["--to", "coco", "-o", "b.coco"],
        "Invalid value for '--output': b.coco does not end in .json",
    ),
    ([], "Missing option '--to'"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_arguments_are_named(run, here, options, message):
    before = files_in(here)
    outcome = run("export", "a_labels.tif", *options)
    assert outcome.status == 2
    assert outcome.err == f"Error: {message}; see 'napari-cresunet export --help'.\n"
    assert files_in(here) == before


FAILURES = [
    (
        ["b.tif", "--to", "csv"],
        "There is no file b.tif.",
    ),
    (
        ["a.zip", "--to", "csv"],
        "a.zip does not say how large its image is: name the image with --image.",
    ),
    (
        ["a_labels.tif", "--to", "ome-tiff", "-o", "a_labels.tif"],
        "The results would overwrite a_labels.tif; choose another folder.",
    ),
    (
        ["a_labels.tif", "--to", "overlay", "-o", "a.png"],
        "The results would overwrite a.png; choose another folder.",
    ),
    (
        ["a_labels.tif", "--to", "overlay", "-o", "d.png"],
        "d.png is a folder: name a file in it.",
    ),
    (
        ["a_labels.tif", "--to", "coco", "--image", "small.png"],
        "small.png has another size than a_labels.tif: use the image of these labels.",
    ),
    (
        ["a_labels.tif", "--to", "csv", "-o", "a.png/b.csv"],
        (
            "a.png/b.csv cannot be written (File exists): choose another folder or "
            "free some space."
        ),
    ),
    (
        ["high.tif", "--to", "geojson"],
        "`labels` must be at most 2147483647, got 4294967295: number the cells anew.",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), FAILURES)
def test_what_fails_is_said_in_one_line_and_leaves_nothing(
    run, here, arguments, message
):
    write_imagej("a.zip", labels_of_three())
    iio.imwrite("small.png", np.zeros((4, 5), np.uint8))
    tifffile.imwrite("high.tif", np.array([[0, 1, 2**32 - 1]], np.uint32))
    (here / "d.png").mkdir()
    before = {path: path.stat().st_mtime_ns for path in here.iterdir()}
    outcome = run("export", *arguments)
    assert outcome.status == 1
    assert outcome.err.removeprefix(TOLD) == f"Error: {message}\n"
    assert {path: path.stat().st_mtime_ns for path in here.iterdir()} == before


def test_labels_named_like_their_annotations_are_not_overwritten(run, here):
    run("export", "a_labels.tif", "--to", "coco", "-o", "b.json")
    content = (here / "b.json").read_bytes()
    outcome = run("export", "b.json", "--to", "csv", "-o", "b.csv")
    assert outcome.status == 1
    assert outcome.err == (
        "Error: The results would overwrite b.json; choose another folder.\n"
    )
    assert (here / "b.json").read_bytes() == content


def test_no_cells_are_exported_too(run, here):
    tifffile.imwrite("none.tif", np.zeros(SHAPE, np.uint16))
    for kind in LABEL_FORMATS:
        outcome = run("export", "none.tif", "--to", kind, "--json")
        assert outcome.status == 0, outcome.err
        assert json.loads(outcome.out)["cells"] == 0

import csv
import hashlib
import json
from importlib.metadata import version

import imageio.v3 as iio
import numpy as np
import pytest
import roifile
import tifffile
from tests.scenes import SHAPE, THREE, paint

from napari_cresunet.measurement import (
    Region,
    link_planes,
    measure,
    measure_regions,
)

NO_DENSITY = (
    "There are no densities because no pixel size is known: set scale and unit of the "
    "layer, or give --pixel-size.\n"
)
IN_UM = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25}


def roi(name, *corners):
    """Make a polygon of (x, y)."""
    one = roifile.ImagejRoi.frompoints(np.array(corners, np.float32), name=name)
    one.roitype = roifile.ROI_TYPE.POLYGON
    return one


@pytest.fixture
def labels(tmp_path):
    """Write three cells as labels with gaps between the numbers."""
    path = tmp_path / "a_labels.tif"
    tifffile.imwrite(path, paint(*THREE) * 10)
    return path


@pytest.fixture
def regions(tmp_path):
    """Write two regions side by side: the first has two of the cells."""
    path = tmp_path / "RoiSet.zip"
    roifile.roiwrite(
        path,
        [
            roi("left [CA1]", (0, 0), (50, 0), (50, 60), (0, 60)),
            roi("right", (50, 0), (90, 0), (90, 60), (50, 60)),
        ],
    )
    return path


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def rows_json(run, *arguments, err=""):
    outcome = run("measure", *arguments, "--json")
    assert (outcome.status, outcome.err) == (0, err)
    return json.loads(outcome.out)


def test_json_has_the_rows_of_python(run, labels, regions):
    rows = rows_json(run, labels, "--regions", regions, "--pixel-size", "0.5x0.4")
    masks = np.arange(90)[None].repeat(60, 0) < 50
    expected = measure_regions(
        measure(paint(*THREE)),
        SHAPE,
        [Region(name="left [CA1]", mask=masks), Region(name="right", mask=~masks)],
        pixel_size=(0.5, 0.4),
    )
    assert rows == expected
    assert [row["count"] for row in rows] == [2, 1, 3]


def test_people_see_counts_areas_and_densities(run, labels, regions):
    outcome = run("measure", labels, "--regions", regions, "--pixel-size", 0.5)
    assert (outcome.status, outcome.err) == (0, "")
    lines = [line for line in outcome.out.splitlines() if line.startswith(("┃", "│"))]
    cells = [[cell.strip() for cell in line[1:-1].split(line[0])] for line in lines]
    assert cells == [
        ["Region", "Cells", "Area (mm²)", "Cells per mm²"],
        ["left [CA1]", "2", "0.00075", "2666.7"],
        ["right", "1", "0.0006", "1666.7"],
        ["whole image", "3", "0.00135", "2222.2"],
    ]


def test_without_a_pixel_size_there_are_counts_and_the_reason(run, labels):
    outcome = run("measure", labels)
    assert (outcome.status, outcome.err) == (0, NO_DENSITY)
    assert "│ whole image │     3 │      5400 │" in outcome.out
    (row,) = rows_json(run, labels, err=NO_DENSITY)
    assert row == {
        "region": "whole image",
        "count": 3,
        "area_px": 5400,
        "area_mm2": None,
        "density_per_mm2": None,
        "planes": 1,
        "overlaps": "",
    }


def test_tables_and_records_are_written_side_by_side(run, labels, regions, tmp_path):
    image, probability = (tmp_path / name for name in ("a.ome.tif", "p.tif"))
    values = np.random.default_rng(0).random(SHAPE, np.float32)
    tifffile.imwrite(image, values, metadata=IN_UM)
    tifffile.imwrite(probability, values)
    output = tmp_path / "out" / "cells.csv"
    given = ["--image", image, "--regions", regions, "--probability", probability]
    outcome = run("measure", labels, *given, "-o", output)
    assert (outcome.status, outcome.err) == (0, "")
    names = ["cells.csv", "cells.json", "cells_regions.csv", "cells_regions.json"]
    assert sorted(path.name for path in output.parent.iterdir()) == names

    table = measure(
        paint(*THREE) * 10, image=values, probability=values, pixel_size=(0.25, 0.5)
    )
    rows = rows_of(output)
    assert list(rows[0]) == [*table, "region"]
    for name, column in table.items():
        assert [row[name] for row in rows] == [str(value) for value in column.tolist()]
    assert [row["region"] for row in rows] == ["left [CA1]", "left [CA1]", "right"]

    counts = rows_of(output.with_name("cells_regions.csv"))
    found = [(row["image"], row["region"], row["count"]) for row in counts]
    assert found == [
        ("a_labels", "left [CA1]", "2"),
        ("a_labels", "right", "1"),
        ("a_labels", "whole image", "3"),
    ]
    assert float(counts[0]["density_per_mm2"]) == pytest.approx(2 / (3000 * 0.125e-6))

    record = json.loads(output.with_suffix(".json").read_text())
    files = {"labels": labels, "image": image, "regions": regions}
    for name, path in (files | {"probability": probability}).items():
        assert record["files"][name] == {
            "path": str(path),
            "hash": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    known = ("version", "n_cells", "pixel_size_um", "pixel_size_from", "link_planes")
    assert [record[name] for name in known] == [
        *(version("napari-cresunet"), 3, [0.25, 0.5], str(image), False)
    ]
    assert record["time"].endswith("+00:00")


def test_what_count_recorded_goes_into_the_record_and_finds_the_pixel_size(
    run, tmp_path
):
    image, labels = tmp_path / "a.ome.tif", tmp_path / "a_labels.tif"
    tifffile.imwrite(image, np.zeros(SHAPE, np.uint8), metadata=IN_UM)
    made_by = {"image": str(image), "model": "tiny", "threshold": 0.6}
    tifffile.imwrite(labels, paint(*THREE), description=json.dumps(made_by))
    (row,) = rows_json(run, labels, "-o", tmp_path / "cells.csv")
    assert row["area_mm2"] == pytest.approx(5400 * 0.125e-6)
    record = json.loads((tmp_path / "cells.json").read_text())
    assert record["made_by"] == made_by
    image.unlink()
    rows_json(run, labels, err=NO_DENSITY)


def test_files_that_do_not_agree_on_the_pixel_size_are_told(run, tmp_path):
    image, labels = tmp_path / "a.tif", tmp_path / "a.ome.tif"
    tifffile.imwrite(
        image,
        paint(*THREE).astype(np.uint8),
        imagej=True,
        resolution=(4, 4),
        metadata={"unit": "um"},
    )
    tifffile.imwrite(labels, paint(*THREE), metadata=IN_UM)
    err = (
        f"{labels} says that a pixel has 0.25 x 0.5 µm, {image} 0.25 x 0.25 µm: the "
        "former is used; give --pixel-size to decide.\n"
    )
    (row,) = rows_json(run, labels, "--image", image, err=err)
    assert row["area_mm2"] == pytest.approx(5400 * 0.125e-6)
    (row,) = rows_json(run, labels, "--image", image, "--pixel-size", 1)
    assert row["area_mm2"] == pytest.approx(5400e-6)


def test_regions_that_overlap_or_cross_the_border_are_told(run, labels, tmp_path):
    regions = tmp_path / "r.zip"
    square = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT, left=0, top=0, right=50, bottom=60, name="left"
    )
    beyond = roi("beyond", (40, -5), (99, -5), (99, 99), (40, 99))
    roifile.roiwrite(regions, [square, beyond])
    err = (
        "Regions reach beyond the image, where no area is counted: beyond.\n"
        "Regions overlap, and each counts the cells that they share: left and beyond.\n"
    )
    arguments = (labels, "--regions", regions, "--pixel-size", 1)
    rows = rows_json(run, *arguments, err=err)
    assert [row["count"] for row in rows] == [2, 2, 3]
    assert [row["area_px"] for row in rows] == [3000, 3000, 5400]
    assert [row["overlaps"] for row in rows] == ["beyond", "left", ""]


def test_regions_may_be_geojson_or_labels(run, labels, tmp_path):
    ring = [[0, 0], [50, 0], [50, 60], [0, 60], [0, 0]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "classification": {"name": "DG"}},
    }
    nameless = feature | {"properties": {}}
    drawn, numbered = tmp_path / "r.geojson", tmp_path / "r.png"
    drawn.write_text(json.dumps([feature, nameless]))
    plane = np.full(SHAPE, 4, np.uint8)
    plane[:, 50:] = 9
    iio.imwrite(numbered, plane)
    size = ("--pixel-size", 1)
    err = (
        "Regions overlap, and each counts the cells that they share: DG and region 2.\n"
    )
    rows = rows_json(run, labels, "--regions", drawn, *size, err=err)
    found = [(row["region"], row["count"]) for row in rows[:-1]]
    assert found == [("DG", 2), ("region 2", 2)]
    rows = rows_json(run, labels, "--regions", numbered, *size)
    found = [(row["region"], row["count"]) for row in rows[:-1]]
    assert found == [("region 4", 2), ("region 9", 1)]


def test_parts_of_a_mask_are_cells_also_in_a_stack(run, tmp_path):
    mask = (np.stack([paint(*THREE), paint(*THREE[:2])]) > 0).astype(np.uint8) * 255
    path = tmp_path / "mask.tif"
    tifffile.imwrite(path, mask, photometric="minisblack")
    output = tmp_path / "cells.csv"
    (row,) = rows_json(run, path, "-o", output, "--pixel-size", 1)
    assert (row["count"], row["planes"], row["area_px"]) == (5, 2, 10800)
    found = [(row["label"], row["plane"]) for row in rows_of(output)]
    assert found == [("1", "0"), ("2", "0"), ("3", "0"), ("4", "1"), ("5", "1")]


def test_a_single_cell_keeps_its_number(run, tmp_path):
    path, output = tmp_path / "one.png", tmp_path / "cells.csv"
    iio.imwrite(path, (paint(THREE[0]) * 7).astype(np.uint8))
    run("measure", path, "-o", output)
    assert [row["label"] for row in rows_of(output)] == ["7"]


def test_linked_cells_are_counted_once_and_seen_from_above(run, tmp_path):
    stack = np.stack([paint(*THREE), paint(*THREE[:2]) * 5])
    path, output = tmp_path / "z.tif", tmp_path / "cells.csv"
    tifffile.imwrite(path, stack, photometric="minisblack")
    (row,) = rows_json(run, path, "--pixel-size", 1)
    assert (row["count"], row["planes"]) == (5, 2)
    (row,) = rows_json(run, path, "--link-planes", "--pixel-size", 1, "-o", output)
    assert (row["count"], row["planes"], row["area_px"]) == (3, 1, 5400)
    table = measure(link_planes(stack), pixel_size=(1, 1))
    assert [row["planes"] for row in rows_of(output)] == [
        str(number) for number in table["planes"]
    ]
    assert "│ whole image │     5 │" in run("measure", path).out
    assert "Planes" in run("measure", path).out


def test_labels_that_are_linked_already_are_seen_from_above_too(run, tmp_path):
    path = tmp_path / "t_z.tif"
    times = np.stack([np.stack([paint(*THREE)] * 3)] * 2)
    times[1] += (times[1] > 0) * np.int32(3)
    tifffile.imwrite(path, times, photometric="minisblack")
    (row,) = rows_json(run, path, "--pixel-size", 1)
    assert (row["count"], row["planes"], row["area_px"]) == (6, 2, 2 * 5400)


def test_channels_may_come_before_or_behind_planes(run, tmp_path):
    stack = np.stack([paint(*THREE)] * 3)
    stack[1:] += (stack[1:] > 0) * np.array([3, 6])[:, None, None].astype(np.int32)
    image = np.random.default_rng(0).integers(0, 99, (3, 2, *SHAPE)).astype(np.uint16)
    path, output = tmp_path / "z_labels.tif", tmp_path / "cells.csv"
    tifffile.imwrite(path, stack, photometric="minisblack")
    expected = measure(stack, image=np.moveaxis(image, 1, 0))
    for name, channels in (("zc", image), ("cz", np.moveaxis(image, 1, 0))):
        picture = tmp_path / f"{name}.tif"
        tifffile.imwrite(picture, channels, photometric="minisblack")
        run("measure", path, "--image", picture, "-o", output)
        for column in ("mean_intensity_1", "background_2"):
            found = [float(row[column]) for row in rows_of(output)]
            assert found == pytest.approx(expected[column])


def test_cells_may_be_annotations(run, tmp_path, labels):
    cells = tmp_path / "cells.zip"
    left = roi("a", (0, 0), (10, 0), (10, 10), (0, 10))
    roifile.roiwrite(cells, [left, roi("b", (30, 30), (40, 30), (40, 35), (30, 35))])
    outcome = run("measure", cells)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: {cells} does not say how large its image is: name the image with "
        "--image.\n"
    )
    image, output = tmp_path / "image.png", tmp_path / "table.csv"
    iio.imwrite(image, np.zeros((*SHAPE, 3), np.uint8))
    run("measure", cells, "--image", image, "-o", output)
    assert [row["area_px"] for row in rows_of(output)] == ["100", "50"]


def test_the_annotations_of_an_image_are_found_by_its_name(run, tmp_path):
    coco = tmp_path / "truth.json"
    square = [[2, 2, 8, 2, 8, 8, 2, 8]]
    coco.write_text(
        json.dumps(
            {
                "images": [
                    {"id": n, "file_name": f"{name}.png", "height": 60, "width": 90}
                    for n, name in enumerate("ab")
                ],
                "annotations": [{"id": 1, "image_id": 1, "segmentation": square}],
            }
        )
    )
    image = tmp_path / "b.png"
    iio.imwrite(image, np.zeros(SHAPE, np.uint8))
    (row,) = rows_json(run, coco, "--image", image, err=NO_DENSITY)
    assert row["count"] == 1
    outcome = run("measure", coco)
    assert outcome.err == (
        f"Error: {coco} describes 2 images (a.png, b.png): say which one.\n"
    )


def test_labels_without_cells_are_measured(run, tmp_path):
    path, output = tmp_path / "empty.tif", tmp_path / "cells.csv"
    tifffile.imwrite(path, np.zeros(SHAPE, np.uint16))
    (row,) = rows_json(run, path, "-o", output, "--pixel-size", 1)
    assert (row["count"], row["density_per_mm2"]) == (0, 0.0)
    assert output.read_text().startswith("label,area_px,area_um2,")
    assert rows_of(output) == []


@pytest.mark.parametrize(
    ("option", "pixels", "what"),
    [
        ("--image", np.zeros((5, 6), np.uint8), "image"),
        ("--image", np.zeros((4, 5, 6), np.uint8), "image"),
        ("--probability", np.zeros((5, 6), np.float32), "probability"),
    ],
)
def test_what_is_of_another_size_is_refused(
    run, labels, tmp_path, option, pixels, what
):
    other = tmp_path / "other.tif"
    tifffile.imwrite(other, pixels, photometric="minisblack")
    outcome = run("measure", labels, option, other, "-o", tmp_path / "cells.csv")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: {other} has another size than {labels}: use the {what} of these "
        "labels.\n"
    )
    assert not (tmp_path / "cells.csv").exists()


def test_regions_of_another_size_or_without_area_are_refused(run, labels, tmp_path):
    small, dots = tmp_path / "small.png", tmp_path / "dots.csv"
    iio.imwrite(small, np.eye(5, 6, dtype=np.uint8))
    dots.write_text("x,y\n1,2\n")
    outcome = run("measure", labels, "--regions", small)
    assert outcome.err == (
        f"Error: {small} has the shape (5, 6), but (60, 90) is needed: use the regions "
        "of this image, in one plane.\n"
    )
    outcome = run("measure", labels, "--regions", dots)
    assert outcome.err == (
        f"Error: {dots} has points, but regions are areas: draw outlines around them.\n"
    )
    assert outcome.status == 1


def test_annotated_regions_of_another_image_are_refused(run, labels, tmp_path):
    regions = tmp_path / "regions.json"
    image = {"id": 1, "file_name": "b.png", "height": 9, "width": 8}
    regions.write_text(json.dumps({"images": [image], "annotations": []}))
    outcome = run("measure", labels, "--regions", regions)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: {regions} has regions of an image of the shape (9, 8), but (60, 90) "
        "is needed: use the regions of this image.\n"
    )


def test_regions_on_several_planes_are_refused(run, labels, tmp_path):
    regions = tmp_path / "planes.zip"
    corners = (0, 0), (50, 0), (50, 60)
    rois = [roi(f"r{position}", *corners) for position in (1, 2)]
    for position, one in enumerate(rois, start=1):
        one.position = position
    roifile.roiwrite(regions, rois)
    outcome = run("measure", labels, "--regions", regions)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: {regions} has regions on several planes (position: 1, 2): save those "
        "of one plane, they count on all planes.\n"
    )


@pytest.mark.parametrize("option", [None, "--image", "--regions", "--probability"])
def test_a_file_that_is_missing_is_named(run, labels, tmp_path, option):
    missing = tmp_path / "nothing.tif"
    arguments = [missing] if option is None else [labels, option, missing]
    outcome = run("measure", *arguments)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == f"Error: There is no file {missing}.\n"


def test_one_plane_cannot_be_linked(run, labels):
    outcome = run("measure", labels, "--link-planes")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: {labels} is one plane, in which nothing can be linked: leave "
        "--link-planes out.\n"
    )


@pytest.mark.parametrize("size", ["0", "-1", "a", "1x2x3", "0.5x", "nan", "inf"])
def test_a_wrong_pixel_size_is_a_wrong_argument(run, labels, size):
    outcome = run("measure", labels, f"--pixel-size={size}")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error: Invalid value for '--pixel-size': '{size}' is no size of a pixel in "
        "µm, such as 0.5 or 0.5x0.4; see 'napari-cresunet measure --help'.\n"
    )


def test_the_table_must_be_a_csv_file(run, labels, tmp_path):
    outcome = run("measure", labels, "-o", tmp_path / "cells.xlsx")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error: Invalid value for '--output': {tmp_path / 'cells.xlsx'} does not end "
        "in .csv; see 'napari-cresunet measure --help'.\n"
    )
    folder = tmp_path / "cells.csv"
    folder.mkdir()
    outcome = run("measure", labels, "-o", folder)
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: {folder} is a folder: name a file in it, such as cells.csv.\n"
    )


def test_what_is_read_is_not_overwritten(run, labels, tmp_path):
    points = tmp_path / "cells.csv"
    points.write_text("x,y\n1,2\n")
    outcome = run("measure", labels, "--regions", points, "-o", points)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: The results would overwrite {points}; choose another folder.\n"
    )

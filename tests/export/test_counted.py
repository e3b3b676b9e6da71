"""A count and its tables."""

import csv
import json
import os
import re

import numpy as np
import pytest
from tests.export.counts import LOG, PIXEL_SIZE, RECORD, counted, everything, left_half

from napari_cresunet.errors import EngineError
from napari_cresunet.export import (
    cell_rows,
    measured,
    record_of,
    write_cells_csv,
    write_regions_csv,
)
from napari_cresunet.measurement import measure


def table_in(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_cells_are_counted_whatever_their_numbers():
    assert counted().n_cells == 3
    assert counted(cells={"label": np.array([2, 5])}).n_cells == 2
    assert counted(labels=np.zeros((2, 3, 4, 5), int), image=None).n_planes == 6


def test_the_table_of_cells_is_that_of_measure(tmp_path):
    one = counted(pixel_size=PIXEL_SIZE, regions=[left_half()])
    path = tmp_path / "sub" / "cells.csv"
    assert write_cells_csv(path, one) == [path, tmp_path / "sub" / "cells.json"]
    rows = table_in(path)
    expected = measure(
        one.labels, image=one.image, pixel_size=PIXEL_SIZE, regions=[left_half()]
    )
    assert list(rows[0]) == list(expected)
    assert [row["label"] for row in rows] == ["2", "5", "300"]
    assert [float(row["area_um2"]) for row in rows] == [2, 1.25, 0.125]
    assert [row["region"] for row in rows] == ["left", "", ""]
    for name in ("solidity", "integrated_intensity"):
        found = [float(row[name] or "nan") for row in rows]
        np.testing.assert_allclose(found, expected[name])


def test_rows_are_ready_for_json():
    table = {
        "label": np.array([3]),
        "solidity": np.array([np.nan], np.float32),
        "touches_border": np.array([True]),
        "region": np.array(["CA1"]),
    }
    rows = cell_rows(counted(cells=table))
    assert rows == [
        {"label": 3, "solidity": None, "touches_border": True, "region": "CA1"}
    ]
    json.dumps(rows)


def test_the_table_of_regions_names_the_image_of_each_row(tmp_path):
    path = tmp_path / "regions.csv"
    one = counted(pixel_size=PIXEL_SIZE, regions=[left_half(), everything()])
    other = counted(name="slice 2")
    assert write_regions_csv(path, [one, other]) == [path, tmp_path / "regions.json"]
    rows = table_in(path)
    assert [(row["image"], row["region"], row["count"]) for row in rows] == [
        ("slice 1", "left", "1"),
        ("slice 1", "all of it", "3"),
        ("slice 1", "whole image", "3"),
        ("slice 2", "whole image", "3"),
    ]
    density = float(rows[2]["density_per_mm2"])
    assert density == pytest.approx(3 / (40 * 0.5e-3 * 60 * 0.25e-3))
    assert rows[3]["density_per_mm2"] == ""
    records = json.loads((tmp_path / "regions.json").read_text())
    assert list(records["images"]) == ["slice 1", "slice 2"]


def test_areas_are_those_of_all_planes_unless_cells_go_through_them():
    labels = np.zeros((2, 3, 4, 5), np.int32)
    labels[0, :, 0, 0], labels[1, 1, 2, 2] = (1, 2, 3), 4
    one = counted(labels=labels, image=None)
    (whole,) = one.rows_of_regions
    assert (whole["count"], whole["area_px"]) == (4, 6 * 20)
    labels[0, :, 0, 0] = 1
    (whole,) = one.rows_of_regions
    assert (whole["count"], whole["area_px"]) == (2, 2 * 20)


def test_the_record_beside_says_how_it_came_about(tmp_path):
    one = counted(pixel_size=PIXEL_SIZE, record=RECORD, log=LOG, n_pinned=2)
    write_cells_csv(tmp_path / "a.csv", one)
    record = json.loads((tmp_path / "a.json").read_text())
    assert record == record_of(one)
    assert {name: record[name] for name in RECORD} == RECORD
    assert record["name"] == "slice 1"
    assert (record["n_cells"], record["n_pinned"]) == (3, 2)
    assert record["pixel_size_um"] == [0.5, 0.25]
    assert record["edits"] == {"merge": 1, "delete": 1, "add": 1}


def test_what_is_known_now_outweighs_an_older_record():
    record = record_of(counted(record={"n_cells": 77, "pixel_size_um": [9, 9]}))
    assert record["n_cells"] == 3
    assert record["pixel_size_um"] == [9, 9]  # nothing else is known


def test_tables_that_are_there_are_not_measured_again():
    cells = {"label": np.array([1])}
    rows = [{"region": "whole image", "count": 1}]
    known = measured(counted(cells=cells, region_rows=rows))
    assert known.cells is cells
    assert known.region_rows == rows
    again = measured(counted())
    assert again.cells["label"].tolist() == [2, 5, 300]
    assert [row["count"] for row in again.region_rows] == [3]


def test_without_cells_tables_have_their_columns(tmp_path):
    path = tmp_path / "a.csv"
    empty = counted(labels=np.zeros((4, 5), np.int32), image=None)
    write_cells_csv(path, empty)
    assert path.read_text().startswith("label,area_px,")
    assert table_in(path) == []
    write_regions_csv(path, [empty])
    assert [row["count"] for row in table_in(path)] == ["0"]


def test_a_table_that_cannot_be_written_says_why(tmp_path):
    path = tmp_path / "a.csv"
    path.mkdir()
    message = (
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        write_cells_csv(path, counted())
    assert list(tmp_path.iterdir()) == [path]


def test_records_of_any_content_are_json(tmp_path):
    record = {"threshold": np.float32(0.5), "mpe": np.nan, "image": "a\udcff.tif"}
    write_cells_csv(tmp_path / "a.csv", counted(record=record))
    text = (tmp_path / "a.json").read_text("utf-8")
    found = json.loads(text, parse_constant=pytest.fail)
    assert {name: found[name] for name in record} == {
        "threshold": 0.5,
        "mpe": None,
        "image": "a\udcff.tif",
    }

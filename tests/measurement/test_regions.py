"""Counts and densities of regions."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import (
    WHOLE_IMAGE,
    Region,
    measure,
    measure_regions,
    regions_from_labels,
    why_no_density,
)

SHAPE = (20, 30)


def box(name, top, left, bottom, right, plane=None):
    corners = [[top, left], [top, right], [bottom, right], [bottom, left]]
    return Region(name=name, polygons=(np.array(corners, float),), plane=plane)


@pytest.fixture
def cells():
    """Return cells with centroids (4, 4), (4, 9.5), (15, 15) and (10, 29)."""
    labels = np.zeros(SHAPE, int)
    labels[3:6, 3:6] = 1
    labels[4, 7:13] = 2
    labels[14:17, 14:17] = 5
    labels[10, 29] = 6
    return measure(labels)


def test_rows_say_count_area_and_density(cells):
    regions = [box("left", 0, 0, 20, 10), box("right", 0, 10, 20, 30)]
    rows = measure_regions(cells, SHAPE, regions, pixel_size=(0.5, 2.0))
    # A centroid between two pixels belongs to the right one.
    assert rows == [
        {
            "region": "left",
            "count": 1,
            "area_px": 200,
            "area_mm2": pytest.approx(200e-6),
            "density_per_mm2": pytest.approx(5000),
            "planes": 1,
            "overlaps": "",
        },
        {
            "region": "right",
            "count": 3,
            "area_px": 400,
            "area_mm2": pytest.approx(400e-6),
            "density_per_mm2": pytest.approx(7500),
            "planes": 1,
            "overlaps": "",
        },
        {
            "region": WHOLE_IMAGE,
            "count": 4,
            "area_px": 600,
            "area_mm2": pytest.approx(600e-6),
            "density_per_mm2": pytest.approx(4 / 600e-6),
            "planes": 1,
            "overlaps": "",
        },
    ]
    assert {type(value) for value in rows[0].values()} == {str, int, float}


def test_without_a_pixel_size_there_are_counts_but_no_densities(cells):
    (row,) = measure_regions(cells, SHAPE, [])
    assert (row["count"], row["area_px"]) == (4, 600)
    assert row["area_mm2"] is row["density_per_mm2"] is None
    assert why_no_density(None) == (
        "There are no densities because no pixel size is known: set scale and unit of "
        "the layer, or give --pixel-size."
    )
    assert why_no_density((1.0, 1.0)) == ""


def test_regions_that_overlap_count_a_cell_each_and_say_so(cells):
    regions = [
        box("a", 0, 0, 10, 8),
        box("b", 0, 0, 20, 20),
        box("c", 14, 14, 99, 99),
    ]
    *rows, whole = measure_regions(cells, SHAPE, regions)
    assert [row["count"] for row in rows] == [1, 3, 1]
    assert [row["overlaps"] for row in rows] == ["b", "a; c", "b"]
    assert whole["overlaps"] == ""


def test_only_what_is_in_the_image_is_area(cells):
    regions = [box("corner", 15, 20, 40, 50), box("outside", 50, 50, 60, 60)]
    corner, outside, _ = measure_regions(cells, SHAPE, regions, pixel_size=(1, 1))
    assert (corner["area_px"], corner["density_per_mm2"]) == (50, 0.0)
    assert (outside["count"], outside["area_px"], outside["area_mm2"]) == (0, 0, 0.0)
    assert outside["density_per_mm2"] is None


def test_planes_multiply_areas_and_a_region_may_be_on_one():
    labels = np.zeros((3, *SHAPE), int)
    for plane, column, number in ((0, 4, 1), (1, 4, 2), (1, 20, 3), (2, 4, 4)):
        labels[plane, 5, column] = number
    regions = [box("all", 0, 0, 20, 10), box("second", 0, 0, 20, 10, plane=1)]
    rows = measure_regions(
        measure(labels), labels.shape, regions, pixel_size=(1, 1), n_planes=3
    )
    found = [(row["count"], row["area_px"], row["planes"]) for row in rows]
    assert found == [(3, 600, 3), (1, 200, 1), (4, 1800, 3)]
    flat = measure(labels[0])
    regions = [box("first", 0, 0, 9, 9, plane=0), box("other", 0, 0, 9, 9, plane=1)]
    rows = measure_regions(flat, SHAPE, regions)
    assert [row["count"] for row in rows] == [1, 0, 1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_regions_that_share_out_the_image_count_every_cell_once(seed):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 9, (7, 9)), np.ones((2, 3), int))
    regions = regions_from_labels(rng.integers(1, 4, labels.shape))
    cells = measure(labels, regions=regions)
    *rows, whole = measure_regions(cells, labels.shape, regions)
    assert sum(row["count"] for row in rows) == whole["count"] == len(cells["label"])
    assert sum(row["area_px"] for row in rows) == labels.size
    for row in rows:
        assert row["count"] == np.count_nonzero(cells["region"] == row["region"])


def test_a_part_of_the_cells_can_be_counted(cells):
    some = {name: column[:2] for name, column in cells.items()}
    rows = measure_regions(some, SHAPE, [box("left", 0, 0, 20, 9)])
    assert [row["count"] for row in rows] == [1, 2]


def test_without_cells_all_counts_are_0():
    cells = measure(np.zeros(SHAPE, int))
    rows = measure_regions(cells, SHAPE, [box("a", 0, 0, 9, 9)], pixel_size=(1, 1))
    assert [(row["count"], row["density_per_mm2"]) for row in rows] == [(0, 0.0)] * 2


def test_a_mask_of_another_image_is_refused(cells):
    region = Region(name="CA1", mask=np.ones((30, 20), bool))
    message = (
        "The region CA1 has 30 x 20 px, but the image has 20 x 30 px: use the regions "
        "of this image."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure_regions(cells, SHAPE, [region])

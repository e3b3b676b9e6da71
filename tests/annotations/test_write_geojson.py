"""Detections for QuPath."""

import json
import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from skimage import draw
from tests.annotations.label_images import STACK, label_images, planes, ring, steps

from napari_cresunet.annotations import (
    load_annotations,
    read_annotations,
    write_geojson,
)
from napari_cresunet.errors import EngineError, InputError


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("qupath") / "a.geojson"


def features_in(path):
    content = json.loads(path.read_text())
    assert content["type"] == "FeatureCollection"
    assert all(feature["type"] == "Feature" for feature in content["features"])
    return content["features"]


def polygons_of(feature):
    geometry = feature["geometry"]
    coordinates = geometry["coordinates"]
    assert geometry["type"] in ("Polygon", "MultiPolygon")
    return [coordinates] if geometry["type"] == "Polygon" else coordinates


def drawn(feature, shape):
    """Draw with scikit-image, outer rings first."""
    found = np.zeros(shape, bool)
    for outer, *holes in polygons_of(feature):
        part = np.zeros(shape, bool)
        for ring_, value in [(outer, True), *((hole, False) for hole in holes)]:
            columns, rows = np.array(ring_, float).T - 0.5
            part[draw.polygon(rows, columns, shape)] = value
        found |= part
    return found


def signed_area(corners):
    """Positive if counterclockwise in x and y, as RFC 7946 wants outer rings."""
    x, y = np.array(corners, float).T
    return (x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2


@settings(deadline=None)
@given(labels=label_images(STACK))
def test_what_is_written_is_read_with_the_same_numbers_and_pixels(path, labels):
    write_geojson(path, labels)
    found = read_annotations(path, shape=labels.shape) if labels.any() else labels
    np.testing.assert_array_equal(found, labels)


@settings(deadline=None)
@given(labels=label_images())
def test_other_programs_draw_the_same_pixels(path, labels):
    write_geojson(path, labels)
    features = features_in(path)
    assert [feature["properties"]["name"] for feature in features] == [
        str(label) for label in np.unique(labels[labels > 0])
    ]
    for number, feature in enumerate(features, start=1):
        np.testing.assert_array_equal(drawn(feature, labels.shape), labels == number)


@settings(deadline=None)
@given(labels=label_images())
def test_rings_are_closed_and_wind_as_the_standard_says(path, labels):
    write_geojson(path, labels)
    for feature in features_in(path):
        for polygon in polygons_of(feature):
            assert all(corners[0] == corners[-1] for corners in polygon)
            areas = [signed_area(corners) for corners in polygon]
            assert areas[0] > 0
            assert all(area < 0 for area in areas[1:])


def test_holes_stay_in_a_polygon_and_parts_make_several(path):
    write_geojson(path, ring())
    (whole,) = polygons_of(features_in(path)[0])
    assert [signed_area(corners) for corners in whole] == [49, -9]
    write_geojson(path, steps())
    assert features_in(path)[0]["geometry"]["type"] == "MultiPolygon"
    assert len(polygons_of(features_in(path)[0])) == 4


def test_cells_are_detections_with_class_and_measurements(path):
    table = {
        "label": np.array([2, 9]),
        "area_px": np.array([1, 4]),
        "solidity": np.array([0.5, np.nan]),
        "touches_border": np.array([True, False]),
        "region": np.array(["CA1; DG", ""]),
    }
    write_geojson(path, np.array([[2, 0, 9, 9], [0, 0, 9, 9]]), measurements=table)
    first, second = (feature["properties"] for feature in features_in(path))
    assert first == {
        "objectType": "detection",
        "name": "2",
        "classification": {"name": "Cell", "color": [0, 158, 115]},
        "measurements": {"area_px": 1, "solidity": 0.5, "touches_border": 1},
        "metadata": {"region": "CA1; DG"},
    }
    assert second["measurements"] == {"area_px": 4, "touches_border": 0}
    assert "metadata" not in second


def test_names_are_kept(path):
    write_geojson(path, np.array([[1, 2]]), names={2: "granule"})
    assert load_annotations(path).images[0].cell_names == ("1", "granule")


def test_planes_are_z_or_t_and_z(path):
    labels = np.zeros((2, 3, 2, 2), np.int32)
    labels[0, 2], labels[1, 0] = 1, 2
    write_geojson(path, labels[0])
    assert [f["geometry"]["plane"] for f in features_in(path)] == [
        {"c": -1, "z": 2, "t": 0}
    ]
    write_geojson(path, labels)
    assert [f["geometry"]["plane"] for f in features_in(path)] == [
        {"c": -1, "z": 2, "t": 0},
        {"c": -1, "z": 0, "t": 1},
    ]
    write_geojson(path, planes(labels)[0])
    write_geojson(path, ring())
    assert "plane" not in features_in(path)[0]["geometry"]


def test_a_cell_on_several_planes_is_read_as_one_with_its_region(path):
    labels = np.zeros((3, 2, 2), np.int32)
    labels[0, 0, 0] = labels[2, 0] = 1
    labels[1, 1] = 2
    table = {"label": np.array([1, 2]), "region": np.array(["CA1", ""])}
    write_geojson(path, labels, measurements=table)
    first, again, _ = (feature["properties"] for feature in features_in(path))
    assert first == again
    assert first["metadata"] == {"region": "CA1", "cresunet-cell": "1"}
    np.testing.assert_array_equal(read_annotations(path, shape=(3, 2, 2)), labels)


def test_without_cells_there_are_no_features(path):
    write_geojson(path, np.zeros((4, 4), np.int32))
    assert features_in(path) == []
    assert not read_annotations(path, shape=(4, 4)).any()


def refused(message, *args, kind=InputError, **options):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        write_geojson(*args, **options)


def test_what_cannot_be_written_is_refused(tmp_path):
    path = tmp_path / "a.geojson"
    refused(
        "QuPath knows z and t only, but `labels` has 3 leading axes: write a part of "
        "it.",
        path,
        np.ones((1, 1, 1, 2, 2), int),
    )
    refused(
        "`measurements` has no column label: say whose they are.",
        path,
        ring(),
        measurements={"area_px": np.ones(2)},
    )
    assert not path.exists()
    path.mkdir()
    refused(
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space.",
        path,
        ring(),
        kind=EngineError,
    )
    assert list(tmp_path.iterdir()) == [path]

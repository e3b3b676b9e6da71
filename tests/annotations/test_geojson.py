"""Objects of QuPath."""

import json
import re

import numpy as np
import pytest
from tests.annotations.outlines import MIDDLE, SHAPE, inside, random_ring

from napari_cresunet.annotations import load_annotations, read_annotations
from napari_cresunet.annotations._geojson import is_geojson
from napari_cresunet.errors import InputError

SQUARE = [[[1, 1], [4, 1], [4, 3], [1, 3], [1, 1]]]
FAR = [[[10, 10], [12, 10], [12, 11], [10, 11], [10, 10]]]


def feature(kind, coordinates, object_type="annotation", **more):
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates, **more},
        "properties": {"objectType": object_type},
    }


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def box(rows, columns):
    expected = np.zeros(SHAPE, np.int32)
    expected[slice(*rows), slice(*columns)] = 1
    return expected


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps(content))
        return read_annotations(path, shape=SHAPE, image_name="any.png")

    return read


def closed(ring):
    return np.vstack([ring, ring[:1]]).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_polygon_with_a_hole_is_what_lies_between(read, seed):
    outer = random_ring(seed, 12)
    hole = (outer - MIDDLE) * 0.4 + MIDDLE
    labels = read(collection(feature("Polygon", [closed(outer), closed(hole)])))
    np.testing.assert_array_equal(labels, inside(outer) & ~inside(hole))


def test_a_collection_a_feature_and_a_list_say_the_same(read):
    one = feature("Polygon", SQUARE)
    for content in (collection(one), one, [one]):
        np.testing.assert_array_equal(read(content), box((1, 3), (1, 4)))


def test_polygons_of_one_object_are_one_cell(read):
    labels = read(collection(feature("MultiPolygon", [SQUARE, FAR])))
    expected = box((1, 3), (1, 4)) + box((10, 11), (10, 12))
    np.testing.assert_array_equal(labels, expected)


def test_the_first_pixel_reaches_from_0_to_1_for_points_too(tmp_path):
    path = tmp_path / "a.geojson"
    points = [feature("Point", [3.5, 2.5]), feature("MultiPoint", [[7, 9], [0.5, 1]])]
    path.write_text(json.dumps(collection(*points)))
    annotations = load_annotations(path)
    assert annotations.images[0].is_points
    assert annotations.points().tolist() == [[2, 3], [8.5, 6.5], [0.5, 0]]


@pytest.mark.parametrize(
    "kind", ["detection", "cell", "PathDetectionObject", "PathCellObject"]
)
def test_where_cells_were_detected_annotations_are_regions_around_them(read, kind):
    labels = read(
        collection(
            feature("Polygon", FAR), feature("Polygon", SQUARE, object_type=kind)
        )
    )
    np.testing.assert_array_equal(labels, box((1, 3), (1, 4)))


def test_older_files_say_the_kind_elsewhere(read):
    region, detected, other = (
        feature("Polygon", one, object_type=None) for one in (FAR, SQUARE, FAR)
    )
    region["id"] = "PathAnnotationObject"
    detected["id"] = "PathDetectionObject"
    other["properties"] = None
    labels = read([region, detected, other])
    np.testing.assert_array_equal(labels, box((1, 3), (1, 4)))


def test_tiles_and_lines_are_no_cells(read, tmp_path):
    others = [
        feature("LineString", [[1, 1], [5, 5]]),
        feature("Polygon", FAR, object_type="tile"),
    ]
    labels = read(collection(*others, feature("Polygon", SQUARE)))
    np.testing.assert_array_equal(labels, box((1, 3), (1, 4)))
    message = (
        f"{tmp_path / 'a.geojson'}, 2 features: none has an area or a point; correct "
        "it or export the annotations again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(collection(*others))


def test_an_image_may_have_no_object(read):
    assert read(collection()).max() == 0


def test_objects_of_several_planes_are_refused(read, tmp_path):
    planes = [
        feature("Polygon", SQUARE, plane={"c": -1, "z": z, "t": 0}) for z in (0, 3)
    ]
    assert read(planes[1:]).max() == 1
    message = (
        f"{tmp_path / 'a.geojson'} has cells on several planes (plane: z 0 t 0, z 3 t "
        "0): save those of one plane in a file of their own."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(planes)


def test_other_documents_are_not_taken_for_it():
    for content in ([], {}, 3, [3], {"type": "Topology"}, {"features": []}):
        assert not is_geojson(content)


NESTED = "`coordinates` are missing or not nested as they should be"
FAULTS = [
    ({"type": "FeatureCollection"}, "FeatureCollection: `features` is no list"),
    (collection(3), "feature 1: it is no Feature"),
    (collection({"type": "Feature"}), "feature 1: `geometry` is missing"),
    (
        collection(feature("Polygon", SQUARE), feature("Circle", [1])),
        (
            "feature 2: its geometry is 'Circle' and not Polygon, MultiPolygon, Point "
            "or MultiPoint"
        ),
    ),
    (collection(feature("Polygon", [])), f"feature 1: {NESTED}"),
    (collection(feature("Polygon", [[]])), f"feature 1: {NESTED}"),
    (collection(feature("MultiPolygon", 3)), f"feature 1: {NESTED}"),
    (
        collection(feature("Polygon", SQUARE[0])),
        "feature 1: a point has no x and y",
    ),
    (collection(feature("Point", [1])), "feature 1: a point has no x and y"),
    (
        collection(feature("Point", [1, "a"])),
        "feature 1: `coordinates` is 'a' instead of a number",
    ),
    (
        collection(feature("Point", [1, float("nan")])),
        "feature 1: `coordinates` is nan instead of a number",
    ),
    (collection(feature("Point", [None, 1])), "feature 1: `coordinates` is missing"),
]


@pytest.mark.parametrize(("content", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(read, tmp_path, content, fault):
    message = (
        f"{tmp_path / 'a.geojson'}, {fault}; correct it or export the annotations "
        "again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(content)

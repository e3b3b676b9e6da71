"""What an annotation file says of an image: outlines, or points."""

import json
import re

import pytest

from napari_cresunet.annotations import Annotations, load_annotations
from napari_cresunet.errors import InputError


@pytest.fixture
def load(tmp_path):
    """Read regions of VIA."""

    def load(*shapes):
        regions = [{"shape_attributes": shape} for shape in shapes]
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"a": {"filename": "a.png", "regions": regions}}))
        return load_annotations(path)

    return load


def dot(row, column):
    return {"name": "point", "cy": row, "cx": column}


CIRCLE = {"name": "circle", "cx": 1, "cy": 2, "r": 3}


def refused(message, get, *args, **options):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        get(*args, **options)


def test_dots_alone_are_points_and_nothing_else_is(load):
    assert load(dot(1.25, 2)).images[0].is_points
    assert not load(dot(1.25, 2), CIRCLE).images[0].is_points
    assert not load().images[0].is_points


def test_points_are_not_rounded(load):
    annotations = load(dot(1.25, 2), dot(-0.5, 7.875))
    assert annotations.points("a.png").tolist() == [[1.25, 2], [-0.5, 7.875]]
    assert load().points().shape == (0, 2)


def test_outlines_are_no_points(load, tmp_path):
    refused(
        f"{tmp_path / 'a.json'} has outlines for a.png and not a point for each cell: "
        "draw them with `labels`.",
        load(dot(1, 2), CIRCLE).points,
    )


def test_a_point_far_outside_of_the_image_is_refused(load, tmp_path):
    annotations = load(dot(-1, 2), dot(8, 10), dot(2, 10.5))
    assert len(annotations.points()) == 3
    assert len(annotations.points(shape=(8, 11))) == 3
    refused(
        f"{tmp_path / 'a.json'}, point 3 is at row 2, column 10.5, outside of the "
        "image of 8 x 10 px: save the points of this image, in px.",
        annotations.points,
        shape=(8, 10),
    )


def test_points_of_an_image_of_another_size_are_refused(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(
        "<annotation><filename>a.png</filename><size><height>4</height><width>5</width>"
        "</size><object><dot><x>1</x><y>2</y></dot></object></annotation>"
    )
    annotations = load_annotations(path)
    assert annotations.points(shape=(4, 5)).tolist() == [[2, 1]]
    refused(
        f"{path} is for an image of 4 x 5 px, but a.png has 5 x 5 px: use the "
        "annotations made for it.",
        annotations.points,
        shape=(5, 5),
    )


def test_a_file_that_names_no_image_is_for_any_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y,x\n1,2\n")
    annotations = load_annotations(path)
    assert annotations.labels("any.png", shape=(2, 3)).sum() == 1
    refused(
        f"{path} does not say how large the image is: give `shape`.",
        annotations.labels,
        "any.png",
    )


def test_nothing_is_found_in_a_file_without_images(tmp_path):
    path = tmp_path / "a.json"
    message = f"{path} describes no image: export the annotations again."
    refused(message, Annotations(path, ()).find)

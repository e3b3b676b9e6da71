"""Instances of COCO."""

import json
import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from pycocotools.coco import COCO
from tests.annotations.label_images import STACK, label_images, planes, ring, steps

from napari_cresunet.annotations import load_annotations, write_coco
from napari_cresunet.errors import EngineError, InputError

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("coco") / "a.json"


def numbered(plane):
    """Number the cells of a plane from 1 on, in their order."""
    _, numbers = np.unique(np.append(0, plane), return_inverse=True)
    return numbers[1:].reshape(plane.shape)


@settings(deadline=None, max_examples=60)
@given(labels=label_images(STACK))
def test_pycocotools_draws_the_same_pixels(path, labels):
    write_coco(path, labels, image_name="a.png")
    content = COCO(path)
    for number, plane in enumerate(planes(labels), start=1):
        found = np.zeros_like(plane)
        for annotation in content.imgToAnns[number]:
            mask = content.annToMask(annotation) == 1
            assert annotation["area"] == mask.sum()
            rows, columns = np.nonzero(mask)
            (left, top), (width, height) = (
                (columns.min(), rows.min()),
                (np.ptp(columns) + 1, np.ptp(rows) + 1),
            )
            assert annotation["bbox"] == [left, top, width, height]
            found[mask] = annotation["label"]
        np.testing.assert_array_equal(found, plane)


@settings(deadline=None, max_examples=60)
@given(labels=label_images(STACK))
def test_what_is_written_is_read_plane_by_plane(path, labels):
    write_coco(path, labels, image_name="a.png")
    annotations = load_annotations(path)
    for name, plane in zip(annotations.names, planes(labels), strict=True):
        np.testing.assert_array_equal(annotations.labels(name), numbered(plane))


def test_cells_with_holes_are_run_lengths_and_others_polygons(path):
    write_coco(path, np.where(ring() == 2, 30, ring()), image_name="a.png")
    content = json.loads(path.read_text())
    whole, inner = content["annotations"]
    assert whole["segmentation"]["size"] == [9, 11]
    assert sum(whole["segmentation"]["counts"]) == 99
    assert whole["segmentation"]["counts"][:3] == [2 * 9 + 1, 7, 2]
    assert inner["segmentation"] == [[6, 4, 6, 5, 5, 5, 5, 4]]
    assert [one["label"] for one in content["annotations"]] == [1, 30]
    assert {one["iscrowd"] for one in content["annotations"]} == {0}
    assert content["categories"] == [{"id": 1, "name": "cell", "supercategory": ""}]
    assert content["images"] == [
        {"id": 1, "file_name": "a.png", "height": 9, "width": 11}
    ]
    write_coco(path, steps(), image_name="a.png", category="neuron")
    content = json.loads(path.read_text())
    assert len(content["annotations"][0]["segmentation"]) == 4
    assert content["categories"][0]["name"] == "neuron"


@pytest.mark.parametrize(
    ("name", "leading", "first", "last"),
    [
        ("x/a.png", (), "x/a.png", "x/a.png"),
        ("a.ome.tif", (3,), "a_z001.ome.tif", "a_z003.ome.tif"),
        ("cells", (2, 3), "cells_t001_z001", "cells_t002_z003"),
        (
            "x/a.b.tif",
            (1, 2, 1),
            "x/a.b_p001_p001_p001.tif",
            "x/a.b_p001_p002_p001.tif",
        ),
    ],
)
def test_planes_are_images_with_names_of_their_own(path, name, leading, first, last):
    write_coco(path, np.ones((*leading, 2, 2), int), image_name=name)
    names = load_annotations(path).names
    assert (names[0], names[-1]) == (first, last)
    assert len(names) == np.prod(leading)


def test_without_cells_the_image_is_there_all_the_same(path):
    write_coco(path, np.zeros((4, 5), np.int32), image_name="a.png")
    assert not load_annotations(path).labels("a.png").any()
    assert load_annotations(path).images[0].shape == (4, 5)


def test_what_cannot_be_written_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.mkdir()
    message = "`labels` must hold whole numbers, got float64: convert them to int32."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        write_coco(path, np.ones((2, 2)), image_name="a.png")
    message = (
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        write_coco(path, ring(), image_name="a.png")

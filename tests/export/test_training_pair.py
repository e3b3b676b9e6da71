"""Pairs to train on."""

import os
import re

import numpy as np
import pytest
from tests.export.counts import SHAPE, image_of, labels_of_three

from napari_cresunet._images import read_image
from napari_cresunet.datasets import load_pairs
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.export import write_training_pair


def test_training_reads_what_is_written(tmp_path):
    labels = labels_of_three()
    written = write_training_pair(tmp_path, "a/b: 1.tif", image_of(labels), labels)
    name = "a_b_ 1.tif.tif"
    assert written == [tmp_path / "images" / name, tmp_path / "labels" / name]
    np.testing.assert_array_equal(read_image(written[1]), labels)
    (pair,) = load_pairs(tmp_path)
    np.testing.assert_array_equal(pair.image, image_of(labels))
    np.testing.assert_array_equal(pair.labels > 0, labels > 0)
    assert pair.labels.max() == 3


def test_color_stays_without_transparency(tmp_path):
    labels = labels_of_three()
    image = np.random.default_rng(0).integers(0, 255, (*SHAPE, 4)).astype(np.uint8)
    (path, _) = write_training_pair(tmp_path, "a", image, labels)
    np.testing.assert_array_equal(read_image(path), image[..., :3])


@pytest.mark.parametrize("color", [(), (3,)])
def test_planes_with_cells_are_pairs_of_their_own(tmp_path, color):
    labels = np.zeros((2, 2, *SHAPE), np.int32)
    labels[0, 1], labels[1, 1, 3:9, 4:9] = labels_of_three(), 70_000
    image = np.random.default_rng(0).integers(0, 255, (*labels.shape, *color))
    image = image.astype(np.uint16)
    write_training_pair(tmp_path, "a", image, labels)
    pairs = list(load_pairs(tmp_path))
    assert [pair.name for pair in pairs] == ["a_p002", "a_p004"]
    np.testing.assert_array_equal(pairs[0].image, image[0, 1])
    np.testing.assert_array_equal(pairs[1].labels > 0, labels[1, 1] > 0)


def refused(message, *args, kind=InputError):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        write_training_pair(*args)


def test_what_nobody_can_learn_from_is_refused(tmp_path):
    labels = labels_of_three()
    refused(
        "Image and labels of a differ in shape: (3, 4) and (40, 60); take the image of "
        "these labels.",
        tmp_path,
        "a",
        np.zeros((3, 4)),
        labels,
    )
    refused(
        "a has no cell: there is nothing to learn from.",
        tmp_path,
        "a",
        labels,
        labels * 0,
    )
    assert not list(tmp_path.iterdir())
    path = tmp_path / "images" / "a.tif"
    path.mkdir(parents=True)
    refused(
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space.",
        tmp_path,
        "a",
        labels,
        labels,
        kind=EngineError,
    )

"""Folders of image and label pairs."""

import re

import imageio.v3 as iio
import numpy as np
import pytest

from napari_cresunet.datasets import load_pairs
from napari_cresunet.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Two pairs, one of each split; b has a matching distance."""
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    labels = np.zeros((6, 8), np.uint16)
    labels[1:3, 1:3] = 1
    labels[4:6, 2:6] = 2
    for name in "ab":
        iio.imwrite(tmp_path / f"images/{name}.png", np.full((6, 8, 3), 7, np.uint8))
        iio.imwrite(tmp_path / f"labels/{name}.png", labels)
    table = "name,split,match_px\na,train,\nb,val,7.5\n"
    (tmp_path / "split.csv").write_text(table)
    return tmp_path


def test_a_split_is_read_in_order_with_its_matching_distance(folder):
    (pair,) = load_pairs(folder, split="val")
    assert (pair.name, pair.match_distance) == ("b", 7.5)
    assert pair.image.shape == (6, 8, 3)
    assert pair.labels.dtype == np.int32
    assert pair.labels.max() == 2
    assert [pair.name for pair in load_pairs(folder)] == ["a", "b"]


def test_the_diameter_is_that_of_the_mean_area(folder):
    pair = next(load_pairs(folder))
    assert pair.diameter == pytest.approx(2 * np.sqrt((4 + 8) / 2 / np.pi))


def test_a_folder_without_table_says_so(tmp_path):
    message = (
        f"{tmp_path / 'split.csv'} does not exist; a folder of pairs needs this table."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        next(load_pairs(tmp_path))


def test_a_missing_image_is_named(folder):
    (folder / "labels/a.png").unlink()
    path = folder / "labels/a.png"
    message = f"{path} does not exist though split.csv names it."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        next(load_pairs(folder))


def test_sizes_that_differ_are_named(folder):
    iio.imwrite(folder / "images/a.png", np.zeros((5, 8), np.uint8))
    message = "Image and labels of a differ in size: (5, 8) and (6, 8)."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        next(load_pairs(folder))

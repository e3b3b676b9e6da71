"""What a folder has to learn from."""

import re

import numpy as np
import pytest
from tests.datasets.folders import image, mask, write

from napari_cresunet.datasets import load_training_pairs
from napari_cresunet.errors import InputError


def _fill(folder, names, *, n_cells=2):
    for seed, name in enumerate(names):
        write(folder / f"images/{name}.png", image(seed))
        write(folder / f"masks/{name}.png", mask(n_cells))


def _names(pairs):
    return [pair.name for pair in pairs]


def test_the_splits_of_a_folder_are_kept(tmp_path):
    for split in ("train", "val", "test"):
        _fill(tmp_path / split, [f"{split}{number}" for number in range(2)])
    training, held_out = load_training_pairs(tmp_path)
    assert _names(training) == ["train0", "train1"]
    assert _names(held_out) == ["val0", "val1"]


def test_without_a_validation_split_a_part_is_held_out(tmp_path):
    _fill(tmp_path / "train", "abcdefghij")
    _fill(tmp_path / "test", "xyz")
    training, held_out = load_training_pairs(tmp_path, validation=0.3)
    assert len(held_out) == 3
    assert sorted(_names(training + held_out)) == list("abcdefghij")
    again = load_training_pairs(tmp_path, validation=0.3)
    assert _names(again[1]) == _names(held_out)


def test_an_undivided_folder_is_divided(tmp_path):
    _fill(tmp_path, "abcde")
    training, held_out = load_training_pairs(tmp_path)
    assert (len(training), len(held_out)) == (4, 1)


def test_test_images_are_never_learned_from(tmp_path):
    _fill(tmp_path / "test", "xyz")
    message = f"{tmp_path} has only images for test: give a folder with images to"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        load_training_pairs(tmp_path)


def test_masks_without_cells_teach_nothing(tmp_path):
    _fill(tmp_path, "ab", n_cells=0)
    with pytest.raises(InputError, match=r"^No cell is marked in any of the 2 images"):
        load_training_pairs(tmp_path)
    assert np.all(mask(0) == 0)

"""Training from arrays in one call."""

import numpy as np
import pytest
from tests.training.squares import quick, squares

import napari_cresunet as ncr
from napari_cresunet.errors import InputError


def test_arrays_become_a_model():
    pairs = [squares(seed) for seed in range(4)]
    steps = []
    model = ncr.train(
        quick(epochs=1),
        [pair.image for pair in pairs],
        [pair.labels for pair in pairs],
        device="cpu",
        progress=steps.append,
    )
    assert model.card.settings["training_images"] == 3
    assert model.card.settings["validation_images"] == 1
    assert steps[-1].record.epoch == 1
    probability = ncr.predict(pairs[0].image, model)
    assert probability.shape == pairs[0].labels.shape


def test_masks_and_validation_images_may_be_given():
    pairs = [squares(seed) for seed in range(3)]
    model = ncr.train(
        quick(epochs=1),
        [pair.image for pair in pairs[:2]],
        [pair.labels > 0 for pair in pairs[:2]],
        validation_images=[pairs[2].image],
        validation_masks=[pairs[2].labels > 0],
        device="cpu",
    )
    assert model.card.settings["training_images"] == 2


def test_one_image_is_too_few():
    pair = squares()
    with pytest.raises(InputError) as caught:
        ncr.train(quick(), [pair.image], [pair.labels])
    assert str(caught.value) == (
        "Two images or more are needed to hold one apart for validation, got 1: add "
        "some, or cut one into parts."
    )


def test_images_and_masks_must_go_together():
    pair = squares()
    with pytest.raises(InputError) as caught:
        ncr.train(quick(), [pair.image] * 2, [pair.labels])
    assert str(caught.value) == (
        "There are 2 images but 1 masks; give one mask for each image."
    )
    with pytest.raises(InputError) as caught:
        ncr.train(quick(), [pair.image] * 2, [pair.labels, np.zeros((5, 5), int)])
    assert str(caught.value) == (
        "Image and labels of image 2 differ in size: (96, 112) and (5, 5)."
    )


def test_masks_without_any_cell_teach_nothing():
    pair = squares(n_cells=0)
    with pytest.raises(InputError, match="holds a cell"):
        ncr.train(quick(), [pair.image] * 3, [pair.labels] * 3)

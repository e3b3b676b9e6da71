"""Synthetic neurons look as ordered and carry exact truth."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_cresunet.datasets import STAINS, NeuronScene, synthesize_neurons
from napari_cresunet.datasets._neurons import _add_dotted, _add_filaments
from napari_cresunet.errors import InputError

SMALL = {"height": 160, "width": 200, "diameter": 18.0, "edge": False}


def test_the_same_seed_gives_the_same_image_and_another_seed_another():
    scene = NeuronScene(**SMALL)
    image, labels = synthesize_neurons(scene, seed=3)
    again, labels_again = synthesize_neurons(scene, seed=3)
    other, _ = synthesize_neurons(scene, seed=4)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert (image != other).any()


def test_labels_are_contiguous_and_each_cell_is_one_piece():
    _, labels = synthesize_neurons(NeuronScene(**SMALL, n_cells=14), seed=0)
    assert labels.dtype == np.int32
    assert np.unique(labels).tolist() == list(range(15))
    pieces = [ndimage.label(labels == number)[1] for number in range(1, 15)]
    assert pieces == [1] * 14


def test_cells_have_the_ordered_size_on_average():
    scene = NeuronScene(height=900, width=900, n_cells=60, clumping=0, edge=False)
    _, labels = synthesize_neurons(scene, seed=1)
    areas = np.bincount(labels.flat)[1:]
    assert 2 * np.sqrt(np.median(areas) / np.pi) == pytest.approx(36.5, rel=0.2)


@pytest.mark.parametrize("stain", STAINS)
def test_cells_outshine_their_surroundings_in_the_color_of_the_stain(stain):
    scene = NeuronScene(**SMALL, n_cells=8, stain=stain)
    image, labels = synthesize_neurons(scene, seed=2)
    inside, outside = image[labels > 0].mean(0), image[labels == 0].mean(0)
    strongest = int(np.argmax(STAINS[stain]))
    assert inside[strongest] > 0.97 * inside.max()
    assert inside[strongest] > 3 * outside[strongest]


def test_an_empty_slice_has_no_cells_but_is_not_blank():
    scene = NeuronScene(**SMALL, n_cells=0)
    image, labels = synthesize_neurons(scene, seed=5)
    assert labels.max() == 0
    assert image.std() > 1


def test_clumping_brings_cells_into_touch():
    def touching(clumping):
        scene = NeuronScene(
            height=500, width=500, n_cells=25, clumping=clumping, edge=False
        )
        _, labels = synthesize_neurons(scene, seed=6)
        return labels.max() - ndimage.label(labels > 0, np.ones((3, 3)))[1]

    assert touching(1.0) > touching(0.0) + 3


def test_distractors_leave_the_truth_alone_and_light_the_image():
    kinds = ("n_unfocused", "n_faint", "n_filaments", "n_dotted")
    bare = NeuronScene(**SMALL, n_cells=0, **dict.fromkeys(kinds, 0))
    full = NeuronScene(**SMALL, n_cells=0, **dict.fromkeys(kinds, 9))
    dark, _ = synthesize_neurons(bare, seed=7)
    light, labels = synthesize_neurons(full, seed=7)
    assert labels.max() == 0
    assert light.max() > 2 * dark.max()


@pytest.mark.parametrize("add", [_add_filaments, _add_dotted])
def test_what_found_a_place_stays_when_the_next_finds_none(add):
    scene = NeuronScene(**SMALL, n_filaments=400, n_dotted=400)
    inside = np.zeros((160, 200), np.float32)
    inside[:40, :40] = 1  # a twentieth: sooner or later 50 random places miss it
    light = np.zeros_like(inside)
    add(light, inside, scene, np.random.default_rng(1))
    assert light.max() > 0.1


def test_outside_of_the_tissue_is_dark():
    scene = NeuronScene(height=300, width=300, n_cells=0, tissue=0.3, edge=True)
    image, _ = synthesize_neurons(scene, seed=8)
    low, high = np.percentile(ndimage.uniform_filter(image[..., 0], 15), [1, 90])
    assert low < 0.25 * high


def test_an_unknown_stain_is_refused():
    message = (
        "Unknown stain 'pink'; choose from yellow, green, red, gray, blue, cyan, "
        "magenta."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        NeuronScene(stain="pink")


def test_blur_softens_and_background_lifts():
    plain = NeuronScene(height=96, width=128, n_cells=3, diameter=16, stain="gray")
    sharp, _ = synthesize_neurons(plain, seed=2)
    soft, _ = synthesize_neurons(replace(plain, blur=0.2), seed=2)
    lifted, _ = synthesize_neurons(replace(plain, background=0.2), seed=2)

    def steepness(image):
        return np.abs(np.diff(ndimage.gaussian_filter(image[..., 0] / 255, 1))).max()

    assert steepness(soft) < 0.8 * steepness(sharp)
    difference = np.median(lifted.astype(float) - sharp) / 255
    assert difference == pytest.approx(0.2, abs=0.02)

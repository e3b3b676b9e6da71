"""Scenes of any microscope."""

import numpy as np
import pytest

from napari_cresunet.datasets import STAINS, random_scene, synthesize_neurons


@pytest.fixture(scope="module")
def scenes():
    """Many scenes of one source of randomness."""
    rng = np.random.default_rng(0)
    return [random_scene(rng) for _ in range(400)]


def test_the_same_seed_draws_the_same_scene():
    one, same = (random_scene(np.random.default_rng(5)) for _ in "ab")
    assert one == same


def test_cells_are_of_all_sizes(scenes):
    sizes = [scene.diameter for scene in scenes]
    assert 10 <= min(sizes) < 12
    assert 50 < max(sizes) <= 60


def test_brightness_color_noise_blur_and_background_vary(scenes):
    assert min(scene.brightness for scene in scenes) < 0.17
    assert max(scene.brightness for scene in scenes) > 0.8
    assert {scene.stain for scene in scenes} == set(STAINS)
    assert min(scene.noise for scene in scenes) < 0.003
    assert max(scene.noise for scene in scenes) > 0.02
    for name in ("blur", "background"):
        values = [getattr(scene, name) for scene in scenes]
        assert min(values) == 0
        assert len(set(values)) > 100


def test_some_scenes_are_empty_and_some_are_crowded(scenes):
    counts = np.array([scene.n_cells for scene in scenes])
    assert 0.07 < (counts == 0).mean() < 0.18
    assert (counts >= 40).mean() > 0.1


def test_a_scene_shows_the_same_at_any_size():
    small, large = (
        random_scene(np.random.default_rng(1), diameter=size) for size in (10, 40)
    )
    assert (small.height, small.width) == (192, 256)
    assert (large.height, large.width) == (768, 1024)
    assert small.n_cells == large.n_cells


@pytest.mark.parametrize("seed", range(3))
def test_scenes_can_be_drawn(seed):
    scene = random_scene(np.random.default_rng(seed), diameter=12)
    image, labels = synthesize_neurons(scene, seed=seed)
    assert image.shape == (scene.height, scene.width, 3)
    assert (labels.max() > 0) == (scene.n_cells > 0)

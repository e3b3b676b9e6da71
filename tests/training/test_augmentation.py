"""Image, labels and weight map are changed alike."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_cresunet.training import TrainConfig
from napari_cresunet.training._augmentation import (
    augment,
    cut_windows,
    mirrored,
    window_side,
)
from napari_cresunet.training._prepare import Sample

PLAIN = TrainConfig(crop_size=48, crop_step=48)
ALL = replace(
    PLAIN,
    shift=0.3,
    flip=True,
    zoom=1.3,
    rotation=180.0,
    elastic=2.0,
    brightness=1.5,
    contrast=1.3,
    noise=0.05,
)


def _sample(shape=(120, 150)):
    """An image of two cells; weights follow its brightness."""
    labels = np.zeros(shape, np.int32)
    labels[30:60, 40:90] = 1
    labels[70:100, 100:140] = 2
    image = torch.from_numpy((0.2 + 0.6 * (labels > 0)).astype(np.float32))
    return Sample(
        name="a",
        image=image[None].half(),
        labels=labels,
        weight=(1 + image).half(),
        share=1.0,
        diameter=30.0,
        match_distance=30.0,
    )


def _batch(config, *, places=((0, 30, 40),), seed=0, sample=None):
    rng = np.random.default_rng(seed)
    windows = cut_windows([sample or _sample()], np.array(places), config, rng)
    return augment(windows, config, "cpu")


def test_without_augmentation_a_crop_is_the_image_there():
    batch = _batch(PLAIN, places=[(0, 20, 30), (0, 60, 90)])
    sample = _sample()
    for number, (row, column) in enumerate([(20, 30), (60, 90)]):
        part = np.s_[row : row + 48, column : column + 48]
        for channel in range(3):
            np.testing.assert_array_equal(
                batch.image[number, channel], sample.image[0][part]
            )
        np.testing.assert_array_equal(batch.target[number, 0], sample.labels[part] > 0)
        np.testing.assert_array_equal(
            batch.weight[number, 0], sample.weight[part].float()
        )


@pytest.mark.parametrize(
    "change",
    [
        {"shift": 0.3},
        {"flip": True},
        {"zoom": 1.4},
        {"rotation": 180.0},
        {"elastic": 2.0},
        {"flip": True, "zoom": 1.4, "rotation": 90.0, "elastic": 2.0, "shift": 0.2},
    ],
)
def test_image_target_and_weight_move_alike(change):
    config = replace(PLAIN, **change)
    for seed in range(10):
        batch = _batch(config, seed=seed)
        bright = batch.image[:, :1] > 0.5
        assert (bright == (batch.target > 0)).float().mean() > 0.98
        assert (batch.weight - batch.image[:, :1] - 1).abs().mean() < 0.02


@pytest.mark.parametrize(
    "change", [{"flip": True}, {"zoom": 1.4}, {"rotation": 180.0}, {"elastic": 2.0}]
)
def test_each_change_changes_something(change):
    still = _batch(PLAIN).image
    moved = [_batch(replace(PLAIN, **change), seed=seed).image for seed in range(6)]
    assert any((image - still).abs().mean() > 0.005 for image in moved)


def test_flips_are_exact():
    config = replace(PLAIN, flip=True)
    place = [(0, 20, 30)]
    still = _batch(PLAIN, places=place).image[0]
    mirrors = [still, still.flip(1), still.flip(2), still.flip((1, 2))]
    seen = set()
    for seed in range(30):
        image = _batch(config, places=place, seed=seed).image[0]
        errors = [float((image - mirror).abs().max()) for mirror in mirrors]
        assert min(errors) < 1e-4
        seen.add(int(np.argmin(errors)))
    assert seen == {0, 1, 2, 3}


def test_zoom_enlarges_by_the_factor_drawn():
    """The area of a cell in the middle of the crop tells the factor."""
    config = replace(PLAIN, zoom=1.5, crop_size=96)
    labels = np.zeros((200, 200), np.int32)
    labels[90:110, 90:110] = 1
    image = torch.from_numpy((labels > 0).astype(np.float32))[None].half()
    sample = replace(_sample(), image=image, labels=labels, weight=None)
    factors = []
    for seed in range(60):
        batch = _batch(config, places=[(0, 52, 52)], seed=seed, sample=sample)
        factors.append((float(batch.target.sum()) / 400) ** 0.5)
    assert 0.63 < min(factors) < 0.75
    assert 1.35 < max(factors) < 1.57
    assert np.median(factors) == pytest.approx(1.0, abs=0.15)


def test_brightness_contrast_and_noise_leave_the_truth_alone():
    config = replace(PLAIN, brightness=2.0, contrast=1.5, noise=0.1)
    still = _batch(PLAIN)
    for seed in range(5):
        batch = _batch(config, seed=seed)
        assert torch.equal(batch.target, still.target)
        assert torch.equal(batch.weight, still.weight)
        assert not torch.equal(batch.image, still.image)
        assert batch.image.min() >= 0
        assert batch.image.max() <= 1


def test_noise_is_that_strong():
    sample = _sample((200, 200))
    gray = replace(sample, image=torch.full((1, 200, 200), 0.5).half())
    config = replace(PLAIN, noise=0.1, crop_size=96)
    deviations = [
        float(_batch(config, seed=seed, sample=gray).image[0, 0].std())
        for seed in range(40)
    ]
    assert max(deviations) < 0.105
    assert np.mean(deviations) == pytest.approx(0.05, abs=0.015)


def test_a_seed_repeats_a_batch():
    one, same, other = (_batch(ALL, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(one.image, same.image)
    assert torch.equal(one.target, same.target)
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.image, other.image)


def test_a_window_holds_all_that_a_crop_may_need():
    assert window_side(PLAIN) == 48
    assert window_side(replace(PLAIN, rotation=10.0)) >= 48 * 2**0.5
    assert window_side(ALL) >= 48 * 1.3 * 2**0.5 + 6 * 2


def test_an_image_smaller_than_a_crop_is_mirrored_around():
    labels = np.arange(1, 13, dtype=np.int32).reshape(3, 4)
    image = torch.from_numpy(labels / 100).half()[None]
    sample = replace(_sample(), image=image, labels=labels, weight=None)
    config = replace(PLAIN, crop_size=32)
    batch = _batch(config, places=[(0, -14, -14)], sample=sample)
    expected = np.pad(labels / 100, ((14, 15), (14, 14)), mode="reflect")
    np.testing.assert_allclose(batch.image[0, 0], expected, atol=1e-3)


@given(st.integers(-40, 40), st.integers(1, 30), st.integers(1, 9))
def test_mirrored_positions_equal_numpys_padding(start, length, size):
    wide = np.pad(np.arange(size), 100, mode="reflect" if size > 1 else "edge")
    expected = wide[100 + start : 100 + start + length]
    np.testing.assert_array_equal(mirrored(start, length, size), expected)

"""Random crops and their targets."""

import numpy as np
import torch

from napari_cresunet.training import CropOptions, parted_cells, random_crop

PLAIN = CropOptions(size=32, zoom=1.0, gain=1.0, recolor=0.0, noise=0.0)


def test_a_gap_opens_where_cells_touch_and_nowhere_else():
    labels = torch.tensor([[[1, 1, 2, 2, 0, 3, 3]]], dtype=torch.float32)
    labels = labels.expand(1, 5, 7)
    expected = [[1, 0, 0, 1, 0, 1, 1]] * 5
    assert parted_cells(labels)[0].tolist() == expected


def test_parted_cells_equal_a_direct_loop():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (9, 11))
    expected = np.zeros(labels.shape)
    for row, column in np.ndindex(labels.shape):
        around = labels[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        alone = set(around.flat) <= {0, labels[row, column]}
        expected[row, column] = labels[row, column] > 0 and alone
    parted = parted_cells(torch.tensor(labels[None], dtype=torch.float32))
    np.testing.assert_array_equal(parted[0].numpy(), expected)


def test_image_and_target_are_moved_alike():
    rng = np.random.default_rng(1)
    labels = torch.zeros(120, 150)
    labels[30:60, 40:90] = 1
    image = (labels > 0).float().expand(3, -1, -1)
    for _ in range(20):
        crop, target = random_crop(image, labels, CropOptions(size=48, noise=0), rng)
        agreement = ((crop[0] > 0.4) == (target[0] > 0)).float().mean()
        assert agreement > 0.97


def test_crops_differ_from_one_another_and_a_seed_repeats_them():
    image = torch.rand(3, 80, 80, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(80, 80)
    first, again = (
        random_crop(image, labels, PLAIN, np.random.default_rng(2))[0] for _ in range(2)
    )
    other, _ = random_crop(image, labels, PLAIN, np.random.default_rng(3))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_every_second_crop_is_near_a_cell():
    labels = torch.zeros(600, 600)
    labels[300:304, 300:304] = 1
    image = torch.zeros(3, 600, 600)
    rng = np.random.default_rng(4)
    hits = sum(bool(random_crop(image, labels, PLAIN, rng)[1].any()) for _ in range(60))
    assert 15 <= hits <= 45


def test_values_stay_between_0_and_1():
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1))
    options = CropOptions(size=32, gain=4.0, noise=0.5)
    rng = np.random.default_rng(5)
    crops = [random_crop(image, torch.zeros(64, 64), options, rng)[0] for _ in range(8)]
    assert min(crop.min() for crop in crops) >= 0
    assert max(crop.max() for crop in crops) <= 1

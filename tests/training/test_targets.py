"""Targets part touching cells."""

import numpy as np
import torch

from napari_cresunet.training._targets import parted_cells


def test_a_gap_opens_where_cells_touch_and_nowhere_else():
    labels = torch.tensor([[1, 1, 2, 2, 0, 3, 3]], dtype=torch.float32)
    labels = labels.expand(1, 1, 5, 7)
    expected = [[1, 0, 0, 1, 0, 1, 1]] * 5
    assert parted_cells(labels)[0, 0].tolist() == expected


def test_it_equals_a_direct_loop():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (9, 11))
    expected = np.zeros(labels.shape)
    for row, column in np.ndindex(labels.shape):
        around = labels[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        alone = set(around.flat) <= {0, labels[row, column]}
        expected[row, column] = labels[row, column] > 0 and alone
    parted = parted_cells(torch.tensor(labels[None, None], dtype=torch.float32))
    np.testing.assert_array_equal(parted[0, 0].numpy(), expected)

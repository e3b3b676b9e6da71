"""The training loop learns, and a seed repeats it."""

import numpy as np
import pytest
import torch

from napari_cresunet.models import get_variant
from napari_cresunet.steps import drain
from napari_cresunet.training import CropOptions, LoopOptions, Source, iter_train


@pytest.fixture
def bright_squares():
    """Images whose cells are bright squares on black."""
    rng = np.random.default_rng(0)
    labels = torch.zeros(96, 96)
    for number in range(1, 7):
        row, column = rng.integers(0, 80, 2)
        labels[row : row + 12, column : column + 12] = number
    image = (0.1 + 0.8 * (labels > 0)).float().expand(3, -1, -1)
    crops = CropOptions(size=32, zoom=1.2)
    return Source(images=[image], labels=[labels], share=1.0, crops=crops)


def _train(source, **changes):
    torch.manual_seed(0)
    options = LoopOptions(batch_size=2, learning_rate=3e-3, **changes)
    losses = []
    network = drain(
        iter_train(
            get_variant("simple-c-resunet").build(),
            [source],
            options,
            on_loss=lambda _, loss: losses.append(loss),
        )
    )
    return network, losses


def test_the_loss_falls(bright_squares):
    _, losses = _train(bright_squares, n_steps=25)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])


def test_a_seed_repeats_a_run_bit_for_bit(bright_squares):
    (one, losses), (other, again) = (_train(bright_squares, n_steps=3) for _ in "ab")
    assert losses == again
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_reports_each_batch(bright_squares):
    torch.manual_seed(0)
    network = get_variant("simple-c-resunet").build()
    options = LoopOptions(n_steps=2, batch_size=1)
    steps = list(iter_train(network, [bright_squares], options))
    assert [(step.done, step.total) for step in steps] == [(1, 2), (2, 2)]

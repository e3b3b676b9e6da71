"""Small images whose cells are bright squares on black."""

from dataclasses import replace

import numpy as np

from napari_cresunet.datasets import Pair
from napari_cresunet.training import TrainConfig


def squares(seed=0, *, shape=(96, 112), n_cells=6, side=12, color=False):
    """Return a pair with parted squares."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    places = [
        (row, column)
        for row in range(4, shape[0] - side, 2 * side)
        for column in range(4, shape[1] - side, 2 * side)
    ]
    chosen = rng.permutation(len(places))[:n_cells]
    for number, index in enumerate(chosen, start=1):
        row, column = places[index]
        labels[row : row + side, column : column + side] = number
    noise = rng.integers(0, 30, shape)
    image = (30 * (labels == 0) + 200 * (labels > 0) + noise).clip(0, 255)
    image = image.astype(np.uint8)
    if color:
        image = np.stack([image, image // 2, image // 9], axis=-1)
    return Pair(name=f"squares {seed}", image=image, labels=labels)


QUICK = TrainConfig(
    variant="simple-c-resunet",
    crop_size=32,
    crop_step=32,
    samples=8,
    batch_size=4,
    epochs=2,
    learning_rate=3e-3,
)


def quick(**changes):
    """Return settings that take seconds."""
    return replace(QUICK, **changes)

"""A plain training loop: weighted cross-entropy, Adam, random crops of many sources."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_cresunet.config import Options, option
from napari_cresunet.models import CResUnet
from napari_cresunet.steps import Step
from napari_cresunet.training._crops import CropOptions, random_crop
from napari_cresunet.training._losses import weighted_cross_entropy


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopOptions(Options):
    """Settings of `iter_train`."""

    n_steps: int = option(3000, "Batches to train on.", low=1)
    batch_size: int = option(8, "Crops in a batch.", low=1)
    learning_rate: float = option(1e-4, "Learning rate of Adam.", low=0)
    decay: float = option(
        0.2, "Share of the steps, at the end, in which the rate falls to 0.", low=0
    )
    positive_weight: float = option(1.5, "Loss weight of cell pixels.", low=0)
    negative_weight: float = option(0.5, "Loss weight of background pixels.", low=0)
    bfloat16: bool = option(True, "Whether to compute in 16 bits where that is safe.")
    seed: int = option(0, "Seed of initial weights and crops.", low=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Images of one kind, and how often they are drawn from."""

    images: Sequence[Tensor]
    """(3, Y, X) float32 in [0, 1]."""
    labels: Sequence[Tensor]
    """(Y, X) float32 label images."""
    share: float
    """Part of the crops that come from here."""
    crops: CropOptions


def iter_train(
    network: CResUnet,
    sources: Sequence[Source],
    options: LoopOptions,
    on_loss: Callable[[int, float], object] | None = None,
) -> Generator[Step, None, CResUnet]:
    """Train a network in place; one step is one batch.

    Parameters
    ----------
    network : CResUnet
        The network, on the CPU.
    sources : sequence of Source
        Where crops come from.
    options : LoopOptions
        Settings.
    on_loss : callable, optional
        Called with the number of the step and its loss.

    Yields
    ------
    Step
        After each batch. Between two steps the network may be saved or scored.

    Returns
    -------
    CResUnet
        The same network.
    """
    rng = np.random.default_rng(options.seed)
    shares = np.array([source.share for source in sources])
    optimizer = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step, options)
    )
    for number in range(1, options.n_steps + 1):
        chosen = rng.choice(len(sources), options.batch_size, p=shares / shares.sum())
        image, target = draw_batch([sources[index] for index in chosen], rng)
        image = image.contiguous(memory_format=torch.channels_last)
        network.train()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            logits = network.logits(image)
        loss = weighted_cross_entropy(
            logits.float(),
            target,
            positive=options.positive_weight,
            negative=options.negative_weight,
        )
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        if on_loss is not None:
            on_loss(number, loss.item())
        yield Step(done=number, total=options.n_steps)
    return network


def draw_batch(
    sources: Sequence[Source], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Cut one crop from each source.

    Parameters
    ----------
    sources : sequence of Source
        One for each crop.
    rng : Generator
        Source of randomness.

    Returns
    -------
    image : Tensor of shape (N, 3, size, size)
        Crops.
    target : Tensor of shape (N, 1, size, size)
        Their targets.
    """
    crops = []
    for source in sources:
        index = int(rng.integers(len(source.images)))
        image, labels = source.images[index], source.labels[index]
        crops.append(random_crop(image, labels, source.crops, rng))
    return (
        torch.stack([image for image, _ in crops]),
        torch.stack([target for _, target in crops]),
    )


def _rate(step: int, options: LoopOptions) -> float:
    """Return the part of the learning rate in force: 1, then falling to 0."""
    falling = options.decay * options.n_steps
    left = options.n_steps - step
    return min(1.0, left / falling) if falling else 1.0

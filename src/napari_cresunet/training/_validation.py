"""What a network reaches on images that it does not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from torch import Tensor, nn

from napari_cresunet._typing import Probability
from napari_cresunet.evaluation import Scores, aggregate, evaluate
from napari_cresunet.segmentation import segment
from napari_cresunet.training._augmentation import mirrored
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._losses import class_weights, total_loss
from napari_cresunet.training._prepare import Sample
from napari_cresunet.training._targets import parted_cells

COARSE_THRESHOLDS = tuple(round(0.1 * k, 2) for k in range(1, 10))
"""Looked at after each epoch."""
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""Looked at when a model is finished."""
SMALLEST_AREA, CLOSEST_CENTERS = 0.2, 0.5
"""Smallest cell in parts of a cell's area; least distance of centers in diameters."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Losses and probabilities of the validation images."""

    loss: float
    probabilities: list[Probability]


def min_size_for(diameter: float) -> int:
    """Return the smallest cell in px where cells have this diameter in px."""
    return max(1, round(SMALLEST_AREA * pi / 4 * diameter**2))


def min_distance_for(diameter: float) -> int:
    """Return the least distance of centers in px where cells have this diameter."""
    return max(1, round(CLOSEST_CENTERS * diameter))


def validate(
    network: nn.Module, samples: Sequence[Sample], config: TrainConfig, device: str
) -> Validation:
    """Run the network on whole images.

    Parameters
    ----------
    network : Module
        On `device`; left in evaluation mode.
    samples : sequence of Sample
        Prepared validation images.
    config : TrainConfig
        Says the loss.
    device : str
        Where to compute.

    Returns
    -------
    Validation
        Mean loss and the probability of each image.
    """
    network.eval()
    losses, probabilities = [], []
    for sample in samples:
        with torch.inference_mode():
            logits = _logits(network, sample, device)
            target, weight = _truth(sample, config, device)
            losses.append(float(total_loss(logits, target, weight, config)))
            probabilities.append(torch.sigmoid(logits)[0, 0].float().cpu().numpy())
    return Validation(float(np.mean(losses)), probabilities)


def _logits(network: nn.Module, sample: Sample, device: str) -> Tensor:
    """Run the network on one image, extended to a multiple of its stride."""
    stride: int = network.stride  # type: ignore[assignment]  # torch thinks Tensor
    height, width = sample.labels.shape
    rows, columns = (
        torch.from_numpy(mirrored(0, -(-side // stride) * stride, side)).to(device)
        for side in (height, width)
    )
    image = sample.image.to(device).float()[:, rows[:, None], columns].expand(3, -1, -1)
    batch = image[None].contiguous(memory_format=torch.channels_last)
    logits: Tensor = network.logits(batch)  # type: ignore[operator]  # as above
    return logits[..., :height, :width]


def _truth(sample: Sample, config: TrainConfig, device: str) -> tuple[Tensor, Tensor]:
    labels = torch.from_numpy(sample.labels.astype(np.float32))[None, None]
    target = parted_cells(labels.to(device))
    if sample.weight is None:
        return target, class_weights(
            target, config.positive_weight, config.negative_weight
        )
    return target, sample.weight.to(device).float()[None, None]


def best_threshold(
    probabilities: Sequence[Probability],
    samples: Sequence[Sample],
    thresholds: Sequence[float],
) -> tuple[float, Scores]:
    """Choose the threshold by the pooled F1 over all images.

    Parameters
    ----------
    probabilities : sequence of ndarray of float32, shape (Y, X)
        One for each sample.
    samples : sequence of Sample
        The truth.
    thresholds : sequence of float
        What to choose from.

    Returns
    -------
    threshold : float
        The one with the highest F1; of equal ones that nearest to 0.5.
    scores : Scores
        Pooled, at that threshold.
    """
    scores = {
        threshold: aggregate(
            [
                score_sample(probability, sample, threshold)
                for probability, sample in zip(probabilities, samples, strict=True)
            ]
        )
        for threshold in thresholds
    }
    best = max(
        scores, key=lambda value: (np.nan_to_num(scores[value].f1), -abs(value - 0.5))
    )
    return best, scores[best]


def score_sample(probability: Probability, sample: Sample, threshold: float) -> Scores:
    """Return the scores of one image at a threshold.

    Parameters
    ----------
    probability : ndarray of float32, shape (Y, X)
        What the network says.
    sample : Sample
        The truth.
    threshold : float
        Cell where the probability is greater.

    Returns
    -------
    Scores
        By distance of centers.
    """
    labels = segment(
        probability,
        threshold=threshold,
        min_size=min_size_for(sample.diameter),
        min_distance=min_distance_for(sample.diameter),
    )
    return evaluate(labels, sample.labels, max_distance=sample.match_distance)

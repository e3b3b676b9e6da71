"""Losses on logits, and their weighted sum."""

import torch
from torch import Tensor
from torch.nn import functional

from napari_cresunet.training._config import TrainConfig

FOCAL_GAMMA = 2.0
TVERSKY_ALPHA, TVERSKY_BETA, TVERSKY_GAMMA = 0.7, 0.3, 4 / 3
"""Weights of misses and of false alarms, and the exponent [Abraham & Khan 2019]."""
_SMOOTHING = 1e-6


def total_loss(
    logits: Tensor, target: Tensor, weight: Tensor, config: TrainConfig
) -> Tensor:
    """Return the sum of the losses that a configuration gives a share.

    Parameters
    ----------
    logits : Tensor of shape (N, 1, Y, X)
        Log-odds of "cell".
    target : Tensor of the same shape
        1 in cells, 0 elsewhere.
    weight : Tensor of the same shape
        Weight of each pixel in the cross-entropy.
    config : TrainConfig
        Shares of the losses.

    Returns
    -------
    Tensor
        A scalar.
    """
    logits = logits.float()
    losses = []
    if config.cross_entropy:
        losses.append(config.cross_entropy * cross_entropy(logits, target, weight))
    if config.dice:
        losses.append(config.dice * dice_loss(logits, target))
    if config.focal:
        losses.append(config.focal * focal_loss(logits, target))
    if config.focal_tversky:
        losses.append(config.focal_tversky * focal_tversky_loss(logits, target))
    return torch.stack(losses).sum()


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy with a weight for each pixel [Tashfeen, eq. 1].

    Parameters
    ----------
    logits, target, weight : Tensor
        Of one shape; see `total_loss`.

    Returns
    -------
    Tensor
        The mean over all pixels, a scalar.
    """
    return functional.binary_cross_entropy_with_logits(logits, target, weight)


def class_weights(target: Tensor, positive: float, negative: float) -> Tensor:
    """Return one weight for cell pixels and another one for background.

    Parameters
    ----------
    target : Tensor
        1 in cells, 0 elsewhere.
    positive, negative : float
        The two weights.

    Returns
    -------
    Tensor
        Of the shape of `target`.
    """
    return target * (positive - negative) + negative


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy in which pixels that are right already count little.

    Parameters
    ----------
    logits, target : Tensor
        Of one shape; see `total_loss`.

    Returns
    -------
    Tensor
        Mean of (1 - p_t)^2 · (-log p_t), a scalar [Lin et al. 2017,
        arXiv 1708.02002, eq. 4, without its class weight].
    """
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return ((1 - torch.exp(-loss)) ** FOCAL_GAMMA * loss).mean()


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the Dice coefficient with soft counts over the batch.

    Parameters
    ----------
    logits, target : Tensor
        Of one shape; see `total_loss`.

    Returns
    -------
    Tensor
        A scalar in [0, 1] [Milletari et al. 2016, arXiv 1606.04797].
    """
    hits, misses, alarms = _soft_counts(logits, target)
    dice = (2 * hits + _SMOOTHING) / (2 * hits + misses + alarms + _SMOOTHING)
    return 1 - dice


def focal_tversky_loss(logits: Tensor, target: Tensor) -> Tensor:
    """(1 - T)^(4/3), T = TP / (TP + 0.7 FN + 0.3 FP) with soft counts over the batch.

    Parameters
    ----------
    logits, target : Tensor
        Of one shape; see `total_loss`.

    Returns
    -------
    Tensor
        A scalar in [0, 1] [Abraham & Khan 2019, arXiv 1810.07842, with the exponent
        and the weights of Clissa et al.].
    """
    hits, misses, alarms = _soft_counts(logits, target)
    whole = hits + TVERSKY_ALPHA * misses + TVERSKY_BETA * alarms
    missing = 1 - (hits + _SMOOTHING) / (whole + _SMOOTHING)
    # The slope of a power above 1 is 0 at 0, but its computation divides by 0 there.
    return missing.clamp(min=_SMOOTHING) ** TVERSKY_GAMMA


def _soft_counts(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sums of probability in hits, misses and false alarms."""
    probability = torch.sigmoid(logits)
    hits = (probability * target).sum()
    return hits, target.sum() - hits, probability.sum() - hits

"""Losses on logits."""

from torch import Tensor
from torch.nn import functional


def weighted_cross_entropy(
    logits: Tensor, target: Tensor, *, positive: float = 1.5, negative: float = 0.5
) -> Tensor:
    """Binary cross-entropy with a weight for each class [Tashfeen, eq. 1].

    Parameters
    ----------
    logits : Tensor
        Log-odds of "cell", of any shape.
    target : Tensor
        1 in cells, 0 elsewhere; shape of `logits`.
    positive, negative : float, optional
        Weights of cell and background pixels.

    Returns
    -------
    Tensor
        The mean over all pixels, a scalar.
    """
    weight = target * (positive - negative) + negative
    return functional.binary_cross_entropy_with_logits(logits, target, weight)

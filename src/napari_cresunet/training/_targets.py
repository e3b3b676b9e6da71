"""What a network shall say: cells, parted where they touch."""

import torch
from torch import Tensor
from torch.nn import functional


def parted_cells(labels: Tensor) -> Tensor:
    """Return 1 in cells and 0 elsewhere, with a gap where two cells touch.

    Parameters
    ----------
    labels : Tensor of shape (N, 1, Y, X), float32
        Label images.

    Returns
    -------
    Tensor of shape (N, 1, Y, X), float32
        The target of a network that shall tell touching cells apart: a pixel of a cell
        with a pixel of another one among its 8 neighbors is 0.
    """
    highest = functional.max_pool2d(labels, 3, stride=1, padding=1)
    missing = labels == 0
    far = labels.masked_fill(missing, float("inf"))
    lowest = -functional.max_pool2d(-far, 3, stride=1, padding=1)
    return (~missing & (highest == lowest)).to(torch.float32)


def touching(labels: Tensor, target: Tensor) -> Tensor:
    """Return 1 where two cells touch and up to a pixel beside, 0 elsewhere.

    Parameters
    ----------
    labels : Tensor of shape (N, 1, Y, X), float32
        Label images.
    target : Tensor of the same shape
        Their `parted_cells`.

    Returns
    -------
    Tensor of the same shape
        In the type of `target`.
    """
    gap = ((labels > 0) & (target == 0)).to(target.dtype)
    return functional.max_pool2d(gap, 3, stride=1, padding=1)

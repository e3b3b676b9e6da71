"""What all networks share."""

from typing import ClassVar

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """A network from an RGB image in [0, 1] to the probability of "cell" per pixel.

    A subclass states `stride` and `receptive_radius` and computes `logits`.
    """

    stride: ClassVar[int]
    """Height and width of an image must be multiples of it, in px."""

    receptive_radius: ClassVar[int]
    """A pixel this far away (in px, a multiple of `stride`) has no influence."""

    def logits(self, image: Tensor) -> Tensor:
        """Return the log-odds of "cell"; losses are stable on these.

        Parameters
        ----------
        image : Tensor of shape (N, 3, Y, X)
            RGB in [0, 1]; Y and X are multiples of `stride`.

        Returns
        -------
        Tensor of shape (N, 1, Y, X)
            Logits.
        """
        raise NotImplementedError

    def forward(self, image: Tensor) -> Tensor:
        """Return the probability of "cell", of shape (N, 1, Y, X)."""
        return torch.sigmoid(self.logits(image))

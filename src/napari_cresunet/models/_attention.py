"""Additive attention gate of Attention U-Net [Oktay et al. 2018, arXiv 1804.03999]."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_cresunet.models._blocks import ACTIVATIONS


class AttentionGate(nn.Module):
    """Weight a skip connection by how much the coarser decoder map agrees with it.

    q = psi(act(W_x x + W_g g + b_g)) + b_psi, alpha = sigmoid(q), output alpha * x,
    where W_x strides x to the grid of g and alpha is upsampled bilinearly back
    [Tashfeen, Fig. 2].

    Parameters
    ----------
    skip : int
        Channels of the encoder map x; also the channels between.
    gating : int
        Channels of the gating signal g, which has half the height and width of x.
    activation : str
        A key of `ACTIVATIONS`.
    """

    def __init__(self, skip: int, gating: int, activation: str) -> None:
        super().__init__()
        self.project_skip = nn.Conv2d(skip, skip, 1, stride=2, bias=False)
        self.project_gating = nn.Conv2d(gating, skip, 1)
        self.activation = ACTIVATIONS[activation]()
        self.psi = nn.Conv2d(skip, 1, 1)

    def forward(self, x: Tensor, g: Tensor) -> Tensor:
        """Return x weighted by its attention coefficients."""
        q = self.psi(self.activation(self.project_skip(x) + self.project_gating(g)))
        alpha = functional.interpolate(
            torch.sigmoid(q), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        return alpha * x

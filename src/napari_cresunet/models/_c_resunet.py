"""c-ResUnet [Morelli, Clissa et al., Sci Rep 11:22920 (2021)] and its variants."""

import torch
from torch import Tensor, nn

from napari_cresunet.models._attention import AttentionGate
from napari_cresunet.models._blocks import (
    ACTIVATIONS,
    BatchNorm,
    ResidualBlock,
    double_convolution,
    initialize,
    same_convolution,
)
from napari_cresunet.models._network import Network


class DecoderBlock(nn.Module):
    """Upsample, join the skip connection, convolve, add the upsampled map."""

    def __init__(self, inputs: int, *, attention: bool, activation: str) -> None:
        super().__init__()
        outputs = inputs // 2
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.gate = AttentionGate(outputs, inputs, activation) if attention else None
        self.body = double_convolution(2 * outputs, outputs, 3, activation)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the map at the resolution of `skip`."""
        up = self.up(x)
        if self.gate is not None:
            skip = self.gate(skip, x)
        out: Tensor = self.body(torch.cat([up, skip], dim=1)) + up
        return out


class CResUnet(Network):
    """c-ResUnet: RGB image in [0, 1] to the probability of "cell" per pixel.

    Parameters
    ----------
    attention : bool
        Whether every skip connection passes an attention gate.
    activation : str
        "elu", "relu" or "leaky_relu".
    features : int
        Channels at full resolution.

    Notes
    -----
    Height and width must be multiples of `stride`. Without attention the network has
    1,707,287 trainable parameters.
    """

    stride = 8
    """Three poolings of 2×2."""

    receptive_radius = 112
    """A pixel this far away (in px, a multiple of `stride`) has no influence.

    The convolutions alone reach 92 px: 2 + 4 + 8 on the way down, 32 + 32 in the 5×5
    bridge at 1/8 of the resolution, 8 + 4 + 2 on the way up. Pooling, upsampling and
    the bilinear attention maps bring that to 99 px, and to 106 px with attention.
    """

    def __init__(
        self, *, attention: bool = False, activation: str = "elu", features: int = 16
    ) -> None:
        super().__init__()
        n = features
        act = ACTIVATIONS[activation]
        self.color = nn.Sequential(same_convolution(3, 1, 1), BatchNorm(1), act())
        self.encoder1 = nn.Sequential(
            same_convolution(1, n, 3), BatchNorm(n), act(), same_convolution(n, n, 3)
        )
        self.encoder2 = ResidualBlock(n, 2 * n, 3, activation)
        self.encoder3 = ResidualBlock(2 * n, 4 * n, 3, activation)
        self.bridge1 = ResidualBlock(4 * n, 8 * n, 5, activation)
        self.bridge2: nn.Module = ResidualBlock(8 * n, 8 * n, 5, activation)
        self.decoder3 = DecoderBlock(8 * n, attention=attention, activation=activation)
        self.decoder2 = DecoderBlock(4 * n, attention=attention, activation=activation)
        self.decoder1 = DecoderBlock(2 * n, attention=attention, activation=activation)
        self.head = same_convolution(n, 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.apply(initialize)

    def logits(self, image: Tensor) -> Tensor:
        """Return the log-odds of "cell", of shape (N, 1, Y, X)."""
        skip1 = self.encoder1(self.color(image))
        skip2 = self.encoder2(self.pool(skip1))
        skip3 = self.encoder3(self.pool(skip2))
        x = self.bridge2(self.bridge1(self.pool(skip3)))
        x = self.decoder1(self.decoder2(self.decoder3(x, skip3), skip2), skip1)
        out: Tensor = self.head(x)
        return out

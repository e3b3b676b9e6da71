"""U-Net [Ronneberger et al. 2015, arXiv 1505.04597], large and small."""

import torch
from torch import Tensor, nn

from napari_cresunet.models._blocks import ACTIVATIONS, initialize, same_convolution
from napari_cresunet.models._network import Network


def plain_convolutions(
    inputs: int, outputs: int, size: int, activation: str
) -> nn.Sequential:
    """Return convolution, activation, twice over; U-Net has no batch norm."""
    act = ACTIVATIONS[activation]
    return nn.Sequential(
        same_convolution(inputs, outputs, size),
        act(),
        same_convolution(outputs, outputs, size),
        act(),
    )


class PlainDecoderBlock(nn.Module):
    """Upsample, join the skip connection, convolve."""

    def __init__(self, inputs: int, activation: str) -> None:
        super().__init__()
        outputs = inputs // 2
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.body = plain_convolutions(inputs, outputs, 3, activation)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the map at the resolution of `skip`."""
        out: Tensor = self.body(torch.cat([self.up(x), skip], dim=1))
        return out


class UNet(Network):
    """U-Net as Morelli, Clissa et al. (2021) released it for their comparison.

    Unlike Ronneberger's, convolutions are zero-padded, so that the output has the size
    of the input, and those of the bridge are 5×5.

    Parameters
    ----------
    activation : str
        A key of `ACTIVATIONS`.
    features : int
        Channels at full resolution: 64 is U-Net, 32 the paper's small U-Net.

    Notes
    -----
    Height and width must be multiples of `stride`. The network has 56,197,569 trainable
    parameters with 64 features and 14,051,553 with 32.

    In the released code the two finest levels of the way up are cut short, so that it
    does not run; here they are like the levels below, as in Ronneberger's network.
    """

    stride = 16
    """Four poolings of 2×2."""

    receptive_radius = 144
    """A pixel this far away (in px, a multiple of `stride`) has no influence.

    The convolutions alone reach 124 px: 2 + 4 + 8 + 16 on the way down, 64 in the 5×5
    bridge at 1/16 of the resolution, 16 + 8 + 4 + 2 on the way up. Pooling and
    upsampling bring that to 139 px.
    """

    def __init__(self, *, activation: str = "relu", features: int = 64) -> None:
        super().__init__()
        n = features
        self.encoder1 = plain_convolutions(3, n, 3, activation)
        self.encoder2 = plain_convolutions(n, 2 * n, 3, activation)
        self.encoder3 = plain_convolutions(2 * n, 4 * n, 3, activation)
        self.encoder4 = plain_convolutions(4 * n, 8 * n, 3, activation)
        self.bridge = plain_convolutions(8 * n, 16 * n, 5, activation)
        self.decoder4 = PlainDecoderBlock(16 * n, activation)
        self.decoder3 = PlainDecoderBlock(8 * n, activation)
        self.decoder2 = PlainDecoderBlock(4 * n, activation)
        self.decoder1 = PlainDecoderBlock(2 * n, activation)
        self.head = same_convolution(n, 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.apply(initialize)

    def logits(self, image: Tensor) -> Tensor:
        """Return the log-odds of "cell", of shape (N, 1, Y, X)."""
        skip1 = self.encoder1(image)
        skip2 = self.encoder2(self.pool(skip1))
        skip3 = self.encoder3(self.pool(skip2))
        skip4 = self.encoder4(self.pool(skip3))
        x = self.bridge(self.pool(skip4))
        x = self.decoder3(self.decoder4(x, skip4), skip3)
        x = self.decoder1(self.decoder2(x, skip2), skip1)
        out: Tensor = self.head(x)
        return out

"""ResUnet [Zhang et al. 2018, arXiv 1711.10684], c-ResUnet's nearest relative."""

from torch import Tensor, nn

from napari_cresunet.models._blocks import (
    ACTIVATIONS,
    BatchNorm,
    ResidualBlock,
    initialize,
    same_convolution,
)
from napari_cresunet.models._c_resunet import DecoderBlock
from napari_cresunet.models._network import Network


class ResUnet(Network):
    """ResUnet: c-ResUnet without the color convolution and the second bridge block.

    The residual U-Net of Zhang et al. with max pooling and a 5×5 bridge, as Morelli,
    Clissa et al. (2021) released it for their comparison.

    Parameters
    ----------
    activation : str
        A key of `ACTIVATIONS`.
    features : int
        Channels at full resolution.

    Notes
    -----
    Height and width must be multiples of `stride`. With 16 features the network has
    887,601 trainable parameters.
    """

    stride = 8
    """Three poolings of 2×2."""

    receptive_radius = 72
    """A pixel this far away (in px, a multiple of `stride`) has no influence.

    The convolutions alone reach 60 px: 2 + 4 + 8 on the way down, 32 in the 5×5 bridge
    at 1/8 of the resolution, 8 + 4 + 2 on the way up. Pooling and upsampling bring that
    to 67 px.
    """

    def __init__(self, *, activation: str = "elu", features: int = 16) -> None:
        super().__init__()
        n = features
        self.encoder1 = nn.Sequential(
            same_convolution(3, n, 3),
            BatchNorm(n),
            ACTIVATIONS[activation](),
            same_convolution(n, n, 3),
        )
        self.encoder2 = ResidualBlock(n, 2 * n, 3, activation)
        self.encoder3 = ResidualBlock(2 * n, 4 * n, 3, activation)
        self.bridge = ResidualBlock(4 * n, 8 * n, 5, activation)
        self.decoder3 = DecoderBlock(8 * n, attention=False, activation=activation)
        self.decoder2 = DecoderBlock(4 * n, attention=False, activation=activation)
        self.decoder1 = DecoderBlock(2 * n, attention=False, activation=activation)
        self.head = same_convolution(n, 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.apply(initialize)

    def logits(self, image: Tensor) -> Tensor:
        """Return the log-odds of "cell", of shape (N, 1, Y, X)."""
        skip1 = self.encoder1(image)
        skip2 = self.encoder2(self.pool(skip1))
        skip3 = self.encoder3(self.pool(skip2))
        x = self.bridge(self.pool(skip3))
        x = self.decoder1(self.decoder2(self.decoder3(x, skip3), skip2), skip1)
        out: Tensor = self.head(x)
        return out

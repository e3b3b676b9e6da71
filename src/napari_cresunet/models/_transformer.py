"""c-ResUnet with a vision transformer at the bridge.

Every position attends to its neighborhood only [Hassani et al. 2023, "Neighborhood
Attention Transformer", arXiv 2204.07143]. Attention over the whole image would cost the
square of its area, and every tile of a large image would see other surroundings.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_cresunet.models._c_resunet import CResUnet

WINDOW = 7
"""Side of a neighborhood in positions of the bridge, as in the paper; 56 px."""
HEADS = 4
"""Heads of 32 channels each, as in the paper."""
MLP_RATIO = 4
"""Channels inside of the multilayer perceptron per channel outside."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position, whatever the image's size."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x of shape (N, C, Y, X)."""
        normalized = functional.layer_norm(
            x.permute(0, 2, 3, 1),
            self.normalized_shape,
            self.weight,
            self.bias,
            self.eps,
        )
        return normalized.permute(0, 3, 1, 2)


class NeighborhoodAttention(nn.Module):
    """Multi-head attention of each position to the neighborhood around it.

    weights = softmax(q · k / sqrt(d) + b), where b is learned for each head and each
    offset of the neighborhood; output: projection of the weighted sum of v.

    Parameters
    ----------
    channels : int
        Of input and output; a multiple of `heads`.
    heads : int
        Heads; d = channels / heads.
    window : int
        Side of the neighborhood in positions, odd.

    Notes
    -----
    A neighbor outside of the image has no weight. The paper moves the neighborhood
    inwards there instead, which would let positions near the border see farther.
    """

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.scale = (channels // heads) ** -0.5
        self.project_in = nn.Conv2d(channels, 3 * channels, 1)
        self.offset_bias = nn.Parameter(torch.zeros(heads, window**2))
        self.project_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each position of x, of shape (N, C, Y, X), gathers."""
        n, channels, height, width = x.shape
        query, key, value = (
            self.project_in(x)
            .reshape(n, 3, self.heads, channels // self.heads, height, width)
            .unbind(1)
        )
        scores = torch.stack(
            [
                (query * neighbor).sum(dim=2)
                for neighbor in neighbors(key * self.scale, self.window)
            ],
            dim=2,
        )
        bias = self.offset_bias[:, :, None, None] + outside(x, self.window)
        weights = torch.softmax(scores + bias, dim=2).unsqueeze(3)
        gathered = torch.zeros_like(value)
        for index, neighbor in enumerate(neighbors(value, self.window)):
            gathered = gathered + weights[:, :, index] * neighbor
        out: Tensor = self.project_out(gathered.reshape(x.shape))
        return out


def neighbors(x: Tensor, window: int) -> list[Tensor]:
    """Return, for each offset of a neighborhood, x moved so that it lies in place.

    These are views of one padded copy. `unfold` would copy each position once for each
    offset, which for keys of 128 channels outweighs all the rest of the network.

    Parameters
    ----------
    x : Tensor of shape (..., Y, X)
        A map.
    window : int
        Side of the neighborhood, odd.

    Returns
    -------
    list of Tensor of shape (..., Y, X)
        Row by row, from the neighbor at the top left to that at the bottom right; 0
        where there is none.
    """
    radius = window // 2
    height, width = x.shape[-2], x.shape[-1]
    padded = functional.pad(x, (radius, radius, radius, radius))
    moved: list[Tensor] = []
    for top in range(window):
        rows = padded.narrow(-2, top, height)
        for left in range(window):
            moved.append(rows.narrow(-1, left, width))
    return moved


def outside(x: Tensor, window: int) -> Tensor:
    """Return what bars neighbors outside of the image from a softmax.

    Parameters
    ----------
    x : Tensor of shape (N, C, Y, X)
        A map; only its size, type and device matter.
    window : int
        Side of the neighborhood, odd.

    Returns
    -------
    Tensor of shape (1, window², Y, X)
        In the order of `neighbors`: -inf where there is none, else 0.
    """
    radius = window // 2
    padded = functional.pad(
        torch.zeros_like(x[:1, :1]), (radius, radius, radius, radius), value=-torch.inf
    )
    height, width = x.shape[-2], x.shape[-1]
    return functional.unfold(padded, window).reshape(1, window * window, height, width)


class TransformerBlock(nn.Module):
    """Pre-norm transformer block: neighborhood attention, then a perceptron (GELU)."""

    def __init__(self, channels: int, heads: int = HEADS, window: int = WINDOW) -> None:
        super().__init__()
        inner = MLP_RATIO * channels
        self.attention_norm = ChannelNorm(channels)
        self.attention = NeighborhoodAttention(channels, heads, window)
        self.mlp_norm = ChannelNorm(channels)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, inner, 1), nn.GELU(), nn.Conv2d(inner, channels, 1)
        )
        self.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the shape of x, (N, C, Y, X)."""
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out


class TransformerCResUnet(CResUnet):
    """c-ResUnet whose second bridge block is two transformer blocks.

    Tashfeen names a vision-transformer model as further work without a design; this one
    keeps the rest of c-ResUnet, so that only the bridge makes the difference.

    Parameters
    ----------
    attention, activation, features
        As for `CResUnet`; `attention` is that of the gates on the skip connections.
        8 times `features` must be a multiple of `HEADS`.

    Notes
    -----
    Height and width must be multiples of `stride`. Without attention gates the network
    has 1,284,255 trainable parameters.
    """

    receptive_radius = 128
    """A pixel this far away (in px, a multiple of `stride`) has no influence.

    Two blocks reach 3 positions of 8 px each, 48 px, where c-ResUnet's convolutions
    reach 32: that makes 115 px instead of 99, and 122 px with attention gates.
    """

    def __init__(
        self, *, attention: bool = False, activation: str = "elu", features: int = 16
    ) -> None:
        super().__init__(attention=attention, activation=activation, features=features)
        channels = 8 * features
        self.bridge2 = nn.Sequential(
            TransformerBlock(channels), TransformerBlock(channels)
        )


def _initialize(module: nn.Module) -> None:
    """Small weights, as usual for transformers: a new block is nearly the identity."""
    if isinstance(module, nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

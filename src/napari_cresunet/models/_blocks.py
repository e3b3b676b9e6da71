"""Building blocks of c-ResUnet [Morelli et al. 2021] and its attention variants."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

# Keras' defaults, which the published weights were trained with. Keras' momentum 0.99
# keeps 99 % of the running value; torch counts the other part.
BatchNorm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "elu": nn.ELU,
    "relu": nn.ReLU,
    "leaky_relu": partial(nn.LeakyReLU, 0.01),
}


def same_convolution(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    """Return a convolution with bias whose output has the size of its input."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


def double_convolution(
    inputs: int, outputs: int, size: int, activation: str
) -> nn.Sequential:
    """Return batch norm, activation, convolution, twice over."""
    act = ACTIVATIONS[activation]
    return nn.Sequential(
        BatchNorm(inputs),
        act(),
        same_convolution(inputs, outputs, size),
        BatchNorm(outputs),
        act(),
        same_convolution(outputs, outputs, size),
    )


class ResidualBlock(nn.Module):
    """Pre-activation residual block; the shortcut is 1×1 where channels change."""

    def __init__(self, inputs: int, outputs: int, size: int, activation: str) -> None:
        super().__init__()
        self.shortcut = (
            nn.Identity() if inputs == outputs else same_convolution(inputs, outputs, 1)
        )
        self.body = double_convolution(inputs, outputs, size, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Return body(x) + shortcut(x)."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def initialize(module: nn.Module) -> None:
    """He-normal weights (fan-in) and zero biases, as the paper's Keras layers."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)

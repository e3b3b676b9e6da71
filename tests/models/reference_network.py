"""c-ResUnet in plain numpy, in Keras' own layout: the oracle of the networks.

Images are (Y, X, channels), convolution kernels (height, width, in, out), those of
transposed convolutions (height, width, out, in). Nothing here knows of torch; layers
are taken in the order in which the paper's code creates them.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

Variables = Mapping[str, np.ndarray]
Layers = Mapping[str, Variables]

EPSILON = 1e-3  # of Keras' batch normalization


def elu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def relu(x):
    return np.maximum(x, 0)


def leaky_relu(x):
    return np.where(x > 0, x, 0.01 * x)


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "elu": elu,
    "relu": relu,
    "leaky_relu": leaky_relu,
}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def convolve_same(x, kernel, bias):
    """Correlate with zeros around the image, tap by tap."""
    height, width = kernel.shape[:2]
    padded = np.pad(x, ((height // 2, height // 2), (width // 2, width // 2), (0, 0)))
    out = np.zeros((*x.shape[:2], kernel.shape[3]))
    for row in range(height):
        for column in range(width):
            shifted = padded[row : row + x.shape[0], column : column + x.shape[1]]
            out += shifted @ kernel[row, column]
    return out + bias


def convolve_transposed(x, kernel, bias):
    """Let every pixel paint its 2×2 patch: the adjoint of correlating with stride 2."""
    out = np.zeros((2 * x.shape[0], 2 * x.shape[1], kernel.shape[2]))
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            patch = kernel @ x[row, column]
            out[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = patch
    return out + bias


def normalize(x, variables: Variables):
    scale = variables["gamma"] / np.sqrt(variables["moving_variance"] + EPSILON)
    return (x - variables["moving_mean"]) * scale + variables["beta"]


def pool(x):
    quarters = [x[row::2, column::2] for row in (0, 1) for column in (0, 1)]
    return np.max(quarters, axis=0)


def upsample_bilinear(x):
    """Double both axes; a new pixel's center lies a quarter off an old one's."""
    for axis in (0, 1):
        size = x.shape[axis]
        before = np.take(x, np.maximum(np.arange(size) - 1, 0), axis)
        after = np.take(x, np.minimum(np.arange(size) + 1, size - 1), axis)
        pairs = np.stack(
            [0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis=axis + 1
        )
        shape = list(x.shape)
        shape[axis] *= 2
        x = pairs.reshape(shape)
    return x


def gate_skip(x, g, gate: Variables, activation):
    """Additive attention with 1×1 kernels given as (in, out) matrices."""
    projected = x[::2, ::2] @ gate["w_x"] + g @ gate["w_g"] + gate["b_g"]
    q = activation(projected) @ gate["psi"] + gate["b_psi"]
    return x * upsample_bilinear(sigmoid(q))


class LayersInOrder:
    """Hand out the layers of each kind in order of creation."""

    def __init__(self, layers: Layers) -> None:
        self._queues: dict[str, Iterator[Variables]] = {
            kind: iter(
                [
                    layers[name]
                    for name in sorted(layers, key=lambda name: _split(name)[1])
                    if _split(name)[0] == kind
                ]
            )
            for kind in ("conv2d", "conv2d_transpose", "batch_normalization")
        }

    def convolve(self, x):
        variables = next(self._queues["conv2d"])
        return convolve_same(x, variables["kernel"], variables["bias"])

    def upsample(self, x):
        variables = next(self._queues["conv2d_transpose"])
        return convolve_transposed(x, variables["kernel"], variables["bias"])

    def normalize(self, x):
        return normalize(x, next(self._queues["batch_normalization"]))


def _split(name: str) -> tuple[str, int]:
    kind, _, number = name.rpartition("_")
    return (kind, int(number)) if number.isdigit() else (name, 0)


def predict(
    image: np.ndarray,
    layers: Layers,
    gates: tuple[Variables, Variables, Variables] | None = None,
    activation: str = "elu",
) -> np.ndarray:
    """Return the probability (Y, X) of an image (Y, X, 3) in [0, 1].

    `gates` are the attention gates of dec3, dec2 and dec1.
    """
    act = ACTIVATIONS[activation]
    take = LayersInOrder(layers)

    def body(x):
        x = take.convolve(act(take.normalize(x)))
        return take.convolve(act(take.normalize(x)))

    def residual(x):
        shortcut = take.convolve(x)
        return body(x) + shortcut

    color = act(take.normalize(take.convolve(np.asarray(image, float))))
    skip1 = take.convolve(act(take.normalize(take.convolve(color))))
    skip2 = residual(pool(skip1))
    skip3 = residual(pool(skip2))
    x = residual(pool(skip3))
    x = body(x) + x
    for level, skip in enumerate((skip3, skip2, skip1)):
        gated = skip if gates is None else gate_skip(skip, x, gates[level], act)
        up = take.upsample(x)
        x = body(np.concatenate([up, gated], axis=2)) + up
    return sigmoid(take.convolve(x))[..., 0]

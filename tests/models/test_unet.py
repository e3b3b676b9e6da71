import numpy as np
import pytest
import torch
from tests.models import reference_network
from tests.models.lively import enliven, keras_layers

from napari_cresunet.models import VARIANTS
from napari_cresunet.models._unet import UNet


def convolution(inputs, outputs, size):
    return size**2 * inputs * outputs + outputs


def two_convolutions(inputs, outputs, size):
    return convolution(inputs, outputs, size) + convolution(outputs, outputs, size)


def decoder(inputs, outputs):
    return convolution(inputs, outputs, 2) + two_convolutions(2 * outputs, outputs, 3)


@pytest.mark.parametrize(
    ("name", "n", "total"), [("unet", 64, 56_197_569), ("small-unet", 32, 14_051_553)]
)
def test_number_of_parameters_is_the_sum_over_the_papers_layers(name, n, total):
    layers = {
        "encoder1": two_convolutions(3, n, 3),
        "encoder2": two_convolutions(n, 2 * n, 3),
        "encoder3": two_convolutions(2 * n, 4 * n, 3),
        "encoder4": two_convolutions(4 * n, 8 * n, 3),
        "bridge": two_convolutions(8 * n, 16 * n, 5),
        "decoder4": decoder(16 * n, 8 * n),
        "decoder3": decoder(8 * n, 4 * n),
        "decoder2": decoder(4 * n, 2 * n),
        "decoder1": decoder(2 * n, n),
        "head": convolution(n, 1, 1),
    }

    with torch.device("meta"):
        network = VARIANTS[name].build()
    found = {
        name: sum(parameter.numel() for parameter in module.parameters())
        for name, module in network.named_children()
    }

    assert found == layers | {"pool": 0}
    assert sum(layers.values()) == total


def test_it_agrees_with_a_numpy_formulation():
    network = enliven(UNet(features=4))
    image = np.random.default_rng(3).random((32, 48, 3))

    expected = _reference(image, keras_layers(network))
    with torch.inference_mode():
        found = network(torch.from_numpy(np.moveaxis(image, 2, 0)[None]))

    assert np.ptp(expected) > 0.05
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=0, atol=1e-10)


def _reference(image, layers):
    """Compute the probability (Y, X) of an image (Y, X, 3)."""
    take, relu = reference_network.LayersInOrder(layers), reference_network.relu

    def block(x):
        return relu(take.convolve(relu(take.convolve(x))))

    skips = []
    x = image
    for _ in range(4):
        x = block(x)
        skips.append(x)
        x = reference_network.pool(x)
    x = block(x)
    for skip in reversed(skips):
        x = block(np.concatenate([take.upsample(x), skip], axis=2))
    return reference_network.sigmoid(take.convolve(x))[..., 0]

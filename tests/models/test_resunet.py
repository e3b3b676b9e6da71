import numpy as np
import torch
from tests.models import reference_network
from tests.models.lively import enliven, keras_layers

from napari_cresunet.models import VARIANTS
from napari_cresunet.models._resunet import ResUnet


def convolution(inputs, outputs, size):
    return size**2 * inputs * outputs + outputs


def two_convolutions(inputs, outputs, size):
    """Each with the batch norm before it: two parameters per channel."""
    return (
        2 * inputs
        + convolution(inputs, outputs, size)
        + 2 * outputs
        + convolution(outputs, outputs, size)
    )


def residual(inputs, outputs, size):
    return two_convolutions(inputs, outputs, size) + convolution(inputs, outputs, 1)


def test_number_of_parameters_is_the_sum_over_the_papers_layers():
    n = 16
    layers = {
        "encoder1": convolution(3, n, 3) + 2 * n + convolution(n, n, 3),
        "encoder2": residual(n, 2 * n, 3),
        "encoder3": residual(2 * n, 4 * n, 3),
        "bridge": residual(4 * n, 8 * n, 5),
        "decoder3": convolution(8 * n, 4 * n, 2) + two_convolutions(8 * n, 4 * n, 3),
        "decoder2": convolution(4 * n, 2 * n, 2) + two_convolutions(4 * n, 2 * n, 3),
        "decoder1": convolution(2 * n, n, 2) + two_convolutions(2 * n, n, 3),
        "head": convolution(n, 1, 1),
    }

    found = {
        name: sum(parameter.numel() for parameter in module.parameters())
        for name, module in VARIANTS["resunet"].build().named_children()
    }

    assert found == layers | {"pool": 0}
    assert sum(layers.values()) == 887_601


def test_it_agrees_with_a_numpy_formulation():
    network = enliven(ResUnet(features=4))
    image = np.random.default_rng(3).random((32, 40, 3))

    expected = _reference(image, keras_layers(network))
    with torch.inference_mode():
        found = network(torch.from_numpy(np.moveaxis(image, 2, 0)[None]))

    assert np.ptp(expected) > 0.05
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=0, atol=1e-10)


def _reference(image, layers):
    """Compute the probability (Y, X) of an image (Y, X, 3)."""
    take, elu, pool = (
        reference_network.LayersInOrder(layers),
        reference_network.elu,
        reference_network.pool,
    )

    def body(x):
        x = take.convolve(elu(take.normalize(x)))
        return take.convolve(elu(take.normalize(x)))

    def block(x):
        shortcut = take.convolve(x)
        return body(x) + shortcut

    skip1 = take.convolve(elu(take.normalize(take.convolve(image))))
    skip2 = block(pool(skip1))
    skip3 = block(pool(skip2))
    x = block(pool(skip3))
    for skip in (skip3, skip2, skip1):
        up = take.upsample(x)
        x = body(np.concatenate([up, skip], axis=2)) + up
    return reference_network.sigmoid(take.convolve(x))[..., 0]

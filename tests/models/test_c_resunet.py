import itertools

import numpy as np
import pytest
import torch
from tests.models import reference_network
from tests.models.lively import enliven, gate_variables, keras_layers
from torch import nn

from napari_cresunet.models import VARIANTS, CResUnet

VARIANT_NAMES = list(VARIANTS)


def test_number_of_parameters_is_that_of_the_paper():
    network = CResUnet()

    n_trainable = sum(parameter.numel() for parameter in network.parameters())
    n_statistics = sum(
        buffer.numel()
        for name, buffer in network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    )

    assert n_trainable == 1_707_287
    assert n_trainable + n_statistics == 1_709_177


@pytest.mark.parametrize("name", VARIANT_NAMES)
def test_every_variant_gives_a_probability_for_every_pixel(name):
    network = VARIANTS[name].build().eval()

    with torch.inference_mode():
        probability = network(torch.rand(2, 3, 32, 40))

    assert probability.shape == (2, 1, 32, 40)
    assert probability.dtype == torch.float32
    assert 0 <= probability.min() <= probability.max() <= 1


@pytest.mark.parametrize("name", VARIANT_NAMES)
def test_every_parameter_of_every_variant_learns(name):
    network = VARIANTS[name].build().train()

    network.logits(torch.rand(2, 3, 32, 40)).square().mean().backward()

    idle = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all()
    ]
    assert idle == []


@pytest.mark.parametrize("name", VARIANT_NAMES)
def test_every_variant_agrees_with_a_numpy_formulation(name):
    variant = VARIANTS[name]
    network = enliven(variant.build())
    image = np.random.default_rng(3).random((32, 40, 3))

    expected = _reference(network, image, variant.activation)

    assert np.ptp(expected) > 0.05
    np.testing.assert_allclose(_predict(network, image), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("attention", [False, True], ids=["plain", "attention"])
@pytest.mark.parametrize(
    ("activation", "other"),
    list(itertools.permutations(("elu", "relu", "leaky_relu"), 2)),
)
def test_another_activation_gives_other_probabilities(attention, activation, other):
    network = enliven(CResUnet(attention=attention, activation=activation))
    image = np.random.default_rng(3).random((16, 16, 3))

    difference = np.abs(_predict(network, image) - _reference(network, image, other))

    assert difference.max() > 1e-4


def test_probability_is_the_sigmoid_of_the_logits():
    network = enliven(CResUnet(attention=True))
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64)

    torch.testing.assert_close(network(image), torch.sigmoid(network.logits(image)))


@pytest.mark.parametrize(
    ("attention", "radius"), [(False, 99), (True, 106)], ids=["plain", "attention"]
)
def test_receptive_field_stays_within_the_stated_radius(attention, radius):
    network = enliven(CResUnet(attention=attention))
    network.pool = nn.AvgPool2d(2)  # whatever the largest of four could be, all four

    # Of the eight places on the grid of the poolings these two reach farthest.
    reach = max(_reach(network, place) for place in (120 + 2, 120 + 3))

    assert reach == radius
    assert reach < CResUnet.receptive_radius
    assert CResUnet.receptive_radius % CResUnet.stride == 0


def _predict(network, image):
    tensor = torch.from_numpy(np.moveaxis(image, 2, 0)[None])
    with torch.inference_mode():
        return network(tensor).numpy()[0, 0]


def _reference(network, image, activation):
    decoders = (network.decoder3, network.decoder2, network.decoder1)
    gates = None
    if network.decoder1.gate is not None:
        gates = tuple(gate_variables(decoder.gate) for decoder in decoders)
    return reference_network.predict(image, keras_layers(network), gates, activation)


def _reach(network, place):
    """Return how far from pixel (place, place) an input pixel has influence."""
    image = torch.rand(1, 3, 240, 240, dtype=torch.float64, requires_grad=True)
    network.logits(image)[0, 0, place, place].backward()
    touched = image.grad[0].abs().sum(0).nonzero()
    return int((touched - place).abs().max())

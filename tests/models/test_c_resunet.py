import itertools

import numpy as np
import pytest
import torch
from tests.models import reference_network
from tests.models.lively import enliven, gate_variables, keras_layers

from napari_cresunet.models import VARIANTS, CResUnet

VARIANT_NAMES = [
    name for name, variant in VARIANTS.items() if variant.network == "c-resunet"
]


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

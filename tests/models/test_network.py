"""What every network must do, whatever its layers."""

from dataclasses import replace

import pytest
import torch
from tests.models.lively import enliven
from torch import nn

from napari_cresunet.models import VARIANTS, Network, Variant

VARIANT_NAMES = list(VARIANTS)

# Activation and number of features do not change the geometry, so small networks of
# each kind stand for all. ELU, because a unit that is 0 would hide what is behind it.
KINDS = {
    (variant.network, variant.attention): replace(variant, activation="elu", features=2)
    for variant in VARIANTS.values()
}
KINDS["c-resunet-transformer", True] = replace(
    KINDS["c-resunet-transformer", False], attention=True
)

# How far each sees, from the sum of its layers: see `receptive_radius` of its class.
REACH = {
    ("c-resunet", False): 99,
    ("c-resunet", True): 106,
    ("c-resunet-transformer", False): 115,
    ("c-resunet-transformer", True): 122,
    ("resunet", False): 67,
    ("unet", False): 139,
}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.mark.parametrize("name", VARIANT_NAMES)
def test_every_variant_gives_a_probability_for_every_pixel(name):
    network = VARIANTS[name].build().eval()

    with torch.inference_mode():
        probability = network(torch.rand(2, 3, 32, 48))

    assert isinstance(network, Network)
    assert probability.shape == (2, 1, 32, 48)
    assert probability.dtype == torch.float32
    assert 0 <= probability.min() <= probability.max() <= 1


@pytest.mark.parametrize("name", VARIANT_NAMES)
def test_every_parameter_of_every_variant_learns(name):
    network = VARIANTS[name].build().train()

    network.logits(torch.rand(2, 3, 32, 48)).square().mean().backward()

    idle = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all()
    ]
    assert idle == []


@each_kind
def test_the_smallest_image_is_as_large_as_the_stride(kind):
    network = enliven(KINDS[kind].build())
    image = torch.rand(1, 3, network.stride, network.stride, dtype=torch.float64)

    assert network(image).shape == (1, 1, network.stride, network.stride)


@each_kind
def test_probability_is_the_sigmoid_of_the_logits(kind):
    network = enliven(KINDS[kind].build())
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64)

    torch.testing.assert_close(network(image), torch.sigmoid(network.logits(image)))


@each_kind
def test_receptive_field_stays_within_the_stated_radius(kind):
    network = enliven(KINDS[kind].build())
    network.pool = nn.AvgPool2d(2)  # whatever the largest of four could be, all four

    reach = max(_reach(network, place) for place in range(144, 144 + network.stride))

    assert reach == REACH[kind]
    assert reach < network.receptive_radius < reach + 2 * network.stride
    assert network.receptive_radius % network.stride == 0


@each_kind
def test_moving_the_image_by_the_stride_moves_the_result(kind):
    network = enliven(KINDS[kind].build())
    down, right = network.stride, 2 * network.stride
    radius = network.receptive_radius
    image = torch.rand(1, 3, 192, 208, dtype=torch.float64)

    with torch.inference_mode():
        whole = network(image)[..., down:, right:]
        moved = network(image[..., down:, right:])

    inner = (..., slice(radius, None), slice(radius, None))
    assert whole[inner].std() > 1e-3
    torch.testing.assert_close(moved[inner], whole[inner], rtol=0, atol=1e-12)
    # Near the border it does make a difference what lies outside.
    assert (moved - whole).abs().max() > 1e-6


@each_kind
def test_the_order_of_channels_in_memory_changes_nothing(kind):
    network = enliven(KINDS[kind].build())
    image = torch.rand(2, 3, 32, 48, dtype=torch.float64)

    with torch.inference_mode():
        expected = network(image)
        network = network.to(memory_format=torch.channels_last)
        found = network(image.contiguous(memory_format=torch.channels_last))

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@each_kind
def test_each_image_of_a_batch_is_predicted_by_itself(kind):
    network = enliven(KINDS[kind].build())
    images = torch.rand(2, 3, 32, 48, dtype=torch.float64)

    with torch.inference_mode():
        together = network(images)
        alone = torch.cat([network(images[:1]), network(images[1:])])

    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


# Gates and transformer are each among the others; both in one would take very long.
@pytest.mark.slow
@pytest.mark.parametrize("kind", list(KINDS)[:-1], ids=str)
def test_a_program_exported_at_one_size_is_right_at_others(kind):
    network = enliven(KINDS[kind].build())
    side = network.stride
    axes = {
        2: side * torch.export.Dim("rows", min=2, max=64),
        3: side * torch.export.Dim("columns", min=2, max=64),
    }
    example = torch.rand(1, 3, 3 * side, 4 * side, dtype=torch.float64)
    image = torch.rand(1, 3, 5 * side, 2 * side, dtype=torch.float64)

    program = torch.export.export(network, (example,), dynamic_shapes=(axes,))

    torch.testing.assert_close(program.module()(image), network(image))


@pytest.mark.parametrize("name", VARIANT_NAMES)
def test_a_variant_has_the_features_of_its_row(name):
    variant: Variant = VARIANTS[name]

    assert variant.build().head.in_channels == variant.features


def _reach(network, place):
    """Return how far from pixel (place, place) an input pixel has influence."""
    image = torch.rand(1, 3, 304, 304, dtype=torch.float64, requires_grad=True)
    network.logits(image)[0, 0, place, place].backward()
    touched = image.grad[0].abs().sum(0).nonzero()
    return int((touched - place).abs().max())

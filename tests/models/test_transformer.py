import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_cresunet.models import VARIANTS
from napari_cresunet.models._transformer import (
    ChannelNorm,
    NeighborhoodAttention,
    TransformerBlock,
    neighbors,
)


def convolution(inputs, outputs, size=1):
    return size**2 * inputs * outputs + outputs


def draw(module):
    """Give every parameter a telling value, also those that start at 0 or 1."""
    for parameter in module.parameters():
        parameter.data.normal_(0, 0.3)
    return module.double()


def test_number_of_parameters_is_the_sum_over_its_layers():
    channels, heads, window = 128, 4, 7
    layers = {
        "attention_norm": 2 * channels,
        "attention": convolution(channels, 3 * channels)
        + heads * window**2
        + convolution(channels, channels),
        "mlp_norm": 2 * channels,
        "mlp": convolution(channels, 4 * channels)
        + convolution(4 * channels, channels),
    }

    network = VARIANTS["c-resunet-transformer"].build()
    blocks = list(network.bridge2)
    found = [
        {
            name: sum(parameter.numel() for parameter in module.parameters())
            for name, module in block.named_children()
        }
        for block in blocks
    ]

    assert found == [layers, layers]
    convolutional_bridge = 2 * (2 * channels + convolution(channels, channels, 5))
    total = 1_707_287 - convolutional_bridge + 2 * sum(layers.values())
    assert total == 1_284_255
    assert sum(parameter.numel() for parameter in network.parameters()) == total


def test_the_rest_of_the_network_is_that_of_c_resunet():
    def shapes(name):
        return {
            key: tensor.shape
            for key, tensor in VARIANTS[name].build().state_dict().items()
            if not key.startswith("bridge2")
        }

    assert shapes("c-resunet-transformer") == shapes("c-resunet")


@pytest.mark.parametrize("shape", [(9, 11), (2, 3), (1, 1)])
@pytest.mark.parametrize("window", [3, 7])
def test_attention_agrees_with_a_loop_over_positions(shape, window):
    attention = draw(NeighborhoodAttention(8, 2, window))
    x = torch.randn(2, 8, *shape, dtype=torch.float64)

    with torch.inference_mode():
        found = attention(x).numpy()

    expected = np.stack([_attend(image, attention) for image in x.numpy()])
    assert found.std() > 0.05
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_neighbors_lie_row_by_row_around_each_position():
    x = torch.arange(1.0, 13.0).reshape(1, 1, 3, 4)

    moved = [neighbor[0, 0, 1, 1].item() for neighbor in neighbors(x, 3)]
    at_corner = [neighbor[0, 0, 0, 3].item() for neighbor in neighbors(x, 3)]

    assert moved == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert at_corner == [0, 0, 0, 3, 4, 0, 7, 8, 0]


def test_what_lies_outside_of_the_image_has_no_weight():
    """With equal scores the result is the mean of the neighbors that there are."""
    attention = NeighborhoodAttention(4, 2, 3).double()
    x = torch.randn(1, 4, 5, 6, dtype=torch.float64)

    with torch.no_grad():
        attention.project_in.weight.zero_()
        attention.project_in.bias.zero_()
        attention.project_in.weight[8:] = torch.eye(4)[:, :, None, None]
        attention.project_out.weight.copy_(torch.eye(4)[:, :, None, None])
        attention.project_out.bias.zero_()
        found = attention(x)

    expected = functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    torch.testing.assert_close(found, expected)


def test_each_position_is_normalized_over_its_channels_alone():
    norm = draw(ChannelNorm(6))
    x = torch.randn(2, 6, 4, 5, dtype=torch.float64)

    values = x.numpy()
    mean = values.mean(axis=1, keepdims=True)
    deviation = np.sqrt(values.var(axis=1, keepdims=True) + 1e-5)
    weight, bias = (
        parameter.detach().numpy()[:, None, None]
        for parameter in (norm.weight, norm.bias)
    )
    expected = (values - mean) / deviation * weight + bias
    np.testing.assert_allclose(norm(x).detach().numpy(), expected, rtol=0, atol=1e-12)


def test_a_block_adds_attention_and_then_a_perceptron():
    block = draw(TransformerBlock(8, heads=2, window=3))
    x = torch.randn(1, 8, 5, 6, dtype=torch.float64)

    with torch.inference_mode():
        middle = x + block.attention(block.attention_norm(x))
        expected = middle + block.mlp(block.mlp_norm(middle))

        torch.testing.assert_close(block(x), expected, rtol=0, atol=0)


def test_a_new_block_changes_little():
    x = torch.randn(1, 128, 16, 16)

    with torch.inference_mode():
        change = TransformerBlock(128)(x) - x

    assert 0 < change.std() < 0.2 * x.std()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_attention_in_16_bits_is_finite_and_close(dtype):
    block = TransformerBlock(32, heads=2)
    x = torch.randn(1, 32, 9, 9)

    with torch.inference_mode():
        expected = block(x)
        with torch.autocast("cpu", dtype):
            found = block(x).float()

    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)


def _attend(x, attention):
    """Compute attention (C, Y, X) position by position, head by head."""
    parameters = {
        name: parameter.detach().numpy()
        for name, parameter in attention.named_parameters()
    }
    channels, height, width = x.shape
    projected = np.einsum("oi,iyx->oyx", parameters["project_in.weight"][..., 0, 0], x)
    projected += parameters["project_in.bias"][:, None, None]
    query, key, value = np.split(projected, 3)
    n_heads, radius = attention.heads, attention.window // 2
    size = channels // n_heads
    gathered = np.zeros_like(x)
    for head, row, column in itertools.product(
        range(n_heads), range(height), range(width)
    ):
        own = slice(head * size, (head + 1) * size)
        scores, values = [], []
        for down, right in itertools.product(range(-radius, radius + 1), repeat=2):
            there = (own, row + down, column + right)
            if not (0 <= row + down < height and 0 <= column + right < width):
                continue
            offset = (down + radius) * attention.window + right + radius
            similarity = query[own, row, column] @ key[there] / np.sqrt(size)
            scores.append(similarity + parameters["offset_bias"][head, offset])
            values.append(value[there])
        weights = np.exp(scores - np.max(scores))
        gathered[own, row, column] = weights @ np.array(values) / weights.sum()
    out = np.einsum(
        "oi,iyx->oyx", parameters["project_out.weight"][..., 0, 0], gathered
    )
    return out + parameters["project_out.bias"][:, None, None]

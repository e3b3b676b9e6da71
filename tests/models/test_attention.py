import numpy as np
import pytest
import torch
from tests.models import reference_network
from tests.models.lively import enliven, gate_variables

from napari_cresunet.models._attention import AttentionGate


@pytest.mark.parametrize("activation", ["elu", "relu", "leaky_relu"])
def test_gate_agrees_with_a_numpy_formulation(activation):
    gate = enliven(AttentionGate(4, 8, activation))
    rng = np.random.default_rng(1)
    skip, gating = rng.normal(size=(12, 16, 4)), rng.normal(size=(6, 8, 8))

    found = gate(_to_torch(skip), _to_torch(gating))

    expected = reference_network.gate_skip(
        skip, gating, gate_variables(gate), reference_network.ACTIVATIONS[activation]
    )
    np.testing.assert_allclose(_to_numpy(found), expected, rtol=0, atol=1e-12)


def test_a_gate_far_open_passes_the_skip_unchanged_and_a_closed_one_nothing():
    gate = AttentionGate(2, 4, "elu")
    skip, gating = torch.rand(1, 2, 8, 8), torch.rand(1, 4, 4, 4)

    with torch.no_grad():
        gate.psi.weight.zero_()
        gate.psi.bias.fill_(100)
        opened = gate(skip, gating)
        gate.psi.bias.fill_(-100)
        closed = gate(skip, gating)

    torch.testing.assert_close(opened, skip)
    torch.testing.assert_close(closed, torch.zeros_like(skip))


def test_the_gate_has_no_second_bias_on_the_skip():
    """q = psi(act(W_x x + W_g g + b_g)) + b_psi has two biases, b_g and b_psi."""
    names = dict(AttentionGate(4, 8, "elu").named_parameters())

    assert {name: tuple(value.shape) for name, value in names.items()} == {
        "project_skip.weight": (4, 4, 1, 1),
        "project_gating.weight": (4, 8, 1, 1),
        "project_gating.bias": (4,),
        "psi.weight": (1, 4, 1, 1),
        "psi.bias": (1,),
    }


def test_bilinear_upsampling_of_the_oracle_by_hand():
    doubled = reference_network.upsample_bilinear(np.array([[[0.0], [4.0]]]))

    assert doubled[..., 0].tolist() == [[0.0, 1.0, 3.0, 4.0]] * 2


def _to_torch(array):
    return torch.from_numpy(np.moveaxis(array, 2, 0)[None])


def _to_numpy(tensor):
    return np.moveaxis(tensor.detach().numpy()[0], 0, 2)

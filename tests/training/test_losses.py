"""The weighted cross-entropy against its formula."""

import numpy as np
import pytest
import torch

from napari_cresunet.training import weighted_cross_entropy


def test_it_equals_equation_1_of_the_paper():
    rng = np.random.default_rng(0)
    logits, target = rng.normal(0, 2, (3, 4)), rng.integers(0, 2, (3, 4))
    probability = 1 / (1 + np.exp(-logits))
    expected = -np.mean(
        1.5 * target * np.log(probability)
        + 0.5 * (1 - target) * np.log(1 - probability)
    )
    loss = weighted_cross_entropy(torch.tensor(logits), torch.tensor(target * 1.0))
    assert loss.item() == pytest.approx(expected)


def test_it_stays_finite_where_the_probability_rounds_to_0_or_1():
    logits = torch.tensor([200.0, -200.0])
    loss = weighted_cross_entropy(logits, torch.tensor([0.0, 1.0]))
    assert loss.item() == pytest.approx((0.5 * 200 + 1.5 * 200) / 2)

"""Losses equal their formulas, written as loops over pixels."""

from math import exp, log

import numpy as np
import pytest
import torch

from napari_cresunet.training import TrainConfig
from napari_cresunet.training._losses import (
    class_weights,
    cross_entropy,
    dice_loss,
    focal_loss,
    focal_tversky_loss,
    total_loss,
)


@pytest.fixture
def drawn():
    """Logits, target and weight of a small batch."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2, 1, 3, 4))
    target = (rng.random((2, 1, 3, 4)) < 0.3).astype(float)
    weight = rng.uniform(0.5, 2, (2, 1, 3, 4))
    return tuple(torch.tensor(values) for values in (logits, target, weight))


def _pixels(*tensors):
    return list(zip(*(tensor.flatten().tolist() for tensor in tensors), strict=True))


def _probability(logit):
    return 1 / (1 + exp(-logit))


def test_cross_entropy_weighs_each_pixel(drawn):
    terms = [
        -w * (y * log(_probability(z)) + (1 - y) * log(1 - _probability(z)))
        for z, y, w in _pixels(*drawn)
    ]
    assert cross_entropy(*drawn).item() == pytest.approx(np.mean(terms))


def test_class_weights_are_those_of_the_paper():
    target = torch.tensor([[1.0, 0.0]])
    assert class_weights(target, 1.5, 0.5).tolist() == [[1.5, 0.5]]


def test_focal_loss_equals_its_formula(drawn):
    logits, target, _ = drawn
    terms = []
    for z, y in _pixels(logits, target):
        right = _probability(z) if y else 1 - _probability(z)
        terms.append(-((1 - right) ** 2) * log(right))
    assert focal_loss(logits, target).item() == pytest.approx(np.mean(terms))


def _soft_counts(logits, target):
    pixels = [(_probability(z), y) for z, y in _pixels(logits, target)]
    hits = sum(p * y for p, y in pixels)
    misses = sum((1 - p) * y for p, y in pixels)
    alarms = sum(p * (1 - y) for p, y in pixels)
    return hits, misses, alarms


def test_dice_loss_equals_its_formula(drawn):
    hits, misses, alarms = _soft_counts(*drawn[:2])
    expected = 1 - 2 * hits / (2 * hits + misses + alarms)
    assert dice_loss(*drawn[:2]).item() == pytest.approx(expected, abs=1e-6)


def test_focal_tversky_loss_equals_its_formula(drawn):
    hits, misses, alarms = _soft_counts(*drawn[:2])
    index = hits / (hits + 0.7 * misses + 0.3 * alarms)
    expected = (1 - index) ** (4 / 3)
    assert focal_tversky_loss(*drawn[:2]).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("loss", [dice_loss, focal_tversky_loss])
def test_a_perfect_answer_costs_nothing_and_has_finite_slopes(loss):
    target = torch.tensor([[1.0, 0.0, 1.0]])
    logits = (60 * (2 * target - 1)).requires_grad_()
    value = loss(logits, target)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("loss", [dice_loss, focal_tversky_loss])
def test_a_batch_without_cells_has_finite_slopes(loss):
    logits = torch.full((1, 1, 4, 4), -3.0, requires_grad=True)
    loss(logits, torch.zeros(1, 1, 4, 4)).backward()
    assert torch.isfinite(logits.grad).all()


def test_the_total_is_the_weighted_sum_of_those_with_a_share(drawn):
    config = TrainConfig(cross_entropy=0.3, dice=0.3, focal_tversky=0.4, focal=0.0)
    parts = [
        0.3 * cross_entropy(*drawn),
        0.3 * dice_loss(*drawn[:2]),
        0.4 * focal_tversky_loss(*drawn[:2]),
    ]
    total = total_loss(*drawn, config)
    assert total.item() == pytest.approx(sum(part.item() for part in parts), rel=1e-5)

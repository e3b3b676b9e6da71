"""What validation measures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.squares import squares

from napari_cresunet import evaluate, segment
from napari_cresunet.training import TrainConfig
from napari_cresunet.training._prepare import prepare
from napari_cresunet.training._validation import (
    THRESHOLDS,
    best_threshold,
    min_distance_for,
    min_size_for,
    score_sample,
    validate,
)


class _Brightness(torch.nn.Module):
    """A network whose logits follow the brightness."""

    stride = 8

    def logits(self, image):
        return 20 * (image[:, :1] - 0.5)


def test_probability_and_loss_are_those_of_the_whole_image():
    pair = squares(shape=(83, 101))
    config = TrainConfig()
    samples = prepare([pair, squares(1)], config, 12.0)
    result = validate(_Brightness(), samples, config, "cpu")
    losses = []
    for sample, probability in zip(samples, result.probabilities, strict=True):
        logits = 20 * (sample.image[0].float().numpy() - 0.5)
        expected = 1 / (1 + np.exp(-logits))
        np.testing.assert_allclose(probability, expected, atol=1e-5)
        cell = sample.labels > 0  # no two touch
        terms = -np.where(cell, 1.5 * np.log(expected), 0.5 * np.log(1 - expected))
        losses.append(terms.mean())
    assert result.loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_best_threshold_has_the_highest_f1():
    """Dim cells at 0.4 and false ones at 0.3: only between them is all right."""
    pair = squares(n_cells=8)
    (sample,) = prepare([pair], TrainConfig(), 12.0)
    probability = np.where(sample.labels > 0, 0.9, 0.05).astype(np.float32)
    probability[sample.labels == 3] = 0.43
    probability[-12:, -12:] = 0.33
    threshold, scores = best_threshold([probability], [sample], THRESHOLDS)
    assert threshold == 0.4
    assert (scores.tp, scores.fp, scores.fn) == (8, 0, 0)


def test_of_equal_thresholds_the_middle_one_is_taken():
    (sample,) = prepare([squares()], TrainConfig(), 12.0)
    probability = np.where(sample.labels > 0, 0.99, 0.01).astype(np.float32)
    assert best_threshold([probability], [sample], THRESHOLDS)[0] == 0.5


def test_a_score_equals_segment_and_evaluate():
    (sample,) = prepare([squares()], TrainConfig(), 12.0)
    rng = np.random.default_rng(0)
    probability = rng.random(sample.labels.shape).astype(np.float32)
    size = min_size_for(sample.diameter)
    assert size == round(0.2 * np.pi / 4 * sample.diameter**2)
    assert min_distance_for(sample.diameter) == round(0.5 * sample.diameter)
    labels = segment(
        probability,
        threshold=0.6,
        min_size=size,
        min_distance=min_distance_for(sample.diameter),
    )
    expected = evaluate(labels, sample.labels, max_distance=sample.match_distance)
    assert score_sample(probability, sample, 0.6) == expected


def test_images_without_cells_count_too():
    (empty,) = prepare([squares(n_cells=0)], TrainConfig(), 12.0)
    (sample,) = prepare([squares()], TrainConfig(), 12.0)
    maps = [np.zeros(one.labels.shape, np.float32) for one in (empty, sample)]
    maps[0][30:50, 30:50] = 0.6
    maps[1][sample.labels > 0] = 0.9
    threshold, scores = best_threshold(maps, [empty, sample], THRESHOLDS)
    assert threshold == 0.6
    assert scores.fp == 0
    assert replace(sample, name="x").labels is sample.labels

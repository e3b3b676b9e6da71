"""The reference is the definition, written down a second time in plain loops."""

import numpy as np
import pytest
import torch

from napari_cresunet.benchmarking import PIPELINES, reference_probability
from napari_cresunet.inference import Model, predict
from napari_cresunet.segmentation import PRESETS
from napari_cresunet.weights import ModelCard


class Blur(torch.nn.Module):
    """Sees one px far, and takes nothing."""

    stride = 8
    receptive_radius = 8

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weights = torch.nn.Conv2d(3, 1, 3, padding=1)
        torch.nn.init.normal_(self.weights.weight)

    def forward(self, x):
        return torch.sigmoid(self.weights(x))


@pytest.mark.parametrize("shape", [(40, 56), (37, 50), (37, 50, 3)])
@pytest.mark.parametrize("channels", ["rgb", "brightest"])
def test_the_reference_predicts_what_predict_does(shape, channels):
    card = ModelCard(
        name="test",
        title="Test",
        variant="c-resunet",
        scaling="adaptive",
        channels=channels,
        diameter=20,
        threshold=0.5,
        min_size=1,
        min_distance=1,
    )
    network = Blur().eval()
    image = np.random.default_rng(0).integers(0, 4000, shape, dtype=np.uint16)
    expected = predict(image, Model(card, network, "cpu"))
    found = reference_probability(image, network, card)
    assert found.std() > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_there_is_a_reference_for_every_preset():
    assert set(PIPELINES) == set(PRESETS)


@pytest.mark.parametrize("preset", PIPELINES)
def test_two_disks_that_touch_are_two_cells(preset):
    rows, columns = np.mgrid[:120, :200]
    probability = np.zeros((120, 200), np.float32)
    for column in (70, 115):
        probability[np.hypot(rows - 60, columns - column) < 25] = 0.9
    labels = PIPELINES[preset](probability, 0.5)
    assert labels.dtype == np.int32
    assert labels.max() == 2
    assert labels[60, 70] == 1
    assert labels[60, 115] == 2


@pytest.mark.parametrize("preset", PIPELINES)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_even_map_is_one_cell_or_none(preset, value):
    labels = PIPELINES[preset](np.full((40, 50), value, np.float32), 0.5)
    assert np.unique(labels).tolist() == [int(value)]

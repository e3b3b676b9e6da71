"""Images as the network sees them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.squares import squares

from napari_cresunet import Model, predict
from napari_cresunet.datasets import Pair
from napari_cresunet.errors import InputError
from napari_cresunet.training import TrainConfig, weight_map
from napari_cresunet.training._prepare import (
    prepare,
    typical_diameter,
    with_equal_channels,
)
from napari_cresunet.weights import ModelCard


def test_without_a_diameter_images_stay_as_they_are():
    pair = squares()
    (sample,) = prepare([pair], TrainConfig(), 20.0)
    np.testing.assert_allclose(sample.image[0], pair.image / 255, atol=5e-4)
    np.testing.assert_array_equal(sample.labels, pair.labels)
    assert sample.diameter == pair.diameter
    assert sample.match_distance == pytest.approx(pair.diameter * 40 / 36.5)


class _Recorder(torch.nn.Module):
    """A network that only remembers what it sees."""

    stride, receptive_radius = 1, 0

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, image):
        self.seen = image
        return image[:, :1]


@pytest.mark.parametrize("color", [False, True])
def test_training_and_prediction_show_a_network_the_same(color):
    pair = replace(squares(color=color), cell_diameter=20.0)
    config = TrainConfig(diameter=13.0, scaling="adaptive", channels="brightest")
    (sample,) = prepare([pair], config, 20.0)
    card = ModelCard(
        name="a",
        title="a",
        variant="c-resunet",
        scaling="adaptive",
        channels="brightest",
        diameter=13.0,
        threshold=0.5,
        min_size=1,
        min_distance=1,
    )
    recorder = _Recorder()
    predict(pair.image, Model(card, recorder, "cpu"), diameter=20.0)
    height, width = sample.labels.shape
    seen = recorder.seen[0, :1, :height, :width]
    assert seen.shape == sample.image.shape
    assert (seen - sample.image.float()).abs().max() < 1e-3


def test_labels_are_resampled_with_their_image():
    pair = replace(squares(side=16), cell_diameter=32.0)
    (sample,) = prepare([pair], TrainConfig(diameter=16.0), 32.0)
    assert sample.labels.shape == (48, 56)
    assert set(np.unique(sample.labels)) == set(np.unique(pair.labels))
    bright = sample.image[0].float().numpy() > 0.45
    assert (bright == (sample.labels > 0)).mean() > 0.99


@pytest.mark.parametrize(
    ("cells", "seen"), [(8.0, 16.0), (16.0, 16.0), (20.0, 20.0), (48.0, 24.0)]
)
def test_cells_within_a_range_of_sizes_stay_as_they_are(cells, seen):
    pair = replace(squares(side=16), cell_diameter=cells)
    config = TrainConfig(diameter=16.0, largest_diameter=24.0)
    (sample,) = prepare([pair], config, cells)
    assert sample.diameter == pytest.approx(seen)
    assert sample.labels.shape[0] == round(pair.labels.shape[0] * seen / cells)


def test_the_matching_distance_follows_the_size():
    pair = replace(squares(), cell_diameter=20.0, match_distance=10.0)
    (sample,) = prepare([pair], TrainConfig(diameter=40.0), 20.0)
    assert sample.match_distance == 20.0
    (sample,) = prepare([replace(pair, match_distance=None)], TrainConfig(), 20.0)
    assert sample.match_distance == pytest.approx(20 * 40 / 36.5)
    config = TrainConfig(match_distance=7.0)
    (sample,) = prepare([replace(pair, match_distance=None)], config, 20.0)
    assert sample.match_distance == 7.0


def test_an_image_without_cells_is_taken_to_have_usual_ones():
    empty = Pair(
        name="empty", image=np.zeros((64, 64)), labels=np.zeros((64, 64), np.int32)
    )
    (sample,) = prepare([empty], TrainConfig(diameter=10.0), 20.0)
    assert sample.labels.shape == (32, 32)


def test_the_usual_size_is_the_mean_over_images_with_cells():
    small, large = squares(side=10), squares(side=20)
    empty = replace(small, labels=np.zeros_like(small.labels))
    expected = (small.diameter + large.diameter) / 2
    assert typical_diameter([small, empty, large]) == pytest.approx(expected)
    with pytest.raises(InputError) as caught:
        typical_diameter([empty])
    assert str(caught.value) == (
        "None of the 1 truth images holds a cell; check that the masks belong to these "
        "images and are not black."
    )


def test_a_weight_map_knows_where_cells_touch():
    labels = np.zeros((40, 60), np.int32)
    labels[5:35, 5:30], labels[5:35, 30:55] = 1, 2
    pair = Pair(name="two", image=labels * 100, labels=labels, cell_diameter=36.5)
    (sample,) = prepare([pair], TrainConfig(weight_maps=True), 36.5)
    parted = labels.copy()
    parted[5:35, 29:31] = 0
    expected = weight_map(parted, sigma=25)
    np.testing.assert_allclose(sample.weight.numpy(), expected, rtol=1e-3)
    assert sample.weight[20, 29] > 1.9


def test_gray_and_color_images_go_together():
    samples = prepare([squares(), squares(color=True)], TrainConfig(), 12.0)
    assert [len(sample.image) for sample in samples] == [1, 3]
    assert [len(sample.image) for sample in with_equal_channels(samples)] == [3, 3]

"""Models whose batch norms matter, and images of two sizes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.models.lively import enliven

from napari_cresunet.inference import Model
from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import ModelCard

CARD = ModelCard(
    name="yellow-1",
    title="Yellow neurons",
    variant="c-resunet",
    scaling="unit",
    diameter=36.5,
    threshold=0.4,
    min_size=200,
    min_distance=20,
    data="synthetic",
    license="CC-BY-SA-4.0, see there",
    citation="Nobody N., Nothing (2024), doi:10.1038/s41597-024-03005-9",
    settings={"steps": 3},
    scores={"test": {"f1": 0.5}},
    weights_hash="0" * 64,
)


@pytest.fixture(scope="session")
def make_model():
    """Build a variant's network as it lies on a device: channels-last."""

    def make(variant):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            network = enliven(VARIANTS[variant].build()).float()
        network = network.to(memory_format=torch.channels_last)
        return Model(replace(CARD, variant=variant), network, "cpu")

    return make


@pytest.fixture
def images():
    """Two images whose sides differ, neither the size used for tracing."""
    rng = np.random.default_rng(5)
    return [
        rng.random((1, 3, 64, 80), np.float32),
        rng.random((2, 3, 256, 272), np.float32),
    ]


@pytest.fixture
def probability_of():
    """Compute the probability with our own network."""

    def compute(model, image):
        with torch.inference_mode():
            return model.network(torch.from_numpy(image)).numpy()

    return compute

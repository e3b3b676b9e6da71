from dataclasses import replace

import pytest
import torch

from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import ModelCard, save_weights


@pytest.fixture(autouse=True)
def user_folder(tmp_path, monkeypatch):
    """The user's model folder, away from that of whoever runs the tests."""
    folder = tmp_path / "user" / "models"
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(folder))
    return folder


@pytest.fixture
def card():
    return ModelCard(
        name="yellow-1",
        title="Yellow neurons",
        variant="attention-relu",
        scaling="unit",
        diameter=36.5,
        threshold=0.4,
        min_size=200,
        min_distance=20,
        data="synthetic",
        license="CC0-1.0",
        citation="nobody",
        settings={"steps": 3, "sizes": [1, 2]},
        scores={"f1": 0.5},
    )


@pytest.fixture
def network(card):
    """The card's network, with weights that are the same in every test."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return VARIANTS[card.variant].build().eval()


@pytest.fixture
def saved(tmp_path, network, card):
    """A sound weight file outside of the user's folder."""
    path = tmp_path / "yellow.safetensors"
    save_weights(path, network, card)
    return path


@pytest.fixture
def add_user_model(user_folder, network, card):
    """Put a sound model into the user's folder under a name."""

    def add(name, stem=None):
        path = user_folder / f"{stem or name}.safetensors"
        save_weights(path, network, replace(card, name=name))
        return path

    return add

import numpy as np
import pytest
from tests.state.brightness import save_brightness_model

from napari_cresunet.state import CountState, Source


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The user's model folder, with a model that needs no training."""
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(tmp_path))
    save_brightness_model(tmp_path, name="brightness")
    return tmp_path


@pytest.fixture
def state(models):
    """The state of a dock that has just been opened."""
    state = CountState()
    state.refresh_models()
    state.choose(model="brightness")
    return state


@pytest.fixture
def discs():
    """An image of three bright discs, of which one is dim, on black."""
    image = np.zeros((96, 128), np.uint8)
    rows, columns = np.ogrid[:96, :128]
    for row, column, level in ((30, 30, 200), (30, 90, 200), (70, 60, 80)):
        image[np.hypot(rows - row, columns - column) < 12] = level
    return image


@pytest.fixture
def source(discs):
    return Source(identity="a", name="discs", image=discs)

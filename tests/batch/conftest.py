"""A model that never learned anything, and a folder of small images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_cresunet.batch import BatchOptions, ModelSpec


@pytest.fixture(scope="session")
def stored_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a network with a card of odd numbers."""
    import torch

    from napari_cresunet.models import VARIANTS
    from napari_cresunet.weights import ModelCard, save_weights

    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    card = ModelCard(
        name="tiny",
        title="Untrained",
        variant="c-resunet",
        scaling="unit",
        diameter=30.0,
        threshold=0.46,
        min_size=20,
        min_distance=9,
    )
    save_weights(path, VARIANTS["c-resunet"].build(), card)
    return path


@pytest.fixture
def options(stored_model: Path) -> BatchOptions:
    """Return options with that network, run by torch: no other backend is needed."""
    return BatchOptions(model=ModelSpec(stored_model, "cpu", "torch"))


def disks(seed: int) -> NDArray[np.uint8]:
    """Return bright disks on noise, (40, 48, 3)."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 40, (40, 48, 3))
    rows, columns = np.mgrid[:40, :48]
    for row, column in random.integers(6, 34, (2, 2)):
        noise[np.hypot(rows - row, columns - column) < 6] += 170
    return noise.astype(np.uint8)


@pytest.fixture
def write_images(tmp_path: Path) -> Callable[..., list[Path]]:
    """Return a function that writes images of these names and returns their paths."""

    def write(*names: str, seed: int = 0) -> list[Path]:
        paths = [tmp_path / "images" / name for name in names]
        for number, path in enumerate(paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, disks(seed + number), photometric="rgb")
        return paths

    return write

"""A model, images and a way to run the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from numpy.typing import NDArray

from napari_cresunet.cli import main


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process; importing torch anew takes seconds."""

    def run_main(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as leaving:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(int(leaving.value.code or 0), captured.out, captured.err)

    return run_main


@pytest.fixture(scope="session")
def stored_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a network that never learned anything, with a card of odd numbers."""
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
        min_size=50,
        min_distance=9,
        scores={"test": {"f1": 0.123456}},
    )
    save_weights(path, VARIANTS["c-resunet"].build(), card)
    return path


@pytest.fixture
def model(stored_model: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make that network known by its name."""
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(stored_model.parent))
    return "tiny"


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """Return bright disks on noise, (72, 88, 3)."""
    noise = np.random.default_rng(3).integers(0, 40, (72, 88, 3))
    rows, columns = np.mgrid[:72, :88]
    for row, column in ((20, 20), (50, 30), (36, 66)):
        noise[np.hypot(rows - row, columns - column) < 9] += 170
    return noise.astype(np.uint8)


@pytest.fixture
def image(tmp_path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write it as cells.png."""
    path = tmp_path / "cells.png"
    iio.imwrite(path, pixels)
    return path

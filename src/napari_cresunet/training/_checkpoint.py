"""The whole state of a training in one safetensors file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from napari_cresunet._files import written_whole
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.training._folder import CHECKPOINT
from napari_cresunet.training._history import EpochRecord
from napari_cresunet.training._learner import (
    Learner,
    Progress,
    optimizer_tensors,
    restore_optimizer,
)


def save_checkpoint(folder: Path, learner: Learner) -> None:
    """Write all that is needed to go on as if nothing had happened.

    Parameters
    ----------
    folder : Path
        The training's folder.
    learner : Learner
        Between two batches.

    Raises
    ------
    EngineError
        If the file cannot be written; an earlier one stays as it is.
    """
    from safetensors.torch import save

    parts = {
        "network": learner.network.state_dict(),
        "best": learner.best,
        "optimizer": optimizer_tensors(learner),
    }
    if learner.average is not None:
        parts["average"] = learner.average.state_dict()
    tensors = {
        f"{part}.{name}": value.detach().cpu().contiguous()
        for part, values in parts.items()
        for name, value in values.items()
    }
    known = {
        "progress": asdict(learner.progress),
        "rate": learner.learning_rate,
        "plateau": learner.plateau.state_dict(),
        "scaler": learner.scaler.state_dict(),
    }
    path = folder / CHECKPOINT
    try:
        with written_whole(path) as file:
            file.write(save(tensors, metadata={"training": json.dumps(known)}))
    except OSError as error:
        raise EngineError(
            f"{path} cannot be written ({error.strerror}): free some space and start "
            "again to go on from the checkpoint before."
        ) from error


def load_checkpoint(folder: Path, learner: Learner) -> None:
    """Bring a freshly made learner to where a training was.

    Parameters
    ----------
    folder : Path
        The training's folder; its checkpoint was made with the same configuration.
    learner : Learner
        Changed in place.

    Raises
    ------
    InputError
        If the checkpoint is damaged or of another network.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / CHECKPOINT
    try:
        with safe_open(path, "pt") as file:
            known = json.loads((file.metadata() or {})["training"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        _restore(learner, tensors, known)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} cannot be used to go on ({error}): delete it to begin anew."
        ) from error


def _restore(
    learner: Learner, tensors: Mapping[str, Tensor], known: Mapping[str, Any]
) -> None:
    learner.network.load_state_dict(_part(tensors, "network"))
    if learner.average is not None:
        learner.average.load_state_dict(_part(tensors, "average"))
    learner.best = _part(tensors, "best")
    restore_optimizer(learner, _part(tensors, "optimizer"), known["rate"])
    learner.plateau.load_state_dict(known["plateau"])
    learner.scaler.load_state_dict(known["scaler"])
    progress = Progress(**known["progress"])
    rows: list[Any] = progress.history
    learner.progress = replace(progress, history=[EpochRecord(**row) for row in rows])


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    return {
        name.removeprefix(start): value
        for name, value in tensors.items()
        if name.startswith(start)
    }

"""The folder of a training: settings, log, curves, checkpoint and the best model.

::

    config.json              all settings
    log.csv                  one row for each epoch
    curves.png               losses, F1 and learning rate
    checkpoint.safetensors   where the training is
    model.safetensors        the best model so far, with its card
    card.json                the same card, to read
"""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet._writing import write_bytes
from napari_cresunet.errors import InputError
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._history import EpochRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_cresunet.weights import ModelCard

CONFIG, LOG, CURVES, CARD = "config.json", "log.csv", "curves.png", "card.json"
CHECKPOINT, MODEL = "checkpoint.safetensors", "model.safetensors"


def is_first_process() -> bool:
    """Tell whether this process is the only one, or the first that torchrun started.

    Returns
    -------
    bool
        The first one alone writes and tells.
    """
    return os.environ.get("RANK", "0") == "0"


def open_folder(folder: Path, config: TrainConfig) -> bool:
    """Make a folder ready for a training.

    Parameters
    ----------
    folder : Path
        New, empty, or that of an earlier training with the same configuration, or of
        one that had learned nothing.
    config : TrainConfig
        Settings of the training to come.

    Returns
    -------
    bool
        Whether there is a checkpoint to go on from.

    Raises
    ------
    InputError
        If it holds another training.
    EngineError
        If it cannot be written to.
    """
    # A training that failed before anything was learned does not bind the next one.
    has_learned = any((folder / name).is_file() for name in (CHECKPOINT, LOG, MODEL))
    if has_learned and (folder / CONFIG).is_file():
        before = read_config(folder)
        # More epochs may be asked for later.
        same = {**before.to_dict(), "epochs": config.epochs} == config.to_dict()
        if not same:
            raise InputError(
                f"{folder} holds a training with other settings: choose another "
                "folder, or go on with its own settings."
            )
    if is_first_process():
        write_bytes(folder / CONFIG, _as_json(config.to_dict()))
    return (folder / CHECKPOINT).is_file()


def read_config(folder: Path) -> TrainConfig:
    """Read the settings of a training from its folder.

    Parameters
    ----------
    folder : Path
        Written by an earlier training.

    Returns
    -------
    TrainConfig
        Its settings.

    Raises
    ------
    InputError
        If there are none, or they are damaged.
    """
    path = folder / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{folder} holds no training: give the folder that `train` wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): begin anew.") from error
    return TrainConfig.from_dict(values)


def write_log(folder: Path, history: Sequence[EpochRecord]) -> None:
    """Write one row for each epoch.

    Parameters
    ----------
    folder : Path
        The training's folder.
    history : sequence of EpochRecord
        At least one.

    Raises
    ------
    EngineError
        If it cannot be written.
    """
    text = io.StringIO()
    rows = [record.to_dict() for record in history]
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_bytes(folder / LOG, text.getvalue().encode())


def read_log(folder: Path) -> tuple[EpochRecord, ...]:
    """Read what is known of each epoch of a training.

    Parameters
    ----------
    folder : Path
        Written by an earlier training.

    Returns
    -------
    tuple of EpochRecord
        In order; none if there is no log yet. The last one may be of an epoch that the
        checkpoint does not know, after the process was killed.

    Raises
    ------
    InputError
        If the log is damaged.
    """
    path = folder / LOG
    if not path.is_file():
        return ()
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [
                {name: float(value) for name, value in row.items()}
                for row in csv.DictReader(stream)
            ]
        return tuple(
            EpochRecord(**row | {"epoch": int(row["epoch"])})  # type: ignore[arg-type]  # the names come from a file
            for row in rows
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read ({error}): delete it.") from error


def write_curves(folder: Path, history: Sequence[EpochRecord]) -> None:
    """Draw the curves into the folder; takes about a second.

    Parameters
    ----------
    folder : Path
        The training's folder.
    history : sequence of EpochRecord
        At least one.

    Raises
    ------
    EngineError
        If the file cannot be written.
    """
    picture = io.BytesIO()
    draw_curves(history).savefig(picture, format="png", dpi=120)
    write_bytes(folder / CURVES, picture.getvalue())


def write_card(folder: Path, card: "ModelCard") -> None:
    """Write a model's card where people can read it.

    Parameters
    ----------
    folder : Path
        The training's folder.
    card : ModelCard
        As in the weight file.

    Raises
    ------
    EngineError
        If it cannot be written.
    """
    write_bytes(folder / CARD, _as_json(card.to_dict()))


def draw_curves(history: Sequence[EpochRecord]) -> "Figure":
    """Draw losses, F1 and learning rate against epochs.

    Parameters
    ----------
    history : sequence of EpochRecord
        At least one.

    Returns
    -------
    Figure
        Without a window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2))
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.16, top=0.95, wspace=0.3)
    losses, scores, rates = figure.subplots(1, 3)
    epochs = [record.epoch for record in history]
    losses.plot(epochs, [record.loss for record in history], label="training")
    losses.plot(
        epochs, [record.validation_loss for record in history], label="validation"
    )
    losses.set_ylabel("loss")
    losses.legend()
    scores.plot(epochs, [record.f1 for record in history], color="tab:green")
    scores.set(ylabel="F1 on validation images", ylim=(0, 1))
    rates.plot(epochs, [record.learning_rate for record in history], color="tab:gray")
    rates.set(ylabel="learning rate", yscale="log")
    for axes in (losses, scores, rates):
        axes.set_xlabel("epoch")
    return figure


def _as_json(values: object) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()

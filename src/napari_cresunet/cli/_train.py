"""The command `train`."""

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.cli._files import write_json
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._terminal import (
    progress_bar,
    stdout_console,
    tell,
    tell_json,
)
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from rich.progress import Progress

    from napari_cresunet.datasets import Pair
    from napari_cresunet.inference import Model
    from napari_cresunet.training import TrainConfig, TrainStep

DATA = "data.json"
"""Where a training's folder notes which images it learns from."""


def train_model(
    data: Sequence[str],
    folder: Path,
    config: "TrainConfig",
    device: str,
    *,
    as_json: bool,
) -> None:
    """Train a model, or go on with an interrupted training in the same folder.

    Parameters
    ----------
    data : sequence of str
        One folder with images and truth, or two: images, and truths.
    folder : Path
        Receives all that comes of it.
    config : TrainConfig
        All settings.
    device : str
        Where to train.
    as_json : bool
        Whether stdout gets the model card as JSON.
    """
    from napari_cresunet.training import is_first_process, open_folder

    pairs = read_data(data, config)
    open_folder(folder, config)
    if is_first_process():
        write_json(folder / DATA, [str(Path(path).resolve()) for path in data])
    model = _train(pairs, folder, config, device)
    print_result(model, folder, as_json=as_json)


def resume_training(folder: Path, device: str, *, as_json: bool) -> None:
    """Go on with a training that was interrupted.

    Parameters
    ----------
    folder : Path
        What an earlier `train` wrote.
    device : str
        Where to train.
    as_json : bool
        Whether stdout gets the model card as JSON.

    Raises
    ------
    InputError
        If it holds no training of the command line.
    """
    from napari_cresunet.training import read_config

    config = read_config(folder)
    try:
        data = json.loads((folder / DATA).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder / DATA} cannot be read, so the images are not known: repeat the "
            "whole command with the same folder."
        ) from error
    model = _train(read_data(data, config), folder, config, device)
    print_result(model, folder, as_json=as_json)


def read_data(
    data: Sequence[str], config: "TrainConfig"
) -> "tuple[list[Pair], list[Pair]]":
    """Read images and truth, and hold some out for validation.

    Parameters
    ----------
    data : sequence of str
        One folder with images and truth, or two.
    config : TrainConfig
        Part and seed of what is held out.

    Returns
    -------
    training, validation : list of Pair
        See `load_training_pairs`.
    """
    from napari_cresunet.datasets import (
        check_pairs,
        load_training_pairs,
        pair_folders,
        split_pairs,
    )

    if len(data) == 1:
        return load_training_pairs(
            data[0], validation=config.validation, seed=config.seed
        )
    pairs = list(pair_folders(data[0], data[1]))
    check_pairs(pairs)
    return split_pairs(pairs, validation=config.validation, seed=config.seed)


def first_config(system: str, start: str | None) -> "TrainConfig":
    """Return the settings of a system, or those to go on from a model with.

    Parameters
    ----------
    system : str
        A key of `training.PRESETS`.
    start : str or None
        Name or file of a model.

    Returns
    -------
    TrainConfig
        Before single settings are changed.
    """
    from napari_cresunet.training import fine_tuning, get_preset
    from napari_cresunet.weights import find_weights, read_card

    config = get_preset(system)
    if start is None:
        return config
    return fine_tuning(read_card(find_weights(start)), config, start=start)


def changed(config: "TrainConfig", settings: Sequence[str]) -> "TrainConfig":
    """Apply settings given as NAME=VALUE.

    Parameters
    ----------
    config : TrainConfig
        What to change.
    settings : sequence of str
        Such as "weight_maps=true" or "learning_rate=1e-3".

    Returns
    -------
    TrainConfig
        The changed settings.

    Raises
    ------
    InputError
        If one is no setting, or its value does not fit.
    """
    values = config.to_dict()
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"Write {setting!r} as NAME=VALUE.")
        if name not in values:
            raise InputError(
                f"There is no setting {name!r}; choose from "
                f"{', '.join(spec.name for spec in fields(config))}."
            )
        values[name] = _parsed(name, text, type(values[name]))
    return type(config).from_dict(values)


def _parsed(name: str, text: str, kind: type) -> Any:
    """Read a value as the type of the setting."""
    if kind is bool:
        words = {"true": True, "yes": True, "false": False, "no": False}
        if text.lower() in words:
            return words[text.lower()]
        raise InputError(f"`{name}` is true or false, not {text!r}.")
    try:
        return kind(text)
    except ValueError:
        word = "a whole number" if kind is int else "a number"
        raise InputError(f"`{name}` must be {word}, got {text!r}.") from None


def _train(
    pairs: "tuple[list[Pair], list[Pair]]",
    folder: Path,
    config: "TrainConfig",
    device: str,
) -> "Model":
    """Train, show how it goes, and stop cleanly on Ctrl+C."""
    from napari_cresunet.training import is_first_process, iter_train

    training, validation = pairs
    if is_first_process():
        tell(f"Learning from {_in_words(training)}; {_in_words(validation)} held out.")
    steps = iter_train(config, training, validation, folder=folder, device=device)
    with held_interrupts() as leave_if_asked, training_progress() as bar:
        try:
            return _watched(steps, bar, leave_if_asked)
        except KeyboardInterrupt:
            steps.close()
            _tell_stopped(folder, bar)
            raise


def _in_words(pairs: "Sequence[Pair]") -> str:
    cells = sum(int(pair.labels.max(initial=0)) for pair in pairs)
    return f"{len(pairs)} images with {cells} cells"


def training_progress() -> "AbstractContextManager[Progress]":
    """Return a bar with epoch, loss, F1, learning rate and time left."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from napari_cresunet.training import is_first_process

    return progress_bar(
        TextColumn("Epoch {task.fields[epoch]}"),
        BarColumn(bar_width=20),
        TextColumn("loss {task.fields[loss]}  F1 {task.fields[f1]}"),
        TextColumn("learning rate {task.fields[rate]}"),
        TimeRemainingColumn(),
        is_wanted=is_first_process(),
    )


def _watched(
    steps: "Generator[TrainStep, None, Model]", bar: "Progress", leave_if_asked: Any
) -> "Model":
    """Drain a training; say each epoch in one line."""
    from napari_cresunet.steps import drain

    task = bar.add_task("", total=None, epoch="1", loss="-", f1="-", rate="-")

    def on_step(step: Any) -> None:
        bar.update(
            task,
            completed=step.done,
            total=step.total,
            epoch=step.epoch,
            loss=f"{step.loss:.4f}",
        )
        if step.record is not None:
            row = step.record
            bar.update(task, f1=f"{row.f1:.3f}", rate=f"{row.learning_rate:.2g}")
            tell(_row(step), bar.console)
        leave_if_asked()

    return drain(steps, on_step)


def _row(step: "TrainStep") -> str:
    """Return what an epoch came to, in one line."""
    row = step.record
    assert row is not None
    best = ", the best so far" if step.is_best else ""
    return (
        f"Epoch {row.epoch}: loss {row.loss:.4f}, validation loss "
        f"{row.validation_loss:.4f}, F1 {row.f1:.3f} at threshold {row.threshold:g}, "
        f"learning rate {row.learning_rate:.2g}, {row.seconds:.0f} s{best}"
    )


def _tell_stopped(folder: Path, bar: "Progress") -> None:
    """Say what is kept, and how to go on."""
    from napari_cresunet.training import MODEL

    kept = f"The best model so far is {folder / MODEL}. "
    if not (folder / MODEL).is_file():
        kept = "No epoch was finished, so there is no model yet. "
    tell(
        f"Stopped. {kept}Go on with: napari-cresunet train --resume {folder}",
        bar.console,
    )


def print_result(model: "Model", folder: Path, *, as_json: bool) -> None:
    """Say what was reached and how to use it.

    Parameters
    ----------
    model : Model
        The best one.
    folder : Path
        Where it is.
    as_json : bool
        Whether stdout gets its card as JSON.
    """
    from napari_cresunet.training import MODEL, is_first_process

    if not is_first_process():
        return
    card, path = model.card, folder / MODEL
    if as_json:
        tell_json(card.to_dict() | {"source": str(path)})
        return
    scores = ", ".join(f"{name} {value:g}" for name, value in card.scores.items())
    stdout_console().print(
        f"{path}: threshold {card.threshold:g}, {scores}\n"
        f"Use it with: --model {path}, or by its name after: "
        f"napari-cresunet models import {path}",
        soft_wrap=True,
        markup=False,
    )


def print_systems(*, as_json: bool) -> None:
    """Print the systems whose settings are known."""
    from rich.table import Table

    from napari_cresunet.training import PRESETS

    if as_json:
        tell_json([config.to_dict() for config in PRESETS.values()])
        return
    table = Table()
    for column in ("System", "Network", "Optimizer", "Batch", "Loss"):
        table.add_column(column)
    for name, config in PRESETS.items():
        table.add_row(
            name,
            config.variant,
            f"{config.optimizer}, {config.learning_rate:g}",
            str(config.batch_size),
            loss_in_words(config),
        )
    stdout_console().print(table)


def loss_in_words(config: "TrainConfig") -> str:
    """Return the losses that have a share."""
    shares = {
        "cross-entropy": config.cross_entropy,
        "Dice": config.dice,
        "focal": config.focal,
        "focal Tversky": config.focal_tversky,
    }
    words = [f"{share:g} {name}" for name, share in shares.items() if share]
    return " + ".join(words) + (", weight maps" if config.weight_maps else "")

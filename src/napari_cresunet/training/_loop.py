"""The loop over epochs and batches."""

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_cresunet.datasets import Pair
from napari_cresunet.errors import InputError, LossError
from napari_cresunet.inference import Model
from napari_cresunet.training._batches import epoch_batches, iter_batches
from napari_cresunet.training._card import describe
from napari_cresunet.training._checkpoint import load_checkpoint, save_checkpoint
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._crops import Crops, find_crops
from napari_cresunet.training._distributed import Processes, joined_processes
from napari_cresunet.training._folder import (
    MODEL,
    open_folder,
    write_card,
    write_curves,
    write_log,
)
from napari_cresunet.training._history import EpochRecord, TrainStep
from napari_cresunet.training._learner import Learner
from napari_cresunet.training._memory import memory_told
from napari_cresunet.training._prepare import (
    Sample,
    prepare,
    typical_diameter,
    with_equal_channels,
)
from napari_cresunet.training._validation import (
    COARSE_THRESHOLDS,
    THRESHOLDS,
    Validation,
    best_threshold,
    validate,
)
from napari_cresunet.weights import ModelCard, read_card, save_weights

CHECKPOINT_SECONDS = 120.0
"""A killed process loses at most about this much."""
CURVES_SECONDS = 30.0
"""The curves are not drawn more often than this."""


@dataclass(slots=True)
class _Training:
    """One training under way."""

    config: TrainConfig
    learner: Learner
    samples: list[Sample]
    held_out: list[Sample]
    crops: Crops
    folder: Path | None
    processes: Processes
    resumed_at: float
    saved_at: float
    drawn_at: float = 0.0
    card: ModelCard | None = None
    """Of the best model so far."""

    def seconds(self) -> float:
        """Return how long the training took so far, without interruptions."""
        return self.learner.progress.seconds + time.monotonic() - self.resumed_at

    def save(self) -> None:
        """Write a checkpoint, and from time to time the curves."""
        if self.folder is None or not self.processes.is_first:
            return
        now = time.monotonic()
        self.learner.progress.seconds += now - self.resumed_at
        self.resumed_at = self.saved_at = now
        save_checkpoint(self.folder, self.learner)
        if now - self.drawn_at > CURVES_SECONDS:
            self.draw()

    def draw(self) -> None:
        """Draw the curves."""
        history = self.learner.progress.history
        if self.folder is not None and self.processes.is_first and history:
            write_curves(self.folder, history)
            self.drawn_at = time.monotonic()


def iter_train(
    config: TrainConfig,
    training: Sequence[Pair],
    validation: Sequence[Pair],
    *,
    folder: str | Path | None = None,
    device: str = "auto",
) -> Generator[TrainStep, None, Model]:
    """Train a network step by step; may be closed after any step.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    training, validation : sequence of Pair
        Images to learn from, and images that decide which epoch was best and which
        threshold is recommended.
    folder : str or Path, optional
        Receives settings, log, curves, checkpoints and the best model. If it holds an
        interrupted training with the same settings, that one goes on where it was.
    device : str, optional
        As for `load_model`. Under torchrun each process takes a device of its own.

    Yields
    ------
    TrainStep
        After every batch; at the end of an epoch with its record. When the generator is
        closed, a checkpoint is written, and the best model is in `folder`.

    Returns
    -------
    Model
        The best one, on the device, with a card that says how it came about.

    Raises
    ------
    InputError
        If there is nothing to learn from, or `folder` holds another training.
    EngineError
        If the loss is not a number, memory runs out, or a file cannot be written.
    """  # noqa: DOC501  # GeneratorExit is no error
    if not training or not validation:
        raise InputError(
            f"There are {len(training)} training and {len(validation)} validation "
            "images; give at least one of each."
        )
    with ExitStack() as stack:
        processes = stack.enter_context(joined_processes(device))
        run = _begin(config, training, validation, folder, processes)
        try:
            yield from _iter_epochs(run)
        except GeneratorExit:
            run.save()
            run.draw()
            raise
        run.draw()
        return _finish(run)


def _begin(
    config: TrainConfig,
    training: Sequence[Pair],
    validation: Sequence[Pair],
    folder: str | Path | None,
    processes: Processes,
) -> _Training:
    """Prepare images, network and folder."""
    if config.batch_size < processes.count:
        raise InputError(
            f"{processes.count} processes cannot share batches of {config.batch_size} "
            "crops: take a larger batch_size, or start fewer processes."
        )
    where = None if folder is None else Path(folder)
    is_resumed = where is not None and open_folder(where, config)
    typical = typical_diameter(training)
    samples = with_equal_channels(prepare(training, config, typical))
    learner = Learner(config, processes)
    if where is not None and is_resumed:
        load_checkpoint(where, learner)
    now = time.monotonic()
    return _Training(
        config,
        learner,
        samples,
        prepare(validation, config, typical),
        find_crops(samples, config),
        where,
        processes,
        now,
        now,
    )


def _iter_epochs(run: _Training) -> Generator[TrainStep, None, None]:
    progress = run.learner.progress
    while progress.epoch < run.config.epochs and not _is_stuck(run):
        batches = epoch_batches(run.crops, run.config, progress.epoch)
        with closing(_iter_losses(run, batches)) as losses:
            for loss in losses:
                progress.batch += 1
                progress.loss_sum += loss
                if progress.batch < len(batches):
                    yield _step(run, len(batches))
                    if time.monotonic() - run.saved_at > CHECKPOINT_SECONDS:
                        run.save()
        yield _end_epoch(run, len(batches))


def _is_stuck(run: _Training) -> bool:
    """Tell whether too many epochs brought no better model."""
    progress = run.learner.progress
    return progress.epoch - progress.best_epoch >= run.config.stop_patience


def _iter_losses(
    run: _Training, batches: Sequence[NDArray[np.intp]]
) -> Generator[float, None, None]:
    """Learn from the rest of an epoch's batches."""
    progress, config = run.learner.progress, run.config
    first = progress.batch
    source = iter_batches(
        run.samples, batches, config, progress.epoch, first, run.processes
    )
    # Closed at once: the traceback of an error would keep its thread alive.
    with closing(source):
        for number, batch in enumerate(source, start=first):
            if config.schedule == "decay":
                done = progress.epoch + number / len(batches)
                run.learner.set_rate(1 - done / config.epochs)
            with memory_told(
                f"take fewer than {config.batch_size} crops in a batch, or crops "
                f"smaller than {config.crop_size} px"
            ):
                loss = run.learner.learn(batch)
            if not isfinite(loss):
                raise LossError(_not_a_number(run, batches[number], number))
            yield loss


def _not_a_number(run: _Training, places: NDArray[np.intp], number: int) -> str:
    names = sorted({run.samples[index].name for index in places[:, 0]})
    kept = "there is no model yet"
    if run.learner.progress.best_epoch:
        kept = f"the model of epoch {run.learner.progress.best_epoch} is kept"
    return (
        f"The loss is not a number in epoch {run.learner.progress.epoch + 1}, batch "
        f"{number + 1} (crops of {', '.join(names)}); {kept}: try a smaller learning "
        "rate, or check these images."
    )


def _step(run: _Training, n_batches: int) -> TrainStep:
    progress = run.learner.progress
    return TrainStep(
        done=progress.epoch * n_batches + progress.batch,
        total=run.config.epochs * n_batches,
        epoch=progress.epoch + 1,
        loss=progress.loss_sum / progress.batch,
    )


def _end_epoch(run: _Training, n_batches: int) -> TrainStep:
    """Validate, keep the best, save, and count the epoch."""
    learner, progress = run.learner, run.learner.progress
    step = _step(run, n_batches)
    values, result = [0.0] * 3, None
    if run.processes.is_first:
        with memory_told("validate on smaller images, or cut them into parts"):
            result = validate(
                learner.shown, run.held_out, run.config, run.processes.device
            )
        threshold, scores = best_threshold(
            result.probabilities, run.held_out, COARSE_THRESHOLDS
        )
        values = [result.loss, scores.f1, threshold]
    # All processes go on with the same learning rate and stop at the same time.
    loss, f1, threshold = run.processes.shared(values)
    record = EpochRecord(
        epoch=progress.epoch + 1,
        loss=step.loss,
        validation_loss=loss,
        f1=f1,
        threshold=threshold,
        learning_rate=learner.learning_rate,
        seconds=round(run.seconds(), 3),
    )
    is_best = learner.keep_best(record)
    if run.config.schedule == "plateau":
        learner.plateau.step(loss)
    progress.epoch, progress.batch, progress.loss_sum = record.epoch, 0, 0.0
    if result is not None:
        _write_epoch(run, result, is_best=is_best)
    preview = None if result is None else result.probabilities[0]
    return replace(step, record=record, is_best=is_best, preview=preview)


def _write_epoch(run: _Training, result: Validation, *, is_best: bool) -> None:
    """Complete the best model so far, and write what there is to write."""
    if is_best:
        threshold, scores = best_threshold(
            result.probabilities, run.held_out, THRESHOLDS
        )
        run.card = describe(
            run.config,
            run.learner.progress,
            {"training": run.samples, "validation": run.held_out},
            threshold,
            scores,
        )
    if run.folder is None:
        return
    if is_best and run.card is not None:
        best = run.learner.best_network()
        write_card(run.folder, save_weights(run.folder / MODEL, best, run.card))
    write_log(run.folder, run.learner.progress.history)
    run.save()


def _finish(run: _Training) -> Model:
    """Return the best model."""
    card = run.card
    if card is None and run.folder is not None:
        card = read_card(run.folder / MODEL)
    if card is None:  # a process other than the first, without a folder
        card = describe(run.config, run.learner.progress, {}, 0.5, None)
    device = run.processes.device
    network = run.learner.best_network().to(device)
    return Model(card, network.to(memory_format=torch.channels_last), device)  # type: ignore[call-overload]  # torch's stubs lack memory_format

"""The long work of a training, as a generator that a worker thread can stop."""

import logging
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.errors import CResUNetError, LossError
from napari_cresunet.state._errors import describe_error
from napari_cresunet.state._run import Progress, device_title
from napari_cresunet.state._training_data import Folders, Material, Origin, TrainingData
from napari_cresunet.state._training_folder import (
    Unfinished,
    claimed,
    clear,
    finish,
    iter_copy,
    read_log,
)
from napari_cresunet.state._training_material import (
    LAST_PART,
    describe_material,
    iter_material,
)
from napari_cresunet.training import CHECKPOINT, MODEL
from napari_cresunet.weights import ModelCard

if TYPE_CHECKING:
    from napari_cresunet._typing import Image, Probability
    from napari_cresunet.training import EpochRecord, TrainConfig, TrainStep

logger = logging.getLogger(__name__)

NO_MODEL = "Stopped before the first epoch was over, so there is no model to keep."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrainingRequest:
    """What to train, as it was when the user asked."""

    config: "TrainConfig"
    data: TrainingData
    folder: Path
    diameter: float | None = None
    """Of a cell in px of the images; None to measure it."""
    device: str = "auto"
    resumed: Unfinished | None = None
    """Set if an interrupted training goes on."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it to end the training after the batch at hand, and keep the best model."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Preview:
    """What the network makes of the first validation image."""

    probability: "Probability"
    """At the size that the network sees."""
    image: "Image"
    """The image itself, (Y, X) or (Y, X, 3), as large as it is."""
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrainingProgress(Progress):
    """How far a training is; each holds all that is known, so one may be missed."""

    records: "tuple[EpochRecord, ...]" = ()
    best: "EpochRecord | None" = None
    """Of the best model so far; None if it is from before an interruption."""
    preview: Preview | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trained:
    """How a training ended."""

    card: ModelCard | None
    """Of the best model, which is now among the user's models."""
    records: "tuple[EpochRecord, ...]" = ()
    epochs: int = 0
    """How many there should have been."""
    failure: str = ""
    """Why it ended early, if something went wrong."""

    @property
    def sentence(self) -> str:
        """Such as "Saved as my-cells: F1 0.87 on 4 validation images (…)."."""
        if self.card is None:
            return NO_MODEL
        scores, settings = self.card.scores, self.card.settings
        f1 = scores.get("validation F1")
        reached = "F1 unknown" if f1 is None else f"F1 {f1:.2f}"
        n_images = settings["validation_images"]
        images = "image" if n_images == 1 else "images"
        return (
            f"Saved as {self.card.name}: {reached} on {n_images} validation {images} "
            f"(epoch {settings['best_epoch']} of {self.epochs})."
        )


def iter_training(
    request: TrainingRequest,
) -> Generator[TrainingProgress, None, Trained]:
    """Read the data, train, and put the best model among the user's models.

    Parameters
    ----------
    request : TrainingRequest
        What to train.

    Yields
    ------
    TrainingProgress
        After every batch. If the generator is closed, its folder keeps all that is
        needed to go on.

    Returns
    -------
    Trained
        Also if the training failed after its first epoch: the best model is kept then.

    Notes
    -----
    What goes wrong before there is a model is raised: an `InputError` of the data, an
    `EngineError` of the training.
    """
    with claimed(request.folder):
        try:
            trained = yield from _iter_claimed(request)
        except BaseException:
            is_begun = (request.folder / CHECKPOINT).is_file()
            if request.resumed is None and not is_begun:
                clear(request.folder)
            raise
        if trained.card is None:
            clear(request.folder)
        return trained


def _iter_claimed(
    request: TrainingRequest,
) -> Generator[TrainingProgress, None, Trained]:
    if "torch" not in sys.modules:
        yield TrainingProgress(text="Loading PyTorch…")
    from napari_cresunet.inference import resolve_device

    title = device_title(resolve_device(request.device))
    run, origins = yield from _iter_begin(request)
    made = yield from _iter_words(
        iter_material(
            run.data,
            validation=request.config.validation,
            seed=request.config.seed,
            diameter=request.diameter,
        )
    )
    config = request.config
    if request.resumed is None:
        config = replace(config, data=describe_material(request.data, made))
        run = replace(run, settings=config.to_dict())
        run.write()
    yield TrainingProgress(text="Preparing images…")
    shown = _shown(made, origins)
    watch = _Watch(replace(request, config=config), made, shown, title)
    failure = yield from watch.iter_steps()
    if not (request.folder / MODEL).is_file():
        if failure is not None:
            raise failure
        return Trained(card=None, epochs=config.epochs)
    yield TrainingProgress(text="Saving the model…", records=watch.records)
    return _keep(run, watch, failure)


def _iter_words(steps: Any) -> Generator[TrainingProgress, None, Any]:
    """Pass on what is being done as it is said of a training."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        yield TrainingProgress(text=step.text)


def _iter_begin(
    request: TrainingRequest,
) -> Generator[TrainingProgress, None, tuple[Unfinished, dict[str, Origin]]]:
    """Put into the folder what going on needs, unless it is there."""
    if request.resumed is not None:
        return request.resumed, {}
    clear(request.folder)
    origins: dict[str, Origin] = {}
    data = request.data
    if not isinstance(data, Folders):
        origins = yield from _iter_words(iter_copy(data, request.folder))
        data = Folders(images=request.folder)
    run = Unfinished(
        folder=request.folder,
        settings=request.config.to_dict(),
        data=data,
        diameter=request.diameter,
        device=request.device,
    )
    return run, origins


def _shown(made: Material, origins: dict[str, Origin]) -> tuple["Image", Origin]:
    """Return the image of the preview and where it lies."""
    pair = made.validation[0]
    file = pair.name.removesuffix(f" ({LAST_PART})")
    origin = origins.get(file)
    if origin is None:
        return pair.image, Origin(name=pair.name)
    return pair.image, replace(origin, corner=made.corner or (0, 0))


class _Watch:
    """Runs the engine and puts its steps into words."""

    def __init__(
        self,
        request: TrainingRequest,
        made: Material,
        shown: tuple["Image", Origin],
        title: str,
    ) -> None:
        self._request, self._made = request, made
        self._image, self._origin = shown
        self._title = title
        self.records = read_log(request.folder)
        self._best: EpochRecord | None = None
        self._preview: Preview | None = None
        self._began: tuple[float, int] | None = None

    def iter_steps(self) -> Generator[TrainingProgress, None, Exception | None]:
        """Train to the end, to the user's stop, or to a failure, which is returned."""
        from napari_cresunet.training import iter_train

        request = self._request
        steps = iter_train(
            request.config,
            self._made.training,
            self._made.validation,
            folder=request.folder,
            device=request.device,
        )
        try:
            while not request.stop.is_set():
                yield self._told(next(steps))
        except StopIteration:
            return None
        except Exception as error:  # noqa: BLE001 whatever it is, the best is kept
            return error
        finally:
            # The last good checkpoint stays if another one cannot be written.
            with suppress(CResUNetError):
                steps.close()
        return None

    def _told(self, step: "TrainStep") -> TrainingProgress:
        if step.record is not None:
            # The log may be an epoch ahead of the checkpoint that the training went on
            # from.
            before = (row for row in self.records if row.epoch < step.record.epoch)
            self.records = (*before, step.record)
        if step.is_best:
            self._best = step.record
        if step.preview is not None:
            self._preview = Preview(
                probability=step.preview, image=self._image, origin=self._origin
            )
        now = time.monotonic()
        if self._began is None:
            self._began = (now, step.done)  # the first batch takes longer than others
        began, first = self._began
        n_timed = step.done - first
        left = (now - began) / n_timed * (step.total - step.done) if n_timed else 0
        epochs = self._request.config.epochs
        return TrainingProgress(
            text=f"Epoch {step.epoch} of {epochs} on {self._title}{time_left(left)}; "
            f"loss {step.loss:.3g}",
            done=step.done,
            total=step.total,
            message=step.message,
            records=self.records,
            best=self._best,
            preview=self._preview,
        )


def _keep(run: Unfinished, watch: _Watch, failure: Exception | None) -> Trained:
    """Put the best model among the user's; say how the training ended."""
    from napari_cresunet.weights import import_model

    card = import_model(run.folder / MODEL, name=run.name, overwrite=run.is_stored)
    # Going on would meet the same loss in the same batch.
    if failure is None or isinstance(failure, LossError):
        finish(run.folder)
    else:
        logger.warning("The training %s failed", run.name, exc_info=failure)
        run.store()
    return Trained(
        card=card,
        records=watch.records,
        epochs=int(run.settings["epochs"]),
        failure="" if failure is None else describe_error(failure),
    )


def time_left(seconds: float) -> str:
    """Say how long it will still take.

    Parameters
    ----------
    seconds : float
        An estimate; 0 if there is none.

    Returns
    -------
    str
        Such as ", about 12 min left"; empty for hardly any time.

    Examples
    --------
    >>> time_left(3), time_left(47), time_left(700), time_left(9000)
    ('', ', about 50 s left', ', about 12 min left', ', about 2.5 h left')
    """
    if seconds < 5:
        return ""
    if seconds < 90:
        return f", about {max(round(seconds, -1), 10):.0f} s left"
    if seconds < 5400:
        return f", about {seconds / 60:.0f} min left"
    return f", about {seconds / 3600:.1f} h left"

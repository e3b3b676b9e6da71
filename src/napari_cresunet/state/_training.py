"""The state of the dock "Train"."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_cresunet.errors import InputError
from napari_cresunet.state._run import Progress
from napari_cresunet.state._shelf import MODEL_SHELF
from napari_cresunet.state._training_choices import (
    LAYERS,
    check_name,
    folders_of,
    free_name,
)
from napari_cresunet.state._training_data import (
    LayerPair,
    PairChoice,
)
from napari_cresunet.state._training_folder import (
    Unfinished,
    discard,
    find_unfinished,
    read_log,
    trainings_folder,
)
from napari_cresunet.state._training_run import (
    Preview,
    Trained,
    TrainingProgress,
    TrainingRequest,
)
from napari_cresunet.state._training_sources import SourcesState
from napari_cresunet.state._working import Working
from napari_cresunet.weights import list_models

if TYPE_CHECKING:
    from napari_cresunet.training import EpochRecord

_NO_PAIR = "Choose an image and its labels, and press Add pair."
_NO_FOLDER = "Choose the folder with your images and masks."
RUNNING = "A training is going on: wait for it or press Stop."


class TrainState(SourcesState, Working):
    """Everything the dock shows, and what it may do.

    A view forwards what the user wants, renders on the signals, and runs the generators
    of this package in a worker thread.
    """

    models_changed = Signal()
    records_changed = Signal()
    preview_changed = Signal()

    def __init__(self) -> None:
        SourcesState.__init__(self)
        Working.__init__(self)
        self.unfinished: list[Unfinished] = []
        self.is_stopping = False
        self.records: tuple[EpochRecord, ...] = ()
        self.best: EpochRecord | None = None
        """Of the best model so far, if it is known."""
        self.epochs = 0
        """How many there may be in the training that `records` tells of."""
        self.preview: Preview | None = None
        self._request: TrainingRequest | None = None
        self.choices_changed.connect(self._on_chosen)
        self.data_changed.connect(self._on_chosen)
        self.data_outdated.connect(self._on_data_outdated)

    def _on_chosen(self) -> None:
        self.run_changed.emit()

    def _on_data_outdated(self) -> None:
        # It was of what was chosen before.
        if not self.is_running:
            self.tell("")

    # What follows from the above

    @property
    def can_train(self) -> bool:
        """Whether Train may be pressed."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why Train may not be pressed, as a sentence; empty if it may."""
        if self.is_running:
            return RUNNING
        if self.choices.learn_from == LAYERS:
            # Whatever is wrong with the labels may be painted over by now.
            return self.name_problem if self.pairs else _NO_PAIR
        if folders_of(self.choices) is None:
            return _NO_FOLDER
        return self.data_problem or self.name_problem

    @property
    def name_problem(self) -> str:
        """Why the new model may not be called so; empty if it may."""
        return check_name(self.choices.name, self.models, self._training_names)

    @property
    def _training_names(self) -> list[str]:
        return [run.name for run in self.unfinished]

    # What the user wants

    def refresh(self) -> None:
        """Look again which models and interrupted trainings there are."""
        before = self.choices
        self.models = list_models()
        self.unfinished = [] if self.is_running else find_unfinished()
        names = [card.name for card in self.models]
        if before.start and before.start not in names:
            start = names[0] if names else ""
            self.choices = replace(self.choices, start=start)
        if not self.is_running and self.name_problem:
            name = free_name(self.models, self._training_names)
            self.choices = replace(self.choices, name=name)
        self.models_changed.emit()
        if self.choices != before:
            self.choices_changed.emit()
        self.run_changed.emit()

    def forget_layer(self, identity: str) -> list[PairChoice]:
        """A layer is gone: drop the pairs it belongs to, and say so.

        Parameters
        ----------
        identity : str
            Of the layer.

        Returns
        -------
        list of PairChoice
            What was dropped.
        """
        gone = super().forget_layer(identity)
        if gone and not self.is_running:
            self.tell(f"The pair {gone[0].title} is gone: its layer was deleted.")
        return gone

    # The training

    def request(self, layers: Sequence[LayerPair] = ()) -> TrainingRequest:
        """Note down what to train.

        Parameters
        ----------
        layers : sequence of LayerPair, optional
            What the layers of `pairs` hold now.

        Returns
        -------
        TrainingRequest
            For `iter_training`.

        Raises
        ------
        InputError
            If nothing can be trained; the message is `why_not`, or what is wrong with
            the settings.
        """
        data = self.data(layers)
        if self.why_not or data is None:
            raise InputError(self.why_not or _NO_PAIR)
        return TrainingRequest(
            config=self.config,
            data=data,
            folder=trainings_folder() / self.choices.name,
            diameter=self.choices.diameter,
            device=self.choices.device,
        )

    def resume_request(self, run: Unfinished) -> TrainingRequest:
        """Note down that an interrupted training is to go on.

        Parameters
        ----------
        run : Unfinished
            One of `unfinished`.

        Returns
        -------
        TrainingRequest
            For `iter_training`.

        Raises
        ------
        InputError
            If another one is going on, or its settings cannot be understood.
        """
        from napari_cresunet.training import TrainConfig

        if self.is_running:
            raise InputError(RUNNING)
        return TrainingRequest(
            config=TrainConfig.from_dict(run.settings),
            data=run.data,
            folder=run.folder,
            diameter=run.diameter,
            device=run.device,
            resumed=run,
        )

    def discard(self, run: Unfinished) -> None:
        """Delete an interrupted training; an `EngineError` if that fails.

        Parameters
        ----------
        run : Unfinished
            One of `unfinished`.
        """
        discard(run.folder)
        self.refresh()

    def begin(self, request: TrainingRequest) -> None:
        """A training has started.

        Parameters
        ----------
        request : TrainingRequest
            What is trained.
        """
        self._request = request
        self.is_running, self.is_stopping = True, False
        self.progress = Progress(text="Starting…")
        self.preview, self.best, self.epochs = None, None, request.config.epochs
        self.records = read_log(request.folder) if request.resumed else ()
        self.unfinished = []
        self.tell("")
        self.records_changed.emit()

    def advance(self, progress: TrainingProgress) -> None:
        """A training has come further.

        Parameters
        ----------
        progress : TrainingProgress
            From the generator.
        """
        self.best = progress.best or self.best
        if len(progress.records) > len(self.records):
            self.records = progress.records
            self.records_changed.emit()
        if progress.preview is not self.preview and progress.preview is not None:
            self.preview = progress.preview
            self.preview_changed.emit()
        super().advance(progress)

    def stop(self) -> None:
        """End the training after the batch at hand, and keep the best model."""
        if self._request is not None:
            self._request.stop.set()
            self.is_stopping = True
            self.run_changed.emit()

    def finish(self, trained: Trained) -> None:
        """A training has ended, and its best model is there.

        Parameters
        ----------
        trained : Trained
            How it ended.
        """
        if trained.records:
            self.records = trained.records
            self.records_changed.emit()
        sentence = f"{trained.failure} {trained.sentence}".strip()
        self._end(sentence, is_failure=bool(trained.failure))
        if trained.card is not None:
            MODEL_SHELF.changed.emit()

    def interrupt(self) -> None:
        """A training was cut off; it can go on later."""
        self._end("Interrupted; Continue goes on with it.")

    def _end(self, sentence: str, *, is_failure: bool = False) -> None:
        self.is_running, self.is_stopping = False, False
        self.progress = self._request = None
        if self.summary is None and not self.data_problem:
            # It changed while nobody looked.
            self.data_outdated.emit()
        self.notice, self.is_failure = sentence, is_failure
        self.refresh()

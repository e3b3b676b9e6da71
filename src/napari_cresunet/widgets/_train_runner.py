"""Runs what the user of the dock Train asks for, and shows the preview."""

from typing import Any

from qtpy.QtCore import QObject

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import (
    LayerPair,
    Summary,
    Trained,
    TrainingRequest,
    TrainState,
    Unfinished,
    describe_error,
    iter_summary,
    iter_training,
)
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._train_layers import PreviewLayers, pair_of


class TrainRunner(JobRunner):
    """Starts and stops the work of one dock.

    Parameters
    ----------
    viewer : napari.Viewer
        Where layers come from and the preview goes.
    state : TrainState
        What the dock shows.
    parent : QObject
        The dock.
    """

    def __init__(self, viewer: Any, state: TrainState, parent: QObject) -> None:
        super().__init__(state, parent)
        self._follow_models(state.refresh)
        self._viewer = viewer
        self._look: Job | None = None
        self._preview = PreviewLayers(viewer)
        state.data_outdated.connect(self.look)
        state.preview_changed.connect(self._on_preview_changed)

    # The training

    def train(self) -> None:
        """Learn from what is chosen."""
        try:
            request = self._state.request(self._layers())
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._begin(request)

    def resume(self, run: Unfinished) -> None:
        """Go on with a training that was interrupted.

        Parameters
        ----------
        run : Unfinished
            The training.
        """
        try:
            request = self._state.resume_request(run)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._begin(request)

    def discard(self, run: Unfinished) -> None:
        """Delete a training that was interrupted.

        Parameters
        ----------
        run : Unfinished
            The training.
        """
        try:
            self._state.discard(run)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)

    def _begin(self, request: TrainingRequest) -> None:
        self._drop_look()
        self._preview.begin()
        self._state.begin(request)
        job = Job(iter_training(request), "c-ResUnet (learning)")
        job.stepped.connect(self._state.advance)
        job.done.connect(self._on_trained)
        job.failed.connect(self._on_training_failed)
        job.cancelled.connect(self._state.interrupt)
        self._launch(job)

    def _layers(self) -> list[LayerPair]:
        pairs = (pair_of(self._viewer, choice) for choice in self._state.pairs)
        return [pair for pair in pairs if pair is not None]

    def _on_trained(self, trained: Trained) -> None:
        if trained.failure:
            tell_error(CResUNetError(f"{trained.failure} {trained.sentence}"))
        else:
            tell(trained.sentence)
        self._state.finish(trained)

    def _on_training_failed(self, error: BaseException) -> None:
        self._state.fail(tell_error(error))

    def _on_preview_changed(self) -> None:
        if self._state.preview is not None:
            self._preview.show(self._state.preview)

    # What is done at leisure

    def look(self) -> None:
        """Find out what the data that is chosen holds."""
        self._drop_look()
        state = self._state
        data = state.data(self._layers())
        if data is None or state.is_running:
            return
        steps = iter_summary(data, **state.split_options)
        self._look = self._start(steps, self._on_looked, self._on_look_failed)

    def _drop_look(self) -> None:
        self._drop(self._look)
        self._look = None

    def _on_looked(self, summary: Summary) -> None:
        self._state.learn(summary)

    def _on_look_failed(self, error: BaseException) -> None:
        self._state.refuse_data(describe_error(error))

    def shut_down(self) -> None:
        """The dock is gone: stop everything; a training can go on later."""
        super().shut_down()
        self._state.data_outdated.disconnect(self.look)
        self._state.preview_changed.disconnect(self._on_preview_changed)

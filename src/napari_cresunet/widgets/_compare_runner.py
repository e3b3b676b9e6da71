"""Runs what the user of the dock Compare models asks for, and shows what came of it."""

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QObject

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import (
    CompareProgress,
    CompareRequest,
    CompareState,
    Disagreement,
    Scored,
    Truth,
    iter_compare,
    iter_disagreement,
    iter_scores,
)
from napari_cresunet.widgets._compare_layers import CompareLayers
from napari_cresunet.widgets._compare_truth import TruthWatch
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import (
    Placement,
    find_layer,
    identity_of,
    placement_of,
    source_of,
)
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._truths import truth_of


class CompareRunner(JobRunner):
    """Starts and stops the work of one dock.

    Parameters
    ----------
    viewer : napari.Viewer
        Where images come from and results go.
    state : CompareState
        What the dock shows.
    parent : QObject
        The dock.
    """

    def __init__(self, viewer: Any, state: CompareState, parent: QObject) -> None:
        super().__init__(state, parent)
        self._follow_models(state.refresh_models)
        self._viewer = viewer
        self.layers = CompareLayers(viewer)
        self.truth = TruthWatch(self)
        self.truth.changed.connect(self.read_truth)
        self._run: Job | None = None
        self._request: CompareRequest | None = None
        self._reason = ""
        self._scoring: Job | None = None
        self._looking: Job | None = None
        self._placements: dict[str, Placement] = {}
        # An interval of 0 brings many changes together to the latest one.
        self._follow_timer = self._timer(0, self._follow)
        state.outdated.connect(self._on_outdated)

    # The run

    def run(self) -> None:
        """Run the models that are ticked on the chosen image."""
        state = self._state
        source = state.source
        layer = None if source is None else find_layer(self._viewer, source.identity)
        if layer is not None:
            state.choose_source(source_of(layer))
        try:
            request = state.request()
        except CResUNetError as error:
            state.tell(tell_error(error), is_failure=True)
            return
        self._placements[request.source.identity] = placement_of(layer)
        self._request, self._reason = request, "Cancelled"
        state.begin()
        job = Job(iter_compare(request, state.cache), "c-ResUnet (comparing models)")
        job.stepped.connect(partial(self._on_stepped, request))
        job.done.connect(partial(state.finish, request))
        job.failed.connect(self._on_run_failed)
        job.cancelled.connect(self._on_cancelled)
        job.ended.connect(self._on_run_ended)
        self._run = job
        self._launch(job)

    def cancel(self) -> None:
        """Stop the run after the tile it is at; models that are done stay."""
        if self._run is not None:
            self._run.cancel()

    def _on_stepped(self, request: CompareRequest, step: CompareProgress) -> None:
        self._state.advance(step)
        entry = step.entry
        if entry is None:
            return
        try:
            kept = self.layers.show(entry, self._placement(request.source.identity))
        except Exception as error:  # noqa: BLE001 the other models are still to come
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._tell_kept(kept)
        source, dropped = request.source.identity, self._state.add(entry)
        for model in self.layers.models(source):
            for layer in model[1:]:
                if layer is not None and model.name in dropped:
                    layer.visible = False

    def _placement(self, source: str) -> Placement:
        layer = find_layer(self._viewer, source)
        if layer is not None:
            self._placements[source] = placement_of(layer)
        return self._placements[source]

    def _on_run_failed(self, error: BaseException) -> None:
        self._state.fail(tell_error(error))

    def _on_cancelled(self) -> None:
        if self._request is not None:
            self._state.stop(self._request, self._reason)

    def _on_run_ended(self) -> None:
        request, self._run, self._request = self._request, None, None
        if request is not None:
            identity = request.source.identity
            if find_layer(self._viewer, identity) is None:
                self._state.forget(identity)

    def _tell_kept(self, kept: str) -> None:
        if kept:
            sentence = (
                f"The labels in {kept!r} were edited by hand, so they stay, hidden; "
                "the new ones are in a layer above."
            )
            tell(sentence)
            self._state.tell(sentence)

    def on_layer_removed(self, layer: Any) -> None:
        """Let go of a layer; without its image a run makes no sense.

        Parameters
        ----------
        layer : napari.layers.Layer
            That is gone.
        """
        self.layers.unlink(layer)
        identity = identity_of(layer)
        if self._request is not None and identity == self._request.source.identity:
            self._reason = f"The image {layer.name!r} was deleted"
            self.cancel()
        else:
            self._state.forget(identity)
            self._placements.pop(identity, None)

    # What follows at leisure

    def _on_outdated(self) -> None:
        self._follow_timer.start()

    def _follow(self) -> None:
        """Do what is outdated; afterwards look again."""
        state = self._state
        if self._scoring is None and (work := state.score_work) is not None:
            self._scoring = self._start(iter_scores(work), self._on_scored)
            self._scoring.ended.connect(self._on_scoring_ended)
        wanted = None if state.is_running else state.findings.disagreeing
        if self._looking is None and wanted is not None and state.source is not None:
            self._looking = self._start(
                iter_disagreement(wanted, state.findings.cell_size),
                partial(self._on_disagreement, state.source.identity),
            )
            self._looking.ended.connect(self._on_looking_ended)

    def _on_scored(self, scored: Scored) -> None:
        for entry, result, _ in scored.work.todo:
            if entry.result is result:
                source = entry.request.source.identity
                if source in self._placements:
                    kept = self.layers.show_cells(entry, self._placement(source))
                    self._tell_kept(kept)
        self._state.take_scores(scored)
        self._follow_timer.start()

    def _on_scoring_ended(self) -> None:
        self._scoring = None

    def _on_disagreement(self, source: str, found: Disagreement) -> None:
        if source in self._placements:
            self.layers.show_disagreement(found.values, source, self._placement(source))
        self._state.take_disagreement(found)
        self._follow_timer.start()

    def _on_looking_ended(self) -> None:
        self._looking = None

    # The truth

    def choose_truth(self, layer: Any) -> None:
        """Take the true cells from a layer, and follow its changes.

        Parameters
        ----------
        layer : napari.layers.Layer or None
            None for no truth.
        """
        self.truth.watch(layer)
        self.read_truth()

    def read_truth(self) -> None:
        """Take the true cells as they are now."""
        state, layer = self._state, self.truth.layer
        source = state.source
        image = None if source is None else find_layer(self._viewer, source.identity)
        if layer is None or image is None:
            state.set_truth(None)
            return
        try:
            # A copy: the user may go on painting while it is compared.
            cells = np.array(truth_of(layer, image))
        except CResUNetError as error:
            state.set_truth(None, str(error))
            return
        state.set_truth(
            Truth(identity=identity_of(layer), name=layer.name, cells=cells)
        )

    def shut_down(self) -> None:
        """The dock is gone: stop everything."""
        super().shut_down()
        self._follow_timer.stop()
        self.truth.watch(None)
        self._state.outdated.disconnect(self._on_outdated)

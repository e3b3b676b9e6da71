"""Runs what the user asks for, and keeps the layers in step with the state."""

from dataclasses import replace
from functools import partial
from typing import Any

from qtpy.QtCore import QObject

from napari_cresunet.errors import CResUNetError, InputError
from napari_cresunet.state import (
    LABELS_SHELF,
    Analysis,
    Area,
    Calibration,
    Corrections,
    CountState,
    Request,
    Result,
    is_large,
    iter_analysis,
    iter_calibration,
    iter_relabel,
    iter_run,
    middle_of,
)
from napari_cresunet.widgets._corrections import (
    corrections_of,
    is_followed,
    tell_renewed,
)
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import (
    Placement,
    find_layer,
    identity_of,
    placement_of,
    set_features,
    show_labels,
    show_result,
    source_of,
    visible_region,
)
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._whole_runner import WholeRunner

SETTLE_TIME = 300
"""Milliseconds after the last change when the slider counts as let go."""


class Runner(JobRunner):
    """Starts and stops the work of one dock.

    Parameters
    ----------
    viewer : napari.Viewer
        Where images come from and results go.
    state : CountState
        What the dock shows.
    whole : WholeRunner
        Counts images that are too large for memory, after their field of view.
    parent : QObject
        The dock.
    """

    def __init__(
        self, viewer: Any, state: CountState, whole: WholeRunner, parent: QObject
    ) -> None:
        super().__init__(state, parent)
        self._whole = whole
        self._follow_models(state.refresh_models)
        self._viewer = viewer
        self._run: Job | None = None
        self._background: Job | None = None
        self._relabels: Job | None = None
        self._placements: dict[str, Placement] = {}
        self._cells: dict[str, str] = {}
        self._untold: set[str] = set()
        self._heard: list[Corrections] = []
        # An interval of 0 brings many slider events together to the latest one.
        self._follow_timer = self._timer(0, self._follow)
        self._settle_timer = self._timer(SETTLE_TIME, self._settle)
        state.labels_outdated.connect(self._on_labels_outdated)
        LABELS_SHELF.add(self.relabel)

    # The run

    def run(self) -> None:
        """Predict the chosen image."""
        state, layer = self._state, self._source_layer()
        if layer is not None:
            state.choose_source(source_of(layer))
        try:
            request = state.request(self._region(layer))
        except CResUNetError as error:
            state.tell(tell_error(error), is_failure=True)
            return
        self._drop_background()
        placement = placement_of(layer)
        if self._is_all_known(request):
            self._whole.start(request, placement)
            return
        state.begin()
        self._run = Job(iter_run(request, state.cache), "c-ResUnet (counting cells)")
        self._run.stepped.connect(state.advance)
        self._run.failed.connect(self._on_run_failed)
        self._run.cancelled.connect(state.stop)
        self._run.done.connect(partial(self._on_run_done, placement))
        self._launch(self._run)

    def cancel(self) -> None:
        """Stop the run after the tile it is at."""
        if self._run is not None:
            self._run.cancel()
        self._whole.cancel()

    def _source_layer(self) -> Any:
        source = self._state.source
        return None if source is None else find_layer(self._viewer, source.identity)

    def _is_all_known(self, request: Request) -> bool:
        """Whether only the whole of a large image is still to be counted."""
        if not is_whole_wanted(request):
            return False
        result = self._state.result
        if result is None or self._cells_of(result) is None:
            return request.region is None
        then, now = result.request, request
        names = ("model", "diameter", "device", "engine")
        return then.region == now.region and all(
            getattr(then.choices, name) == getattr(now.choices, name) for name in names
        )

    def _region(self, layer: Any) -> tuple[slice, slice] | None:
        """Return what is predicted first, or alone; None for the whole image."""
        source, view_only = self._state.source, self._state.choices.view_only
        is_huge = source is not None and is_large(source)
        if layer is None or source is None or not (view_only or is_huge):
            return None
        region = visible_region(self._viewer, layer)
        if region is not None and is_huge:
            return middle_of(region, source)
        if region is None and not view_only:
            return None
        if region is None:
            raise InputError(
                "The canvas shows no rows and columns of the image: switch to the 2D "
                "view and zoom to the image, or turn off the field of view under "
                "Advanced."
            )
        return region

    def _on_run_failed(self, error: BaseException) -> None:
        self._state.fail(tell_error(error))

    def _on_run_done(self, placement: Placement, result: Result) -> None:
        state, identity = self._state, result.request.source.identity
        layer = find_layer(self._viewer, identity)
        if layer is not None:
            placement = placement_of(layer)
        is_new = result.request.choices.new_layers
        try:
            cells, kept = show_result(
                self._viewer, result, placement, new_layers=is_new
            )
        except Exception as error:  # noqa: BLE001 or the dock would wait for ever
            self._on_run_failed(error)
            return
        self._placements[identity] = placement
        self._cells[identity] = identity_of(cells)
        self._listen_to(result)
        state.finish(result)
        self._tell_kept(kept, cells)
        if layer is None:
            state.forget(identity)
            self._tell(
                f"The image {placement.name!r} was deleted while it was predicted; the "
                f"result is in the layer {cells.name!r}."
            )
        self._analyze(result)
        if layer is not None and is_whole_wanted(result.request):
            self._whole.start(result.request, placement)

    def _tell(self, sentence: str) -> None:
        tell(sentence)
        self._state.tell(sentence)

    def _tell_kept(self, kept: str, cells: Any) -> None:
        if kept:
            self._tell(
                f"The labels in {kept!r} were edited by hand, so they stay, hidden; "
                f"the new ones are in {cells.name!r}."
            )

    # Labels that follow the sliders

    def _on_labels_outdated(self) -> None:
        self._follow_timer.start()

    def _follow(self) -> None:
        state = self._state
        result, settings = state.result, state.settings
        if result is None or settings is None or result.settings == settings:
            return
        self._settle_timer.start()
        if result.takes_long(settings):
            self._follow_in_background(result)
            return
        self._look(result)
        state.relabel()
        self._show(result)

    # What a person does to the labels

    def _cells_of(self, result: Result) -> Any:
        identity = result.request.source.identity
        return find_layer(self._viewer, self._cells.get(identity, ""))

    def _listen_to(self, result: Result) -> None:
        corrections = result.corrections
        if corrections is not None and corrections not in self._heard:
            self._heard.append(corrections)
            corrections.changed.connect(self._on_corrected)

    def _on_corrected(self) -> None:
        """Let count and table follow what a person did."""
        state = self._state
        for identity in self._cells:
            result = state.result_of(identity)
            known = None if result is None else result.corrections
            if known is None or known.labels is result.labels:
                continue
            result.recount()
            if result is state.result:
                state.labels_changed.emit()
                self._settle_timer.start()

    def relabel(self, identity: str, threshold: float) -> bool:
        """Make labels of this dock at a threshold that another dock asks for.

        Parameters
        ----------
        identity : str
            Of the labels layer.
        threshold : float
            Cell where the probability is greater.

        Returns
        -------
        bool
            False if the labels are not of this dock.
        """
        state = self._state
        sources = [key for key, cells in self._cells.items() if cells == identity]
        result = state.result_of(sources[0]) if sources else None
        if result is None:
            return False
        if result is state.result:
            state.choose(threshold=threshold)
        else:
            self._look(result)
            result.relabel(replace(result.settings, threshold=threshold))
            self._show(result)
        return True

    def _follow_in_background(self, result: Result) -> None:
        """Make labels that take long in a thread; afterwards look again."""
        settings = self._state.settings
        if settings is None or self._is_relabeling:
            return
        self._drop_background()
        self._relabels = self._start(
            iter_relabel(result, settings), partial(self._on_relabeled, result)
        )
        # A look at large labels takes a while: it is done meanwhile.
        self._look(result)

    def _look(self, result: Result) -> None:
        """Find what a person has done just before labels are made anew."""
        cells = self._cells_of(result)
        if cells is not None and is_followed(cells):
            result.corrections = corrections_of(cells)

    @property
    def _is_relabeling(self) -> bool:
        return self._relabels is not None and self._relabels.is_running

    def _on_relabeled(self, result: Result, _settings: object) -> None:
        self._show(result)
        self._state.labels_changed.emit()
        self._follow_timer.start()

    def _show(self, result: Result) -> None:
        identity = result.request.source.identity
        cells, kept = show_labels(
            self._viewer, self._cells_of(result), result, self._placements[identity]
        )
        self._cells[identity] = identity_of(cells)
        self._untold.add(identity_of(cells))
        self._settle_timer.start()
        self._listen_to(result)
        self._tell_kept(kept, cells)

    def _tell_renewed(self) -> None:
        """Tell everybody of labels that the slider has left as they are."""
        for layer in list(self._viewer.layers):
            if identity_of(layer) in self._untold and is_followed(layer):
                tell_renewed(layer)
        self._untold.clear()

    def _settle(self) -> None:
        state = self._state
        if self._is_relabeling:
            self._settle_timer.start()
            return
        state.settle()
        self._tell_renewed()
        if state.result is not None:
            self._analyze(state.result)

    # What is done at leisure

    def _drop_background(self) -> None:
        self._drop(self._background)
        self._background = None

    def _analyze(self, result: Result) -> None:
        self._drop_background()
        self._background = self._start(
            iter_analysis(result), partial(self._on_analyzed, result, result.labels)
        )

    def _on_analyzed(self, result: Result, labels: Any, analysis: Analysis) -> None:
        cells = self._cells_of(result)
        # The user may have moved on meanwhile.
        if cells is not None and result.labels is labels:
            set_features(cells, analysis.features)
        self._state.learn(result, analysis)

    def calibrate(self, wanted: int, area: Area) -> None:
        """Look for the threshold at which an area has as many cells as were counted.

        Parameters
        ----------
        wanted : int
            The count by hand.
        area : Area
            Where.
        """
        result = self._state.result
        if result is None:
            return
        self._drop_background()
        self._background = self._start(
            iter_calibration(result, wanted, area), self._on_calibrated
        )

    def _on_calibrated(self, calibration: Calibration) -> None:
        self._state.choose(threshold=calibration.threshold)
        self._state.tell(calibration.sentence)
        self._settle_timer.start()

    def shut_down(self) -> None:
        """The dock is gone: stop everything."""
        super().shut_down()
        self._follow_timer.stop()
        self._settle_timer.stop()
        self._state.labels_outdated.disconnect(self._on_labels_outdated)
        for corrections in self._heard:
            corrections.changed.disconnect(self._on_corrected, missing_ok=True)
        LABELS_SHELF.remove(self.relabel)


def is_whole_wanted(request: Request) -> bool:
    """Tell whether the whole of an image is to be counted after its field of view.

    Parameters
    ----------
    request : Request
        What the user asked for.

    Returns
    -------
    bool
        Of an image that is too large for memory, unless the field of view is enough.
    """
    return is_large(request.source) and not request.choices.view_only

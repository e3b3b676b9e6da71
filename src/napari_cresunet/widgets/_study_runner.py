"""Saves what is corrected by itself, and opens what was saved."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cresunet.errors import CResUNetError, EngineError, InputError
from napari_cresunet.state import (
    Corrections,
    OpenedStudy,
    StudySaved,
    StudySaver,
    StudyState,
    iter_match_image,
    iter_open_study,
)
from napari_cresunet.studies import Claim, Unclosed
from napari_cresunet.widgets._corrections import corrections_of, why_not_editable
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import find_layer, identity_of
from napari_cresunet.widgets._measure_regions import regions_for, show_regions
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._records import BATCH, record_of
from napari_cresunet.widgets._study_layers import (
    candidates_of,
    layer_of,
    open_file,
    open_image,
    own_image,
    reference_of,
    snapshot_of,
)

_SAVE_TIME = 1500  # ms after the first change that is not saved
_RETRY_TIME = 30_000  # ms after it could not be saved
_REGION_EVENTS = ("data", "features", "paint")


class StudyRunner(JobRunner):
    """Saves and opens studies for one dock.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    state : StudyState
        What the dock shows.
    parent : QObject
        The dock.
    """

    restored = Signal(object)
    """The layer of labels of a study that was opened."""

    def __init__(self, viewer: Any, state: StudyState, parent: QObject) -> None:
        super().__init__(state, parent)
        self._viewer = viewer
        self._identity = ""
        self._corrections: Corrections | None = None
        self._regions: Any = None
        self._savers: dict[str, StudySaver] = {}
        self._save_timer = self._timer(_SAVE_TIME, self.save)
        self._retry_timer = self._timer(_RETRY_TIME, self.save)
        viewer.layers.events.inserted.connect(self._watch_regions)
        viewer.layers.events.removing.connect(self._on_layer_removing)
        viewer.layers.events.removed.connect(self._watch_regions)
        self._endings.append(partial(_close_all, self._savers))

    # What is corrected

    def follow(self, layer: Any) -> None:
        """Save the corrections of a layer from now on.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The labels; None if none are corrected.
        """
        # A dock that was closed still hears of layers until it is collected.
        if self._is_shut_down:
            return
        if self._save_timer.isActive():
            self.save()
        self._let_go()
        # What the dock Batch has opened, it saves itself.
        is_elsewhere = layer is not None and record_of(layer).get(BATCH)
        if layer is None or is_elsewhere or why_not_editable(layer):
            self._state.follow(None)
            return
        try:
            self._corrections = corrections_of(layer)
        except InputError:  # the dock tells of it
            self._state.follow(None)
            return
        self._identity = identity_of(layer)
        self._corrections.changed.connect(self.note_correction)
        self._watch_regions()
        if self._identity not in self._savers:
            image = own_image(self._viewer, layer)
            self._savers[self._identity] = StudySaver(
                partial(snapshot_of, self._viewer, self._identity),
                layer.name if image is None else image.name,
                image=None if image is None else reference_of(image),
            )
        self._state.follow(self._savers[self._identity])

    def _let_go(self) -> None:
        if self._corrections is not None:
            self._corrections.changed.disconnect(self.note_correction)
        self._corrections, self._identity = None, ""
        self._watch_regions()

    def _watch_regions(self, event: Any = None) -> None:
        """Follow the regions that belong to the labels, and no others."""
        labels = find_layer(self._viewer, self._identity)
        found = None if labels is None else regions_for(self._viewer, labels)
        for layer, is_new in ((self._regions, False), (found, True)):
            for name in _REGION_EVENTS:
                emitter = getattr(getattr(layer, "events", None), name, None)
                if emitter is not None and is_new:
                    emitter.connect(self.note_change)
                elif emitter is not None:
                    emitter.disconnect(self.note_change)
        self._regions = found

    def _on_layer_removing(self, event: Any) -> None:
        """Save what can be saved no more in a moment."""
        identity = identity_of(self._viewer.layers[event.index])
        saver = self._savers.pop(identity, None)
        problem = "" if saver is None else saver.close()
        if problem:
            tell_error(EngineError(problem))
        if identity == self._identity:
            self._let_go()
            self._state.follow(None)

    # Saving

    def note_correction(self) -> None:
        """Save soon, if a person has done anything; new labels alone are no study."""
        saver, corrections = self._state.saver, self._corrections
        if saver is None or corrections is None:
            return
        is_touched = corrections.log or corrections.reviewed or corrections.n_pinned
        if saver.is_kept or is_touched:
            self.note_change()

    def note_change(self, event: Any = None) -> None:
        """Save soon.

        Parameters
        ----------
        event : napari event, optional
            Not looked at.
        """
        saver = self._state.saver
        if saver is None:
            return
        saver.note_change()
        # Not started anew: who never rests would never be saved.
        if not self._save_timer.isActive() and not saver.problem:
            self._save_timer.start()

    def save(self) -> None:
        """Save what has changed."""
        self._save_timer.stop()
        saver = self._state.saver
        if saver is not None and saver.is_dirty and not saver.is_saving:
            self._begin(saver)

    def save_as(self, folder: Path) -> None:
        """Save in another folder from now on.

        Parameters
        ----------
        folder : Path
            New or empty.
        """
        saver = self._state.saver
        if saver is not None:
            self._begin(saver, folder)

    def _begin(self, saver: StudySaver, folder: Path | None = None) -> None:
        try:
            steps = saver.begin(folder)
        except CResUNetError as error:
            self._on_save_failed(saver, error)
            return
        if steps is not None:
            done = partial(self._on_saved, saver, folder is not None)
            self._start(steps, done, partial(self._on_save_failed, saver))

    def _on_saved(self, saver: StudySaver, is_told: bool, saved: StudySaved) -> None:
        saver.finish(saved)
        self._state.run_changed.emit()
        if is_told:
            tell(f"Saved the study in {saved.folder}.")
        if saver.is_dirty:
            self._save_timer.start()

    def _on_save_failed(self, saver: StudySaver, error: BaseException) -> None:
        if saver.fail(error):
            tell_error(error)
        self._state.run_changed.emit()
        self._retry_timer.start()

    # Opening

    def open(self, folder: Path) -> None:
        """Open a study.

        Parameters
        ----------
        folder : Path
            Its folder, or the study.json in it.
        """
        if self._state.is_running or self._is_open(folder):
            return
        self._state.begin()
        images = candidates_of(self._viewer.layers)
        steps = iter_open_study(folder, images)
        self._start(steps, self._on_opened, self._on_open_failed)

    def _is_open(self, folder: Path) -> bool:
        """Show a study that is open already."""
        for identity, saver in self._savers.items():
            layer = find_layer(self._viewer, identity)
            is_it = saver.folder is not None and saver.folder == folder
            if is_it and layer is not None:
                self._viewer.layers.selection.active = layer
                self._state.tell(f"The study {folder.name!r} is open already.")
                return True
        return False

    def _on_open_failed(self, error: BaseException) -> None:
        self._state.fail(tell_error(error))

    def _on_opened(self, opened: OpenedStudy) -> None:
        reference = opened.content.image
        if opened.identity or reference is None:
            self._restore(opened)
            return
        layers = open_image(self._viewer, reference)
        if layers:
            self._match(opened, layers)
        else:
            self._ask(opened)

    def _ask(self, opened: OpenedStudy) -> None:
        self._state.end()
        self._state.ask(opened)

    def _match(self, opened: OpenedStudy, layers: Iterable[Any]) -> None:
        """See whether layers that were just opened hold the image."""
        steps = iter_match_image(opened, candidates_of(list(layers)))
        self._start(steps, self._on_matched, self._on_open_failed)

    def _on_matched(self, opened: OpenedStudy) -> None:
        if opened.identity:
            self._restore(opened)
        else:
            self._ask(opened)

    def choose_image(self, path: Path) -> None:
        """Take a file for the image that was asked for.

        Parameters
        ----------
        path : Path
            The file.
        """
        opened = self._state.waiting
        if opened is None:
            return
        try:
            layers = open_file(self._viewer, path)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._match(opened, layers)

    def go_without_image(self) -> None:
        """Open the labels of the study that waits for its image alone."""
        if self._state.waiting is not None:
            self._restore(self._state.waiting)

    def _restore(self, opened: OpenedStudy) -> None:
        """Show a study, and go on saving it where it is."""
        self._state.ask(None)
        claim = None
        try:
            claim = Claim(opened.folder)
        except InputError as error:
            self._state.fail(tell_error(error))
            return
        except EngineError as error:  # it can be looked at all the same
            tell_error(error)
        image = find_layer(self._viewer, opened.identity)
        layer = layer_of(opened.content, image)
        # First, for who hears of the new layer may follow it at once.
        self._savers[identity_of(layer)] = StudySaver(
            partial(snapshot_of, self._viewer, identity_of(layer)),
            opened.content.name,
            image=opened.content.image,
            claim=claim,
            folder=opened.folder,
        )
        self._viewer.add_layer(layer)
        show_regions(self._viewer, layer, opened.content.regions)
        self._viewer.layers.selection.active = layer
        self._state.end(opened.warning)
        self._state.refresh()
        self.follow(layer)
        self.restored.emit(layer)

    def discard(self, study: Unclosed) -> None:
        """Delete a study that was left behind.

        Parameters
        ----------
        study : Unclosed
            The study.
        """
        try:
            self._state.discard(study)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)

    def shut_down(self) -> None:
        """The dock is gone: save what is not saved, and let go of everything."""
        self._viewer.layers.events.inserted.disconnect(self._watch_regions)
        self._viewer.layers.events.removing.disconnect(self._on_layer_removing)
        self._viewer.layers.events.removed.disconnect(self._watch_regions)
        self._let_go()
        self._state.saver = None
        self._save_timer.stop()
        self._retry_timer.stop()
        # First this, so that what goes wrong can be told.
        problems = _close_all(self._savers)
        super().shut_down()
        for problem in problems:
            tell_error(EngineError(problem))


def _close_all(savers: dict[str, StudySaver]) -> list[str]:
    """Save and close studies; return what went wrong."""
    problems = [saver.close() for saver in savers.values()]
    savers.clear()
    return [problem for problem in problems if problem]

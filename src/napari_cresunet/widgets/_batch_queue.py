"""Opens one image of a batch after the other, and saves what is corrected."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject

from napari_cresunet.errors import CResUNetError, EngineError, InputError
from napari_cresunet.measurement import Region
from napari_cresunet.state import (
    DONE,
    OPEN_STATES,
    BatchState,
    Corrections,
    OpenedImage,
    ReviewSaved,
    ReviewSaver,
    iter_open_image,
    why_not_open,
)
from napari_cresunet.widgets._batch_layers import BatchLayers
from napari_cresunet.widgets._corrections import corrections_of
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import find_layer, identity_of
from napari_cresunet.widgets._measure_regions import (
    add_regions,
    draw_in,
    regions_for,
)
from napari_cresunet.widgets._notify import tell_error

_SAVE_TIME = 1500  # ms after the first change that is not saved
_RETRY_TIME = 30_000  # ms after it could not be saved
_REGION_EVENTS = ("data", "features", "paint")


class BatchQueue(JobRunner):
    """Opens, saves, goes on to the next.

    Parameters
    ----------
    viewer : napari.Viewer
        Where images are opened.
    state : BatchState
        What the dock shows.
    parent : QObject
        The dock.
    """

    def __init__(self, viewer: Any, state: BatchState, parent: QObject) -> None:
        super().__init__(state, parent)
        self._viewer = viewer
        self.layers = BatchLayers(viewer)
        self._corrections: Corrections | None = None
        self._n_edits = 0
        self._regions: Any = None
        self._afterwards: Callable[[], object] | None = None
        self._save_timer = self._timer(_SAVE_TIME, self.save)
        self._retry_timer = self._timer(_RETRY_TIME, self.save)
        viewer.layers.events.inserted.connect(self._watch_regions)
        viewer.layers.events.removing.connect(self._on_layer_removing)
        viewer.layers.events.removed.connect(self._watch_regions)
        self._endings.append(partial(_close_saver, state))

    # What the user wants

    def open(self, name: str) -> None:
        """Show an image with its cells, once the one that is open is saved.

        Parameters
        ----------
        name : str
            `Entry.name`.
        """
        state = self._state
        entry = state.table.find(name)
        if entry is None or state.is_opening or self._is_open(name):
            return
        why_not = why_not_open(entry)
        if why_not:
            state.tell(tell_error(InputError(why_not)), is_failure=True)
            return
        state.wait(is_opening=True)
        self._when_saved(partial(self._read, name))

    def _is_open(self, name: str) -> bool:
        """Select the layer of an image that is open already."""
        layer = find_layer(self._viewer, self.layers.cells)
        if name != self._state.opened or layer is None:
            return False
        self._viewer.layers.selection.active = layer
        return True

    def step(self, by: int) -> None:
        """Open the next or the previous image.

        Parameters
        ----------
        by : int
            1 or -1.
        """
        entry = self._state.next_entry(states=OPEN_STATES, step=by)
        if entry is not None:
            self.open(entry.name)

    def next(self) -> None:
        """Save the image as reviewed, and open the next that is not."""
        state = self._state
        if state.is_opening:
            return
        entry = state.next_entry(states=(DONE,))
        if state.saver is not None and not self._is_reviewed:
            state.saver.note_change()
        if entry is not None:
            self.open(entry.name)
            return
        self._when_saved(self._tell_end)

    @property
    def _is_reviewed(self) -> bool:
        entry = self._state.table.find(self._state.opened)
        return entry is not None and entry.state == "reviewed"

    def _tell_end(self) -> None:
        numbers = self._state.table.numbers
        is_all = numbers["reviewed"] == len(self._state.table.entries)
        which = "All images" if is_all else "All images that are counted"
        self._state.tell(f"{which} are reviewed.")

    def draw_regions(self) -> None:
        """Put a tool for regions of the open image into the user's hand."""
        cells = find_layer(self._viewer, self.layers.cells)
        if cells is None:
            return
        layer = regions_for(self._viewer, cells)
        if layer is None:
            layer = add_regions(self._viewer, cells)
        draw_in(self._viewer, layer, "add_polygon")

    # Opening

    def _read(self, name: str) -> None:
        state = self._state
        entry = state.table.find(name)
        if entry is None or state.output is None:
            state.wait(is_opening=False)
            return
        steps = iter_open_image(state.output, entry)
        done = partial(self._on_read, state.output)
        self._start(steps, done, self._on_not_read)

    def _on_not_read(self, error: BaseException) -> None:
        self._state.wait(is_opening=False)
        self._state.tell(tell_error(error), is_failure=True)

    def _on_read(self, output: Path, opened: OpenedImage) -> None:
        """Show it, unless something was corrected meanwhile: that is saved first."""
        self._when_saved(partial(self._show, output, opened))

    def _show(self, output: Path, opened: OpenedImage) -> None:
        state, regions = self._state, self._regions_for(opened)
        if output != state.output or state.table.find(opened.entry.name) is None:
            state.wait(is_opening=False)  # other images were chosen meanwhile
            return
        self._leave()
        try:
            cells = self.layers.show(opened, regions)
            self._follow(cells, opened)
        except Exception as error:  # noqa: BLE001 or the dock would wait for ever
            state.tell(tell_error(error), is_failure=True)
            state.open("", None)
        state.wait(is_opening=False)

    def _regions_for(self, opened: OpenedImage) -> tuple[Region, ...]:
        """Return the regions of an image, or those to be taken over."""
        if opened.reviewed is None or opened.reviewed.regions:
            return () if opened.reviewed is None else opened.reviewed.regions
        before = self._now() if self._state.keeps_regions else None
        return () if before is None else before.regions

    def _now(self) -> Any:
        try:
            return self.layers.reviewed()
        except CResUNetError:  # labels that cannot be corrected any more
            return None

    def _follow(self, cells: Any, opened: OpenedImage) -> None:
        """Save the corrections of an image from now on."""
        output, name = self._state.output, opened.entry.name
        if opened.reviewed is None or output is None:
            self._state.open(name, None)
            return
        self._corrections = corrections = corrections_of(cells)
        self._n_edits = len(corrections.log)
        corrections.changed.connect(self._on_corrected)
        self._watch_regions()
        self._state.open(name, ReviewSaver(self.layers.reviewed, output, name))

    def _leave(self) -> None:
        """Let go of the open image, which is saved."""
        self._save_timer.stop()
        self._retry_timer.stop()
        if self._corrections is not None:
            self._corrections.changed.disconnect(self._on_corrected, missing_ok=True)
        self._corrections = None
        _close_saver(self._state)
        self._watch_regions()

    # What is corrected

    def _watch_regions(self, event: Any = None) -> None:
        """Follow the regions that belong to the labels, and no others."""
        cells = find_layer(self._viewer, self.layers.cells)
        is_open = cells is not None and self._corrections is not None
        found = regions_for(self._viewer, cells) if is_open else None
        if found is self._regions:
            return
        for layer, is_new in ((self._regions, False), (found, True)):
            for name in _REGION_EVENTS:
                emitter = getattr(getattr(layer, "events", None), name, None)
                if emitter is not None and is_new:
                    emitter.connect(self._note_change)
                elif emitter is not None:
                    emitter.disconnect(self._note_change)
        self._regions = found

    def _on_corrected(self) -> None:
        """Save soon, if anything was done; who only looks at cells changes nothing."""
        corrections = self._corrections
        if corrections is not None and len(corrections.log) != self._n_edits:
            self._n_edits = len(corrections.log)
            self._note_change()

    def _note_change(self, event: Any = None) -> None:
        saver = self._state.saver
        if saver is None or self.layers.is_changing:
            return
        saver.note_change()
        # Not started anew: who never rests would never be saved.
        if not self._save_timer.isActive() and not saver.problem:
            self._save_timer.start()

    def _on_layer_removing(self, event: Any) -> None:
        """Save what can be saved no more in a moment."""
        identity = identity_of(self._viewer.layers[event.index])
        if self.layers.is_changing or identity != self.layers.cells:
            return
        self._close()
        self.layers.cells = ""

    # Saving

    def save(self) -> None:
        """Save what has changed."""
        self._save_timer.stop()
        saver = self._state.saver
        if saver is None or saver.is_saving or not saver.is_dirty:
            return
        try:
            steps = saver.begin()
        except CResUNetError as error:
            self._on_save_failed(saver, error)
            return
        if steps is None:  # there is nothing to save any more
            self._close()
            self._go_on()
            return
        done = partial(self._on_saved, saver)
        self._start(steps, done, partial(self._on_save_failed, saver))

    def _when_saved(self, then: Callable[[], object]) -> None:
        """Go on once everything is saved; never, if that fails."""
        saver = self._state.saver
        if saver is None or not (saver.is_dirty or saver.is_saving):
            then()
            return
        self._afterwards = then
        self.save()

    def _on_saved(self, saver: ReviewSaver, saved: ReviewSaved) -> None:
        state = self._state
        saver.finish(saved)
        if saved.entry is not None and saver.output == state.output:
            state.take_review(saved.entry)
        state.opened_changed.emit()
        if saver.is_dirty and saver is state.saver:
            self._save_timer.start()
        self._go_on()

    def _go_on(self) -> None:
        """Do what had to wait, unless there is something to be saved again."""
        then, self._afterwards = self._afterwards, None
        if then is not None:
            self._when_saved(then)

    def _on_save_failed(self, saver: ReviewSaver, error: BaseException) -> None:
        if saver.fail(error) or self._afterwards is not None:
            tell_error(error)
        self._afterwards = None
        self._state.wait(is_opening=False)
        self._retry_timer.start()

    def _close(self) -> None:
        """Save here and now, and let go of the open image."""
        saver, state = self._state.saver, self._state
        if saver is None:
            return
        entry = saver.close()
        if entry is not None and saver.output == state.output:
            state.take_review(entry)
        if saver.problem:
            tell_error(EngineError(saver.problem))
        self._leave()
        state.open("", None)

    def let_go(self) -> None:
        """Save the open image, and leave its layers to the user."""
        self._close()
        self.layers.let_go()

    def shut_down(self) -> None:
        """The dock is gone: save what is not saved, and let go of everything."""
        if self._is_shut_down:
            return
        self._viewer.layers.events.inserted.disconnect(self._watch_regions)
        self._viewer.layers.events.removing.disconnect(self._on_layer_removing)
        self._viewer.layers.events.removed.disconnect(self._watch_regions)
        self.let_go()
        super().shut_down()


def _close_saver(state: BatchState) -> None:
    """Save what is not saved, as long as there is anything to save it from."""
    if state.saver is not None:
        state.saver.close()

"""Applies corrections to the layer, and orders the cells for review at leisure."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_cresunet.correction import Edit
from napari_cresunet.errors import CResUNetError, InputError
from napari_cresunet.state import CorrectState, ReviewOrder, iter_review
from napari_cresunet.widgets._belonging import image_of, pixels_on, probability_of
from napari_cresunet.widgets._correct_layers import CorrectionLayers
from napari_cresunet.widgets._corrections import apply_edit
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import find_layer, source_of
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._records import record_of

_SETTLE_TIME = 400  # ms after the last change of the labels
_MARK_TIME = 60  # ms; marks are not drawn for each position of a slider
_NOTHING = "There was nothing to change."


class CorrectRunner(JobRunner):
    """Does what the user wants to the layer of labels.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    state : CorrectState
        What the dock shows.
    parent : QObject
        The dock.
    """

    pinned_found = Signal(list)
    """Pinned cells, once they have been found."""

    def __init__(self, viewer: Any, state: CorrectState, parent: QObject) -> None:
        super().__init__(state, parent)
        self.viewer = viewer
        self.layers = CorrectionLayers(viewer)
        self.is_marking = True
        self._ordering: Job | None = None
        self._order_timer = self._timer(_SETTLE_TIME, self.order)
        self._mark_timer = self._timer(_MARK_TIME, self._mark)
        state.layer_changed.connect(self._on_layer_changed)
        state.cells_changed.connect(self._on_cells_changed)
        state.tool_changed.connect(self.draw)

    @property
    def labels(self) -> Any:
        """The layer of labels; None if there is none that can be corrected."""
        if not self._state.can_edit:
            return None
        return find_layer(self.viewer, self._state.identity)

    def _on_layer_changed(self) -> None:
        self._drop_order()
        if self._state.can_edit:
            self._order_timer.start()
        else:
            self.layers.remove()

    def _on_cells_changed(self) -> None:
        self._mark_timer.start()
        if self._state.is_renumbered:
            self.order_soon()

    # Edits

    def do(self, make: Callable[[NDArray[Any]], Edit | None]) -> bool:
        """Change the labels, as one step of undo.

        Parameters
        ----------
        make : callable
            Gets the labels and returns the change, or None for none; an error is
            shown to the user.

        Returns
        -------
        bool
            Whether anything has changed.
        """
        layer = self.labels
        if layer is None:
            return False
        try:
            edit = make(layer.data)
            if edit is None:
                return False
            apply_edit(layer, edit)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return False
        if edit.is_empty:
            self._state.tell(_NOTHING)
        return not edit.is_empty

    # What cells are found in

    def probability(self) -> NDArray[np.floating] | None:
        """Return the probability that the labels were made of, or None."""
        layer = self.labels
        probability = None if layer is None else probability_of(self.viewer, layer)
        return None if probability is None else np.asarray(probability.data)

    def landscapes(self, plane: tuple[int, ...]) -> Iterator[NDArray[np.floating]]:
        """Yield where a cell may be found: in the probability, then in the image.

        Parameters
        ----------
        plane : tuple of int
            Steps along the leading axes.

        Yields
        ------
        ndarray of shape (..., Y, X), float
            From 0 to 1. Of the brightness all planes are like this one.
        """
        probability = self.probability()
        if probability is not None:
            yield probability
        layer = self.labels
        image = None if layer is None else image_of(self.viewer, layer)
        if image is not None:
            with suppress(InputError):  # an image of something else
                pixels = pixels_on(image, layer)[plane]
                brightness = _brightness(pixels, is_rgb=source_of(image).is_rgb)
                yield np.broadcast_to(brightness, layer.data.shape)

    # Lines and marks

    def draw(self) -> None:
        """Show what the tool waits with."""
        layer = self.labels
        if layer is not None:
            self.layers.draw(self._state.drawing, self._state.tool, layer)

    def draw_stroke(self, path: NDArray[np.float64]) -> None:
        """Show a stroke while the mouse draws it.

        Parameters
        ----------
        path : ndarray of shape (N, D), float
            Where the mouse went.
        """
        layer = self.labels
        if layer is not None:
            self.layers.draw([path], self._state.tool, layer)

    def mark(self, is_marking: bool) -> None:
        """Show which cells are pinned, or do not.

        Parameters
        ----------
        is_marking : bool
            Whether they are shown.
        """
        self.is_marking = is_marking
        self._mark()

    def _mark(self) -> None:
        layer, pinned = self.labels, self._state.pinned
        if layer is None or not self.is_marking:
            self.layers.hide_marks()
        else:
            self.layers.mark(pinned, layer)
        self.pinned_found.emit(pinned)

    # Review

    def order_soon(self) -> None:
        """Order the cells anew once nothing changes any more."""
        self._drop_order()
        self._state.queue.begin(None)  # its numbers are those of other cells
        self._order_timer.start()

    def order(self) -> None:
        """Order the cells for review by how doubtful they are."""
        self._drop_order()
        self._state.queue.begin(None)
        layer, corrections = self.labels, self._state.corrections
        if layer is None or corrections is None:
            return
        threshold = record_of(layer).get("threshold")
        steps = iter_review(corrections.labels, self.probability(), threshold)
        self._ordering = self._start(steps, self._on_ordered)

    def _drop_order(self) -> None:
        self._order_timer.stop()
        self._drop(self._ordering)
        self._ordering = None

    def _on_ordered(self, order: ReviewOrder) -> None:
        self._ordering = None
        self._state.queue.begin(order)

    def shut_down(self) -> None:
        """The dock is gone: stop everything, and leave no layers behind."""
        super().shut_down()
        self._order_timer.stop()
        self._mark_timer.stop()
        self.layers.remove()


def _brightness(plane: Any, *, is_rgb: bool) -> NDArray[np.float32]:
    """Return how bright a plane of an image is, from 0 to 1."""
    gray = np.asarray(plane, np.float32)
    if is_rgb:
        gray = gray[..., :3].mean(axis=-1)
    is_known = np.isfinite(gray)
    low = float(gray.min(where=is_known, initial=np.inf))
    high = float(gray.max(where=is_known, initial=-np.inf))
    # What is not finite is left for the engine, which finds no cell there.
    return np.asarray((gray - low) / max(high - low, 1e-12), np.float32)

"""What keys, buttons and the mouse do in the dock Correct cells."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.correction import Edit, delete, relabel, split_in_two
from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import CorrectState, PinnedCell, Place, is_inside
from napari_cresunet.widgets._correct_review import QueueWalk
from napari_cresunet.widgets._correct_runner import CorrectRunner
from napari_cresunet.widgets._corrections import release_pins
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._walking import look_at

_NO_CURRENT = "No cell is being reviewed: go to one with N first."
_NO_CELL = "There is no cell here: point at one."
_NONE_SELECTED = (
    "No cell is selected: go to one with N, or pick one with napari's color picker."
)

CellChange = Callable[[NDArray[Any], tuple[int, ...]], Edit]
"""Gets labels and the cells to change."""


class CorrectActions:
    """Turns what the user does into edits, and goes on to the next cell.

    Parameters
    ----------
    state : CorrectState
        What the dock shows.
    runner : CorrectRunner
        Applies edits to the layer.
    walk : QueueWalk
        Leads through the cells to review.
    """

    def __init__(
        self, state: CorrectState, runner: CorrectRunner, walk: QueueWalk
    ) -> None:
        self._state, self._runner, self._walk = state, runner, walk

    # The mouse

    def click(self, place: NDArray[np.float64]) -> None:
        """Do what the active tool does at a place.

        Parameters
        ----------
        place : ndarray of shape (D,), float
            In px of the labels.
        """
        pixel = _pixel(place)

        def make(labels: NDArray[Any]) -> Edit | None:
            landscapes: Iterator[Any] = iter(())
            if is_inside(labels.shape, pixel):
                landscapes = self._runner.landscapes(pixel[:-2])
            return self._state.click(labels, pixel, landscapes)

        self._runner.do(make)

    def stroke(self, path: NDArray[np.float64]) -> None:
        """Do what the active tool does along a line.

        Parameters
        ----------
        path : ndarray of shape (N, D), float
            In px of the labels.
        """
        self._runner.do(lambda labels: self._state.stroke(labels, path))
        self._runner.draw()

    def finish(self) -> None:
        """Do what the active tool waits for."""
        probability = self._runner.probability()
        self._runner.do(lambda labels: self._state.finish(labels, probability))

    # Cells

    def change_hovered(self, change: CellChange) -> None:
        """Change the cell under the mouse.

        Parameters
        ----------
        change : callable
            Gets labels and the cell.
        """
        layer = self._runner.labels
        if layer is None:
            return
        viewer = self._runner.viewer
        pixel = _pixel(layer.world_to_data(viewer.cursor.position))
        cell = int(layer.data[pixel]) if is_inside(layer.data.shape, pixel) else 0
        self._change(change, cell, _NO_CELL)

    def change_selected(self, change: CellChange) -> None:
        """Change the selected cell.

        Parameters
        ----------
        change : callable
            Gets labels and the cell.
        """
        layer = self._runner.labels
        if layer is not None:
            selected = int(layer.selected_label)
            is_cell = selected in self._state.cells
            self._change(change, selected if is_cell else 0, _NONE_SELECTED)

    def _change(self, change: CellChange, cell: int, why_not: str) -> None:
        self._state.tell("" if cell else why_not)
        if cell:
            self._runner.do(lambda labels: change(labels, (cell,)))

    def number_anew(self) -> None:
        """Give all cells the numbers from 1 on."""
        self._state.tell("")
        if self._runner.do(relabel):
            self._runner.order_soon()

    def undo(self) -> None:
        """Undo the last step, ours or napari's."""
        layer = self._runner.labels
        if layer is not None:
            self._state.tell("")
            layer.undo()

    def redo(self) -> None:
        """Redo what was undone."""
        layer = self._runner.labels
        if layer is not None:
            self._state.tell("")
            layer.redo()

    # Review

    def visit(self, number: int) -> None:
        """Look at a cell of the queue.

        Parameters
        ----------
        number : int
            Its place in the queue.
        """
        layer = self._runner.labels
        if layer is not None:
            self._state.tell("")
            layer.selected_label = self._state.queue.visit(number)
            look_at(self._runner.viewer, layer, self._walk.spots[number])

    def accept(self) -> None:
        """Pin the cell that is being reviewed as it is, and go on."""
        cell, corrections = self._current(), self._state.corrections
        if cell and corrections is not None:
            corrections.accept(cell)
            self._go_on()

    def reject(self) -> None:
        """Delete the cell that is being reviewed, and go on."""
        cell = self._current()
        if cell and self._runner.do(lambda labels: delete(labels, (cell,))):
            self._go_on()

    def split(self) -> None:
        """Split the cell that is being reviewed in two, and stay to look at it."""
        cell, probability = self._current(), self._runner.probability()
        if cell:
            self._runner.do(lambda labels: split_in_two(labels, cell, probability))

    def _current(self) -> int:
        """Return the label of the cell that is being reviewed; 0 for none."""
        state = self._state
        if not state.can_edit:
            return 0
        state.tell("" if state.queue.current else _NO_CURRENT)
        return state.queue.current

    def _go_on(self) -> None:
        self._walk.step(1)

    # Pins

    def look_at_pin(self, pinned: PinnedCell) -> None:
        """Look at a pinned cell, and select it.

        Parameters
        ----------
        pinned : PinnedCell
            Which.
        """
        layer = self._runner.labels
        if layer is not None:
            if pinned.erased is None:
                layer.selected_label = pinned.label
            look_at(self._runner.viewer, layer, pinned.spot)

    def release(self, pinned: list[PinnedCell]) -> None:
        """Let other settings change cells again.

        Parameters
        ----------
        pinned : list of PinnedCell
            Which.
        """
        layer = self._runner.labels
        if layer is None:
            return
        cells = [one.label for one in pinned if one.erased is None]
        erased = [one.erased for one in pinned if one.erased is not None]
        try:
            release_pins(layer, cells, erased)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)


def _pixel(place: Any) -> Place:
    """Return the pixel at a place."""
    return tuple(np.round(np.asarray(place, float)).astype(int).tolist())

"""The state of the dock "Correct cells"."""

from collections.abc import Iterable
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_cresunet.correction import Edit, Grown, cells_at, delete
from napari_cresunet.state._correct_drawing import Path, cross, outlines_of_pixels
from napari_cresunet.state._correct_pins import PinnedCell, list_pinned
from napari_cresunet.state._correct_queue import ReviewQueue
from napari_cresunet.state._correct_review import review_progress, reviewed_cells
from napari_cresunet.state._correct_tools import (
    ADD,
    DELETE,
    JOIN,
    SPLIT,
    TOOLS,
    Place,
    edit_of_marks,
    edit_of_stroke,
    grown_at,
    is_inside,
)
from napari_cresunet.state._corrections import REDO, UNDO, Corrections
from napari_cresunet.state._working import Working

NO_LABELS = (
    "There are no cells to correct: press Run in Segment and count to find some, or "
    "choose a labels layer."
)
_NO_TOOL = "Choose a tool, or walk through the cells below with N."
_OUTSIDE = "This is outside of the labels: nothing was changed."
_ARM = 0.15
"""Of a cross, in diameters of a usual cell."""


class CorrectState(Working):
    """Everything the dock shows, and what it may do.

    A view forwards clicks and strokes in px of the labels, and applies the edits that
    it gets for them.
    """

    layer_changed = Signal()
    """Other labels were chosen, or none."""
    cells_changed = Signal()
    """Labels, pins or reviewed cells are others."""
    tool_changed = Signal()
    """Another tool is active, or it waits for something else."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = ""
        """Of the labels layer; empty if there is none."""
        self.corrections: Corrections | None = None
        self.why_not = NO_LABELS
        """Why the labels cannot be corrected; empty if they can."""
        self.um2_per_px: float | None = None
        self.tool = ""
        """The active one of `TOOLS`, or "" for none."""
        self.marks: tuple[Place, ...] = ()
        """Where the user clicked, while the tool waits for more."""
        self.grown: Grown | None = None
        """The cell that a click has found, while it waits to be added."""
        self.level = 0
        self.queue = ReviewQueue(lambda: (self.cells, self.reviewed))
        self._labels: NDArray[Any] | None = None
        self._arm = 3.0

    # What is known

    @property
    def can_edit(self) -> bool:
        """Whether there are labels that can be corrected."""
        return not self.why_not

    @property
    def cells(self) -> frozenset[int]:
        """Labels of all cells."""
        corrections = self.corrections
        return frozenset(() if corrections is None else corrections.cells.tolist())

    @property
    def count(self) -> int:
        """How many cells there are."""
        return 0 if self.corrections is None else self.corrections.count

    @property
    def reviewed(self) -> frozenset[int]:
        """Labels of the cells that a person has accepted or touched."""
        corrections = self.corrections
        return frozenset() if corrections is None else reviewed_cells(corrections)

    @property
    def progress_of_review(self) -> tuple[int, int]:
        """How many cells were reviewed, and of how many; deleted ones are in both."""
        corrections = self.corrections
        return (0, 0) if corrections is None else review_progress(corrections)

    @property
    def pinned(self) -> list[PinnedCell]:
        """Cells that new labels leave as they are, and where cells were deleted."""
        corrections = self.corrections
        if corrections is None:
            return []
        return list_pinned(corrections.labels, corrections.pins)

    @property
    def is_renumbered(self) -> bool:
        """Whether undo or redo has just given cells the numbers of others."""
        log = [] if self.corrections is None else self.corrections.log
        if not log or log[-1].kind not in (UNDO, REDO):
            return False
        # Of all that can be undone, only this changes most of the cells.
        return len(log[-1].before) > max(self.count / 2, 1)

    # In words

    @property
    def headline(self) -> str:
        """The count, such as "112 cells"."""
        if self.corrections is None:
            return "No cells yet"
        return "1 cell" if self.count == 1 else f"{self.count:,} cells"

    @property
    def pinned_words(self) -> str:
        """Such as "7 pinned"; empty for none."""
        n = 0 if self.corrections is None else self.corrections.n_pinned
        return f"{n:,} pinned" if n else ""

    @property
    def progress_words(self) -> str:
        """Such as "37 of 112 reviewed"."""
        n_reviewed, total = self.progress_of_review
        return f"{n_reviewed:,} of {total:,} reviewed"

    @property
    def hint(self) -> str:
        """What to do next, or what happened last."""
        if self.notice or self.why_not:
            return self.notice or self.why_not
        n = len(self.marks)
        if self.grown is not None:
            return "Enter adds it, Esc drops it, a click elsewhere starts anew."
        if n and self.tool == JOIN:
            cells = "1 cell" if n == 1 else f"{n} cells"
            return f"{cells} marked: Enter joins them, Esc drops the marks."
        if n and self.tool == SPLIT:
            parts = "1 part" if n == 1 else f"{n} parts"
            return f"{parts} marked: Enter splits the cell, Esc drops the marks."
        return TOOLS[self.tool].hint if self.tool else _NO_TOOL

    @property
    def size_words(self) -> str:
        """How large the cell is that waits to be added."""
        if self.grown is None:
            return ""
        px = int(self.grown.areas[self.level])
        words = f"{px:,} px"
        if self.um2_per_px is not None:
            words += f", {px * self.um2_per_px:,.0f} µm²"
        return words

    # Which labels

    def choose_labels(
        self,
        identity: str,
        corrections: Corrections | None = None,
        *,
        why_not: str = "",
        um2_per_px: float | None = None,
    ) -> None:
        """Take other labels.

        Parameters
        ----------
        identity : str
            Of the layer; empty for none.
        corrections : Corrections, optional
            What was done to them; None if they cannot be corrected.
        why_not : str, optional
            Why they cannot be.
        um2_per_px : float, optional
            Area of a pixel.
        """
        if self.corrections is not None:
            self.corrections.changed.disconnect(self._on_corrected)
        if corrections is not None:
            corrections.changed.connect(self._on_corrected)
        is_same = identity == self.identity
        self.identity, self.corrections = identity, corrections
        self.why_not = why_not if identity else NO_LABELS
        self.um2_per_px = um2_per_px
        self._labels = None
        if not (is_same and self.can_edit):
            self.tool = ""
        self._wait_for_nothing()
        self._measure()
        self.tell("")
        self.layer_changed.emit()
        self.tool_changed.emit()
        self.queue.begin(None)
        self.cells_changed.emit()

    def _measure(self) -> None:
        """Note how large a usual cell is, and which labels that holds for."""
        if self.corrections is None:
            return
        self._labels = self.corrections.labels
        self._arm = max(_ARM * 2 * sqrt(self._usual_area / pi), 1.5)

    @property
    def _usual_area(self) -> float:
        """Px of a cell, on average."""
        if self.corrections is None or not self.count:
            return 100.0
        return np.count_nonzero(self.corrections.labels) / self.count

    def _on_corrected(self) -> None:
        corrections = self.corrections
        if corrections is not None and corrections.labels is not self._labels:
            self._labels = corrections.labels
            if self.marks or self.grown is not None:
                self._wait_for_nothing()
                self.tool_changed.emit()
        self.queue.refresh()
        self.cells_changed.emit()

    # Tools

    def choose_tool(self, tool: str) -> None:
        """Take another tool into the hand.

        Parameters
        ----------
        tool : str
            One of `TOOLS`, or "" for none.
        """
        tool = tool if self.can_edit else ""
        self._wait_for_nothing()
        self.tell("")
        self.tool = tool
        self.tool_changed.emit()

    def _wait_for_nothing(self) -> None:
        self.marks, self.grown, self.level = (), None, 0

    def drop(self) -> None:
        """Drop marks or the cell to add; without any, put the tool out of the hand."""
        if self.marks or self.grown is not None:
            self._wait_for_nothing()
            self.tell("")
            self.tool_changed.emit()
        else:
            self.choose_tool("")

    def stroke(self, labels: NDArray[Any], path: NDArray[np.float64]) -> Edit | None:
        """Do what the active tool does along a line.

        Parameters
        ----------
        labels : ndarray of shape (..., Y, X), int
            The cells.
        path : ndarray of shape (N, D), float
            Where the mouse went while its button was down.

        Returns
        -------
        Edit or None
            The change; None if there is none, which the hint explains.

        Raises
        ------
        InputError
            If the stroke changes nothing.
        """
        self._wait_for_nothing()
        self.tell("")
        self.tool_changed.emit()
        if self.tool == ADD:
            self.tell(TOOLS[ADD].hint)
            return None
        if not any(is_inside(labels.shape, point) for point in path):
            self.tell(_OUTSIDE)
            return None
        return edit_of_stroke(self.tool, labels, path)

    def click(
        self,
        labels: NDArray[Any],
        place: Place,
        landscapes: Iterable[NDArray[np.floating]] = (),
    ) -> Edit | None:
        """Do what the active tool does at a place.

        Parameters
        ----------
        labels : ndarray of shape (..., Y, X), int
            The cells.
        place : tuple of int
            Leading axes, row and column.
        landscapes : iterable of ndarray of shape (..., Y, X), float
            Where a cell may be found: probability and brightness in [0, 1]. The first
            one counts in which there is something; the others are not even made.

        Returns
        -------
        Edit or None
            The change; None if the tool waits for more, or there is none, which the
            hint explains.

        Raises
        ------
        InputError
            If there is no cell to be found.
        """
        self.tell("")
        if not is_inside(labels.shape, place):
            self.tell(_OUTSIDE)
            return None
        if self.tool == ADD:
            self._grow(labels, place, landscapes)
            return None
        if self.tool not in (JOIN, SPLIT, DELETE):
            self.tell(TOOLS[self.tool].hint if self.tool else _NO_TOOL)
            return None
        cell = int(labels[place])
        if not cell:
            self.tell("There is no cell here: click into one.")
            return None
        if self.tool == DELETE:
            return delete(labels, (cell,))
        self._mark(labels, place, cell)
        return None

    def _mark(self, labels: NDArray[Any], place: Place, cell: int) -> None:
        """Mark a cell to join, or a part of a cell to split."""
        known = cells_at(labels, np.array(self.marks, float)) if self.marks else ()
        if self.tool == SPLIT and known and cell not in known:
            self.tell("This is another cell: click the parts of one, then press Enter.")
            return
        if self.tool == JOIN and cell in known:
            self.marks = tuple(one for one in self.marks if labels[one] != cell)
        else:
            self.marks = (*self.marks, place)
        self.tool_changed.emit()

    def _grow(
        self,
        labels: NDArray[Any],
        place: Place,
        landscapes: Iterable[NDArray[np.floating]],
    ) -> None:
        self._wait_for_nothing()
        self.tool_changed.emit()
        self.grown = grown_at(labels, place, landscapes, self._usual_area)
        self.level = self.grown.best
        self.tool_changed.emit()

    def choose_level(self, level: int) -> None:
        """Make the cell that waits to be added smaller or larger.

        Parameters
        ----------
        level : int
            Number of the level, from the smallest cell on.
        """
        if self.grown is not None and level != self.level:
            self.level = level
            self.tool_changed.emit()

    def finish(
        self,
        labels: NDArray[Any],
        landscape: NDArray[np.floating] | None = None,
    ) -> Edit | None:
        """Do what the active tool was waiting for.

        Parameters
        ----------
        labels : ndarray of shape (..., Y, X), int
            The cells.
        landscape : ndarray of shape (..., Y, X), float, optional
            The probability, which is low where parts of a cell meet.

        Returns
        -------
        Edit or None
            The change; None if it waited for nothing.

        Raises
        ------
        InputError
            If there are too few marks; they stay.
        """
        self.tell("")
        if self.grown is not None:
            return self.grown.edit(self.level)
        if not self.marks:
            return None
        return edit_of_marks(self.tool, labels, self.marks, landscape)

    @property
    def drawing(self) -> list[Path]:
        """Lines that show what the tool waits with."""
        if self.corrections is None:
            return []
        if self.grown is not None:
            pixels = self.grown.pixels(self.level)
            return outlines_of_pixels(pixels, self.corrections.labels.shape)
        return [cross(mark, self._arm) for mark in self.marks]

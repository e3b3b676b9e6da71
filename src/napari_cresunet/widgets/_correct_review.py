"""Lists of the dock Correct cells: the queue of review, and what is pinned."""

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import CorrectState, PinnedCell, Spot
from napari_cresunet.widgets._correct_layers import PIN_SYMBOLS
from napari_cresunet.widgets._keys import LettersLeft
from napari_cresunet.widgets._parts import Fold, button_for, row
from napari_cresunet.widgets._walking import WalkPart

_PINS_HEIGHT = 110  # px
_SWATCH = 12  # px


class QueueWalk(WalkPart):
    """A walk through what is left to do: who is done with a cell goes to the next."""

    def __init__(self) -> None:
        self._is_ahead = False
        super().__init__("cells")

    def show_queue(self, spots: Sequence[Spot], marked: int, is_visited: bool) -> None:
        """List other cells.

        Parameters
        ----------
        spots : sequence of Spot
            In the order of the walk. Nothing is signaled.
        marked : int
            The one that is marked, from 0; -1 for none.
        is_visited : bool
            Whether the user is there; else the next step leads to it.
        """
        with signals_blocked(self.list.selectionModel()):
            self._model.show(spots)
            if marked >= 0:
                self._mark(marked)
        self._is_ahead = marked >= 0 and not is_visited
        self._render()

    def step(self, by: int) -> None:
        """Go to another cell; after the last comes the first.

        Parameters
        ----------
        by : int
            1 for the next, -1 for the previous one.
        """
        is_ahead, self._is_ahead = self._is_ahead, False
        if is_ahead and by > 0:
            self._go(self.current)
        else:
            super().step(by)


class ReviewPart(QWidget):
    """Cells in the order of doubt, to be accepted, rejected or split."""

    accept_wanted = Signal()
    reject_wanted = Signal()
    split_wanted = Signal()
    order_wanted = Signal()

    def __init__(self, state: CorrectState) -> None:
        super().__init__()
        self._state = state
        self.walk = QueueWalk()
        self.accept = button_for(
            "Accept (Y)", self.accept_wanted, "Pin this cell as it is, and go on."
        )
        self.reject = button_for(
            "Reject (R)", self.reject_wanted, "Delete this cell, and go on."
        )
        self.split = button_for(
            "Split (K)",
            self.split_wanted,
            "Split this cell in two where it is narrow, or where the probability is "
            "low.",
        )
        self.unreviewed = QCheckBox("Only unreviewed")
        self.unreviewed.setChecked(state.queue.is_unreviewed_only)
        self.unreviewed.setToolTip(
            "<qt>List only cells that were neither accepted nor touched.</qt>"
        )
        self.unreviewed.toggled.connect(state.queue.show_unreviewed)
        self.order = button_for(
            "Order anew",
            self.order_wanted,
            "List all cells as they are now, the most doubtful ones first.",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(QLabel("Review, the most doubtful first"))
        layout.addWidget(self.walk)
        layout.addLayout(row(self.accept, self.reject, self.split))
        layout.addLayout(row(self.unreviewed, self.order, stretch=0))
        state.queue.changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        queue, can_edit = self._state.queue, self._state.can_edit
        self.walk.show_queue(queue.spots, queue.marked, queue.current != 0)
        for button in (self.accept, self.reject, self.split):
            button.setEnabled(bool(queue.cells))
        self.order.setEnabled(can_edit)
        if can_edit and queue.order is None:
            self.walk.place.setText("ordering…")
        elif queue.is_done:
            self.walk.place.setText("all reviewed")


class _PinList(LettersLeft, QListWidget):
    """A list beside which the keys of the tools work."""


class PinsPart(Fold):
    """What is pinned, and how it is released."""

    went = Signal(object)
    """The pinned cell to look at."""
    released = Signal(list)
    """Pinned cells that are no longer to be."""
    mark_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Pinned cells")
        self.button.setToolTip(
            "<qt>Cells that another threshold, minimum size or run leaves as they "
            "are, because somebody touched or accepted them.</qt>"
        )
        self.pinned: Sequence[PinnedCell] = ()
        self.drawn = QCheckBox("Show in the image")
        self.drawn.setChecked(True)
        signs = ", ".join(f"{sign} {word}" for word, (_, sign) in PIN_SYMBOLS.items())
        self.drawn.setToolTip(f"<qt>A mark on each: {signs}.</qt>")
        self.drawn.toggled.connect(self.mark_wanted)
        self.list = _PinList()
        self.list.setAccessibleName("Pinned cells")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(_SWATCH, _SWATCH))
        self.list.setFixedHeight(_PINS_HEIGHT)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_clicked)
        self.release = QPushButton("Release")
        self.release.setToolTip(
            "<qt>Let other settings change the selected cells again, and cells be "
            "found where they were deleted.</qt>"
        )
        self.release.clicked.connect(self._on_release_clicked)
        self.release_all = QPushButton("Release all")
        everywhere = self.release.toolTip().replace("the selected", "all")
        self.release_all.setToolTip(everywhere)
        self.release_all.clicked.connect(lambda: self.released.emit(list(self.pinned)))
        self.content.setSpacing(3)
        for widget in (self.drawn, self.list):
            self.content.addWidget(widget)
        self.content.addLayout(row(self.release, self.release_all))
        self.opened.connect(self._fill)
        self.show_pinned(())

    def show_pinned(self, pinned: Sequence[PinnedCell]) -> None:
        """List other cells.

        Parameters
        ----------
        pinned : sequence of PinnedCell
            All of them.
        """
        self.pinned = pinned
        n = len(pinned)
        self.button.setText(f"Pinned cells ({n:,})" if n else "Pinned cells")
        self.button.adjustSize()
        for button in (self.release, self.release_all):
            button.setEnabled(n > 0)
        if self.button.isChecked():
            self._fill()

    def _fill(self) -> None:
        self.list.clear()
        for one in self.pinned:
            item = QListWidgetItem(f"{PIN_SYMBOLS[one.reason][1]} {one.spot.text}")
            item.setData(Qt.ItemDataRole.DecorationRole, QColor(one.spot.color))
            self.list.addItem(item)

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self.went.emit(self.pinned[self.list.row(item)])

    def _on_release_clicked(self) -> None:
        rows = sorted(self.list.row(item) for item in self.list.selectedItems())
        if rows:
            self.released.emit([self.pinned[number] for number in rows])

"""The table of the images of a batch: sorted, filtered, quick for ten thousand."""

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSize, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import (
    BATCH_COLUMNS,
    BATCH_STATES,
    BatchState,
    BatchTable,
    batch_cell,
    is_number,
)
from napari_cresunet.widgets._keys import LettersLeft
from napari_cresunet.widgets._parts import Chooser, column, row
from napari_cresunet.widgets._tables import SortedTable

_COLORS = {
    "waiting": "#999999",
    "running": "#f0e442",
    "done": "#56b4e9",
    "reviewed": "#009e73",
    "failed": "#d55e00",
}
"""Of Okabe and Ito's palette, told apart with any color vision; words say the same."""
_WIDTHS = {"name": 13, "state": 9, "group": 8, "error": 40}
"""Of columns, in letters."""
_NUMBER_WIDTH = 5
_ARROW = 8  # px beside the title of the column that is sorted by
_ROWS = 8  # that are seen at once


class BatchModel(QAbstractTableModel):
    """Rows of a `BatchTable` as Qt wants them."""

    def __init__(self, table: BatchTable, parent: QObject) -> None:
        super().__init__(parent)
        self.table = table
        self.names = table.columns

    def show(self) -> None:
        """Rows came, went or moved."""
        self.beginResetModel()
        self.names = self.table.columns
        self.endResetModel()

    def show_rows(self, rows: list[int]) -> None:
        """Rows say something else; one signal for all, as few are seen at once."""
        last = len(self.names) - 1
        self.dataChanged.emit(self.index(rows[0], 0), self.index(rows[-1], last))

    def sort(
        self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder
    ) -> None:
        """Put the rows in order; -1 is the order given."""
        name = self.names[column] if 0 <= column < len(self.names) else ""
        self.beginResetModel()
        self.table.sort(name, is_descending=order == Qt.SortOrder.DescendingOrder)
        self.endResetModel()

    def rowCount(self, parent: Any = None) -> int:
        return len(self.table)

    def columnCount(self, parent: Any = None) -> int:
        return len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        name, entry = self.names[index.column()], self.table.entry_at(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return batch_cell(entry, name)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"<qt>{entry.error or entry.path}</qt>"
        if role == Qt.ItemDataRole.DecorationRole and name == "state":
            return QColor(_COLORS[entry.state])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft
            if is_number(name):
                side = Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        title, text = BATCH_COLUMNS[self.names[section]]
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        return f"<qt>{text}</qt>" if role == Qt.ItemDataRole.ToolTipRole else None


class BatchView(LettersLeft, SortedTable):
    """One row for each image; a double click or Enter opens it."""

    wanted = Signal(str)
    """Name of the image that is to be opened."""

    def __init__(self, model: BatchModel) -> None:
        super().__init__("Images", model)
        self.rows = model
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        # The ends of names tell images apart.
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)  # Tab goes on to the next control
        height = self.fontMetrics().height()
        self.setIconSize(QSize(height * 2 // 3, height * 2 // 3))
        self.verticalHeader().setVisible(False)
        self.setToolTip(
            "<qt>Double click a row, or press Enter, to open the image with its cells; "
            "click a title to sort. Ctrl+C copies the table.</qt>"
        )
        self.activated.connect(self._on_activated)
        model.modelAboutToBeReset.connect(self._on_reset_begun)
        model.modelReset.connect(self._on_reset)
        self._marked = ""
        self._n_columns = 0
        self._fit()

    def _fit(self) -> None:
        """Give each column room once; afterwards widths are the user's."""
        if self._n_columns == len(self.rows.names):
            return
        self._n_columns = len(self.rows.names)
        letter = self.fontMetrics().horizontalAdvance("n")
        for number, name in enumerate(self.rows.names):
            title = self.fontMetrics().horizontalAdvance(BATCH_COLUMNS[name][0])
            wide = letter * _WIDTHS.get(name, _NUMBER_WIDTH)
            self.setColumnWidth(number, max(wide, title + _ARROW) + letter)

    def mark(self, name: str) -> None:
        """Mark the row of an image, and bring it in sight."""
        place = self.rows.table.row_of(name)
        if place >= 0:
            self.selectRow(place)
            self.scrollTo(self.rows.index(place, 0))

    def _on_reset_begun(self) -> None:
        index = self.currentIndex()
        is_known = index.isValid() and index.row() < len(self.rows.table)
        self._marked = self.rows.table.entry_at(index.row()).name if is_known else ""

    def _on_reset(self) -> None:
        self._fit()
        with signals_blocked(self.selectionModel()):
            place = self.rows.table.row_of(self._marked)
            if place >= 0:
                self.selectRow(place)

    def _on_activated(self, index: QModelIndex) -> None:
        self.wanted.emit(self.rows.table.entry_at(index.row()).name)

    def text(self) -> str:
        """Return the table as it is shown, with tabs."""
        return self.rows.table.content()

    def n_rows_in_sight(self) -> int:
        """Return how many rows are to be seen at once."""
        return _ROWS


class ImagesTablePart(QWidget):
    """The table, and what is shown of it."""

    wanted = Signal(str)
    """Name of the image that is to be opened."""

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.model = BatchModel(state.table, self)
        self.view = BatchView(self.model)
        self.view.wanted.connect(self.wanted)
        self.states = Chooser("Which images are shown")
        self.states.setToolTip("Show only images in this state.")
        self.states.chosen.connect(self._on_state_chosen)
        self.search = QLineEdit()
        self.search.setAccessibleName("Search")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip(
            "<qt>Show only images whose name, group or problem contains this.</qt>"
        )
        self.search.textChanged.connect(self._on_text_changed)
        layout = column(spacing=4)
        layout.addLayout(row(self.states, self.search, stretch=1))
        layout.addWidget(self.view, stretch=1)
        self.setLayout(layout)
        state.table_changed.connect(self._on_table_changed)
        state.rows_changed.connect(self._on_rows_changed)
        state.opened_changed.connect(self._on_opened_changed)

    def render(self) -> None:
        """Show the whole state."""
        self._on_table_changed()

    def _fill_states(self) -> None:
        """Offer the states, with how many images are in each."""
        table = self._state.table
        entries = [("", f"all ({len(table.entries):,})")]
        entries += [(x, f"{x} ({table.numbers[x]:,})") for x in BATCH_STATES]
        if self.states.count() != len(entries):
            self.states.fill(entries, table.state)
            return
        for number, (_, title) in enumerate(entries):
            self.states.setItemText(number, title)

    def _on_table_changed(self) -> None:
        self._fill_states()
        self.model.show()

    def _on_rows_changed(self, rows: list[int]) -> None:
        self._fill_states()
        self.model.show_rows(rows)

    def _on_opened_changed(self) -> None:
        if self._state.opened and not self._state.is_opening:
            self.view.mark(self._state.opened)

    def _on_state_chosen(self, name: str) -> None:
        self._state.table.filter(state=name)
        self.model.show()

    def _on_text_changed(self, text: str) -> None:
        self._state.table.filter(text=text)
        self.model.show()

"""The table of cells: sortable, and quick for tens of thousands of rows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QDialog,
    QLabel,
    QPushButton,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import (
    MeasureState,
    cell_text,
    column_text,
    column_title,
    sorted_rows,
    table_text,
)
from napari_cresunet.widgets._parts import column, row
from napari_cresunet.widgets._tables import SortedTable

_WINDOW = QSize(900, 560)
_MARGIN = 16  # px around a text, both sides together
_ROWS = 9  # that are seen at once
_SAMPLES = 60  # rows that tell how wide a column must be
_ARROW = 14  # px beside the title of the column that is sorted by


class CellModel(QAbstractTableModel):
    """Columns of numpy as Qt wants them; several views may show them.

    Qt's own sorting asks Python for every comparison, which for 10,000 rows takes about
    a second: here the rows are put in order with numpy.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.columns: Mapping[str, NDArray[Any]] = {}
        self.names: tuple[str, ...] = ()
        self.color_of: Callable[[int], Any] = _no_color
        """Returns the color of a cell in the layer as RGBA in [0, 1], or None."""
        self.sorted_by = ("", False)
        """Name of a column, and whether the largest comes first."""
        self._rows: NDArray[np.intp] = np.arange(0)
        self._place_of: dict[int, int] = {}

    def show(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Show another table, sorted as the last one was."""
        self.beginResetModel()
        self.columns, self.names = columns, tuple(columns)
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        name, is_descending = self.sorted_by
        self._rows = sorted_rows(self.columns, name, is_descending=is_descending)
        labels = self.columns["label"][self._rows] if self.names else ()
        self._place_of = {int(label): place for place, label in enumerate(labels)}

    def sort(
        self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder
    ) -> None:
        """Put the rows in order; -1 is that of the cells' numbers."""
        name = self.names[column] if 0 <= column < len(self.names) else ""
        self.layoutAboutToBeChanged.emit()
        self.sorted_by = (name, order == Qt.SortOrder.DescendingOrder)
        self._arrange()
        self.layoutChanged.emit()

    def label_at(self, row: int) -> int:
        """Return the cell in a row."""
        return int(self.columns["label"][self._rows[row]])

    def row_of(self, label: int) -> int:
        """Return the row of a cell; -1 if there is none."""
        return self._place_of.get(label, -1)

    def text(self) -> str:
        """Return the table as it is sorted, with tabs, for a spreadsheet."""
        return table_text(self.columns, self._rows)

    def rowCount(self, parent: Any = None) -> int:
        return len(self._rows)

    def columnCount(self, parent: Any = None) -> int:
        return len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        name = self.names[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(self.columns[name][self._rows[index.row()]])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_text = self.columns[name].dtype.kind in "USO"
            side = (
                Qt.AlignmentFlag.AlignLeft if is_text else Qt.AlignmentFlag.AlignRight
            )
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DecorationRole and name == "label":
            color = self.color_of(self.label_at(index.row()))
            return None if color is None else QColor.fromRgbF(*map(float, color))
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column_title(self.names[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"<qt>{column_text(self.names[section])}</qt>"
        return None


def _no_color(_label: int) -> Any:
    return None


class CellTableView(SortedTable):
    """One row for each cell; a click on a title sorts, one on a row goes there."""

    went = Signal(int)
    """The label of the cell that the user goes to."""

    def __init__(self, model: CellModel) -> None:
        super().__init__("Cells", model)
        self.rows = model
        self.verticalHeader().setVisible(False)
        self.setToolTip(
            "<qt>Click a row to see the cell, a title to sort; click a cell in the "
            "image to find its row. Ctrl+C copies the table.</qt>"
        )
        self.clicked.connect(self._on_clicked)
        self.selectionModel().currentRowChanged.connect(self._on_current_changed)
        model.modelReset.connect(self._fit)
        model.layoutChanged.connect(self._on_layout_changed)
        self._marked = 0
        self._fit()

    def _fit(self) -> None:
        """Give each column just the room that it needs."""
        width = self.fontMetrics().horizontalAdvance
        model = self.rows
        n = model.rowCount()
        step = max(n // _SAMPLES, 1)
        for number, name in enumerate(model.names):
            texts = [cell_text(value) for value in model.columns[name][::step]]
            title = width(column_title(name)) + _ARROW
            icon = self.iconSize().width() if name == "label" else 0
            widest = max([title, *(width(text) + icon for text in texts)])
            self.setColumnWidth(number, widest + _MARGIN)
        self.mark(self._marked)
        self.updateGeometry()

    def mark(self, label: int) -> None:
        """Mark the row of a cell, and bring it in sight; 0 for none."""
        self._marked = label
        place = self.rows.row_of(label)
        with signals_blocked(self.selectionModel()):
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
            if place >= 0:
                self.selectRow(place)
                self.scrollTo(self.rows.index(place, 0))
        self.viewport().update()

    def _on_layout_changed(self) -> None:
        self.mark(self._marked)

    def _on_clicked(self, index: QModelIndex) -> None:
        # Also where the camera has gone elsewhere since.
        self._go(index)

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self._go(index)

    def _go(self, index: QModelIndex) -> None:
        self._marked = self.rows.label_at(index.row())
        self.went.emit(self._marked)

    def text(self) -> str:
        """Return the table as it is shown, with tabs."""
        return self.rows.text()

    def n_rows_in_sight(self) -> int:
        """Return how many rows are to be seen at once."""
        return min(max(self.rows.rowCount(), 4), _ROWS)


class CellsPart(QWidget):
    """The table in the dock, and the same in a window of its own."""

    went = Signal(int)
    """The label of the cell that the user goes to."""

    def __init__(self, state: MeasureState) -> None:
        super().__init__()
        self._state = state
        self.model = CellModel(self)
        self.table = CellTableView(self.model)
        self.window_: QDialog | None = None
        self.title = QLabel()
        self.enlarge = QPushButton("Enlarge")
        self.enlarge.setToolTip("Show the table in a window of its own.")
        self.enlarge.clicked.connect(self.open_window)
        layout = column(spacing=2)
        layout.addLayout(row(self.title, self.enlarge, stretch=0))
        layout.addWidget(self.table, stretch=1)
        self.setLayout(layout)
        self.table.went.connect(self.went)
        state.table_changed.connect(self.render)
        for signal in (state.tally_changed, state.run_changed):
            signal.connect(self._render_title)
        state.cell_changed.connect(self._mark)

    def render(self) -> None:
        """Show the measures of the state."""
        self.model.show(self._state.columns)
        self._render_title()
        self._mark()

    def _render_title(self) -> None:
        state = self._state
        title = "Measures"
        if state.table is not None and not state.is_measured:
            title += ", being updated" if state.is_running else ", before the change"
        self.title.setText(title)
        self.enlarge.setEnabled(state.table is not None)

    def _mark(self) -> None:
        for view in self._views:
            view.mark(self._state.cell)

    @property
    def _views(self) -> list[CellTableView]:
        window = self.window_
        more = [] if window is None else window.findChildren(CellTableView)
        return [self.table, *more]

    def open_window(self) -> None:
        """Show the table in a window of its own, sorted and marked like this one."""
        if self.window_ is None:
            self.window_ = window = QDialog(self)
            window.setWindowTitle("Measures of cells")
            table = CellTableView(self.model)
            table.went.connect(self.went)
            window.setLayout(column(table, margin=6))
            window.resize(_WINDOW)
        self._mark()
        self.window_.show()
        self.window_.raise_()

"""The table of models and their scores."""

from collections.abc import Sequence
from math import isnan, nan
from typing import Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtGui import QFont, QFontMetrics
from qtpy.QtWidgets import QSizePolicy
from superqt.utils import signals_blocked

from napari_cresunet.state import (
    COMPARE_COLUMNS,
    CompareColumn,
    CompareRow,
    best_rows,
    csv_text,
)
from napari_cresunet.widgets._tables import SortedTable

_NUMBER = Qt.ItemDataRole.UserRole
_NAME_WIDTH = 130  # px at most
_MARGIN = 12  # px around a text, both sides together
_ROWS = 8  # that are seen at once
_ALWAYS = ("count", "threshold", "seconds")


class _RowModel(QAbstractTableModel):
    """Rows as Qt wants them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Sequence[CompareRow] = ()
        self.columns: Sequence[CompareColumn] = ()
        self._best: dict[str, frozenset[str]] = {}

    def show(self, rows: Sequence[CompareRow]) -> None:
        self.beginResetModel()
        self.rows = rows
        has_scores = any("f1" in one.values for one in rows)
        self.columns = [x for x in COMPARE_COLUMNS if has_scores or x.key in _ALWAYS]
        self._best = {x.key: best_rows(rows, x) for x in self.columns}
        self.endResetModel()

    def rowCount(self, parent: Any = None) -> int:
        return len(self.rows)

    def columnCount(self, parent: Any = None) -> int:
        return len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, column = self.rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return line.text(column)
        if role == _NUMBER:
            value = line.values.get(column.key, nan)
            return float("-inf") if isnan(value) else float(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and line.name in self._best[column.key]:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole and line.problem:
            return f"<qt>{line.problem}</qt>"
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            column = self.columns[section]
            shown = {
                Qt.ItemDataRole.DisplayRole: column.title,
                Qt.ItemDataRole.ToolTipRole: f"<qt>{column.text}</qt>",
            }
            return shown.get(role)
        line = self.rows[section]
        shown = {
            Qt.ItemDataRole.DisplayRole: line.name,
            Qt.ItemDataRole.ToolTipRole: line.title,
            Qt.ItemDataRole.TextAlignmentRole: Qt.AlignmentFlag.AlignLeft
            | Qt.AlignmentFlag.AlignVCenter,
        }
        return shown.get(role)


class CompareTable(SortedTable):
    """One row for each model; the best of each column is bold.

    Names stay in sight while the scores scroll sideways, so the dock stays narrow.
    """

    row_chosen = Signal(str)
    """Name of the model whose row the user chose."""

    def __init__(self) -> None:
        rows, in_order = _RowModel(), QSortFilterProxyModel()
        in_order.setSourceModel(rows)
        in_order.setSortRole(_NUMBER)
        super().__init__("Models and scores", in_order)
        self.rows, self._sorted = rows, in_order
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        names = self.verticalHeader()
        names.setTextElideMode(Qt.TextElideMode.ElideRight)
        names.setHighlightSections(False)
        self.setToolTip(
            "<qt>Click a row to look at a model, a title to sort. Ctrl+C copies the "
            "table.</qt>"
        )
        self.selectionModel().currentRowChanged.connect(self._on_current_changed)

    def show_rows(self, rows: Sequence[CompareRow], shown: str) -> None:
        """Show other rows; the model that is looked at is marked. Nothing is told."""
        with signals_blocked(self.selectionModel()):
            self.rows.show(rows)
        self.mark(shown)
        self._fit()

    def _fit(self) -> None:
        """Give names and numbers just the room that they need."""
        model, header = self.rows, self.verticalHeader()
        widths = self.fontMetrics().horizontalAdvance
        names = [widths(line.name) for line in model.rows]
        header.setFixedWidth(min(max([40, *names]) + _MARGIN, _NAME_WIDTH))
        font = self.font()
        font.setBold(True)
        bold = QFontMetrics(font).horizontalAdvance
        for number, column in enumerate(model.columns):
            texts = [column.title, *(line.text(column) for line in model.rows)]
            self.setColumnWidth(number, max(map(bold, texts)) + _MARGIN)
        self.updateGeometry()

    def mark(self, name: str) -> None:
        """Mark the row of a model, or none."""
        numbers = [k for k, one in enumerate(self.rows.rows) if one.name == name]
        with signals_blocked(self.selectionModel()):
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
            if numbers:
                index = self._sorted.mapFromSource(self.rows.index(numbers[0], 0))
                self.selectRow(index.row())
        self.viewport().update()
        self.verticalHeader().viewport().update()

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            number = self._sorted.mapToSource(index).row()
            self.row_chosen.emit(self.rows.rows[number].name)

    def text(self) -> str:
        """Return the table as it is shown, with tabs, for a spreadsheet."""
        order = [
            self._sorted.mapToSource(self._sorted.index(k, 0)).row()
            for k in range(self._sorted.rowCount())
        ]
        lines: list[Sequence[Any]] = [["model", *(x.key for x in self.rows.columns)]]
        for line in (self.rows.rows[number] for number in order):
            values = (line.values.get(x.key, "") for x in self.rows.columns)
            lines.append([line.name, *values])
        return csv_text(lines, "\t")

    def n_rows_in_sight(self) -> int:
        """Return how many rows are to be seen at once."""
        return min(max(len(self.rows.rows), 2), _ROWS)

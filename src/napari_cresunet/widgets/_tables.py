"""What tables in docks share."""

from typing import Any

from qtpy.QtCore import QAbstractItemModel, QEvent, QSize, Qt
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableView


class SortedTable(QTableView):
    """A table of rows that a click on a title sorts; as wide as the dock.

    Ctrl+C copies it as a whole, for a spreadsheet.
    """

    def __init__(self, name: str, model: QAbstractItemModel) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setWordWrap(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        titles = self.horizontalHeader()
        titles.setHighlightSections(False)
        titles.setMinimumSectionSize(16)
        titles.setSortIndicatorClearable(True)
        # Else it would begin sorted, by whatever is first.
        titles.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def text(self) -> str:
        """Return the table as it is shown, with tabs."""
        raise NotImplementedError

    def n_rows_in_sight(self) -> int:
        """Return how many rows are to be seen at once."""
        raise NotImplementedError

    def event(self, event: Any) -> bool:
        """Take Ctrl+C before the viewer does."""
        is_shortcut = event.type() == QEvent.Type.ShortcutOverride
        if is_shortcut and event.matches(QKeySequence.StandardKey.Copy):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: Any) -> None:
        """Copy the whole table."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
            return
        super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        """Keep rows in sight: in a low dock all parts scroll together."""
        return self.sizeHint()

    def sizeHint(self) -> QSize:
        """Ask for the height of some rows, and for no width: the rest scrolls."""
        height = self.n_rows_in_sight() * self.verticalHeader().defaultSectionSize()
        height += self.horizontalHeader().sizeHint().height()
        bar = self.horizontalScrollBar().sizeHint().height()
        return QSize(100, height + bar + 2 * self.frameWidth())

"""What tables in docks share."""

from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QTableView


class CopiedTable(QTableView):
    """A table that Ctrl+C copies as a whole, for a spreadsheet."""

    def text(self) -> str:
        """Return the table as it is shown, with tabs."""
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

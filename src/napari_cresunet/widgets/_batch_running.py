"""Run, Cancel, and how many cells there are in all images."""

from typing import Any

from qtpy.QtWidgets import QLabel, QWidget

from napari_cresunet.state import BatchState
from napari_cresunet.widgets._parts import column
from napari_cresunet.widgets._running import RunBar


class BatchRunPart(RunBar):
    """The middle of the dock: the run."""

    def __init__(self, state: BatchState) -> None:
        super().__init__(state, "cresunet_batch_run")
        self.cancel.setToolTip(
            "<qt>Stop after the images at work. What is counted is kept; Run goes on "
            "from there.</qt>"
        )
        state.images_changed.connect(self.render)

    def _explanation(self) -> str:
        return "Count the cells of all images that are not counted yet."


class BatchCountPart(QWidget):
    """The number that it is all about, and what it is of."""

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.count, self.detail = QLabel(), QLabel()
        self.count.setAccessibleName("Count")
        self.detail.setWordWrap(True)
        self.setLayout(column(self.count, self.detail, spacing=0))
        for signal in (state.table_changed, state.rows_changed):
            signal.connect(self._on_changed)

    def _on_changed(self, _rows: Any = None) -> None:
        self.render()

    def render(self) -> None:
        """Show the count of all images."""
        self.count.setText(self._state.headline)
        self.count.setVisible(bool(self._state.table.entries))
        self.detail.setText(self._state.summary)

    def set_text_size(self, points: float) -> None:
        """Take the size of the theme's text, in points, as the measure of large."""
        self.count.setStyleSheet(f"font-size: {2 * points:.0f}pt; font-weight: bold")

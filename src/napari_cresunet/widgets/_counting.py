"""The count, large, and what it is of."""

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_cresunet.state import CountState
from napari_cresunet.widgets._parts import row


class CountPart(QWidget):
    """The number that it is all about; it never scrolls out of sight."""

    def __init__(self, state: CountState) -> None:
        super().__init__()
        self._state = state
        self.count, self.change, self.detail = QLabel(), QLabel(), QLabel()
        self.count.setAccessibleName("Count")
        self.change.setToolTip("Change since the last setting")
        self.detail.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.count, self.change, stretch=1))
        layout.addWidget(self.detail)
        for signal in (state.choices_changed, state.labels_changed, state.run_changed):
            signal.connect(self.render)

    def render(self) -> None:
        """Show the count of the state."""
        words = self._state.words
        self.count.setText(words.headline)
        self.change.setText(words.change)
        self.detail.setText(words.detail)

    def set_text_size(self, points: float) -> None:
        """Take the size of the theme's text, in points, as the measure of large."""
        self.count.setStyleSheet(f"font-size: {2.4 * points:.0f}pt; font-weight: bold")
        self.change.setStyleSheet(f"font-size: {1.5 * points:.0f}pt")

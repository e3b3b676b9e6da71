"""The frame that all docks share."""

from typing import Any

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_cresunet.widgets._parts import column

_WIDTH = 320  # px; docks are narrow on laptops
_MARGIN = 6  # px


class Dock(QWidget):
    """A narrow column; what is most important stays in sight while the rest scrolls."""

    _is_closed = False

    def _lay_out(self, *widgets: QWidget) -> None:
        """Put widgets below each other; the one that scrolls takes what is left."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in widgets:
            layout.addWidget(widget, stretch=int(isinstance(widget, QScrollArea)))
        self.setMinimumWidth(_WIDTH)

    def reset_choices(self, event: Any = None) -> None:
        """Look again which layers there are.

        Parameters
        ----------
        event : napari event, optional
            Not looked at.
        """
        # napari calls it after each change, and goes on when the dock was closed.
        if not self._is_closed:
            self._look_again()

    def _look_again(self) -> None:
        """Look again which layers there are."""
        raise NotImplementedError

    def _disconnect(self) -> None:
        """Let go of the viewer."""
        raise NotImplementedError

    def sizeHint(self) -> QSize:
        """Ask for no more width than is needed: the image wants the rest."""
        return QSize(_WIDTH, super().sizeHint().height())

    def event(self, event: Any) -> bool:
        """Let go of the viewer when the dock is closed, which Qt tells only so."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._is_closed = True
            self._disconnect()
        return bool(super().event(event))


def framed(*parts: QWidget, spacing: int = -1) -> QWidget:
    """Return parts below each other with a margin; a spacing of -1 is the style's."""
    widget = QWidget()
    widget.setLayout(column(*parts, margin=_MARGIN, spacing=spacing))
    return widget


def scrolling(content: QWidget) -> QScrollArea:
    """Return an area in which the content scrolls up and down, never sideways."""
    content.layout().addStretch(1)
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area

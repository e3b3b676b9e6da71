"""The curve of count against threshold, with the threshold as a line to drag."""

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_cresunet.state import Curve

_HEIGHT = 110  # px
_HEADROOM = 1.35


class CurvePlot(QWidget):
    """Shows a `Curve`; without pyqtgraph a sentence."""

    threshold_dragged = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Count against threshold")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._items: _Items | None = None
        try:
            import pyqtgraph
        except ImportError:
            hint = QLabel("Install pyqtgraph to see the count against the threshold.")
            hint.setWordWrap(True)
            layout.addWidget(hint)
            return
        self._items = _Items(pyqtgraph)
        # The plot asks for 640 px, which would be half the window.
        self._items.plot.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored
        )
        self._items.line.sigDragged.connect(self._on_line_dragged)
        layout.addWidget(self._items.plot)
        self.setFixedHeight(_HEIGHT)

    def _on_line_dragged(self, line: Any) -> None:
        self.threshold_dragged.emit(round(float(line.value()), 2))

    def set_threshold(self, threshold: float) -> None:
        """Move the line."""
        if self._items is not None:
            self._items.line.setValue(threshold)

    def set_curve(self, curve: Curve | None) -> None:
        """Show another curve, or none."""
        if self._items is not None:
            self._items.show(curve)

    def set_theme(self, theme: Any) -> None:
        """Take the colors of napari's theme."""
        if self._items is not None:
            self._items.color(theme)


class _Items:
    """What the plot is made of."""

    def __init__(self, pyqtgraph: Any) -> None:
        self._graph = pyqtgraph
        plot = self.plot = pyqtgraph.PlotWidget()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.hideAxis("left")
        plot.setXRange(0, 1, padding=0)
        plot.getAxis("bottom").setStyle(tickLength=4, hideOverlappingLabels=True)
        plot.getAxis("bottom").setTicks([[(v / 5, f"{v / 5:g}") for v in range(1, 5)]])
        plot.getAxis("bottom").setHeight(20)
        self.plateau = pyqtgraph.LinearRegionItem(movable=False)
        self.plateau.setZValue(-10)
        self.curve = pyqtgraph.PlotDataItem()
        self.top = pyqtgraph.TextItem(anchor=(1, 0))
        self.hint = pyqtgraph.TextItem("After Run: count against threshold")
        self.hint.setPos(0, 1)
        self.line = pyqtgraph.InfiniteLine(0.5, movable=True, bounds=(0, 1), angle=90)
        self.line.setCursor(Qt.CursorShape.SizeHorCursor)
        for item in (self.plateau, self.curve, self.line):
            plot.addItem(item)
        for text in (self.top, self.hint):
            plot.addItem(text, ignoreBounds=True)
        self.show(None)

    def show(self, curve: Curve | None) -> None:
        for item in (self.plateau, self.curve, self.top):
            item.setVisible(curve is not None)
        self.hint.setVisible(curve is None)
        if curve is None:
            self.plot.setYRange(0, 1, padding=0)
            return
        # Noise at low thresholds would press the rest of the curve flat.
        highest = int(min(curve.counts.max(), 3 * max(curve.plateau_counts[1], 3)))
        # Room above the curve for the text.
        end = _HEADROOM * max(highest, 1)
        self.curve.setData(curve.thresholds, curve.counts.astype(float))
        self.plateau.setRegion(curve.plateau)
        self.plot.setYRange(0, end, padding=0)
        self.top.setText(f"up to {highest:,} cells")
        self.top.setPos(1, end)

    def color(self, theme: Any) -> None:
        graph = self._graph
        text, soft = theme.text.as_hex(), theme.secondary.as_hex()
        accent = theme.current.as_hex()
        self.plot.setBackground(theme.background.as_hex())
        self.plot.getAxis("bottom").setPen(graph.mkPen(soft))
        self.plot.getAxis("bottom").setTextPen(graph.mkPen(text))
        self.curve.setPen(graph.mkPen(text, width=2))
        self.top.setColor(text)
        self.hint.setColor(text)
        self.line.setPen(graph.mkPen(theme.warning.as_hex(), width=2))
        self.line.setHoverPen(graph.mkPen(theme.warning.as_hex(), width=4))
        shade = graph.mkColor(accent)
        shade.setAlpha(90)
        self.plateau.setBrush(graph.mkBrush(shade))
        for edge in self.plateau.lines:
            edge.setPen(graph.mkPen(None))

"""Plots of scores: against the threshold, against the distance, and of the counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_cresunet.evaluation import Scores, SweepRow

_HEIGHT = 134  # px
_AXIS_WIDTH, _AXIS_HEIGHT = 34, 40  # px
# Okabe and Ito's palette: told apart by colorblind people, on dark and light ground.
_CURVES = {
    "f1": ("F1", "#e69f00", Qt.PenStyle.SolidLine),
    "precision": ("precision", "#3a9bdc", Qt.PenStyle.DashLine),
    "recall": ("recall", "#00a67a", Qt.PenStyle.DotLine),
}
_HINT = "Run Segment and count first: then thresholds can be tried."


class ScorePlots(QWidget):
    """Three small plots below each other; without pyqtgraph a sentence."""

    threshold_wanted = Signal(float)
    distance_wanted = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Scores against threshold and distance, and counts")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.is_there = False
        try:
            import pyqtgraph
        except ImportError:
            hint = QLabel("Install pyqtgraph to see scores against the threshold.")
            hint.setWordWrap(True)
            layout.addWidget(hint)
            return
        self.is_there = True
        self.thresholds = _LinePlot(pyqtgraph, "threshold", (0, 1))
        self.distances = _LinePlot(pyqtgraph, "matching distance in px", None)
        self.counts = _CountPlot(pyqtgraph)
        self.thresholds.wanted = self.threshold_wanted.emit
        self.distances.wanted = self.distance_wanted.emit
        for plot in self._plots:
            layout.addWidget(plot.plot)
        self.thresholds.plot.setToolTip(
            "<qt>F1, precision and recall at other thresholds. Click, or drag the line,"
            " to take one.</qt>"
        )
        self.distances.plot.setToolTip(
            "<qt>F1, precision and recall if pairs may be nearer or farther apart. "
            "Where the curves still rise at the line, cells are found but not well "
            "placed. Click to take another distance.</qt>"
        )
        self.counts.plot.setToolTip(
            "<qt>Each dot is an image or plane that was evaluated; on the line the "
            "count is right.</qt>"
        )

    @property
    def _plots(self) -> tuple[Any, ...]:
        return self.thresholds, self.distances, self.counts

    def show_thresholds(self, rows: Sequence[SweepRow], chosen: float | None) -> None:
        """Show scores against the threshold, with the chosen one marked."""
        if self.is_there:
            at = [row.threshold for row in rows]
            self.thresholds.show(at, [row.scores for row in rows], chosen, _HINT)

    def show_distances(self, rows: Sequence[SweepRow], chosen: float) -> None:
        """Show scores against the matching distance, with the chosen one marked."""
        if self.is_there:
            at = [row.max_distance for row in rows]
            self.distances.show(at, [row.scores for row in rows], chosen, "")

    def show_counts(self, scores: Sequence[Scores], mpe: str) -> None:
        """Show predicted against true counts."""
        if self.is_there:
            self.counts.show(scores, mpe)

    def set_theme(self, theme: Any) -> None:
        """Take the colors of napari's theme."""
        for plot in self._plots if self.is_there else ():
            plot.color(theme)


def _bare_plot(pyqtgraph: Any, below: str) -> Any:
    plot = pyqtgraph.PlotWidget()
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setFixedHeight(_HEIGHT)
    # The plot asks for 640 px, which would be half the window.
    plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    plot.getAxis("left").setWidth(_AXIS_WIDTH)
    plot.setLabel("bottom", below)
    plot.getAxis("bottom").setHeight(_AXIS_HEIGHT)
    return plot


def _color_axes(pyqtgraph: Any, plot: Any, theme: Any) -> None:
    plot.setBackground(theme.background.as_hex())
    for side in ("left", "bottom"):
        plot.getAxis(side).setPen(pyqtgraph.mkPen(theme.secondary.as_hex()))
        plot.getAxis(side).setTextPen(pyqtgraph.mkPen(theme.text.as_hex()))


class _LinePlot:
    """F1, precision and recall against something that can be chosen by a click."""

    def __init__(
        self, pyqtgraph: Any, below: str, span: tuple[float, float] | None
    ) -> None:
        self._graph, self._span = pyqtgraph, span
        self.wanted: Any = None
        plot = self.plot = _bare_plot(pyqtgraph, below)
        plot.setYRange(0, 1, padding=0.06)
        self.legend = plot.addLegend(
            offset=(4, -4), labelTextSize="8pt", colCount=3, verSpacing=-6
        )
        self.curves = {
            name: plot.plot(
                pen=pyqtgraph.mkPen(color, width=2, style=style), name=title
            )
            for name, (title, color, style) in _CURVES.items()
        }
        self.line = pyqtgraph.InfiniteLine(angle=90, movable=True)
        self.line.setCursor(Qt.CursorShape.SizeHorCursor)
        self.line.sigDragged.connect(self._on_dragged)
        plot.addItem(self.line, ignoreBounds=True)
        self.hint = pyqtgraph.TextItem("", anchor=(0.5, 0.5))
        plot.addItem(self.hint, ignoreBounds=True)
        plot.scene().sigMouseClicked.connect(self._on_clicked)

    def show(
        self,
        at: Sequence[float],
        scores: Sequence[Scores],
        chosen: float | None,
        hint: str,
    ) -> None:
        for name, curve in self.curves.items():
            values = [getattr(one, name) for one in scores]
            curve.setData(np.array(at, float), np.array(values, float))
        span = self._span or (0.0, max(at, default=1.0))
        self.plot.setXRange(*span, padding=0.01)
        self.line.setBounds(span)
        self.line.setVisible(bool(len(at)) and chosen is not None)
        if chosen is not None:
            self.line.setValue(chosen)
        self.hint.setText("" if len(at) else hint)
        self.hint.setPos(sum(span) / 2, 0.5)

    def _on_dragged(self, line: Any) -> None:
        self._want(float(line.value()))

    def _on_clicked(self, event: Any) -> None:
        box = self.plot.getPlotItem().vb
        if self.line.isVisible() and box.sceneBoundingRect().contains(event.scenePos()):
            self._want(float(box.mapSceneToView(event.scenePos()).x()))

    def _want(self, value: float) -> None:
        low, high = self.line.bounds()
        if self.wanted is not None:
            self.wanted(min(max(value, low), high))

    def color(self, theme: Any) -> None:
        _color_axes(self._graph, self.plot, theme)
        text = theme.text.as_hex()
        self.hint.setColor(text)
        self.line.setPen(self._graph.mkPen(theme.warning.as_hex(), width=2))
        self.line.setHoverPen(self._graph.mkPen(theme.warning.as_hex(), width=4))
        self.legend.setLabelTextColor(text)
        for _, label in self.legend.items:
            label.setText(label.text, color=text)


class _CountPlot:
    """Predicted against true counts, one dot for each image."""

    def __init__(self, pyqtgraph: Any) -> None:
        self._graph = pyqtgraph
        plot = self.plot = _bare_plot(pyqtgraph, "true cells")
        plot.setLabel("left", "counted")
        plot.getAxis("left").setWidth(_AXIS_WIDTH + 16)
        self.ideal = plot.plot()
        self.dots = plot.plot(
            pen=None,
            symbol="o",
            symbolSize=7,
            symbolBrush=_CURVES["f1"][1],
            symbolPen=None,
        )
        self.text = pyqtgraph.TextItem("", anchor=(0, 0))
        plot.addItem(self.text, ignoreBounds=True)

    def show(self, scores: Sequence[Scores], mpe: str) -> None:
        true = np.array([one.true_count for one in scores], float)
        counted = np.array([one.predicted_count for one in scores], float)
        end = 1.1 * max(true.max(initial=0), counted.max(initial=0), 1)
        self.dots.setData(true, counted)
        self.ideal.setData([0, end], [0, end])
        self.plot.setXRange(0, end, padding=0)
        self.plot.setYRange(0, end, padding=0)
        self.text.setText(mpe)
        self.text.setPos(0.02 * end, end)

    def color(self, theme: Any) -> None:
        _color_axes(self._graph, self.plot, theme)
        self.text.setColor(theme.text.as_hex())
        pen = self._graph.mkPen(theme.secondary.as_hex(), style=Qt.PenStyle.DashLine)
        self.ideal.setPen(pen)

"""Curves of loss and F1 against epochs, which grow while a network learns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

_HEIGHT = 105  # px
# Okabe and Ito's palette: told apart by colorblind people, on dark and light ground.
_BLUE, _ORANGE, _GREEN = "#3a9bdc", "#e69f00", "#00a67a"
_AXIS, _LABELED_AXIS = 20, 36  # px
_HEADROOM = 0.4  # of the range of the values
_MANY = 10  # epochs, from which some have no number
_AXIS_WIDTH = 42  # px; both plots have the same, so that epochs lie below each other


class TrainingCurves(QWidget):
    """Two small plots; without pyqtgraph a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Loss and F1 against epochs")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._plots: tuple[_Plot, ...] = ()
        try:
            import pyqtgraph
        except ImportError:
            hint = QLabel("Install pyqtgraph to see loss and F1 while it learns.")
            hint.setWordWrap(True)
            layout.addWidget(hint)
            return
        self.losses = _Plot(
            pyqtgraph, "loss", {"training": _BLUE, "validation": _ORANGE}
        )
        self.scores = _Plot(pyqtgraph, "F1", {"validation": _GREEN})
        self.scores.plot.setYRange(0, 1, padding=0.08)
        self.scores.plot.setLabel("bottom", "epoch")
        self.scores.plot.getAxis("bottom").setHeight(_LABELED_AXIS)
        self.scores.plot.setFixedHeight(_HEIGHT + _LABELED_AXIS - _AXIS)
        self._plots = (self.losses, self.scores)
        for plot in self._plots:
            layout.addWidget(plot.plot)

    def show_records(self, records: Sequence[Any], epochs: int) -> None:
        """Show what is known of the epochs so far.

        Parameters
        ----------
        records : sequence of EpochRecord
            So far.
        epochs : int
            How many there may be.
        """
        if not self._plots:
            return
        numbers = [record.epoch for record in records]
        self.losses.show(
            numbers,
            {
                "training": [record.loss for record in records],
                "validation": [record.validation_loss for record in records],
            },
        )
        self.losses.leave_headroom()
        self.scores.show(numbers, {"validation": [record.f1 for record in records]})
        for plot in self._plots:
            plot.show_epochs(max(epochs, 2))

    def set_theme(self, theme: Any) -> None:
        """Take the colors of napari's theme."""
        for plot in self._plots:
            plot.color(theme)


class _Plot:
    """One plot with its legend."""

    def __init__(self, pyqtgraph: Any, title: str, colors: dict[str, str]) -> None:
        self._graph = pyqtgraph
        plot = self.plot = pyqtgraph.PlotWidget()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setFixedHeight(_HEIGHT)
        # The plot asks for 640 px, which would be half the window.
        plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        plot.getAxis("bottom").setHeight(_AXIS)
        self.legend = plot.addLegend(
            offset=(-4, 2), labelTextSize="8pt", colCount=len(colors), verSpacing=-6
        )
        self.curves = {}
        styles = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine)
        for (name, color), style in zip(colors.items(), styles, strict=False):
            self.curves[name] = plot.plot(
                pen=pyqtgraph.mkPen(color, width=2, style=style),
                symbol="o",
                symbolSize=4,
                symbolBrush=color,
                symbolPen=None,
                name=f"{title}, {name}" if name == next(iter(colors)) else name,
            )

    def show(self, epochs: list[int], values: dict[str, list[float]]) -> None:
        for name, column in values.items():
            self.curves[name].setData(np.array(epochs, float), np.array(column, float))

    def leave_headroom(self) -> None:
        """Leave room for the legend above the curves."""
        drawn = [curve.getData()[1] for curve in self.curves.values()]
        values = np.concatenate([column for column in drawn if column is not None])
        values = values[np.isfinite(values)]
        if values.size:
            low, high = values.min(), values.max()
            span = high - low or abs(high) or 1
            self.plot.setYRange(low, high + _HEADROOM * span, padding=0.08)

    def show_epochs(self, epochs: int) -> None:
        self.plot.setXRange(1, epochs, padding=0.03)
        numbers = [[(number, str(number)) for number in range(1, epochs + 1)]]
        # Left alone, it would number halves of a few epochs.
        self.plot.getAxis("bottom").setTicks(numbers if epochs < _MANY else None)

    def color(self, theme: Any) -> None:
        graph = self._graph
        text = theme.text.as_hex()
        self.plot.setBackground(theme.background.as_hex())
        for side in ("left", "bottom"):
            self.plot.getAxis(side).setPen(graph.mkPen(theme.secondary.as_hex()))
            self.plot.getAxis(side).setTextPen(graph.mkPen(text))
        self.legend.setLabelTextColor(text)
        for _, label in self.legend.items:
            label.setText(label.text, color=text)

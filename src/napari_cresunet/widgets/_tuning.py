"""The sliders: threshold, with the curve of the count behind it, and smallest size."""

from math import pi
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import CountState
from napari_cresunet.widgets._curve import CurvePlot
from napari_cresunet.widgets._parts import SizeField, row
from napari_cresunet.widgets._texts import tooltip

_STEPS = 100  # of the threshold slider


class TuningPart(QWidget):
    """Sliders that work without running the network again."""

    def __init__(self, state: CountState) -> None:
        super().__init__()
        self._state = state
        self.curve = CurvePlot()
        self.curve.threshold_dragged.connect(self._on_threshold_changed)
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setAccessibleName("Threshold")
        self.threshold.setRange(0, _STEPS)
        self.threshold.valueChanged.connect(self._on_slider_moved)
        self.threshold_spin = QDoubleSpinBox()
        self.threshold_spin.setRange(0, 1)
        self.threshold_spin.setSingleStep(0.01)
        self.threshold_spin.setKeyboardTracking(False)
        self.threshold_spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.threshold_spin.valueChanged.connect(self._on_threshold_changed)
        self.stable = QPushButton("Use stable threshold")
        self.stable.clicked.connect(self._on_stable_clicked)
        self.plateau = QLabel()
        self.plateau.setWordWrap(True)
        self.min_size = SizeField("Smallest cell", power=2)
        self.min_size.changed.connect(self._on_size_changed)
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setAccessibleName("Smallest cell")
        self.size_slider.valueChanged.connect(self._on_size_changed)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._titled("&Threshold", self.threshold_spin, "threshold"))
        layout.addWidget(self.curve)
        layout.addWidget(self.threshold)
        layout.addLayout(row(self.plateau, self.stable, stretch=0))
        layout.addLayout(self._titled("Smallest &cell", self.min_size, "min_size"))
        layout.addWidget(self.size_slider)
        for widget in (self.threshold, self.curve):
            widget.setToolTip(tooltip("threshold"))
        self.size_slider.setToolTip(tooltip("min_size"))
        self.stable.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def _titled(self, title: str, field: Any, option: str) -> Any:
        label = QLabel(title)
        label.setBuddy(getattr(field, "px", field))
        for widget in (label, field):
            widget.setToolTip(tooltip(option))
        return row(label, field, stretch=0)

    def _connect(self) -> None:
        state = self._state
        state.choices_changed.connect(self._render_choices)
        state.source_changed.connect(self._render_source)
        state.curve_changed.connect(self._render_curve)

    def render(self) -> None:
        """Show the whole state."""
        self._render_source()
        self._render_choices()
        self._render_curve()

    def set_theme(self, theme: Any) -> None:
        """Take the theme's colors."""
        self.curve.set_theme(theme)

    def _on_slider_moved(self, step: int) -> None:
        self._on_threshold_changed(step / _STEPS)

    def _on_threshold_changed(self, threshold: float) -> None:
        self._state.choose(threshold=round(threshold, 2))

    def _on_stable_clicked(self) -> None:
        self._state.use_stable_threshold()

    def _on_size_changed(self, size: float | None) -> None:
        self._state.choose(min_size=round(size or 0))

    def _render_choices(self) -> None:
        settings = self._state.settings
        if settings is None:
            return
        with signals_blocked(self.threshold), signals_blocked(self.threshold_spin):
            self.threshold.setValue(round(settings.threshold * _STEPS))
            self.threshold_spin.setValue(settings.threshold)
        self.curve.set_threshold(settings.threshold)
        with signals_blocked(self.size_slider):
            self.size_slider.setMaximum(self._largest_size())
            self.size_slider.setValue(settings.min_size)
        self.min_size.set_value(settings.min_size)

    def _largest_size(self) -> int:
        """Return the slider's end: more than a whole typical cell."""
        card, diameter = self._state.card, self._state.choices.diameter
        if diameter is None and card is not None:
            diameter = card.diameter
        return max(20, round(1.5 * pi / 4 * (diameter or 0) ** 2))

    def _render_source(self) -> None:
        source = self._state.source
        self.min_size.set_um_per_px(None if source is None else source.um_per_px)

    def _render_curve(self) -> None:
        curve = self._state.curve
        self.curve.set_curve(curve)
        self.stable.setEnabled(curve is not None)
        if curve is None:
            self.plateau.setText("")
            self.stable.setToolTip("")
            return
        low, high = curve.plateau
        least, most = curve.plateau_counts
        cells = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        self.plateau.setText(f"Stable at {low:.2f}\u2013{high:.2f}:\n{cells} cells")
        self.stable.setToolTip(
            f"<qt>Take {curve.stable_threshold:.2f}, the middle of the shaded range, "
            "in which the count depends least on the threshold.</qt>"
        )

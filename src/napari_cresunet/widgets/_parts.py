"""Small controls that the docks are made of."""

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import Progress

_WARNING_SIGN = "\N{WARNING SIGN}"


class Fold(QWidget):
    """A titled part of a dock that is folded away until its title is clicked."""

    opened = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setText(title)
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.toggled.connect(self._on_toggled)
        self._content = QWidget()
        self._content.setVisible(False)
        self.content = QVBoxLayout(self._content)
        self.content.setContentsMargins(16, 0, 0, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.button)
        layout.addWidget(self._content)

    def _on_toggled(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.button.setArrowType(arrow)
        self._content.setVisible(is_open)
        if is_open:
            self.opened.emit()


class Chooser(QComboBox):
    """A list that does not widen the dock, however long its entries are."""

    chosen = Signal(str)
    """The key of the entry that the user chose."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.activated.connect(self._on_activated)

    def fill(self, entries: list[tuple[str, str]], key: str) -> None:
        """Show (key, title) entries, one of them chosen; nothing is signaled."""
        with signals_blocked(self):
            self.clear()
            for entry, title in entries:
                self.addItem(title, entry)
            self.setCurrentIndex(self.findData(key))

    def _on_activated(self, index: int) -> None:
        self.chosen.emit(self.itemData(index))


class SizeField(QWidget):
    """A size in px and, where the size of a pixel is known, in µm or µm².

    Parameters
    ----------
    name : str
        What it is, for screen readers.
    power : int
        1 for a length, 2 for an area.
    decimals : int
        Of the size in px.
    empty : str, optional
        What is shown for None; without it there is always a number.
    """

    changed = Signal(object)
    """The size in px that the user gave, or None."""

    def __init__(
        self, name: str, *, power: int = 1, decimals: int = 0, empty: str = ""
    ) -> None:
        super().__init__()
        self._power, self._empty = power, empty
        self._um_per_px: float | None = None
        self._empty_px = 0.0
        unit = "µm" if power == 1 else "µm²"
        self.px = self._spin(name, " px", decimals)
        self.um = self._spin(f"{name} in {unit}", f" {unit}", 1)
        self.um.setVisible(False)
        self._show_empty()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.px, 1)
        layout.addWidget(self.um, 1)
        self.px.valueChanged.connect(self._on_px_changed)
        self.um.valueChanged.connect(self._on_um_changed)

    def _spin(self, name: str, suffix: str, decimals: int) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setAccessibleName(name)
        spin.setDecimals(decimals)
        spin.setRange(0, 10_000_000 if self._power == 2 else 10_000)
        spin.setSuffix(suffix)
        spin.setKeyboardTracking(False)  # 28 is not 2 first
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        # Two fields and their buttons do not fit into a dock; keys and wheel do.
        spin.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        spin.setMinimumWidth(40)
        return spin

    def set_value(self, px: float | None) -> None:
        """Show a size in px; nothing is signaled."""
        with signals_blocked(self.px), signals_blocked(self.um):
            self.px.setValue(px or 0)
            self.um.setValue((px or 0) * self._factor)

    def set_um_per_px(self, um_per_px: float | None) -> None:
        """Show the size in µm, too, or no longer."""
        self._um_per_px = um_per_px
        self.um.setVisible(um_per_px is not None)
        self._show_empty()
        self.set_value(self._value())

    def set_empty_value(self, px: float) -> None:
        """Show what an empty field stands for."""
        self._empty_px = px
        self._show_empty()

    def _show_empty(self) -> None:
        if not self._empty:
            return
        has_room = self._um_per_px is None and self._empty_px
        value = f" ({self._empty_px:g} px)" if has_room else ""
        self.px.setSpecialValueText(self._empty + value)
        self.um.setSpecialValueText("\N{EN DASH}")

    @property
    def _factor(self) -> float:
        return float((self._um_per_px or 0) ** self._power)

    def _value(self) -> float | None:
        value = self.px.value()
        return None if self._empty and not value else value

    def _on_px_changed(self, _: float) -> None:
        value = self._value()
        self.set_value(value)
        self.changed.emit(value)

    def _on_um_changed(self, um: float) -> None:
        if self._factor:
            self.px.setValue(um / self._factor)

    def setToolTip(self, text: str | None) -> None:
        """Explain both fields."""
        self.px.setToolTip(text)
        self.um.setToolTip(text)


def button_for(title: str, wanted: Any, meaning: str) -> QPushButton:
    """Return a button that emits a signal, with a tooltip."""
    button = QPushButton(title)
    button.setToolTip(f"<qt>{meaning}</qt>")
    button.clicked.connect(wanted)
    return button


def row(*widgets: Any, stretch: int = -1) -> QHBoxLayout:
    """Return widgets side by side; the one numbered `stretch` takes what is left."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    for number, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if number == stretch else 0)
    return layout


def column(*parts: QWidget, margin: int = 0, spacing: int = -1) -> QVBoxLayout:
    """Return parts below each other; sizes in px, a spacing of -1 is the style's."""
    layout = QVBoxLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    if spacing >= 0:
        layout.setSpacing(spacing)
    for part in parts:
        layout.addWidget(part)
    return layout


def warned(sentence: str, *, is_failure: bool = True) -> str:
    """Return a sentence behind a warning sign, if it tells of a failure."""
    return f"{_WARNING_SIGN} {sentence}" if is_failure else sentence


class Progressing(QProgressBar):
    """A thin bar that shows how far work is."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Progress")
        self.setTextVisible(False)
        self.setMaximumHeight(8)

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far it is; None leaves what was shown."""
        if progress is not None:
            # A total of 0 makes the bar swing until the total is known.
            self.setRange(0, progress.total)
            self.setValue(progress.done)

    def set_color(self, color: str) -> None:
        """Make what is done stand out."""
        self.setStyleSheet(f"QProgressBar::chunk {{ background-color: {color}; }}")


def make_primary(button: QPushButton, background: str, text: str) -> None:
    """Make the button of a dock that has a name stand out in the theme's colors."""
    name = button.objectName()
    button.setStyleSheet(
        f"QPushButton#{name}:enabled {{"
        f"background-color: {background}; color: {text}; font-weight: bold;"
        f"}} QPushButton#{name} {{ padding: 6px; }}"
    )

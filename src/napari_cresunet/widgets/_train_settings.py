"""All settings of a training, folded away; made from the settings themselves."""

from dataclasses import fields
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.errors import InputError
from napari_cresunet.state import FROM_CARD, GROUPS, TrainState
from napari_cresunet.widgets._parts import Chooser, Fold
from napari_cresunet.widgets._texts import train_tooltip

_LARGEST = 2**31 - 1  # of what a spin box can hold


class SettingsPart(Fold):
    """Device and every field of `TrainConfig` that has no control elsewhere."""

    def __init__(self, state: TrainState) -> None:
        super().__init__("Advanced")
        self._state = state
        self.controls: dict[str, QWidget] = {}
        """By field of `TrainConfig`; empty until the part is unfolded."""
        self.device = Chooser("Device")
        self.device.chosen.connect(self._on_device_chosen)
        self.reset = QPushButton("Use the recommended values")
        self.reset.setToolTip("Take back all changes below.")
        self.reset.clicked.connect(self._on_reset_clicked)
        label = QLabel("D&evice")
        label.setBuddy(self.device)
        for widget in (label, self.device):
            widget.setToolTip(train_tooltip("device"))
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(label, self.device)
        self.content.addLayout(form)
        self.content.addWidget(self.reset)
        self.show_devices([])
        self.opened.connect(self._build)
        state.choices_changed.connect(self.render)
        state.models_changed.connect(self.render)

    def show_devices(self, devices: list[tuple[str, str]]) -> None:
        """Offer devices, as (name, title)."""
        choices = [("auto", "automatic"), *(devices or [("cpu", "CPU")])]
        self.device.fill(choices, self._state.choices.device)

    def _build(self) -> None:
        """Make the controls: not before they are looked for, there are many."""
        if self.controls:
            return
        from napari_cresunet.training import TrainConfig

        specs = {spec.name: spec for spec in fields(TrainConfig)}
        for title, names in GROUPS.items():
            fold = Fold(title)
            form = QFormLayout()
            form.setContentsMargins(0, 0, 0, 0)
            for name in names:
                control = self.controls[name] = self._control(specs[name])
                label = QLabel(_title(name))
                label.setBuddy(control)
                for widget in (label, control):
                    widget.setToolTip(f"<qt>{specs[name].metadata['text']}</qt>")
                form.addRow(label, control)
            fold.content.addLayout(form)
            self.content.addWidget(fold)
        self.render()

    def _control(self, spec: Any) -> QWidget:
        """Make the control of one setting."""

        def on_changed(value: Any) -> None:
            self._on_changed(spec.name, value)

        if isinstance(spec.default, bool):
            box = QCheckBox()
            box.toggled.connect(on_changed)
            return box
        if isinstance(spec.default, str):
            chooser = Chooser(_title(spec.name))
            chooser.fill([(key, key) for key in spec.metadata["choices"]], spec.default)
            chooser.chosen.connect(on_changed)
            return chooser
        spin = QSpinBox() if isinstance(spec.default, int) else NumberField()
        low, high = spec.metadata["low"], spec.metadata["high"]
        spin.setRange(low or 0, _LARGEST if high is None else high)
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        spin.setKeyboardTracking(False)
        if spec.metadata["unit"]:
            spin.setSuffix(f" {spec.metadata['unit']}")
        spin.valueChanged.connect(on_changed)
        return spin

    def render(self) -> None:
        """Show the settings in force."""
        self.device.setCurrentIndex(self.device.findData(self._state.choices.device))
        if not self.controls:
            return
        config, card = self._state.config, self._state.card
        for name, control in self.controls.items():
            value = getattr(config, name)
            with signals_blocked(control):
                if isinstance(control, QCheckBox):
                    control.setChecked(value)
                elif isinstance(control, Chooser):
                    control.setCurrentIndex(control.findData(value))
                else:
                    control.setValue(value)
        for name in FROM_CARD:
            self.controls[name].setEnabled(card is None)
        self.reset.setEnabled(bool(self._state.settings))

    def _on_changed(self, name: str, value: Any) -> None:
        try:
            self._state.set_setting(name, value)
        except InputError as error:
            # Not at once: a spin box goes on to set what it is just telling of.
            QTimer.singleShot(0, self.render)
            self._state.tell(str(error), is_failure=True)

    def _on_device_chosen(self, name: str) -> None:
        self._state.choose(device=name)

    def _on_reset_clicked(self) -> None:
        self._state.recommend()


class NumberField(QDoubleSpinBox):
    """A number of any size, without the zeros that nobody needs."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(8)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setMinimumWidth(40)

    def sizeHint(self) -> Any:
        """Ask for the room of a usual number, not of the longest possible."""
        hint = super().sizeHint()
        hint.setWidth(90)
        return hint

    def minimumSizeHint(self) -> Any:
        """As `sizeHint`."""
        return self.sizeHint()

    def textFromValue(self, value: float) -> str:
        """Return the shortest text for a number."""
        return f"{value:.6g}"

    def valueFromText(self, text: str | None) -> float:
        """Return the number that a text says."""
        return float((text or "").removesuffix(self.suffix()).replace(",", "."))

    def validate(self, text: str | None, position: int) -> Any:
        """Accept whatever is a number."""
        try:
            self.valueFromText(text)
        except ValueError:
            return QValidator.State.Intermediate, text, position
        return QValidator.State.Acceptable, text, position


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()

"""The middle of the dock Train: what to start from, cell diameter, name."""

from html import escape
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QWidget
from superqt.utils import signals_blocked

from napari_cresunet.errors import InputError
from napari_cresunet.state import TrainState
from napari_cresunet.widgets._parts import Chooser, SizeField, warned
from napari_cresunet.widgets._texts import train_text, train_tooltip

_SCRATCH = "nothing (from scratch)"


class StartPart(QWidget):
    """Model or network, what stays as it is, diameter, name."""

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        self._state = state
        self.diameter = SizeField("Cell diameter", decimals=1, empty="measured")
        self.diameter.changed.connect(self._on_diameter_changed)
        self.start = Chooser("Start from")
        self.start.chosen.connect(self._on_start_chosen)
        self.freeze = QCheckBox("&Keep the encoder as it is")
        self.freeze.toggled.connect(self._on_freeze_toggled)
        self.system = Chooser("Network")
        self.system.chosen.connect(self._on_system_chosen)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.name.textEdited.connect(self._on_name_edited)
        self.name_problem = QLabel()
        self.name_problem.setWordWrap(True)
        self._form = QFormLayout(self)
        self._lay_out()
        state.models_changed.connect(self.render)
        state.choices_changed.connect(self.render)
        state.data_changed.connect(self._render_diameter)
        state.run_changed.connect(self._render_name)

    def _lay_out(self) -> None:
        form = self._form
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for title, field, option, buddy in (
            ("Cell &diameter", self.diameter, "diameter", self.diameter.px),
            ("&Start from", self.start, "start", self.start),
            ("", self.freeze, "freeze_encoder", self.freeze),
            ("&Network", self.system, "system", self.system),
            ("Na&me", self.name, "name", self.name),
        ):
            field.setToolTip(train_tooltip(option))
            if not title:
                form.addRow(field)
                continue
            label = QLabel(title)
            label.setBuddy(buddy)
            label.setToolTip(train_tooltip(option))
            form.addRow(label, field)
        form.addRow(self.name_problem)

    def set_um_per_px(self, um_per_px: float | None) -> None:
        """Show the diameter in µm, too, or no longer."""
        self.diameter.set_um_per_px(um_per_px)

    def render(self) -> None:
        """Show the whole state."""
        state, choices = self._state, self._state.choices
        models = [(card.name, card.title) for card in state.models]
        self.start.fill([*models, ("", _SCRATCH)], choices.start)
        is_scratch = not choices.start
        self._form.setRowVisible(self.freeze, not is_scratch)
        self._form.setRowVisible(self.system, is_scratch)
        if is_scratch:
            self.system.fill(_systems(), choices.system)
        with signals_blocked(self.freeze):
            self.freeze.setChecked(choices.freeze_encoder)
        for chooser, option in ((self.start, "start"), (self.system, "system")):
            # The title may be cut off.
            title = escape(chooser.currentText())
            chooser.setToolTip(f"<qt>{title}.<br>{train_text(option)}</qt>")
        self.diameter.set_value(choices.diameter)
        self._render_diameter()
        self._render_name()

    def _render_diameter(self) -> None:
        summary = self._state.summary
        self.diameter.set_empty_value(
            0 if summary is None else round(summary.diameter, 1)
        )

    def _render_name(self) -> None:
        state = self._state
        if self.name.text() != state.choices.name:
            self.name.setText(state.choices.name)
        problem = "" if state.is_running else state.name_problem
        self.name_problem.setText(warned(problem))
        self._form.setRowVisible(self.name_problem, bool(problem))

    def _on_diameter_changed(self, diameter: float | None) -> None:
        try:
            self._state.choose(diameter=diameter)
        except InputError as error:
            # Not at once: a spin box goes on to set what it is just telling of.
            QTimer.singleShot(0, self.render)
            self._state.tell(str(error), is_failure=True)

    def _on_start_chosen(self, name: str) -> None:
        self._state.choose(start=name)

    def _on_freeze_toggled(self, is_on: bool) -> None:
        self._state.choose(freeze_encoder=is_on)

    def _on_system_chosen(self, name: str) -> None:
        self._state.choose(system=name)

    def _on_name_edited(self, name: str) -> None:
        self._state.choose(name=name.strip())


def _systems() -> list[Any]:
    """Return networks from scratch, as (key, title)."""
    from napari_cresunet.training import PRESETS

    return [
        (name, config.title if name == config.variant else f"{config.title} ({name})")
        for name, config in PRESETS.items()
    ]

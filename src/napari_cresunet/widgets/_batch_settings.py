"""How all images are counted, and what is written of each."""

from dataclasses import fields

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QLineEdit, QWidget
from superqt.utils import signals_blocked

from napari_cresunet.batch import BatchOptions
from napari_cresunet.errors import InputError
from napari_cresunet.state import BatchState
from napari_cresunet.widgets._choice_fields import (
    DeviceChooser,
    DistanceField,
    EngineNote,
    choice_form,
    engine_chooser,
    preset_chooser,
)
from napari_cresunet.widgets._parts import (
    Chooser,
    Fold,
    SizeField,
    button_for,
    column,
)

_OUTPUTS = {
    "report": "Re&port",
    "overlay": "&Overlays",
    "cells": "Tables of cells",
    "probability": "Pro&bability",
    "again": "Count a&gain",
}
_TEXT_OF = {
    spec.name: f"<qt>{spec.metadata['text']}</qt>"
    for spec in fields(BatchOptions)
    if "text" in spec.metadata
}


class SettingsPart(QWidget):
    """What few people change, folded away; the model has a row of its own."""

    take_wanted = Signal()
    """The user wants the choices of Segment and count."""

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.model_row = QWidget()
        self.model = Chooser("Model")
        self.model.chosen.connect(self._on_model_chosen)
        self.fold = Fold("Settings")
        self.diameter = SizeField("Cell diameter", decimals=1, empty="as trained")
        self.diameter.changed.connect(self._on_diameter_changed)
        self.threshold = QDoubleSpinBox()
        self.threshold.setAccessibleName("Threshold")
        self.threshold.setRange(0, 1)
        self.threshold.setSingleStep(0.01)
        self.threshold.setKeyboardTracking(False)
        self.threshold.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.threshold.valueChanged.connect(self._on_threshold_changed)
        self.min_size = SizeField("Smallest cell", power=2)
        self.min_size.changed.connect(self._on_size_changed)
        self.channel = QLineEdit()
        self.channel.setAccessibleName("Channel")
        self.channel.setPlaceholderText("number or name")
        self.channel.setToolTip(_TEXT_OF["channel"])
        self.channel.editingFinished.connect(self._on_channel_typed)
        self.preset = preset_chooser(state)
        self.min_distance = DistanceField(state)
        self.device = DeviceChooser(state)
        self.engine = engine_chooser(state)
        self.engine_note = EngineNote(state)
        self.take = button_for(
            "Take from Segment and count",
            self.take_wanted,
            "Count all images as the dock Segment and count is set.",
        )
        self.reset = button_for(
            "Use the model's values",
            self._on_reset_clicked,
            "Threshold, smallest cell, splitting: as the model recommends.",
        )
        self.writes = {name: QCheckBox(title) for name, title in _OUTPUTS.items()}
        for name, box in self.writes.items():
            box.setToolTip(_TEXT_OF[name])
            box.toggled.connect(self._on_box_toggled)
        self._lay_out()
        state.models_changed.connect(self._render_models)
        state.choices_changed.connect(self._render_choices)
        state.run_changed.connect(self._render_enabled)

    def _lay_out(self) -> None:
        self.model_row.setLayout(choice_form([("&Model", self.model, "model")]))
        form = choice_form(
            [
                ("Cell &diameter", self.diameter, "diameter"),
                ("&Threshold", self.threshold, "threshold"),
                ("Smallest &cell", self.min_size, "min_size"),
                ("&Split cells", self.preset, "preset"),
                ("Centers at &least", self.min_distance, "min_distance"),
                ("D&evice", self.device, "device"),
                ("Runs &with", self.engine, "engine"),
            ]
        )
        form.addRow("C&hannel", self.channel)
        self.fold.content.addLayout(form)
        for widget in (self.engine_note, self.take, self.reset):
            self.fold.content.addWidget(widget)
        grid = QGridLayout()
        for number, box in enumerate(self.writes.values()):
            grid.addWidget(box, number // 2, number % 2)
        self.fold.content.addLayout(grid)
        self.setLayout(column(self.fold))

    def render(self) -> None:
        """Show the whole state."""
        self._render_models()
        self._render_choices()
        self._render_enabled()

    def _render_models(self) -> None:
        models = [(card.name, card.title) for card in self._state.models]
        self.model.fill(models, self._state.choices.model)

    def _render_choices(self) -> None:
        state, choices = self._state, self._state.choices
        self.model.setCurrentIndex(self.model.findData(choices.model))
        self.diameter.set_value(choices.diameter)
        settings, card = state.settings, state.card
        if settings is not None and card is not None:
            self.diameter.set_empty_value(card.diameter)
            self.model.setToolTip(f"<qt>{card.title}: {card.data}</qt>")
            with signals_blocked(self.threshold):
                self.threshold.setValue(settings.threshold)
            self.min_size.set_value(settings.min_size)
        self.channel.setText(state.outputs.channel or "")
        for name, box in self.writes.items():
            with signals_blocked(box):
                box.setChecked(getattr(state.outputs, name))

    def _render_enabled(self) -> None:
        for widget in (self.model_row, self):
            widget.setEnabled(not self._state.is_running)

    # What the user wants

    def _on_model_chosen(self, name: str) -> None:
        self._state.choose(model=name)

    def _on_diameter_changed(self, diameter: float | None) -> None:
        try:
            self._state.choose(diameter=diameter)
        except InputError as error:
            # Not at once: a spin box goes on to set what it is just telling of.
            QTimer.singleShot(0, self._render_choices)
            self._state.tell(str(error), is_failure=True)

    def _on_threshold_changed(self, threshold: float) -> None:
        self._state.choose(threshold=round(threshold, 2))

    def _on_size_changed(self, size: float | None) -> None:
        self._state.choose(min_size=round(size or 0))

    def _on_channel_typed(self) -> None:
        self._state.write(channel=self.channel.text().strip() or None)

    def _on_box_toggled(self, _is_on: bool) -> None:
        self._state.write(**{n: box.isChecked() for n, box in self.writes.items()})

    def _on_reset_clicked(self) -> None:
        self._state.recommend()

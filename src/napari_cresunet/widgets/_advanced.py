"""What few people need, folded away."""

from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QPushButton
from superqt.utils import signals_blocked

from napari_cresunet.segmentation import PRESETS
from napari_cresunet.state import ENGINES, CountState, describe_engine
from napari_cresunet.widgets._parts import Chooser, DistanceField, Fold
from napari_cresunet.widgets._texts import tooltip

_TILES = ("", "256", "512", "1024", "2048", "4096")


class AdvancedPart(Fold):
    """Device, engine, tiles, field of view, recipe, and the way back."""

    def __init__(self, state: CountState) -> None:
        super().__init__("Advanced")
        self._state = state
        self.view_only = QCheckBox("Current &field of view only")
        self.view_only.toggled.connect(self._on_view_only_toggled)
        self.new_layers = QCheckBox("Make new la&yers")
        self.new_layers.toggled.connect(self._on_new_layers_toggled)
        self.preset = Chooser("Recipe")
        self.preset.fill([(key, row.title) for key, row in PRESETS.items()], "")
        self.preset.chosen.connect(self._on_preset_chosen)
        self.min_distance = DistanceField()
        self.min_distance.valueChanged.connect(self._on_min_distance_changed)
        self.device = Chooser("Device")
        self.device.chosen.connect(self._on_device_chosen)
        self.engine = Chooser("Runs with")
        self.engine.fill([(key, row[0]) for key, row in ENGINES.items()], "")
        self.engine.chosen.connect(self._on_engine_chosen)
        self.engine_note = QLabel()
        self.engine_note.setWordWrap(True)
        self.tile = Chooser("Tile size")
        self.tile.fill(
            [(key, f"{key} px" if key else "automatic") for key in _TILES], ""
        )
        self.tile.chosen.connect(self._on_tile_chosen)
        self.reset = QPushButton("Use the model's values")
        self.reset.setToolTip(
            "<qt>Threshold, smallest cell, splitting: as the model recommends.</qt>"
        )
        self.reset.clicked.connect(self._on_reset_clicked)
        self._lay_out()
        self.show_devices([])
        state.choices_changed.connect(self.render)
        state.run_changed.connect(self._render_note)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for title, field, option in (
            ("&Split cells", self.preset, "preset"),
            ("Centers at &least", self.min_distance, "min_distance"),
            ("D&evice", self.device, "device"),
            ("Runs &with", self.engine, "engine"),
            ("Tile si&ze", self.tile, "tile"),
        ):
            label = QLabel(title)
            label.setBuddy(field)
            for widget in (label, field):
                widget.setToolTip(tooltip(option))
            form.addRow(label, field)
        for box, option in (
            (self.view_only, "view_only"),
            (self.new_layers, "new_layers"),
        ):
            box.setToolTip(tooltip(option))
            self.content.addWidget(box)
        self.content.addLayout(form)
        self.content.addWidget(self.engine_note)
        self.content.addWidget(self.reset)

    def show_devices(self, devices: list[tuple[str, str]]) -> None:
        """Offer devices, as (name, title)."""
        choices = [("auto", "automatic"), *(devices or [("cpu", "CPU")])]
        self.device.fill(choices, self._state.choices.device)

    def render(self) -> None:
        """Show the choices."""
        choices, settings = self._state.choices, self._state.settings
        for field, value in (
            (self.view_only, choices.view_only),
            (self.new_layers, choices.new_layers),
        ):
            with signals_blocked(field):
                field.setChecked(value)
        self.preset.setCurrentIndex(self.preset.findData(choices.preset))
        self.device.setCurrentIndex(self.device.findData(choices.device))
        self.engine.setCurrentIndex(self.engine.findData(choices.engine))
        self._render_note()
        self.tile.setCurrentIndex(self.tile.findData(str(choices.tile or "")))
        if settings is not None:
            self.min_distance.show_distance(choices.preset, settings.min_distance)

    def _render_note(self) -> None:
        """Say what 8 bits change; a run may have measured it."""
        note = describe_engine(self._state.choices, self._state.card)
        self.engine_note.setText(note)
        self.engine_note.setVisible(bool(note))

    def _on_view_only_toggled(self, is_on: bool) -> None:
        self._state.choose(view_only=is_on)

    def _on_new_layers_toggled(self, is_on: bool) -> None:
        self._state.choose(new_layers=is_on)

    def _on_preset_chosen(self, name: str) -> None:
        self._state.choose(preset=name)

    def _on_min_distance_changed(self, distance: int) -> None:
        self._state.choose(min_distance=distance)

    def _on_device_chosen(self, name: str) -> None:
        self._state.choose(device=name)

    def _on_engine_chosen(self, name: str) -> None:
        self._state.choose(engine=name)

    def _on_tile_chosen(self, tile: str) -> None:
        self._state.choose(tile=int(tile) if tile else None)

    def _on_reset_clicked(self) -> None:
        self._state.recommend()

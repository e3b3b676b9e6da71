"""What few people need, folded away."""

from qtpy.QtWidgets import QCheckBox, QPushButton
from superqt.utils import signals_blocked

from napari_cresunet.state import CountState
from napari_cresunet.widgets._choice_fields import (
    DeviceChooser,
    DistanceField,
    EngineNote,
    choice_form,
    engine_chooser,
    preset_chooser,
)
from napari_cresunet.widgets._parts import Chooser, Fold
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
        self.preset = preset_chooser(state)
        self.min_distance = DistanceField(state)
        self.device = DeviceChooser(state)
        self.engine = engine_chooser(state)
        self.engine_note = EngineNote(state)
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
        state.choices_changed.connect(self.render)

    def _lay_out(self) -> None:
        for box, option in (
            (self.view_only, "view_only"),
            (self.new_layers, "new_layers"),
        ):
            box.setToolTip(tooltip(option))
            self.content.addWidget(box)
        self.content.addLayout(
            choice_form(
                [
                    ("&Split cells", self.preset, "preset"),
                    ("Centers at &least", self.min_distance, "min_distance"),
                    ("D&evice", self.device, "device"),
                    ("Runs &with", self.engine, "engine"),
                    ("Tile si&ze", self.tile, "tile"),
                ]
            )
        )
        self.content.addWidget(self.engine_note)
        self.content.addWidget(self.reset)

    def render(self) -> None:
        """Show the choices."""
        choices = self._state.choices
        for field, value in (
            (self.view_only, choices.view_only),
            (self.new_layers, choices.new_layers),
        ):
            with signals_blocked(field):
                field.setChecked(value)
        self.tile.setCurrentIndex(self.tile.findData(str(choices.tile or "")))

    def _on_view_only_toggled(self, is_on: bool) -> None:
        self._state.choose(view_only=is_on)

    def _on_new_layers_toggled(self, is_on: bool) -> None:
        self._state.choose(new_layers=is_on)

    def _on_tile_chosen(self, tile: str) -> None:
        self._state.choose(tile=int(tile) if tile else None)

    def _on_reset_clicked(self) -> None:
        self._state.recommend()

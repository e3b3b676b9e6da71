"""Fields for choices of a run, the same in each dock that counts."""

from typing import Any, TypeAlias

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QSpinBox
from superqt.utils import signals_blocked

from napari_cresunet.segmentation import PRESETS
from napari_cresunet.state import ENGINES, BatchState, CountState, describe_engine
from napari_cresunet.widgets._parts import Chooser
from napari_cresunet.widgets._texts import tooltip

ChosenState: TypeAlias = CountState | BatchState
"""What has choices, and settings and a card that follow from them."""


class PresetChooser(Chooser):
    """The recipe that splits cells."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__("Recipe")
        self._state = state
        self.fill([(key, one.title) for key, one in PRESETS.items()], "")
        self.chosen.connect(self._on_chosen)

    def render(self) -> None:
        """Show what is chosen."""
        self.setCurrentIndex(self.findData(self._state.choices.preset))

    def _on_chosen(self, name: str) -> None:
        self._state.choose(preset=name)


class DistanceField(QSpinBox):
    """How far apart the centers of touching cells are; for recipes that ask."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__()
        self._state = state
        self.setRange(1, 10_000)
        self.setSuffix(" px")
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setKeyboardTracking(False)
        self.valueChanged.connect(self._on_changed)

    def render(self) -> None:
        """Show the distance, and whether the recipe takes any."""
        choices, settings = self._state.choices, self._state.settings
        if settings is None:
            return
        self.setEnabled(PRESETS[choices.preset].min_distance is not None)
        with signals_blocked(self):
            self.setValue(settings.min_distance or 1)

    def _on_changed(self, distance: int) -> None:
        self._state.choose(min_distance=distance)


class DeviceChooser(Chooser):
    """Where the network runs."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__("Device")
        self._state = state
        self.show_devices([])
        self.chosen.connect(self._on_chosen)

    def show_devices(self, devices: list[tuple[str, str]]) -> None:
        """Offer devices, as (name, title)."""
        choices = [("auto", "automatic"), *(devices or [("cpu", "CPU")])]
        self.fill(choices, self._state.choices.device)

    def render(self) -> None:
        """Show what is chosen."""
        self.setCurrentIndex(self.findData(self._state.choices.device))

    def _on_chosen(self, name: str) -> None:
        self._state.choose(device=name)


class EngineChooser(Chooser):
    """What the network runs with."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__("Runs with")
        self._state = state
        self.fill([(key, row[0]) for key, row in ENGINES.items()], "")
        self.chosen.connect(self._on_chosen)

    def render(self) -> None:
        """Show what is chosen."""
        self.setCurrentIndex(self.findData(self._state.choices.engine))

    def _on_chosen(self, name: str) -> None:
        self._state.choose(engine=name)


class EngineNote(QLabel):
    """What the user should know of the engine, such as what 8 bits change."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__()
        self._state = state
        self.setWordWrap(True)

    def render(self) -> None:
        """Say it, if there is anything to say; a run may have measured it."""
        note = describe_engine(self._state.choices, self._state.card)
        self.setText(note)
        self.setVisible(bool(note))


def choice_form(rows: list[tuple[str, Any, str]]) -> QFormLayout:
    """Return fields with their titles, each explained as the choice it is for.

    Parameters
    ----------
    rows : list of (str, QWidget, str)
        Title, field, and name among `Choices`.

    Returns
    -------
    QFormLayout
        One row for each.
    """
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    for title, field, option in rows:
        label = QLabel(title)
        label.setBuddy(getattr(field, "px", field))
        for widget in (label, field):
            widget.setToolTip(tooltip(option))
        form.addRow(label, field)
    return form

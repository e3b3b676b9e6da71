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


class ChoiceChooser(Chooser):
    """A list of which one entry is chosen, as the state has it.

    Parameters
    ----------
    name : str
        What it is, for screen readers.
    state : CountState or BatchState
        Whose choice it is.
    option : str
        Name among `Choices`.
    entries : list of (str, str)
        Key and title of each.
    """

    def __init__(
        self, name: str, state: ChosenState, option: str, entries: list[tuple[str, str]]
    ) -> None:
        super().__init__(name)
        self._state, self._option = state, option
        self.fill(entries, getattr(state.choices, option))
        self.chosen.connect(self._on_chosen)
        state.choices_changed.connect(self.render)

    def render(self) -> None:
        """Show what is chosen."""
        self.setCurrentIndex(self.findData(getattr(self._state.choices, self._option)))

    def _on_chosen(self, key: str) -> None:
        self._state.choose(**{self._option: key})


def preset_chooser(state: ChosenState) -> ChoiceChooser:
    """Return the list of recipes that split cells."""
    entries = [(key, one.title) for key, one in PRESETS.items()]
    return ChoiceChooser("Recipe", state, "preset", entries)


def engine_chooser(state: ChosenState) -> ChoiceChooser:
    """Return the list of what the network runs with."""
    entries = [(key, row[0]) for key, row in ENGINES.items()]
    return ChoiceChooser("Runs with", state, "engine", entries)


class DeviceChooser(ChoiceChooser):
    """Where the network runs."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__("Device", state, "device", [])
        self.show_devices([])

    def show_devices(self, devices: list[tuple[str, str]]) -> None:
        """Offer devices, as (name, title)."""
        choices = [("auto", "automatic"), *(devices or [("cpu", "CPU")])]
        self.fill(choices, self._state.choices.device)


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
        state.choices_changed.connect(self.render)
        self.render()

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


class EngineNote(QLabel):
    """What the user should know of the engine, such as what 8 bits change."""

    def __init__(self, state: ChosenState) -> None:
        super().__init__()
        self._state = state
        self.setWordWrap(True)
        # Not rendered yet: without a parent it would be a window of its own.
        self.setVisible(False)
        state.choices_changed.connect(self.render)
        state.run_changed.connect(self.render)

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

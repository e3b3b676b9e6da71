"""The upper part of the dock Compare models: image, models, diameter, truth."""

from dataclasses import fields
from html import escape
from typing import Any

from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.errors import InputError
from napari_cresunet.state import CompareChoices, CompareState
from napari_cresunet.weights import ModelCard
from napari_cresunet.widgets._parts import (
    Chooser,
    Fold,
    SizeField,
    row,
    warned,
)

NO_TRUTH = ""
_TRUTH_TEXT = (
    "A layer that says where the true cells are: labels, a mask, or points. With it "
    "each model is scored. You may choose it later, or edit it: no network runs again."
)
_ROWS = 5  # models that are seen at once
_TILES = ("", "256", "512", "1024", "2048", "4096")
_TEXT_OF = {
    spec.name: f"<qt>{spec.metadata['text']}</qt>"
    for spec in fields(CompareChoices)
    if "text" in spec.metadata
}


class ModelList(QListWidget):
    """Models to tick; it scrolls rather than grow."""

    ticked = Signal(object)
    """The names of the models that are ticked now, as a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Models to compare")
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.itemChanged.connect(self._on_item_changed)

    def fill(self, cards: list[ModelCard], ticked: tuple[str, ...]) -> None:
        """Show models, some of them ticked; nothing is signaled."""
        with signals_blocked(self):
            self.clear()
            for card in cards:
                item = QListWidgetItem(card.title)
                item.setData(Qt.ItemDataRole.UserRole, card.name)
                item.setToolTip(
                    f"<qt><b>{card.name}</b>: {card.title}. Trained on {card.data}. "
                    f"Recommended threshold {card.threshold:g}.</qt>"
                )
                item.setFlags(
                    Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable
                )
                item.setCheckState(_check(card.name in ticked))
                self.addItem(item)
        self.updateGeometry()

    def tick(self, names: tuple[str, ...]) -> None:
        """Tick these models only; nothing is signaled."""
        with signals_blocked(self):
            for item in self._items:
                item.setCheckState(_check(_name(item) in names))
        self.viewport().update()

    @property
    def _items(self) -> list[QListWidgetItem]:
        return [self.item(number) for number in range(self.count())]

    def _on_item_changed(self, _item: QListWidgetItem) -> None:
        checked = Qt.CheckState.Checked
        names = [_name(x) for x in self._items if x.checkState() == checked]
        self.ticked.emit(tuple(names))

    def sizeHint(self) -> QSize:
        """Ask for as much height as the rows need, but not for too many."""
        height = max(self.sizeHintForRow(0), self.fontMetrics().height())
        rows = min(max(self.count(), 2), _ROWS)
        return QSize(100, rows * height + 2 * self.frameWidth() + 2)


def _check(is_ticked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked


def _name(item: QListWidgetItem) -> str:
    return str(item.data(Qt.ItemDataRole.UserRole))


class ComparedPart(QWidget):
    """Choosers of image, models, diameter, truth and matching distance."""

    layer_chosen = Signal(str)
    """Identity of the image layer that the user chose."""
    truth_chosen = Signal(str)
    """Identity of the truth, or `NO_TRUTH`."""

    def __init__(self, state: CompareState) -> None:
        super().__init__()
        self._state = state
        self.image = Chooser("Image")
        self.image.setToolTip("The image to count. Follows the selected layer.")
        self.image.chosen.connect(self.layer_chosen)
        self.models = ModelList()
        self.models.ticked.connect(self._on_ticked)
        self.all, self.none = QPushButton("All"), QPushButton("None")
        self.all.setToolTip("Tick all models.")
        self.none.setToolTip("Tick no model.")
        self.all.clicked.connect(self._on_all_clicked)
        self.none.clicked.connect(self._on_none_clicked)
        self.diameter = SizeField("Cell diameter", decimals=1, empty="as trained")
        self.diameter.changed.connect(self._on_diameter_changed)
        self.truth = Chooser("Truth")
        self.truth.chosen.connect(self.truth_chosen)
        self.distance = SizeField("Matching distance", decimals=1, empty="automatic")
        self.distance.changed.connect(self._on_distance_changed)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self._form = QFormLayout()
        self._lay_out()
        state.models_changed.connect(self._render_models)
        state.choices_changed.connect(self._render_choices)
        state.source_changed.connect(self._render_source)
        state.truth_changed.connect(self._render_truth)

    def _lay_out(self) -> None:
        form = self._form
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.diameter.setToolTip(_TEXT_OF["diameter"])
        self.distance.setToolTip(_TEXT_OF["max_distance"])
        head = QLabel("&Models")
        head.setBuddy(self.models)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._titled("&Image", self.image))
        for button in (self.all, self.none):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        layout.addLayout(row(head, self.all, self.none, stretch=0))
        layout.addWidget(self.models)
        for title, field, buddy in (
            ("Cell &diameter", self.diameter, self.diameter.px),
            ("Tr&uth", self.truth, self.truth),
            ("Match &within", self.distance, self.distance.px),
        ):
            label = QLabel(title)
            label.setBuddy(buddy)
            label.setToolTip(buddy.toolTip())
            form.addRow(label, field)
        layout.addLayout(form)
        layout.addWidget(self.problem)

    def _titled(self, title: str, field: QWidget) -> Any:
        label = QLabel(title)
        label.setBuddy(field)
        label.setToolTip(field.toolTip())
        return row(label, field, stretch=1)

    def render(self) -> None:
        """Show the whole state."""
        self._render_models()
        self._render_source()
        self._render_choices()
        self._render_truth()

    def show_layers(
        self, images: list[tuple[str, str]], truths: list[tuple[str, str]], truth: str
    ) -> None:
        """Offer layers, as (identity, name), one of them as truth."""
        source = self._state.source
        self.image.fill(images, "" if source is None else source.identity)
        self.image.setEnabled(bool(images))
        self.truth.fill([(NO_TRUTH, "none"), *truths], truth)
        # The name may be cut off.
        name = escape(self.truth.currentText())
        self.truth.setToolTip(f"<qt>{name}.<br>{_TRUTH_TEXT}</qt>")

    def _on_ticked(self, names: tuple[str, ...]) -> None:
        self._state.choose(models=names)

    def _on_all_clicked(self) -> None:
        self._on_ticked(tuple(card.name for card in self._state.models))

    def _on_none_clicked(self) -> None:
        self._on_ticked(())

    def _on_diameter_changed(self, diameter: float | None) -> None:
        self._choose(diameter=diameter)

    def _on_distance_changed(self, distance: float | None) -> None:
        self._choose(max_distance=distance)

    def _choose(self, **changes: Any) -> None:
        try:
            self._state.choose(**changes)
        except InputError as error:
            # Not at once: a spin box goes on to set what it is just telling of.
            QTimer.singleShot(0, self._render_choices)
            self._state.tell(str(error), is_failure=True)

    def _render_models(self) -> None:
        self.models.fill(self._state.models, self._state.choices.models)

    def _render_source(self) -> None:
        source = self._state.source
        for field in (self.diameter, self.distance):
            field.set_um_per_px(None if source is None else source.um_per_px)

    def _render_choices(self) -> None:
        choices, cards = self._state.choices, self._state.chosen_cards
        self.models.tick(choices.models)
        self.diameter.set_value(choices.diameter)
        trained = {card.diameter for card in cards}
        self.diameter.set_empty_value(trained.pop() if len(trained) == 1 else 0)
        self.distance.set_value(choices.max_distance)
        self.distance.set_empty_value(choices.usual_distance)

    def _render_truth(self) -> None:
        state = self._state
        self.problem.setText(warned(state.truth_problem))
        self.problem.setVisible(bool(state.truth_problem))
        has_truth = state.truth is not None
        self._form.setRowVisible(self.distance, has_truth)


class CompareAdvanced(Fold):
    """Where the networks run, and in what pieces."""

    def __init__(self, state: CompareState) -> None:
        super().__init__("Advanced")
        self._state = state
        self.device = Chooser("Device")
        self.device.chosen.connect(self._on_device_chosen)
        self.tile = Chooser("Tile size")
        self.tile.fill(
            [(key, f"{key} px" if key else "automatic") for key in _TILES], ""
        )
        self.tile.chosen.connect(self._on_tile_chosen)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for title, field, option in (
            ("D&evice", self.device, "device"),
            ("Tile si&ze", self.tile, "tile"),
        ):
            label = QLabel(title)
            label.setBuddy(field)
            for widget in (label, field):
                widget.setToolTip(_TEXT_OF[option])
            form.addRow(label, field)
        self.content.addLayout(form)
        self.show_devices([])

    def show_devices(self, devices: list[tuple[str, str]]) -> None:
        """Offer devices, as (name, title)."""
        choices = [("auto", "automatic"), *(devices or [("cpu", "CPU")])]
        self.device.fill(choices, self._state.choices.device)

    def _on_device_chosen(self, name: str) -> None:
        self._state.choose(device=name)

    def _on_tile_chosen(self, tile: str) -> None:
        self._state.choose(tile=int(tile) if tile else None)

"""The upper part of the dock Train: what to learn from."""

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import PairChoice, TrainState
from napari_cresunet.widgets._parts import Chooser, column, row, warned
from napari_cresunet.widgets._texts import train_tooltip

_LIST_HEIGHT = 64  # px, three pairs
_WAYS = (
    ("layers", "layers in napari"),
    ("folder", "a folder with masks"),
    ("folders", "two folders"),
)


class DataPart(QWidget):
    """Choosers of layers or folders, and what was found in them."""

    pair_wanted = Signal(str, str)
    """Identities of an image and a labels layer."""
    image_chosen = Signal(str)

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        self._state = state
        self.way = Chooser("Learn from")
        self.way.fill(list(_WAYS), state.choices.learn_from)
        self.way.chosen.connect(self._on_way_chosen)
        self.way.setToolTip(train_tooltip("learn_from"))
        self.layers = LayersPage(state)
        self.layers.pair_wanted.connect(self.pair_wanted)
        self.layers.image_chosen.connect(self.image_chosen)
        self.folder = PathField("Folder", train_tooltip("folder"))
        self.images = PathField("Images", train_tooltip("images"))
        self.masks = PathField("Masks", train_tooltip("masks"))
        for name in ("folder", "images", "masks"):
            getattr(self, name).changed.connect(self._on_paths_changed)
        self.pages = (
            self.layers,
            _form(("&Folder", self.folder)),
            _form(("&Images", self.images), ("&Masks", self.masks)),
        )
        self.found = QLabel()
        self.found.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        title = QLabel("&Learn from")
        title.setBuddy(self.way)
        layout.addLayout(row(title, self.way, stretch=1))
        for page in self.pages:
            layout.addWidget(page)
        layout.addWidget(self.found)
        state.choices_changed.connect(self.render)
        state.data_changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        state, choices = self._state, self._state.choices
        number = [key for key, _ in _WAYS].index(choices.learn_from)
        self.way.setCurrentIndex(number)
        for index, page in enumerate(self.pages):
            page.setVisible(index == number)
        for name in ("folder", "images", "masks"):
            getattr(self, name).set_path(getattr(choices, name))
        self.layers.render()
        text = "" if state.summary is None else state.summary.sentence
        if state.data_problem:
            text = warned(state.data_problem)
        self.found.setText(text)
        self.found.setVisible(bool(text))

    def _on_way_chosen(self, way: str) -> None:
        self._state.choose(learn_from=way)

    def _on_paths_changed(self) -> None:
        self._state.choose(
            folder=self.folder.path, images=self.images.path, masks=self.masks.path
        )


class LayersPage(QWidget):
    """Two choosers, and the list of pairs that were added."""

    pair_wanted = Signal(str, str)
    image_chosen = Signal(str)

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        self._state = state
        self.image, self.labels = Chooser("Image"), Chooser("Labels")
        self.image.setToolTip("An image to learn from.")
        self.image.chosen.connect(self.image_chosen)
        self.labels.setToolTip(
            "<qt>Its true cells: a labels layer, painted by you, or found by a model "
            "and corrected.</qt>"
        )
        self.add = QPushButton("&Add pair")
        self.add.clicked.connect(self._on_add_clicked)
        self.remove = QPushButton("&Remove")
        self.remove.setToolTip("Learn no longer from the selected pairs (Delete).")
        self.remove.clicked.connect(self._on_remove_clicked)
        self.list = PairList()
        self.list.delete_pressed.connect(self._on_remove_clicked)
        self.list.setAccessibleName("Pairs to learn from")
        self.list.setFixedHeight(_LIST_HEIGHT)
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemSelectionChanged.connect(self._on_selection_changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(_form(("&Image", self.image), ("&Labels", self.labels)))
        layout.addLayout(row(self.add, self.remove, stretch=0))
        layout.addWidget(self.list)

    def show_layers(
        self,
        images: list[tuple[str, str]],
        labels: list[tuple[str, str]],
        chosen: tuple[str, str],
    ) -> None:
        """Offer layers, as (identity, name), two of them chosen."""
        self.image.fill(images, chosen[0])
        self.labels.fill(labels, chosen[1])
        self.image.setEnabled(bool(images))
        self.labels.setEnabled(bool(labels))
        has_both = bool(images) and bool(labels)
        self.add.setEnabled(has_both)
        self.add.setToolTip(
            "Learn from this image and these labels."
            if has_both
            else "<qt>This needs an image layer and a labels layer of the same size."
            "</qt>"
        )

    @property
    def chosen(self) -> tuple[str, str]:
        """Identities of the image and the labels that are chosen; "" for none."""
        return self.image.currentData() or "", self.labels.currentData() or ""

    def render(self) -> None:
        """Show the pairs."""
        pairs = self._state.pairs
        if [self._pair(index) for index in range(self.list.count())] != list(pairs):
            with signals_blocked(self.list):
                self.list.clear()
                for pair in pairs:
                    item = QListWidgetItem(pair.title)
                    item.setToolTip(pair.title)
                    item.setData(Qt.ItemDataRole.UserRole, pair)
                    self.list.addItem(item)
        self.list.setVisible(bool(pairs))
        self.remove.setVisible(bool(pairs))
        self._on_selection_changed()

    def _pair(self, index: int) -> Any:
        return self.list.item(index).data(Qt.ItemDataRole.UserRole)

    def _on_selection_changed(self) -> None:
        self.remove.setEnabled(bool(self.list.selectedItems()))

    def _on_add_clicked(self) -> None:
        self.pair_wanted.emit(*self.chosen)

    def _on_remove_clicked(self) -> None:
        gone: list[PairChoice] = [
            item.data(Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()
        ]
        self._state.remove_pairs(gone)


class PairList(QListWidget):
    """A list whose selected entries the Delete key removes."""

    delete_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Leave all other keys to Qt."""
        if event is not None and event.matches(QKeySequence.StandardKey.Delete):
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)


class PathField(QWidget):
    """A folder, typed or chosen."""

    changed = Signal()

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self._name = name
        self.text = QLineEdit()
        self.text.setAccessibleName(name)
        self.text.setPlaceholderText("type or choose")
        self.text.editingFinished.connect(self.changed)
        self.browse = QToolButton()
        self.browse.setText("…")
        self.browse.setAccessibleName(f"Choose {name.lower()}")
        self.browse.clicked.connect(self._on_browse_clicked)
        for widget in (self.text, self.browse):
            widget.setToolTip(hint)
        self.setLayout(column())
        self.layout().addLayout(row(self.text, self.browse, stretch=0))
        self.setFocusProxy(self.text)

    @property
    def path(self) -> str:
        """What it says."""
        return str(self.text.text()).strip()

    def set_path(self, path: str) -> None:
        """Say something else; nothing is signaled."""
        if path != self.path:
            self.text.setText(path)

    def _on_browse_clicked(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self._name, self.path)
        if path:
            self.text.setText(path)
            self.changed.emit()


def _form(*rows: tuple[str, QWidget]) -> QWidget:
    """Return fields below each other, with their titles."""
    page = QWidget()
    form = QFormLayout(page)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    for title, field in rows:
        label = QLabel(title)
        label.setBuddy(field)
        label.setToolTip(field.toolTip())
        form.addRow(label, field)
    return page

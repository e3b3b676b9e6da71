"""The part of the dock Measure and export that is about regions."""

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import MeasureState, RegionLine
from napari_cresunet.widgets._parts import Chooser, row

_TITLES = ("Region", "Cells", "mm²", "per mm²")
_ROWS = 7  # that are seen at once


class RegionsPart(QWidget):
    """Draw regions, choose them, name them, and see what was counted in each."""

    draw_wanted = Signal()
    layer_chosen = Signal(str)
    """Identity of a layer; empty for none."""
    renamed = Signal(str, str)
    """Old name and new."""

    def __init__(self, state: MeasureState) -> None:
        super().__init__()
        self._state = state
        self.draw = QPushButton("Draw regions")
        self.draw.setToolTip(
            "<qt>Click around a region, double click to close it; then name it in the "
            "list. Shapes of one name are one region.</qt>"
        )
        self.draw.clicked.connect(self.draw_wanted)
        self.layer = Chooser("Layer of regions")
        self.layer.setToolTip(
            "<qt>Regions from another layer: shapes, or labels in which each number is "
            "a region.</qt>"
        )
        self.layer.chosen.connect(self.layer_chosen)
        self.list = RegionList()
        self.list.renamed.connect(self.renamed)
        self.words = QLabel()
        self.words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row(self.draw, self.layer, stretch=1))
        for widget in (self.list, self.words):
            layout.addWidget(widget)
        state.tally_changed.connect(self.render)

    def show_layers(self, layers: list[tuple[str, str]]) -> None:
        """Offer layers, as (identity, name)."""
        self.layer.fill([("", "no regions"), *layers], self._state.layers.regions)

    def render(self) -> None:
        """Show the state."""
        state = self._state
        self.draw.setEnabled(state.tally is not None)
        self.layer.setEnabled(state.tally is not None)
        lines = state.region_lines
        self.list.show_lines(lines)
        # The headline says what is known of the whole image.
        self.list.setVisible(len(lines) > 1)
        self.words.setText(state.region_words)
        self.words.setVisible(bool(state.region_words))


class RegionList(QTableWidget):
    """One line for each region, whose name can be edited, and for the whole image."""

    renamed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__(0, len(_TITLES))
        self.setAccessibleName("Regions")
        self.setHorizontalHeaderLabels(_TITLES)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("<qt>Double click a name to change it.</qt>")
        self._lines: list[RegionLine] = []
        self.itemChanged.connect(self._on_item_changed)

    def show_lines(self, lines: list[RegionLine]) -> None:
        """Show other regions; nothing is signaled."""
        if lines == self._lines:
            return  # not from under the cursor of somebody who types a name
        self._lines = lines
        with signals_blocked(self):
            self.setRowCount(len(lines))
            for number, line in enumerate(lines):
                self._show(number, line)
        self.updateGeometry()
        self.viewport().update()

    def _show(self, number: int, line: RegionLine) -> None:
        for place, text in enumerate((line.name, line.count, line.area, line.density)):
            item = QTableWidgetItem(text)
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            if place == 0 and not line.is_whole:
                flags |= Qt.ItemFlag.ItemIsEditable
            item.setFlags(flags)
            item.setToolTip(text)
            if place:
                item.setTextAlignment(
                    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
            if line.is_whole:
                font = item.font()
                font.setItalic(True)
                item.setFont(font)
            self.setItem(number, place, item)

    def _on_item_changed(self, item: QTableWidgetItem) -> None:
        old = self._lines[item.row()].name
        if item.text() != old:
            self.renamed.emit(old, item.text())
            with signals_blocked(self):
                item.setText(old)  # the counts, which follow, have the new name

    def sizeHint(self) -> QSize:
        """Ask for the height of the lines, and for no width."""
        rows = min(len(self._lines), _ROWS)
        height = rows * self.verticalHeader().defaultSectionSize()
        height += self.horizontalHeader().sizeHint().height()
        return QSize(100, height + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        """Ask for the same: the dock scrolls, not the list."""
        return self.sizeHint()

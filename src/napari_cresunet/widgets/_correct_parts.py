"""The parts of the dock Correct cells: headline, tools, the cell to add."""

from functools import partial
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QGridLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import TOOLS, CorrectState, Progress
from napari_cresunet.widgets._parts import (
    Chooser,
    Progressing,
    button_for,
    column,
    row,
    warned,
)

_COLUMNS = 3
_HINT_LINES = 3


class LabelsPart(QWidget):
    """Which labels, how many cells they are, and how many of them are settled."""

    chosen = Signal(str)

    def __init__(self, state: CorrectState) -> None:
        super().__init__()
        self._state = state
        self.labels = Chooser("Cells to correct")
        self.labels.setToolTip("The labels to correct.")
        self.labels.chosen.connect(self.chosen)
        self.count, self.pinned, self.progress = QLabel(), QLabel(), QLabel()
        self.count.setAccessibleName("Count")
        self.pinned.setToolTip(
            "<qt>Cells that were added, edited, accepted or deleted by hand. Another "
            "threshold, minimum size or run leaves them as they are.</qt>"
        )
        self.progress.setToolTip(
            "<qt>Cells that were accepted, rejected, or touched with any tool, of all "
            "cells, the rejected ones among them.</qt>"
        )
        self.bar = Progressing()
        self.bar.setAccessibleName("Reviewed")
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        title = QLabel("&Cells")
        title.setBuddy(self.labels)
        form.addRow(title, self.labels)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(form)
        layout.addLayout(row(self.count, self.pinned, stretch=1))
        layout.addWidget(self.progress)
        layout.addWidget(self.bar)
        for signal in (state.cells_changed, state.layer_changed):
            signal.connect(self.render)

    def show_layers(self, layers: list[tuple[str, str]]) -> None:
        """Offer layers, as (identity, name)."""
        self.labels.fill(layers, self._state.identity)
        self.labels.setEnabled(bool(layers))

    def render(self) -> None:
        """Show the state."""
        state = self._state
        self.count.setText(state.headline)
        self.pinned.setText(state.pinned_words)
        for widget in (self.progress, self.bar):
            widget.setVisible(state.can_edit)
        self.progress.setText(state.progress_words)

    def render_bar(self) -> None:
        """Show how many cells were reviewed; Qt repaints the window for that."""
        done, total = self._state.progress_of_review
        self.bar.show_progress(Progress(text="", done=done, total=max(total, 1)))

    def set_text_size(self, points: float) -> None:
        """Take the size of the theme's text, in points, as the measure of large."""
        self.count.setStyleSheet(f"font-size: {2.0 * points:.0f}pt; font-weight: bold")
        self.pinned.setStyleSheet(f"font-size: {1.3 * points:.0f}pt")


class ToolsPart(QWidget):
    """Tools for the mouse, undo, and what to do next."""

    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, state: CorrectState) -> None:
        super().__init__()
        self._state = state
        self.buttons: dict[str, QPushButton] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for number, (name, tool) in enumerate(TOOLS.items()):
            button = self.buttons[name] = QPushButton(tool.caption)
            button.setCheckable(True)
            button.setToolTip(
                f"<qt>{tool.meaning} {tool.hint} Key {tool.key}; Esc puts the tool "
                "away. Hold Space to move the image.</qt>"
            )
            button.clicked.connect(partial(self._on_clicked, name))
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
        self.undo, self.redo = QPushButton("Undo"), QPushButton("Redo")
        for button, key, wanted in (
            (self.undo, "Ctrl+Z", self.undo_wanted),
            (self.redo, "Ctrl+Shift+Z", self.redo_wanted),
        ):
            word = button.text()
            button.setToolTip(
                f"<qt>{word} the last step, of these tools or of napari's ({key} in "
                "the canvas).</qt>"
            )
            button.clicked.connect(wanted)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        # What is below does not jump while sentences come and go.
        self.hint.setMinimumHeight(_HINT_LINES * self.hint.fontMetrics().lineSpacing())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(grid)
        layout.addWidget(self.hint)
        for signal in (state.tool_changed, state.layer_changed, state.run_changed):
            signal.connect(self.render)

    def _on_clicked(self, name: str, is_on: bool) -> None:
        self._state.choose_tool(name if is_on else "")

    def render(self) -> None:
        """Show the state."""
        state = self._state
        for name, button in self.buttons.items():
            with signals_blocked(button):
                button.setChecked(state.tool == name)
            button.setEnabled(state.can_edit)
        for button in (self.undo, self.redo):
            button.setEnabled(state.can_edit)
        self.hint.setText(warned(state.hint, is_failure=state.is_failure))


class AddPart(QWidget):
    """How large the cell is that a click has found, before it is added."""

    add_wanted = Signal()

    def __init__(self, state: CorrectState) -> None:
        super().__init__()
        self._state = state
        self.level = QSlider(Qt.Orientation.Horizontal)
        self.level.setAccessibleName("Size of the cell to add")
        self.level.setToolTip("Smaller to the left, larger to the right.")
        self.level.valueChanged.connect(state.choose_level)
        self.size = QLabel()
        self.add, self.drop = QPushButton("Add (Enter)"), QPushButton("Drop (Esc)")
        self.add.setToolTip("Add what is outlined as a cell.")
        self.drop.setToolTip("Add nothing.")
        self.add.clicked.connect(self.add_wanted)
        self.drop.clicked.connect(state.drop)
        self.setLayout(column(spacing=4))
        layout: Any = self.layout()
        layout.addLayout(row(self.level, self.size, stretch=0))
        layout.addLayout(row(self.add, self.drop))
        state.tool_changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        grown = self._state.grown
        self.setVisible(grown is not None)
        if grown is None:
            return
        with signals_blocked(self.level):
            self.level.setRange(0, len(grown.levels) - 1)
            self.level.setValue(self._state.level)
        self.size.setText(self._state.size_words)


class CellPart(QWidget):
    """What can be done to one cell without drawing, and to the numbers of all."""

    fill_wanted = Signal()
    smooth_wanted = Signal()
    number_wanted = Signal()

    def __init__(self, state: CorrectState, *others: QPushButton) -> None:
        super().__init__()
        self._state = state
        self.fill = button_for(
            "Fill holes (H)",
            self.fill_wanted,
            "Fill the holes of the selected cell; the key takes the cell under the "
            "mouse.",
        )
        self.smooth = button_for(
            "Smooth (G)",
            self.smooth_wanted,
            "Smooth the outline of the selected cell; the key takes the cell under "
            "the mouse.",
        )
        self.number = button_for(
            "Number anew",
            self.number_wanted,
            "Give all cells the numbers from 1 on, in the order of rows.",
        )
        self.setLayout(column(spacing=3))
        layout: Any = self.layout()
        layout.addLayout(row(self.fill, self.smooth))
        layout.addLayout(row(*others, self.number))
        for signal in (state.cells_changed, state.layer_changed):
            signal.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        for button in (self.fill, self.smooth, self.number):
            button.setEnabled(self._state.can_edit)

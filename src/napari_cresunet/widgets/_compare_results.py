"""The lower part of the dock Compare models: table, threshold, places."""

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import CompareState, save_table
from napari_cresunet.widgets._compare_table import CompareTable
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._parts import Chooser, Fold, row, warned
from napari_cresunet.widgets._walking import WalkPart

_USUAL_THRESHOLD = 0.5
_SIDE_BY_SIDE = (
    "<qt>Each model in a part of the canvas of its own, all at the same place: its "
    "probability, with the cells as outlines. The first is the image, with the truth. "
    "Uncheck it to come back to the view of before.</qt>"
)


class ResultsPart(QWidget):
    """The table, and how what is in it is looked at."""

    def __init__(self, state: CompareState) -> None:
        super().__init__()
        self._state = state
        self.side_by_side = QCheckBox("&Side by side")
        self.side_by_side.setToolTip(_SIDE_BY_SIDE)
        self.side_by_side.toggled.connect(self._on_side_by_side_toggled)
        self.table = CompareTable()
        self.table.row_chosen.connect(state.show)
        self.problems = QLabel()
        self.problems.setWordWrap(True)
        self.is_one = QCheckBox("One &threshold for all")
        self.is_one.setToolTip(
            "<qt>Otherwise each model has the threshold that its card recommends. No "
            "network runs again.</qt>"
        )
        self.is_one.toggled.connect(self._on_one_toggled)
        self.threshold = QDoubleSpinBox()
        self.threshold.setAccessibleName("Threshold for all models")
        self.threshold.setRange(0, 1)
        self.threshold.setSingleStep(0.05)
        self.threshold.setValue(_USUAL_THRESHOLD)
        self.threshold.setKeyboardTracking(False)
        self.threshold.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.threshold.valueChanged.connect(self._on_threshold_changed)
        self.save = QPushButton("Save table…")
        self.save.setToolTip(
            "<qt>As CSV, with all that the numbers depend on. Ctrl+C in the table "
            "copies it.</qt>"
        )
        self.save.clicked.connect(self._on_save_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.problems)
        layout.addLayout(row(self.side_by_side, self.save, stretch=0))
        layout.addLayout(row(self.is_one, self.threshold, stretch=0))
        state.entries_changed.connect(self.render)
        state.choices_changed.connect(self._render_choices)
        state.shown_changed.connect(self._render_shown)

    def render(self) -> None:
        """Show the whole state."""
        state = self._state
        rows = state.rows
        self.table.show_rows(rows, state.shown)
        failed = [one for one in rows if one.problem]
        self.problems.setText(
            "<br>".join(
                warned(f"<b>{escape(one.name)}</b>: {escape(one.problem)}")
                for one in failed
            )
        )
        self.problems.setVisible(bool(failed))
        self.save.setEnabled(bool(rows))
        self._render_choices()
        self._render_shown()

    def _render_choices(self) -> None:
        threshold = self._state.choices.threshold
        with signals_blocked(self.is_one), signals_blocked(self.threshold):
            self.is_one.setChecked(threshold is not None)
            if threshold is not None:
                self.threshold.setValue(threshold)
        self.threshold.setEnabled(threshold is not None)

    def _render_shown(self) -> None:
        state = self._state
        self.table.mark(state.shown)
        with signals_blocked(self.side_by_side):
            self.side_by_side.setChecked(state.is_side_by_side)
        self.side_by_side.setEnabled(
            state.is_side_by_side or bool(state.findings.results)
        )

    def _on_side_by_side_toggled(self, is_on: bool) -> None:
        self._state.arrange(side_by_side=is_on)

    def _on_one_toggled(self, is_on: bool) -> None:
        self._state.choose(threshold=self.threshold.value() if is_on else None)

    def _on_threshold_changed(self, threshold: float) -> None:
        self._state.choose(threshold=round(threshold, 2))

    def _on_save_clicked(self) -> None:
        source = self._state.source
        name = "models" if source is None else f"{source.name} models"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save table", f"{name}.csv", "Table (*.csv)"
        )
        if not path:
            return
        try:
            written = save_table(Path(path), self._state.entries)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._state.tell(f"Saved {written}.")


class DisagreementPart(Fold):
    """The places where models disagree most."""

    went = Signal(int)
    """The number of the place that the user goes to."""

    def __init__(self, state: CompareState) -> None:
        super().__init__("Where models disagree")
        self._state = state
        self.button.setToolTip(
            "<qt>The places where the probabilities of the models differ most, the "
            "strongest first.</qt>"
        )
        self.walk = WalkPart("places")
        self.walk.went.connect(self.went)
        self.content.addWidget(self.walk)
        state.entries_changed.connect(self.render)

    def render(self) -> None:
        """Show the places."""
        self.walk.show_spots(self._state.findings.disagreement_spots)


class VersusPart(Fold):
    """Where one model is right and another wrong."""

    went = Signal(int)
    """The number of the place that the user goes to."""

    def __init__(self, state: CompareState) -> None:
        super().__init__("Where one is right and another wrong")
        self._state = state
        self.first, self.second = Chooser("Right"), Chooser("Wrong")
        self.first.chosen.connect(self._on_first_chosen)
        self.second.chosen.connect(self._on_second_chosen)
        self.swap = QPushButton("\N{UP DOWN ARROW}")
        self.swap.setAccessibleName("Swap the two models")
        self.swap.setToolTip("Swap the two models.")
        self.swap.setFixedWidth(32)
        self.swap.clicked.connect(self._on_swap_clicked)
        self.hint = QLabel("Choose a truth: it tells who is right.")
        self.hint.setWordWrap(True)
        self.walk = WalkPart("places")
        self.walk.went.connect(self.went)
        self._pair = QWidget()
        lines = QFormLayout()
        lines.setContentsMargins(0, 0, 0, 0)
        for title, chooser in (("&Right", self.first), ("&Wrong", self.second)):
            label = QLabel(title)
            label.setBuddy(chooser)
            lines.addRow(label, chooser)
        both = row(self.swap)
        both.insertLayout(0, lines, 1)
        self._pair.setLayout(both)
        for widget in (self.hint, self._pair, self.walk):
            self.content.addWidget(widget)
        state.entries_changed.connect(self.render)
        state.choices_changed.connect(self.render)

    def render(self) -> None:
        """Show who is compared with whom, and where they differ."""
        state, findings = self._state, self._state.findings
        names = [(name, name) for name in findings.scored_names]
        first, second = state.versus
        self.first.fill(names, first)
        self.second.fill(names, second)
        can_compare = len(names) > 1
        self._pair.setVisible(can_compare)
        self.walk.setVisible(can_compare)
        self.hint.setVisible(not can_compare)
        self.hint.setText(
            "Run two models or more."
            if names
            else "Run models, and choose a truth: it tells who is right."
        )
        self.walk.show_spots(findings.versus_spots(first, second))

    def _choose(self, first: Any, second: Any) -> None:
        if first == second:  # the other one gives way
            first, second = self._state.versus[::-1]
        self._state.choose(first=first, second=second)

    def _on_first_chosen(self, name: str) -> None:
        self._choose(name, self._state.versus[1])

    def _on_second_chosen(self, name: str) -> None:
        self._choose(self._state.versus[0], name)

    def _on_swap_clicked(self) -> None:
        first, second = self._state.versus
        self._choose(second, first)

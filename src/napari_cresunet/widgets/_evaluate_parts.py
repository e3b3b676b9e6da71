"""The parts of the dock Evaluate: choosers, headline, legend, table."""

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import CENTERS, KINDS, MATCHINGS
from napari_cresunet.export import KIND_COLORS
from napari_cresunet.state import EvaluateState
from napari_cresunet.widgets._evaluate_layers import SYMBOLS
from napari_cresunet.widgets._parts import Chooser, Fold, SizeField, row, warned

_MEANING = {
    "hit": "A prediction and a true cell that are a pair.",
    "false positive": "A prediction without a true cell.",
    "missed": "A true cell without a prediction.",
    "merged": "One prediction that covers two or more true cells.",
    "split": "One true cell in which two or more predictions lie.",
    "poor outline": "A pair whose outlines share less than half of their pixels "
    "(intersection over union below 0.5).",
    "border": "Alone or poorly outlined at the edge of the image, where nobody can "
    "judge.",
}
_SHORT = {"poor outline": "outline"}
"""What else would be too wide for a dock."""
_MATCHING_TITLES = {
    "optimal": "as many pairs as possible",
    "greedy": "nearest first, as in Morelli et al. 2021",
}
_ROW_HEIGHT = 22  # px
_CENTER_TITLES = {"box": "of the bounding box", "centroid": "mean of the pixels"}


class PairPart(QWidget):
    """Choosers of prediction, truth and matching distance."""

    prediction_chosen = Signal(str)
    truth_chosen = Signal(str)
    open_wanted = Signal()
    """The truth is to be read from a file."""

    def __init__(self, state: EvaluateState) -> None:
        super().__init__()
        self._state = state
        self.prediction = Chooser("Predicted cells")
        self.prediction.setToolTip("The labels to evaluate.")
        self.prediction.chosen.connect(self.prediction_chosen)
        self.truth = Chooser("True cells")
        self.truth.setToolTip(
            "<qt>The truth: labels, a mask, or points that mark one cell each. Edit it "
            "by hand whenever you like; the scores follow.</qt>"
        )
        self.truth.chosen.connect(self.truth_chosen)
        self.open = QPushButton("Open…")
        self.open.setToolTip(
            "<qt>Read the truth from a file: mask, labels, points table, COCO, Pascal "
            "VOC, VIA, ImageJ ROIs or QuPath.</qt>"
        )
        self.open.clicked.connect(self.open_wanted)
        self.distance = SizeField("Matching distance", decimals=1)
        self.distance.setToolTip(
            "<qt>A prediction and a true cell are a pair if their centers are at most "
            "this far apart. Proposed: 40 px where cells are 36.5 px wide, as "
            "published, in proportion elsewhere.</qt>"
        )
        self.distance.changed.connect(self._on_distance_changed)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for title, field, buddy in (
            ("&Cells", self.prediction, self.prediction),
            ("&Truth", row(self.truth, self.open, stretch=0), self.truth),
            ("&Distance", self.distance, self.distance.px),
        ):
            label = QLabel(title)
            label.setBuddy(buddy)
            label.setToolTip(buddy.toolTip())
            form.addRow(label, field)
        state.rule_changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        self.distance.set_value(self._state.rule.max_distance)

    def show_layers(
        self, predictions: list[tuple[str, str]], truths: list[tuple[str, str]]
    ) -> None:
        """Offer layers, as (identity, name)."""
        prediction, truth = self._state.pair
        self.prediction.fill(predictions, prediction)
        self.truth.fill(truths, truth)
        self.prediction.setEnabled(bool(predictions))
        self.truth.setEnabled(bool(truths))
        self.open.setEnabled(bool(predictions))

    def _on_distance_changed(self, distance: float | None) -> None:
        try:
            self._state.choose_rule(max_distance=distance or 0.0)
        except InputError as error:
            self.render()
            self._state.tell(str(error), is_failure=True)


class HeadlinePart(QWidget):
    """F1 large, the counts behind it, and what is doubtful."""

    def __init__(self, state: EvaluateState) -> None:
        super().__init__()
        self._state = state
        self.f1, self.change, self.detail = QLabel(), QLabel(), QLabel()
        self.notice = QLabel()
        self.f1.setAccessibleName("F1")
        self.change.setToolTip("Change since you let go of slider or brush")
        for label in (self.detail, self.notice):
            label.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.f1, self.change, stretch=1))
        for label in (self.detail, self.notice):
            layout.addWidget(label)
        for signal in (state.judgment_changed, state.run_changed):
            signal.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        state = self._state
        self.f1.setText(state.headline)
        self.change.setText(state.change)
        self.detail.setText("" if state.is_failure else state.detail)
        self.detail.setVisible(not state.is_failure)
        sentence = state.notice or state.warning
        is_alarming = state.is_failure or (sentence != "" and not state.notice)
        self.notice.setText(warned(sentence, is_failure=is_alarming))
        self.notice.setVisible(bool(sentence))

    def set_text_size(self, points: float) -> None:
        """Take the size of the theme's text, in points, as the measure of large."""
        self.f1.setStyleSheet(f"font-size: {2.0 * points:.0f}pt; font-weight: bold")
        self.change.setStyleSheet(f"font-size: {1.3 * points:.0f}pt")


class LegendPart(QWidget):
    """What the colors and symbols mean, how many there are, and which are shown."""

    draw_wanted = Signal(bool)

    def __init__(self, state: EvaluateState) -> None:
        super().__init__()
        self._state = state
        self.drawn = QCheckBox("Draw in the image")
        self.drawn.setChecked(True)
        self.drawn.setToolTip("Outlines of all cells and marks of failures.")
        self.drawn.toggled.connect(self.draw_wanted)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(1)
        grid.setHorizontalSpacing(2)
        grid.addWidget(self.drawn, 0, 0, 1, 6)
        self.boxes: dict[str, QCheckBox] = {}
        self.counts: dict[str, QLabel] = {}
        half = (len(KINDS) + 1) // 2
        for number, kind in enumerate(KINDS):
            line, side = 1 + number % half, 3 * (number // half)
            self._add(grid, kind, line, side)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(4, 1)
        state.judgment_changed.connect(self.render)
        state.kinds_changed.connect(self.render)

    def _add(self, grid: QGridLayout, kind: str, line: int, side: int) -> None:
        sign = QLabel(SYMBOLS[kind][1])
        sign.setStyleSheet(
            f"color: {KIND_COLORS[kind]}; font-weight: bold; font-size: 13pt"
        )
        sign.setFixedWidth(18)
        sign.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = _SHORT.get(kind, kind).capitalize()
        box = self.boxes[kind] = QCheckBox(title)
        box.setToolTip(f"<qt>{_MEANING[kind]}</qt>")
        box.setChecked(True)
        box.toggled.connect(lambda is_on: self._state.show_kind(kind, is_on))
        count = self.counts[kind] = QLabel("0")
        count.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(sign, line, side)
        grid.addWidget(box, line, side + 1)
        grid.addWidget(count, line, side + 2)

    def render(self) -> None:
        """Show the state."""
        for kind, count in self._state.counts_of_kinds.items():
            self.counts[kind].setText(f"{count:,}")
            with signals_blocked(self.boxes[kind]):
                self.boxes[kind].setChecked(kind in self._state.shown)


class ScoresPart(Fold):
    """All scores as a table that can be copied."""

    def __init__(self, state: EvaluateState) -> None:
        super().__init__("All scores")
        self._state = state
        self.button.setToolTip(
            "<qt>Scores of these labels and, with several pairs or planes, pooled over "
            "all with 95 % intervals. Ctrl+C copies them.</qt>"
        )
        self.table = _CopyTable(0, 3)
        self.table.setAccessibleName("Scores")
        self.table.setHorizontalHeaderLabels(["", "here", "all (95 %)"])
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.content.addWidget(self.table)
        state.judgment_changed.connect(self.render)
        self.opened.connect(self.render)

    def render(self) -> None:
        """Show the state, as long as anybody looks."""
        if not self.button.isChecked():
            return
        rows = self._state.table
        self.table.setRowCount(len(rows))
        for number, line in enumerate(rows):
            for place, text in enumerate((line.name, line.here, line.everywhere)):
                self.table.setItem(number, place, QTableWidgetItem(text))
        has_many = any(line.everywhere for line in rows)
        self.table.setColumnHidden(2, not has_many)
        self.table.resizeColumnsToContents()
        header = self.table.horizontalHeader()
        header.setStretchLastSection(True)
        height = header.height() + sum(
            self.table.rowHeight(number) for number in range(len(rows))
        )
        self.table.setFixedHeight(height + 4)


class _CopyTable(QTableWidget):
    """A table that Ctrl+C copies, all of it where nothing is selected."""

    def keyPressEvent(self, event: Any) -> None:
        from qtpy.QtGui import QKeySequence

        if not event.matches(QKeySequence.StandardKey.Copy):
            super().keyPressEvent(event)
            return
        columns = [c for c in range(self.columnCount()) if not self.isColumnHidden(c)]
        lines = [
            "\t".join(self.item(line, c).text() for c in columns)
            for line in range(self.rowCount())
        ]
        QApplication.clipboard().setText("\n".join(lines))


class MatchingPart(Fold):
    """How cells are matched, for those who know what they want."""

    def __init__(self, state: EvaluateState) -> None:
        super().__init__("Matching")
        self._state = state
        self.button.setToolTip("How predictions and true cells become pairs.")
        self.matching = self._chooser("Pairs", MATCHINGS, _MATCHING_TITLES)
        self.center = self._chooser("Center", CENTERS, _CENTER_TITLES)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for title, field in (("&Pairs", self.matching), ("C&enter", self.center)):
            label = QLabel(title)
            label.setBuddy(field)
            form.addRow(label, field)
        self.content.addLayout(form)
        self.matching.chosen.connect(lambda key: state.choose_rule(matching=key))
        self.center.chosen.connect(lambda key: state.choose_rule(center=key))
        state.rule_changed.connect(self.render)

    @staticmethod
    def _chooser(name: str, keys: tuple[str, ...], titles: dict[str, str]) -> Chooser:
        chooser = Chooser(name)
        chooser.fill([(key, titles[key]) for key in keys], keys[0])
        return chooser

    def render(self) -> None:
        """Show the state."""
        rule = self._state.rule
        for chooser, key in (
            (self.matching, rule.matching),
            (self.center, rule.center),
        ):
            _choose(chooser, key)


def _choose(chooser: QComboBox, key: str) -> None:
    with signals_blocked(chooser):
        chooser.setCurrentIndex(chooser.findData(key))


class TraitsPart(Fold):
    """What failures have in common."""

    def __init__(self, state: EvaluateState) -> None:
        super().__init__("What failures have in common")
        self._state = state
        self.button.setToolTip(
            "<qt>Properties in which failures differ clearly from hits: size, "
            "contrast, background, probability, crowding.</qt>"
        )
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.content.addWidget(self.text)
        state.study_changed.connect(self.render)
        state.judgment_changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        study = self._state.study
        if self._state.judgment is None:
            self.text.setText("Nothing was compared yet.")
        elif study is None:
            self.text.setText("Looking…")
        else:
            clear = [trait.sentence for trait in study.traits if trait.is_clear]
            self.text.setText(
                "\n".join(clear)
                or "No property tells failures from hits, as far as so few cells show."
            )

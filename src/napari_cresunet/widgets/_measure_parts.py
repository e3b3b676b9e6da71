"""The parts of the dock Measure and export: choosers, headline, stack, frame."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import MeasureState
from napari_cresunet.widgets._parts import Chooser, Fold, column, row, warned

_PLANES, _LINKED = "planes", "linked"
_STACK_TITLES = (
    (_PLANES, "count cells per plane"),
    (_LINKED, "link through planes"),
)


class SubjectPart(QWidget):
    """Choosers of cells and image, and the size of a pixel."""

    labels_chosen = Signal(str)
    image_chosen = Signal(str)
    pixel_size_wanted = Signal(float)
    """Side of a pixel in µm."""

    def __init__(self, state: MeasureState) -> None:
        super().__init__()
        self._state = state
        self.labels = Chooser("Cells")
        self.labels.setToolTip("The labels whose cells are counted and measured.")
        self.labels.chosen.connect(self.labels_chosen)
        self.image = Chooser("Image")
        self.image.setToolTip("<qt>Where the brightness of the cells is measured.</qt>")
        self.image.chosen.connect(self.image_chosen)
        self.pixel = QDoubleSpinBox()
        self.pixel.setAccessibleName("Size of a pixel in µm")
        self.pixel.setDecimals(4)
        self.pixel.setRange(0, 10_000)
        self.pixel.setSuffix(" µm")
        self.pixel.setSpecialValueText("unknown")
        self.pixel.setKeyboardTracking(False)
        self.pixel.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.pixel.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.pixel.setToolTip(
            "<qt>Side of a pixel, as the microscope's software tells it. Set gives it "
            "to image, labels and all that is drawn on them.</qt>"
        )
        self.set = QPushButton("Set")
        self.set.setToolTip("Give image and labels this pixel size.")
        self.set.clicked.connect(self._on_set_clicked)
        self.pixel.valueChanged.connect(self._render_set)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for title, field, buddy in (
            ("&Cells", self.labels, self.labels),
            ("&Image", self.image, self.image),
            ("&Pixel", row(self.pixel, self.set, stretch=0), self.pixel),
        ):
            label = QLabel(title)
            label.setBuddy(buddy)
            label.setToolTip(buddy.toolTip())
            form.addRow(label, field)
        self._known: float | None = None
        state.tally_changed.connect(self.render)

    def render(self) -> None:
        """Show the size of a pixel."""
        tally = self._state.tally
        size = None if tally is None else tally.source.pixel_um
        known = None if size is None else float((size[0] * size[1]) ** 0.5)
        self.pixel.setEnabled(tally is not None)
        # Not while somebody types a size of labels that have none.
        if known != self._known or tally is None:
            with signals_blocked(self.pixel):
                self.pixel.setValue(known or 0)
        self._known = known
        self._render_set()

    def _render_set(self, _: float = 0) -> None:
        value = self.pixel.value()
        self.set.setEnabled(value > 0 and value != self._rounded(self._known or 0))

    def _rounded(self, value: float) -> float:
        return float(round(value, self.pixel.decimals()))

    def show_layers(
        self, labels: list[tuple[str, str]], images: list[tuple[str, str]]
    ) -> None:
        """Offer layers, as (identity, name)."""
        chosen = self._state.layers
        self.labels.fill(labels, chosen.labels)
        self.image.fill([("", "none"), *images], chosen.image)
        self.labels.setEnabled(bool(labels))
        self.image.setEnabled(bool(labels))

    def _on_set_clicked(self) -> None:
        self.pixel_size_wanted.emit(self.pixel.value())


class CountedPart(QWidget):
    """Count and density, large, and why there is none."""

    def __init__(self, state: MeasureState) -> None:
        super().__init__()
        self._state = state
        self.count, self.detail, self.density = QLabel(), QLabel(), QLabel()
        self.warning = QLabel()
        self.count.setAccessibleName("Count")
        for label in (self.count, self.detail, self.density, self.warning):
            label.setWordWrap(True)
        self.setLayout(
            column(self.count, self.detail, self.density, self.warning, spacing=2)
        )
        state.tally_changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        state = self._state
        self.count.setText(state.headline)
        self.detail.setText(warned(state.detail, is_failure=bool(state.trouble)))
        for label, text in (
            (self.density, state.why_no_density),
            (self.warning, warned(state.warning)),
        ):
            label.setText(text)
        self.density.setVisible(bool(state.why_no_density))
        self.warning.setVisible(bool(state.warning))

    def set_text_size(self, points: float) -> None:
        """Take the size of the theme's text, in points, as the measure of large."""
        self.count.setStyleSheet(f"font-size: {1.6 * points:.0f}pt; font-weight: bold")


class StackPart(QWidget):
    """How the cells of a stack are counted; not seen elsewhere."""

    def __init__(self, state: MeasureState) -> None:
        super().__init__()
        self._state = state
        self.way = Chooser("How cells of a stack are counted")
        self.way.fill(list(_STACK_TITLES), _PLANES)
        self.way.setToolTip(
            "<qt>Cells that are seen in several planes count in each, or, linked, "
            "once.</qt>"
        )
        self.overlap = QSpinBox()
        self.overlap.setAccessibleName("Least overlap of linked cells")
        self.overlap.setRange(1, 100)
        self.overlap.setSuffix(" %")
        self.overlap.setKeyboardTracking(False)
        self.overlap.setToolTip(
            "<qt>Outlines in neighboring planes are one cell if they share at least "
            "this part of the smaller one.</qt>"
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row(self.way, self.overlap, stretch=0))
        layout.addWidget(self.words)
        self.way.chosen.connect(self._on_way_chosen)
        self.overlap.valueChanged.connect(self._on_overlap_changed)
        for signal in (state.tally_changed, state.choices_changed):
            signal.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        state = self._state
        choices = state.choices
        with signals_blocked(self.way), signals_blocked(self.overlap):
            key = _LINKED if choices.is_linked else _PLANES
            self.way.setCurrentIndex(self.way.findData(key))
            self.overlap.setValue(round(100 * choices.min_overlap))
        self.overlap.setVisible(choices.is_linked)
        self.words.setText(state.stack_words)
        self.setVisible(state.is_stack)

    def _on_way_chosen(self, key: str) -> None:
        self._state.choose(is_linked=key == _LINKED)

    def _on_overlap_changed(self, percent: int) -> None:
        self._state.choose(min_overlap=percent / 100)


class FramePart(Fold):
    """The unbiased counting frame, for those who want one."""

    frame_wanted = Signal()

    def __init__(self, state: MeasureState) -> None:
        super().__init__("Unbiased counting frame")
        self._state = state
        self.button.setToolTip(
            "<qt>Counts cells of any size and shape without bias: a cell counts if it "
            "is at least partly in the frame and does not touch the solid line "
            "(Gundersen 1977).</qt>"
        )
        self.place = QPushButton("Place frame")
        self.place.setToolTip(
            "<qt>Puts a frame over the middle of the image; move and resize it like "
            "any rectangle. Cells that touch the dashed sides count, those that touch "
            "the solid line do not.</qt>"
        )
        self.place.clicked.connect(self.frame_wanted)
        self.words = QLabel()
        self.words.setWordWrap(True)
        for widget in (self.place, self.words):
            self.content.addWidget(widget)
        state.tally_changed.connect(self.render)
        state.layers_changed.connect(self.render)

    def render(self) -> None:
        """Show the state."""
        state = self._state
        has_frame = bool(state.layers.frame)
        self.place.setText("Move frame" if has_frame else "Place frame")
        self.place.setEnabled(state.tally is not None)
        self.words.setText(
            state.frame_words
            or "Dashed sides count the cells that touch them, the solid line does not."
        )

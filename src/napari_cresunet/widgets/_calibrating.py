"""Calibrate: from a count by hand to the threshold that gives it."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QSpinBox

from napari_cresunet.state import CountState
from napari_cresunet.widgets._parts import Chooser, Fold

WHOLE, VIEW = "whole", "view"


class CalibratingPart(Fold):
    """Type the number of cells in an area, get the threshold."""

    calibration_wanted = Signal(int, str)
    """The count by hand, and `WHOLE`, `VIEW` or the identity of a shapes layer."""

    def __init__(self, state: CountState) -> None:
        super().__init__("Calibrate")
        self._state = state
        self.button.setToolTip("Find the threshold that agrees with a count by hand.")
        self.wanted = QSpinBox()
        self.wanted.setRange(0, 1_000_000)
        self.wanted.setSuffix(" cells")
        self.wanted.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.area = Chooser("Counted in")
        self.area.setToolTip(
            "<qt>Where you counted. For a part of the image, zoom to it or draw it in "
            "a shapes layer.</qt>"
        )
        self.find = QPushButton("Find threshold")
        self.find.clicked.connect(self._on_find_clicked)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for title, field in (("I c&ounted", self.wanted), ("i&n", self.area)):
            label = QLabel(title)
            label.setBuddy(field)
            form.addRow(label, field)
        self.content.addLayout(form)
        self.content.addWidget(self.find)
        self.show_shapes([])
        state.labels_changed.connect(self.render)

    def render(self) -> None:
        """Show whether there is something to calibrate."""
        has_result = self._state.result is not None
        self.find.setEnabled(has_result)
        self.find.setToolTip("" if has_result else "Press Run first.")

    def show_shapes(self, layers: list[tuple[str, str]]) -> None:
        """Offer shapes layers, as (identity, name)."""
        areas = [(WHOLE, "the whole image"), (VIEW, "the current view")]
        areas += [(key, f"the shapes in {name!r}") for key, name in layers]
        chosen = self.area.currentData()
        known = chosen in [key for key, _ in areas]
        self.area.fill(areas, chosen if known else WHOLE)

    def _on_find_clicked(self) -> None:
        self.calibration_wanted.emit(self.wanted.value(), self.area.currentData())

"""What leaves the dock Evaluate, and the truth that comes in from files."""

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_cresunet.errors import CResUNetError
from napari_cresunet.evaluation import HIT
from napari_cresunet.state import (
    FIGURE,
    REPORT,
    TABLES,
    EvaluateState,
    Judgment,
    iter_gallery,
    iter_save,
)
from napari_cresunet.widgets._evaluate_pairs import add_truth
from napari_cresunet.widgets._evaluate_runner import EvaluateRunner
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._parts import row

_FILTERS = {
    TABLES: ("Tables", "CSV table (*.csv)", "evaluation.csv"),
    FIGURE: ("Figure", "PNG (*.png);;SVG (*.svg);;PDF (*.pdf)", "evaluation.png"),
    REPORT: ("Report", "Web page (*.html)", "evaluation.html"),
}
_EXPLAINED = {
    TABLES: "Scores, all cases and all thresholds as CSV files beside each other.",
    FIGURE: "The curves as PNG, SVG or PDF.",
    REPORT: "One web page with scores, figures, pictures of the failures, and how it "
    "was made.",
}
_CROP = 110  # px


class SavingPart(QWidget):
    """Buttons that write what was found out, and one that shows all failures."""

    def __init__(self, state: EvaluateState, runner: EvaluateRunner) -> None:
        super().__init__()
        self._state, self._runner = state, runner
        self.gallery = Gallery(self)
        self.gallery.went.connect(self._on_crop_clicked)
        self.show_all = QPushButton("Gallery")
        self.show_all.setToolTip("Pictures of all failures beside each other.")
        self.show_all.clicked.connect(self.open_gallery)
        self.buttons: dict[str, QPushButton] = {}
        for kind, (title, _, _) in _FILTERS.items():
            button = self.buttons[kind] = QPushButton(f"{title}…")
            button.setToolTip(f"<qt>Save: {_EXPLAINED[kind]}</qt>")
            button.clicked.connect(partial(self._on_save_clicked, kind))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.show_all, *self.buttons.values()))
        state.judgment_changed.connect(self.render)
        state.study_changed.connect(self._on_study_changed)
        self.render()

    def render(self) -> None:
        """Show whether there is anything to save."""
        has_scores = self._state.judgment is not None
        for button in (self.show_all, *self.buttons.values()):
            button.setEnabled(has_scores)

    # Files

    def _on_save_clicked(self, kind: str) -> None:
        title, filters, name = _FILTERS[kind]
        path, chosen = QFileDialog.getSaveFileName(
            self, f"Save {title.lower()}", name, filters
        )
        if path:
            suffix = "." + chosen.split("*.")[1].split(")")[0]
            has_suffix = bool(Path(path).suffix)
            self.save(kind, Path(path if has_suffix else path + suffix))

    def save(self, kind: str, path: Path) -> None:
        """Write what was found out about all pairs so far.

        Parameters
        ----------
        kind : {"tables", "figure", "report"}
            What.
        path : Path
            Where to.
        """
        try:
            pairs = self._runner.pairs_now()
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._state.tell("Saving…")
        steps = iter_save(kind, path, pairs, self._state.rule, self._state.study)
        self._runner.start(steps, self._on_saved)

    def _on_saved(self, paths: list[Path]) -> None:
        names = " and ".join(path.name for path in paths)
        sentence = f"Saved {names} in {paths[0].resolve().parent}."
        tell(sentence)
        self._state.tell(sentence)

    def open_truth(self) -> None:
        """Ask for a file with the true cells, and show them."""
        path, _ = QFileDialog.getOpenFileName(self, "Open the truth")
        if path:
            self.read_truth(Path(path))

    def read_truth(self, path: Path) -> None:
        """Show the true cells of a file as a layer, and compare with them.

        Parameters
        ----------
        path : Path
            Mask, label image or annotations.
        """
        prediction, _ = self._runner.pair
        if prediction is None:
            return
        try:
            add_truth(self._runner.viewer, prediction, path)
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)

    # The gallery

    def open_gallery(self) -> None:
        """Show all failures."""
        self.gallery.show()
        self.gallery.raise_()
        self._fill_gallery()

    def _on_study_changed(self) -> None:
        if self.gallery.isVisible():
            self._fill_gallery()

    def _fill_gallery(self) -> None:
        judgment = self._state.judgment
        if judgment is None:
            return
        steps = iter_gallery(judgment, self._state.shown - {HIT})
        self._runner.start(steps, partial(self._on_cut_out, judgment))

    def _on_cut_out(self, judgment: Judgment, crops: list[tuple[int, Any]]) -> None:
        self.gallery.fill(judgment, crops)

    def _on_crop_clicked(self, number: int) -> None:
        judgment = self._state.judgment
        if judgment is not None and judgment is self.gallery.judgment:
            self._runner.look_at_case(number)


class Gallery(QDialog):
    """Pictures of failures; a click leads to the place."""

    went = Signal(int)
    """The number of the case."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Failures")
        self.judgment: Judgment | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Failures")
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setIconSize(QSize(_CROP, _CROP))
        self.list.setSpacing(4)
        self.list.setWordWrap(True)
        self.list.itemClicked.connect(self._on_item_clicked)
        self.explanation = QLabel(
            "Predicted cells are drawn with solid lines, true ones dashed. Click to go "
            "there."
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self.explanation)
        layout.addWidget(self.list)
        self.resize(780, 560)

    def fill(self, judgment: Judgment, crops: list[tuple[int, Any]]) -> None:
        """Show other pictures.

        Parameters
        ----------
        judgment : Judgment
            What they are of.
        crops : list of tuple of int and ndarray
            Number of the case and its picture.
        """
        self.judgment = judgment
        self.list.clear()
        for number, crop in crops:
            item = QListWidgetItem(_icon(crop), judgment.cases[number].kind)
            item.setData(Qt.ItemDataRole.UserRole, number)
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
            self.list.addItem(item)
        several = "failure" if len(crops) == 1 else "failures"
        self.setWindowTitle(f"{len(crops)} {several} of {judgment.pair.name}")

    def _on_item_clicked(self, item: QListWidgetItem) -> None:
        self.went.emit(item.data(Qt.ItemDataRole.UserRole))


def _icon(crop: Any) -> QIcon:
    height, width = crop.shape[:2]
    pixels = crop.tobytes()
    image = QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QIcon(QPixmap.fromImage(image.copy()))  # its own memory

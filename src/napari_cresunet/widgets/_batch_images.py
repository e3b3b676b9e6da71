"""Which images are counted, and where results go."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
)

from napari_cresunet.batch import IMAGE_SUFFIXES
from napari_cresunet.state import BatchState
from napari_cresunet.widgets._parts import row

_PATTERNS = " ".join(f"*{suffix}" for suffix in IMAGE_SUFFIXES)


class ImagesPart(QWidget):
    """Choosers of images and of the folder of results."""

    images_chosen = Signal(list)
    """Folders, files, patterns or lists, as texts."""
    output_chosen = Signal(str)
    """The folder of results; empty for one beside the images."""
    results_wanted = Signal(str)
    """A folder of results of an earlier run."""

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.images = _line("Images", "folder or pattern; or drop files here")
        self.images.setToolTip(
            "<qt>A folder, a file, a pattern such as slices/*.tif, or a CSV file that "
            "lists images. Files and folders can be dropped on the dock, too.</qt>"
        )
        self.images.editingFinished.connect(self._on_images_typed)
        self.output = _line("Results", "beside the images")
        self.output.setToolTip(
            "<qt>The folder for tables, labels and pictures. What is there already is "
            "not counted again.</qt>"
        )
        self.output.editingFinished.connect(self._on_output_typed)
        self.choose = _menu_button(
            "Choose images",
            {
                "&Folder…": self._ask_folder,
                "F&iles…": self._ask_files,
                "&List (CSV)…": self._ask_list,
            },
        )
        self.choose_output = _menu_button(
            "Choose results",
            {
                "&Folder for results…": self._ask_output,
                "&Open earlier results…": self._ask_results,
            },
        )
        self._lay_out()
        state.images_changed.connect(self.render)
        state.run_changed.connect(self._render_enabled)

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for title, field, button in (
            ("&Images", self.images, self.choose),
            ("&Results", self.output, self.choose_output),
        ):
            label = QLabel(title)
            label.setBuddy(field)
            label.setToolTip(field.toolTip())
            form.addRow(label, row(field, button, stretch=0))

    def render(self) -> None:
        """Show what is chosen."""
        state = self._state
        self.images.setText(state.chosen)
        self.images.setReadOnly(len(state.arguments) > 1)
        self.output.setText("" if state.output is None else str(state.output))
        for field in (self.images, self.output):
            # The end of a path says more than its beginning.
            field.setCursorPosition(len(field.text()))
        self._render_enabled()

    def _render_enabled(self) -> None:
        self.setEnabled(not self._state.is_running and not self._state.is_listing)

    # What the user wants

    def _on_images_typed(self) -> None:
        text = self.images.text().strip()
        if text and text != self._state.chosen:
            self.images_chosen.emit([_from_home(text)])

    def _on_output_typed(self) -> None:
        text, known = self.output.text().strip(), self._state.output
        if text != ("" if known is None else str(known)):
            self.output_chosen.emit(_from_home(text))

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of images", self._start)
        if path:
            self.images_chosen.emit([path])

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Images", self._start, f"Images ({_PATTERNS});;All files (*)"
        )
        if paths:
            self.images_chosen.emit(list(paths))

    def _ask_list(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "List of images", self._start, "CSV table (*.csv)"
        )
        if path:
            self.images_chosen.emit([path])

    def _ask_output(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder for results", self._start)
        if path:
            self.output_chosen.emit(path)

    def _ask_results(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Earlier results", self._start)
        if path:
            self.results_wanted.emit(path)

    @property
    def _start(self) -> str:
        """The folder that dialogs begin with."""
        images = self._state.images
        return str(images[0].path.parent) if images else str(Path.cwd())


def _from_home(text: str) -> str:
    """Return a path in which "~" is written out, as a shell does."""
    is_short = text.startswith(("~/", "~\\")) or text == "~"
    return str(Path(text).expanduser()) if is_short else text


def _line(name: str, placeholder: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(placeholder)
    return field


def _menu_button(name: str, actions: dict[str, Callable[[], Any]]) -> QToolButton:
    """Return a button that opens a menu."""
    button = QToolButton()
    button.setText("Choose…")
    button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
    button.setAccessibleName(name)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    for title, wanted in actions.items():
        menu.addAction(title).triggered.connect(partial(_call, wanted))
    button.setMenu(menu)
    return button


def _call(wanted: Callable[[], Any], _is_checked: bool = False) -> None:
    wanted()


def dropped_paths(event: Any) -> list[str]:
    """Return the files and folders that are dragged over a widget."""
    data = event.mimeData()
    if not data.hasUrls():
        return []
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]

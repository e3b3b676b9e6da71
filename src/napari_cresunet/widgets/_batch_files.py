"""What a batch has written, opened in other programs."""

import time
from functools import partial
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPushButton, QWidget

from napari_cresunet.errors import InputError
from napari_cresunet.state import BatchState
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._parts import row

_FILES = {
    "Folder": ("", "Open the folder of results."),
    "Report": ("report.html", "Open the report over all images."),
    "Counts": ("counts.csv", "Open the table with a row for each image."),
    "Regions": ("regions.csv", "Open the table with a row for each image and region."),
}
_PAUSE = 2.0  # s


class FilesPart(QWidget):
    """Buttons that open the folder of results, and what is in it."""

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.buttons: dict[str, QPushButton] = {}
        for title, (name, meaning) in _FILES.items():
            button = self.buttons[title] = QPushButton(title)
            button.setToolTip(f"<qt>{meaning}</qt>")
            button.clicked.connect(partial(self._on_clicked, name))
        self.setLayout(row(*self.buttons.values()))
        self._looked_at = 0.0
        for signal in (state.images_changed, state.opened_changed):
            signal.connect(self.render)
        state.run_changed.connect(self._on_run_changed)

    def _on_run_changed(self) -> None:
        # A run tells of each image, and a folder may be far away.
        if not self._state.is_running or time.monotonic() - self._looked_at > _PAUSE:
            self.render()

    def render(self) -> None:
        """Offer what is there."""
        self._looked_at = time.monotonic()
        for title, (name, _) in _FILES.items():
            self.buttons[title].setEnabled(self._place(name) is not None)

    def _place(self, name: str) -> Path | None:
        """Return a file or folder if it is there."""
        output = self._state.output
        if output is None:
            return None
        place = output / name
        return place if place.exists() else None

    def _on_clicked(self, name: str, _is_checked: bool = False) -> None:
        place = self._place(name)
        is_open = place is not None and QDesktopServices.openUrl(
            QUrl.fromLocalFile(str(place.absolute()))
        )
        if not is_open:
            shown = self._state.output if place is None else place
            tell_error(InputError(f"{shown} cannot be opened: look for it by hand."))

"""What a batch has written, opened in other programs."""

import time
from functools import partial
from pathlib import Path

from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPushButton, QWidget

from napari_cresunet.errors import InputError
from napari_cresunet.state import BatchState
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._parts import row

REPORT = "Report"
_FILES = {
    "Folder": ("", "Open the folder of results."),
    REPORT: ("", "Write the report over all images as they are now, and open it."),
    "Counts": ("counts.csv", "Open the table with a row for each image."),
    "Regions": ("regions.csv", "Open the table with a row for each image and region."),
}
_PAUSE = 2.0  # s


class FilesPart(QWidget):
    """Buttons that open the folder of results, and what is in it."""

    report_wanted = Signal()

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.buttons: dict[str, QPushButton] = {}
        for title, (name, meaning) in _FILES.items():
            button = self.buttons[title] = QPushButton(title)
            button.setToolTip(f"<qt>{meaning}</qt>")
            wanted = partial(self._on_clicked, name)
            button.clicked.connect(self.report_wanted if title == REPORT else wanted)
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
        if place is not None:
            self.open(place)

    def open(self, place: Path) -> None:
        """Open a file or folder in the program that the system has for it.

        Parameters
        ----------
        place : Path
            The file or folder.
        """
        url = QUrl.fromLocalFile(str(place.absolute()))
        if not QDesktopServices.openUrl(url):
            tell_error(
                InputError(f"Nothing here opens {place}: open it from its folder.")
            )

"""What the dock shows of images that are too large to be counted in memory."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_cresunet.state import WholeState
from napari_cresunet.widgets._parts import button_for, row

_APPLY = (
    "Count the whole image again with the settings of the field of view. Its "
    "probability is in files already, so the network does not run."
)


class WholePart(QWidget):
    """The count of the whole image, where its files are, and how to count it again.

    Parameters
    ----------
    state : WholeState
        What to show.
    """

    apply_wanted = Signal()
    folder_wanted = Signal()

    def __init__(self, state: WholeState) -> None:
        super().__init__()
        self._state = state
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAccessibleName("Count of the whole image")
        self.place = QLabel()
        self.place.setWordWrap(True)
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.apply = button_for("&Apply to the whole", self.apply_wanted, _APPLY)
        self.folder = button_for(
            "&Files to…",
            self.folder_wanted,
            "Choose the folder for labels, probability and table of cells of the whole "
            "image.",
        )
        self.folder_wanted.connect(self._ask_for_folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words)
        layout.addLayout(row(self.apply, self.folder, stretch=0))
        layout.addWidget(self.place)
        state.changed.connect(self.render)

    def render(self) -> None:
        """Show the state; nothing for images that fit into memory."""
        state = self._state
        self.setVisible(state.is_offered)
        if not state.is_offered:
            return
        self.words.setText(state.words)
        why_not = state.why_not_apply
        self.apply.setEnabled(not why_not)
        self.apply.setToolTip(f"<qt>{why_not or _APPLY}</qt>")
        self.folder.setEnabled(not state.is_running)
        # A space of no width lets a long path be broken after its separators.
        parts = str(state.folder).replace("/", "/\u200b").replace("\\", "\\\u200b")
        self.place.setText(f"Files: {parts}")

    def _ask_for_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Folder for the files of the whole image", str(self._state.folder)
        )
        if folder:
            self._state.choose_folder(Path(folder))

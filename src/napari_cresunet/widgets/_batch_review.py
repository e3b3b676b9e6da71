"""The correction queue: which image is open, and the way to the next one."""

import time
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QWidget

from napari_cresunet.state import DONE, OPEN_STATES, BatchState
from napari_cresunet.widgets._keys import bind_keys, unbind_keys
from napari_cresunet.widgets._parts import button_for, column, row, warned

NEXT_KEY, PREVIOUS_KEY = "i", "Shift-i"
_TICK = 1000  # ms; how often it is said anew how long ago it was saved


class QueuePart(QWidget):
    """Buttons and keys that save an image and open another one."""

    next_wanted = Signal()
    """Save this image as reviewed, and open the next that is not."""
    step_wanted = Signal(int)
    """1 for the next image, -1 for the previous one."""
    regions_wanted = Signal()

    def __init__(self, state: BatchState) -> None:
        super().__init__()
        self._state = state
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.previous = self._step_button("\N{BLACK LEFT-POINTING TRIANGLE}", -1)
        self.following = self._step_button("\N{BLACK RIGHT-POINTING TRIANGLE}", 1)
        self.next = button_for(
            "Save and next",
            self.next_wanted,
            "Note that this image is reviewed, and open the next that is not (key I). "
            "Corrections are saved by themselves, too.",
        )
        self.regions = button_for(
            "Draw regions",
            self.regions_wanted,
            "Outline areas in which cells are counted apart; they get names in the "
            "dock Measure and export.",
        )
        self.keep = QCheckBox("Also on the ne&xt")
        self.keep.setToolTip(
            "<qt>An image that has no regions gets those of the image before.</qt>"
        )
        self.keep.toggled.connect(self._on_keep_toggled)
        layout = column(self.status, spacing=4)
        layout.addLayout(row(self.previous, self.next, self.following, stretch=1))
        layout.addLayout(row(self.regions, self.keep, stretch=0))
        self.setLayout(layout)
        self._ticker = QTimer(self, interval=_TICK)
        self._ticker.timeout.connect(self._render_status)
        self._ticker.start()
        state.opened_changed.connect(self.render)
        for signal in (state.table_changed, state.rows_changed):
            signal.connect(self._on_table_changed)

    def _step_button(self, sign: str, step: int) -> QPushButton:
        word, key = ("next", "") if step > 0 else ("previous", " (key Shift+I)")
        button = QPushButton(sign)
        button.setAccessibleName(f"{word.capitalize()} image")
        button.setToolTip(f"Open the {word} image{key}.")
        button.setFixedWidth(44)
        button.clicked.connect(lambda: self.step_wanted.emit(step))
        return button

    def bind_keys(self, viewer: Any) -> None:
        """Let I and Shift+I of the canvas go through the images.

        Parameters
        ----------
        viewer : napari.Viewer
            Where they are pressed.
        """
        keys = {
            NEXT_KEY: self.next_wanted.emit,
            PREVIOUS_KEY: lambda: self.step_wanted.emit(-1),
        }
        bind_keys(viewer, keys, self)

    def shut_down(self, viewer: Any) -> None:
        """Let go of the keys, and stop telling the time."""
        unbind_keys(viewer, self)
        self._ticker.stop()

    def render(self) -> None:
        """Show the whole state."""
        state = self._state
        for button, step in ((self.previous, -1), (self.following, 1)):
            entry = state.next_entry(states=OPEN_STATES, step=step)
            button.setEnabled(entry is not None and not state.is_opening)
        self.next.setText("Save and next" if state.opened else "Review the first")
        has_next = state.next_entry(states=(DONE,)) is not None
        can_go = state.saver is not None or has_next
        self.next.setEnabled(can_go and not state.is_opening)
        self.regions.setEnabled(state.saver is not None)
        self._render_status()

    def _on_table_changed(self, _rows: Any = None) -> None:
        self.render()

    def _render_status(self) -> None:
        state = self._state
        words = self._words()
        saver = state.saver
        is_failure = saver is not None and bool(saver.problem)
        self.status.setText(warned(words, is_failure=is_failure))
        self.status.setVisible(bool(words))

    def _words(self) -> str:
        state = self._state
        if not state.opened:
            return ""
        entry = state.table.find(state.opened)
        words = [f"{state.opened}:"]
        if entry is not None and entry.count is not None:
            words.append(f"{entry.best_count:,} cells, {entry.state}.")
        if state.saver is not None:
            words.append(state.saver.words(time.time()))
        else:
            words.append("It is larger than memory and can only be looked at.")
        return " ".join(word for word in words if word)

    def _on_keep_toggled(self, is_on: bool) -> None:
        self._state.keeps_regions = is_on

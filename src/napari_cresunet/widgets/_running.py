"""The middle of the dock: Run, Cancel, how far it is, what went wrong."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_cresunet.state import CountState
from napari_cresunet.widgets._parts import Progressing, make_primary, row, warned


class RunningPart(QWidget):
    """The primary button and everything that is said of a run."""

    run_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, state: CountState) -> None:
        super().__init__()
        self._state = state
        self.run = QPushButton("Run")
        self.run.setObjectName("cresunet_run")
        self.run.clicked.connect(self.run_wanted)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop after the tile that is being predicted.")
        self.cancel.clicked.connect(self.cancel_wanted)
        self.bar = Progressing()
        self.status = QLabel()
        self.status.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.run, self.cancel, stretch=0))
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        state.run_changed.connect(self.render)
        state.labels_changed.connect(self.render)

    def render(self) -> None:
        """Show the state of the run."""
        state, progress = self._state, self._state.progress
        self.run.setEnabled(state.can_run)
        self.run.setToolTip(
            f"<qt>{state.why_not}</qt>"
            if state.why_not
            else "Predict the image and count its cells."
        )
        self.cancel.setEnabled(state.is_running)
        self.bar.setVisible(state.is_running)
        self.bar.show_progress(progress)
        text = self._text()
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _text(self) -> str:
        state = self._state
        if state.progress is not None:
            return state.progress.text
        if state.notice:
            return warned(state.notice, is_failure=state.is_failure)
        if state.why_not:
            return warned(state.why_not)
        if state.result is not None:
            seconds = state.result.record["seconds"]
            return f"Predicted on {state.result.device_title} in {seconds:.1f} s."
        return ""

    def set_primary_color(self, background: str, text: str) -> None:
        """Make Run and the progress stand out in the theme's colors."""
        make_primary(self.run, background, text)
        self.bar.set_color(background)

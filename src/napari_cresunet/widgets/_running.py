"""Run, Cancel, how far it is, what went wrong."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_cresunet.state import CountState
from napari_cresunet.widgets._parts import Progressing, make_primary, row, warned


class RunBar(QWidget):
    """The primary button of a dock that predicts, and everything that is said of a run.

    Parameters
    ----------
    state : CountState or CompareState
        What the dock shows.
    name : str
        Of the button, different in each dock.
    """

    run_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, state: Any, name: str) -> None:
        super().__init__()
        self._state = state
        self.run = QPushButton("Run")
        self.run.setObjectName(name)
        self.run.clicked.connect(self.run_wanted)
        self.cancel = QPushButton("Cancel")
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

    def render(self) -> None:
        """Show the state of the run."""
        state = self._state
        why_not = f"<qt>{state.why_not}</qt>" if state.why_not else ""
        self.run.setEnabled(state.can_run)
        self.run.setToolTip(why_not or self._explanation())
        self.cancel.setEnabled(state.is_running)
        self.bar.setVisible(state.is_running)
        self.bar.show_progress(self._progress())
        text = self._text()
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _explanation(self) -> str:
        """Return what Run does, for its tooltip."""
        raise NotImplementedError

    def _progress(self) -> Any:
        """Return how far all of it is."""
        return self._state.progress

    def _text(self) -> str:
        state = self._state
        if state.progress is not None:
            return str(state.progress.text)
        if state.notice:
            return warned(state.notice, is_failure=state.is_failure)
        return warned(state.why_not) if state.why_not else ""

    def set_primary_color(self, background: str, text: str) -> None:
        """Make Run and the progress stand out in the theme's colors."""
        make_primary(self.run, background, text)
        self.bar.set_color(background)


class RunningPart(RunBar):
    """The middle of the dock Segment and count."""

    def __init__(self, state: CountState) -> None:
        super().__init__(state, "cresunet_run")
        self.cancel.setToolTip("Stop after the tile that is being predicted.")
        state.labels_changed.connect(self.render)

    def _explanation(self) -> str:
        return "Predict the image and count its cells."

    def _text(self) -> str:
        said, result = super()._text(), self._state.result
        if said or result is None:
            return said
        seconds = result.record["seconds"]
        text = f"Predicted on {result.device_title} in {seconds:.1f} s."
        return f"{text} {result.quantized_text}".rstrip()

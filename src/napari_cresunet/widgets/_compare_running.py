"""The middle of the dock Compare models: Run, Cancel, how far all models are."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_cresunet.state import CompareProgress, CompareState
from napari_cresunet.widgets._parts import Progressing, make_primary, row, warned


class ComparingPart(QWidget):
    """The primary button and everything that is said of a run."""

    run_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, state: CompareState) -> None:
        super().__init__()
        self._state = state
        self.run = QPushButton("Run")
        self.run.setObjectName("cresunet_compare_run")
        self.run.clicked.connect(self.run_wanted)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip(
            "<qt>Stop after the tile that is being predicted. Models that are done "
            "stay.</qt>"
        )
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
        state.choices_changed.connect(self.render)

    def render(self) -> None:
        """Show the state of the run."""
        state, progress = self._state, self._state.progress
        n_models = len(state.chosen_cards)
        self.run.setText(f"Run {n_models} models" if n_models > 1 else "Run")
        self.run.setEnabled(state.can_run)
        self.run.setToolTip(
            f"<qt>{state.why_not}</qt>"
            if state.why_not
            else "<qt>Run the ticked models one after the other. Models that were run "
            "on this image before stay in the table.</qt>"
        )
        self.cancel.setEnabled(state.is_running)
        self.bar.setVisible(state.is_running)
        if isinstance(progress, CompareProgress):
            progress = progress.overall
        self.bar.show_progress(progress)
        text = self._text()
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _text(self) -> str:
        state = self._state
        if state.progress is not None:
            return state.progress.text
        if state.is_outdated:
            return "The table is from before you changed the cell diameter: press Run."
        if state.notice:
            return warned(state.notice, is_failure=state.is_failure)
        return warned(state.why_not) if state.why_not else ""

    def set_primary_color(self, background: str, text: str) -> None:
        """Make Run and the progress stand out in the theme's colors."""
        make_primary(self.run, background, text)
        self.bar.set_color(background)

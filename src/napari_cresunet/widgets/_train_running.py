"""The lower part of the dock Train: Train or Stop, how far it is, what went wrong."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_cresunet.state import TrainState, Unfinished
from napari_cresunet.widgets._parts import Progressing, make_primary, row, warned
from napari_cresunet.widgets._train_curves import TrainingCurves

_DISCARD = "Discard"
_SURE = "Really discard"


class UnfinishedPart(QWidget):
    """Offers to go on with a training that was interrupted."""

    resume_wanted = Signal(object)
    discard_wanted = Signal(object)
    """The `Unfinished`."""

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        self._state = state
        self._run: Unfinished | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.resume = QPushButton("Continue")
        self.resume.clicked.connect(self._on_resume_clicked)
        self.discard = QPushButton(_DISCARD)
        self.discard.clicked.connect(self._on_discard_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(row(self.resume, self.discard, stretch=0))
        state.run_changed.connect(self.render)

    def render(self) -> None:
        """Show the latest interrupted training, if there is one."""
        waiting = self._state.unfinished
        run = waiting[0] if waiting else None
        if run != self._run:
            self.discard.setText(_DISCARD)
        self._run = run
        self.setVisible(run is not None)
        if run is None:
            return
        more = f" So were {len(waiting) - 1} more." if len(waiting) > 1 else ""
        self.text.setText(f"{run.title} was interrupted.{more}")
        self.resume.setToolTip(
            f"<qt>Go on where it was, with its own settings and {run.data.images}.</qt>"
        )
        self.discard.setToolTip(f"<qt>Delete {run.folder}.</qt>")

    def _on_resume_clicked(self) -> None:
        self.resume_wanted.emit(self._run)

    def _on_discard_clicked(self) -> None:
        # Hours of work are not to be lost by one click on the wrong button.
        if self.discard.text() == _DISCARD:
            self.discard.setText(_SURE)
            return
        self.discard_wanted.emit(self._run)


class TrainingPart(QWidget):
    """The primary button, progress, and the curves once there is something to see."""

    train_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        self._state = state
        self.unfinished = UnfinishedPart(state)
        self.button = QPushButton()
        self.button.setObjectName("cresunet_train")
        self.button.clicked.connect(self._on_button_clicked)
        self.bar = Progressing()
        self.status, self.best = QLabel(), QLabel()
        self.status.setWordWrap(True)
        self.best.setWordWrap(True)
        self.curves = TrainingCurves()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (
            *(self.unfinished, self.button, self.bar),
            *(self.status, self.best, self.curves),
        ):
            layout.addWidget(part)
        state.run_changed.connect(self.render)
        state.records_changed.connect(self._render_records)

    def render(self) -> None:
        """Show the state of the training."""
        state, progress = self._state, self._state.progress
        self.button.setText(self._title())
        is_on = not state.is_stopping if state.is_running else state.can_train
        self.button.setEnabled(is_on)
        self.button.setToolTip(f"<qt>{self._hint()}</qt>")
        self.bar.setVisible(state.is_running)
        self.bar.show_progress(progress)
        text = self._text()
        self.status.setText(text)
        self.status.setVisible(bool(text))
        self.unfinished.render()
        self._render_records()

    def _title(self) -> str:
        if not self._state.is_running:
            return "Train"
        return "Stopping…" if self._state.is_stopping else "Stop"

    def _hint(self) -> str:
        if self._state.is_running:
            return "End after the batch at hand and keep the best model so far."
        return self._state.why_not or "Learn from these images. You can go on working."

    def _text(self) -> str:
        state = self._state
        notice = warned(state.notice, is_failure=state.is_failure)
        if state.progress is not None:
            return "\n".join(filter(None, (state.progress.text, notice)))
        if not notice and state.why_not:
            return warned(state.why_not)
        return notice

    def _render_records(self) -> None:
        state, best = self._state, self._state.best
        has_records = bool(state.records)
        self.curves.setVisible(has_records)
        self.best.setVisible(state.is_running and best is not None)
        if best is not None:
            self.best.setText(f"Best so far: F1 {best.f1:.2f} in epoch {best.epoch}.")
        if has_records:
            self.curves.show_records(state.records, state.epochs)

    def _on_button_clicked(self) -> None:
        wanted = self.stop_wanted if self._state.is_running else self.train_wanted
        wanted.emit()

    def set_theme(self, theme: Any) -> None:
        """Make the button and the progress stand out; color the curves."""
        background, text = theme.current.as_hex(), theme.text.as_hex()
        make_primary(self.button, background, text)
        self.bar.set_color(background)
        self.curves.set_theme(theme)

"""The part of the dock Correct cells about saving and reopening."""

import time
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QWidget

from napari_cresunet.state import StudyState
from napari_cresunet.studies import Unclosed, studies_folder
from napari_cresunet.widgets._parts import column, row, warned
from napari_cresunet.widgets._study_runner import StudyRunner

_DISCARD = "Discard"
_SURE = "Really discard"
_TICK = 1000  # ms; how often it is said anew how long ago it was saved


class StudyPart(QWidget):
    """Whether corrections are saved, and the buttons that save and open studies.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    parent : QWidget, optional
        The dock.
    """

    restored = Signal(object)
    """The layer of labels of a study that was opened."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = StudyState()
        self.runner = StudyRunner(viewer, self.state, self)
        self.offer = OfferPart(self.state)
        self.question = QuestionPart(self.state)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.save_as = QPushButton("Save study as…")
        self.save_as.setToolTip(
            "<qt>Choose where labels, pins, log and regions are kept. They are saved "
            "by themselves after each correction.</qt>"
        )
        self.open = QPushButton("Open study…")
        self.open.setToolTip("<qt>Go on with what was saved.</qt>")
        layout = column(self.offer, self.question, self.notice, self.status)
        layout.addLayout(row(self.save_as, self.open))
        self.setLayout(layout)
        self._ticker = QTimer(self, interval=_TICK)
        self._connect()
        self.state.refresh()
        self._ticker.start()

    def _connect(self) -> None:
        runner = self.runner
        self._ticker.timeout.connect(self._render_status)
        self.save_as.clicked.connect(self._on_save_clicked)
        self.open.clicked.connect(self._on_open_clicked)
        self.offer.restore_wanted.connect(self._on_restore_wanted)
        self.offer.discard_wanted.connect(runner.discard)
        self.question.file_chosen.connect(runner.choose_image)
        self.question.none_wanted.connect(runner.go_without_image)
        runner.restored.connect(self.restored)
        self.state.run_changed.connect(self.render)

    def follow(self, layer: Any) -> None:
        """Save the corrections of a layer from now on.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The labels; None if none are corrected.
        """
        self.runner.follow(layer)

    def changed(self) -> None:
        """Something was corrected: save it soon."""
        self.runner.note_correction()

    def shut_down(self) -> None:
        """The dock is gone: save what is not saved, and let go of everything."""
        self._ticker.stop()
        self.runner.shut_down()

    def render(self) -> None:
        """Show the whole state."""
        state = self.state
        self.offer.render()
        self.question.render()
        self.notice.setText(warned(state.notice, is_failure=state.is_failure))
        self.notice.setVisible(bool(state.notice))
        self.save_as.setEnabled(state.saver is not None)
        self.open.setEnabled(not state.is_running)
        self._render_status()

    def _render_status(self) -> None:
        saver = self.state.saver
        words = "" if saver is None else saver.words(time.time())
        is_failure = saver is not None and bool(saver.problem)
        self.status.setText(warned(words, is_failure=is_failure))
        self.status.setVisible(bool(words))
        folder = None if saver is None else saver.folder
        self.status.setToolTip("" if folder is None else f"<qt>{folder}</qt>")

    # Files

    def _on_save_clicked(self) -> None:
        saver = self.state.saver
        if saver is None:
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save study as", saver.name)
        if path:
            self.runner.save_as(Path(path))

    def _on_open_clicked(self) -> None:
        start = str(studies_folder())
        path = QFileDialog.getExistingDirectory(self, "Open study", start)
        if path:
            self.runner.open(Path(path))

    def _on_restore_wanted(self, study: Unclosed) -> None:
        self.runner.open(study.folder)


class OfferPart(QWidget):
    """Offers a study that a process left behind."""

    restore_wanted = Signal(object)
    discard_wanted = Signal(object)
    """The `Unclosed`."""

    def __init__(self, state: StudyState) -> None:
        super().__init__()
        self._state = state
        self._study: Unclosed | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.restore = QPushButton("Restore")
        self.restore.clicked.connect(self._on_restore_clicked)
        self.discard = QPushButton(_DISCARD)
        self.discard.clicked.connect(self._on_discard_clicked)
        layout = column(self.text)
        layout.addLayout(row(self.restore, self.discard, stretch=0))
        self.setLayout(layout)

    def render(self) -> None:
        """Show the latest study left behind, if there is one."""
        waiting = self._state.unclosed
        study = waiting[0] if waiting else None
        is_waiting = self._state.waiting is not None
        if study != self._study or is_waiting:
            self.discard.setText(_DISCARD)
        self._study = study
        self.text.setText(warned(self._state.offer))
        # One thing after the other: the study that is being opened asks first.
        self.setVisible(study is not None and not is_waiting)
        self.setEnabled(not self._state.is_running)
        if study is not None:
            self.restore.setToolTip(f"<qt>Go on with {study.folder}.</qt>")
            self.discard.setToolTip(f"<qt>Delete {study.folder}.</qt>")

    def _on_restore_clicked(self) -> None:
        self.restore_wanted.emit(self._study)

    def _on_discard_clicked(self) -> None:
        # Hours of work are not to be lost by one click on the wrong button.
        if self.discard.text() == _DISCARD:
            self.discard.setText(_SURE)
            return
        self.discard_wanted.emit(self._study)


class QuestionPart(QWidget):
    """Asks for the image of a study, where it is not found."""

    file_chosen = Signal(object)
    none_wanted = Signal()

    def __init__(self, state: StudyState) -> None:
        super().__init__()
        self._state = state
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.choose = QPushButton("Choose image…")
        self.choose.clicked.connect(self._on_choose_clicked)
        self.none = QPushButton("Without image")
        self.none.setToolTip("<qt>Open the labels alone.</qt>")
        self.none.clicked.connect(self.none_wanted)
        layout = column(self.text)
        layout.addLayout(row(self.choose, self.none, stretch=0))
        self.setLayout(layout)

    def render(self) -> None:
        """Show the question, if there is one."""
        self.text.setText(warned(self._state.question))
        self.setVisible(self._state.waiting is not None)

    def _on_choose_clicked(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose the image of the study")
        if path:
            self.file_chosen.emit(Path(path))

"""The menu of all that can be written, and how far work is."""

from functools import partial
from pathlib import Path

from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMenu

from napari_cresunet.state import COUNT_EXPORTS, MeasureState
from napari_cresunet.widgets._measure_runner import MeasureRunner
from napari_cresunet.widgets._notify import tell
from napari_cresunet.widgets._running import RunBar


class ExportPart(RunBar):
    """The primary button of the dock, which opens the menu."""

    def __init__(self, state: MeasureState, runner: MeasureRunner) -> None:
        super().__init__(state, "cresunet_export")
        self._runner = runner
        self.run.setText("Export…")
        self.menu = QMenu(self.run)
        self.actions_of = {
            key: self.menu.addAction(f"{export.title}…", partial(self.ask, key))
            for key, export in COUNT_EXPORTS.items()
        }
        self.menu.addSeparator()
        self.copy = self.menu.addAction("Copy methods paragraph", self.copy_methods)
        self.run.setMenu(self.menu)
        self.cancel.setToolTip("Stop what is under way; no file is left half written.")
        self.cancel_wanted.connect(runner.cancel)
        state.tally_changed.connect(self.render)

    def _explanation(self) -> str:
        return "Write counts, measures or cells to a file."

    def render(self) -> None:
        """Show the state of the work."""
        super().render()
        self.cancel.setVisible(self._state.is_running)

    def _text(self) -> str:
        state = self._state
        return super()._text() if state.can_run or state.notice else ""

    def ask(self, kind: str) -> None:
        """Ask where to, and write.

        Parameters
        ----------
        kind : str
            A key of `COUNT_EXPORTS`.
        """
        export = COUNT_EXPORTS[kind]
        if export.is_folder:
            path = QFileDialog.getExistingDirectory(
                self, "Folder of images and labels to train on"
            )
        else:
            patterns = " ".join(f"*{suffix}" for suffix in export.suffixes)
            path, _ = QFileDialog.getSaveFileName(
                self,
                f"Save: {export.title}",
                self.proposed_name(kind),
                f"{export.title} ({patterns})",
            )
        if path:
            self._runner.export(kind, export.completed(Path(path)))

    def proposed_name(self, kind: str) -> str:
        """Return the file name that is proposed.

        Parameters
        ----------
        kind : str
            A key of `COUNT_EXPORTS`.

        Returns
        -------
        str
            The name of the labels layer, as far as files may have it.
        """
        tally = self._state.tally
        name = "cells" if tally is None else tally.source.name
        kept = "".join(x if x.isalnum() or x in " ._-" else "_" for x in name)
        return kept.strip(" .") + COUNT_EXPORTS[kind].ending

    def copy_methods(self) -> None:
        """Put the paragraph for a paper into the clipboard."""
        self._runner.copy_methods(self._on_written)

    def _on_written(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        sentence = "Copied: paste the methods paragraph into your text."
        tell(sentence)
        self._state.tell(sentence)

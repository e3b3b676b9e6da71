"""Runs what the user of the dock Batch asks for."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cresunet.batch import BatchResult
from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import (
    MOST_MESSAGES,
    BatchState,
    Listing,
    Progress,
    iter_batch_report,
    iter_batch_run,
    iter_listing,
    iter_results,
)
from napari_cresunet.widgets._batch_queue import BatchQueue
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._notify import tell, tell_error

_SHOW_TIME = 150  # ms; to repaint a window costs more than what is new in it


class BatchRunner(BatchQueue):
    """Lists images, and starts and stops the run.

    Parameters
    ----------
    viewer : napari.Viewer
        Where images are opened.
    state : BatchState
        What the dock shows.
    parent : QObject
        The dock.
    """

    reported = Signal(object)
    """The path of a report that was written."""

    def __init__(self, viewer: Any, state: BatchState, parent: QObject) -> None:
        super().__init__(viewer, state, parent)
        self._follow_models(state.refresh_models)
        self._run: Job | None = None
        self._listing: Job | None = None
        self._latest: Progress | None = None
        self._output: Path | None = None
        self._show_timer = self._timer(_SHOW_TIME, self._show_latest)

    # Images

    def look_for(self, arguments: Sequence[str]) -> None:
        """Find images.

        Parameters
        ----------
        arguments : sequence of str
            Folders, files, patterns or lists.
        """
        state = self._state
        # What was chosen for other images is not meant for these.
        self._list(arguments, None if state.images else state.output)

    def choose_output(self, folder: str) -> None:
        """Put results elsewhere.

        Parameters
        ----------
        folder : str
            The folder; empty for one beside the images.
        """
        state, output = self._state, Path(folder) if folder else None
        if state.arguments:
            self._list(state.arguments, output)
        elif output is not None:
            self.open_results(output)

    def _list(self, arguments: Sequence[str], output: Path | None) -> None:
        if self._state.is_running or not arguments:
            return
        self._state.look_for(arguments, output)
        self._look(iter_listing(arguments, output), adopts=False)

    def open_results(self, folder: Path) -> None:
        """Go on with an earlier run.

        Parameters
        ----------
        folder : Path
            Its folder of results.
        """
        if not self._state.is_running:
            self._state.look_for((), folder)
            self._look(iter_results(folder), adopts=True)

    def _look(self, steps: Any, *, adopts: bool) -> None:
        self._drop(self._listing)
        done = partial(self._on_listed, adopts)
        self._listing = self._start(steps, done, self._on_not_listed)

    def _on_listed(self, adopts: bool, listing: Listing) -> None:
        state = self._state
        names = {entry.name for entry in listing.entries}
        # Another image may have its name now, or its results would have no row.
        if listing.output != self._output or state.opened not in names:
            self.let_go()
        self._output = listing.output
        state.show(listing, adopts=adopts)

    def _on_not_listed(self, error: BaseException) -> None:
        self._state.refuse(tell_error(error))

    # What was written

    def report(self) -> None:
        """Write the report anew."""
        output = self._state.output
        if output is not None:
            steps = iter_batch_report(output)
            self._start(steps, self._on_reported)

    def _on_reported(self, path: Path) -> None:
        self.reported.emit(path)

    # The run

    def run(self) -> None:
        """Count the cells of all images that are not counted yet."""
        state = self._state
        try:
            request = state.request()
        except CResUNetError as error:
            state.tell(tell_error(error), is_failure=True)
            return
        state.begin()
        steps = iter_batch_run(request, state.inbox)
        self._run = Job(steps, "c-ResUnet (counting many images)")
        self._run.stepped.connect(self._on_run_stepped)
        self._run.failed.connect(self._on_run_failed)
        self._run.cancelled.connect(self._on_run_cancelled)
        self._run.done.connect(self._on_run_done)
        self._launch(self._run)

    def cancel(self) -> None:
        """Stop the run after the images at work."""
        if self._run is not None and self._state.is_running:
            self._latest = None
            self._state.begin_stop()
            self._run.cancel()

    def _on_run_stepped(self, progress: Progress) -> None:
        self._latest = progress
        if progress.message:
            self._show_latest()
            if len(self._state.messages) <= MOST_MESSAGES:
                tell(progress.message)
        elif not self._show_timer.isActive():
            self._show_timer.start()

    def _show_latest(self) -> None:
        latest, self._latest = self._latest, None
        if latest is not None:
            self._state.advance(latest)

    def _on_run_cancelled(self) -> None:
        self._latest = None
        self._state.stop()

    def _on_run_failed(self, error: BaseException) -> None:
        self._latest = None
        self._state.fail(tell_error(error))

    def _on_run_done(self, result: BatchResult) -> None:
        self._latest = None
        self._state.finish(result)
        tell(self._state.notice)

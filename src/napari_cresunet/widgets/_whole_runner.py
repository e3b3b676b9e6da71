"""Counts the whole of images larger than memory."""

from typing import Any

from qtpy.QtCore import QObject

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import (
    CountState,
    Request,
    Whole,
    WholeState,
    iter_whole,
    iter_whole_again,
)
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import (
    Placement,
    find_layer,
    placement_of,
)
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._whole_layers import show_view, show_whole


class WholeRunner(JobRunner):
    """Starts and stops the count of whole images for the dock "Segment and count".

    Parameters
    ----------
    viewer : napari.Viewer
        Where images come from and results go.
    state : CountState
        What the dock shows.
    whole : WholeState
        What it shows of images larger than memory.
    parent : QObject
        The dock.
    """

    def __init__(
        self, viewer: Any, state: CountState, whole: WholeState, parent: QObject
    ) -> None:
        super().__init__(state, parent)
        self._viewer = viewer
        self._whole = whole
        self._run: Job | None = None
        self._placements: dict[str, Placement] = {}
        state.labels_outdated.connect(self._on_labels_outdated)

    def start(self, request: Request, placement: Placement) -> None:
        """Count the whole of an image, or go on with it.

        Parameters
        ----------
        request : Request
            What the user asked for.
        placement : Placement
            Where the image lies.
        """
        self._placements[request.source.identity] = placement
        self._whole.begin("Looking at the whole image…")
        wanted = self._whole.request(request)
        self._launch_run(iter_whole(wanted, self._state.cache))

    def apply(self) -> None:
        """Count the whole again with the settings of the field of view."""
        why_not = self._whole.why_not_apply
        if why_not:
            self._state.tell(why_not, is_failure=True)
            return
        try:
            request = self._state.request()
        except CResUNetError as error:
            self._state.tell(tell_error(error), is_failure=True)
            return
        self._whole.begin("Finding the cells of the whole image…")
        self._launch_run(iter_whole_again(self._whole.request(request)))

    def cancel(self) -> None:
        """Stop at the next block; what is done is kept."""
        if self._run is not None:
            self._run.cancel()

    def _launch_run(self, steps: Any) -> None:
        self._run = Job(steps, "c-ResUnet (counting the whole image)")
        self._run.stepped.connect(self._state.advance)
        self._run.failed.connect(self._on_failed)
        self._run.cancelled.connect(self._whole.stop)
        self._run.done.connect(self._on_done)
        self._launch(self._run)

    def _on_failed(self, error: BaseException) -> None:
        self._state.fail(tell_error(error))

    def _on_done(self, whole: Whole) -> None:
        identity = whole.request.source.identity
        layer = find_layer(self._viewer, identity)
        if layer is not None:
            self._placements[identity] = placement_of(layer)
        try:
            show_whole(self._viewer, whole, self._placements[identity])
        except Exception as error:  # noqa: BLE001 or the dock would wait for ever
            self._on_failed(error)
            return
        self._whole.finish(whole)

    def _on_labels_outdated(self) -> None:
        """The user moves a slider: show where labels follow it."""
        source = self._state.source
        if source is not None:
            show_view(self._viewer, source.identity)

    def shut_down(self) -> None:
        """The dock is gone: stop everything."""
        super().shut_down()
        self._state.labels_outdated.disconnect(
            self._on_labels_outdated, missing_ok=True
        )

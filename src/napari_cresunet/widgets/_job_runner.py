"""What the docks share of starting work and of letting go of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_cresunet.state import MODEL_SHELF, iter_devices
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._notify import tell_error


class JobRunner(QObject):
    """Starts jobs for one dock, and abandons them with it.

    Parameters
    ----------
    state : CountState or TrainState
        Is told what failed.
    parent : QObject
        The dock.
    """

    devices_found = Signal(list)

    def __init__(self, state: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._jobs: set[Job] = set()
        self._endings: list[Callable[[], object]] = [partial(_abandon, self._jobs)]
        self._is_shut_down = False
        # When a window closes, its docks are destroyed without another word.
        self.destroyed.connect(partial(_end, self._endings))

    @property
    def is_busy(self) -> bool:
        """Whether any job of the dock is under way."""
        return bool(self._jobs)

    def _follow_models(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` whenever there is another model, as long as the dock lives."""
        MODEL_SHELF.changed.connect(refresh)
        self._endings.append(partial(MODEL_SHELF.changed.disconnect, refresh))

    def _timer(self, interval: int, slot: Any) -> QTimer:
        """Return a timer that fires once, an interval in ms after it was started."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def _launch(self, job: Job) -> None:
        self._jobs.add(job)
        job.ended.connect(partial(self._jobs.discard, job))
        job.start()

    def _start(
        self,
        steps: Any,
        on_done: Callable[..., object],
        on_failed: Callable[..., object] | None = None,
    ) -> Job:
        """Do something at leisure; napari need not know of it."""
        job = Job(steps, "c-ResUnet", is_background=True)
        job.done.connect(on_done)
        job.failed.connect(on_failed or self._on_background_failed)
        self._launch(job)
        return job

    def _drop(self, job: Job | None) -> None:
        """Stop a job at its next step, if there is one, and hear no more of it."""
        if job is not None:
            job.abandon()
            # It does not tell of its end, either.
            self._jobs.discard(job)

    def _on_background_failed(self, error: BaseException) -> None:
        self._state.tell(tell_error(error), is_failure=True)

    def look_for_devices(self) -> None:
        """Find out which devices there are, and signal them."""
        self._start(iter_devices(), self._on_devices_found)

    def _on_devices_found(self, devices: list[tuple[str, str]]) -> None:
        self.devices_found.emit(devices)

    def shut_down(self) -> None:
        """The dock is gone: stop everything."""
        if self._is_shut_down:
            return
        # If its garbage is collected in another thread, Qt destroys it later, and what
        # it would call then is gone: Python would crash.
        self.destroyed.disconnect()
        self._is_shut_down = True
        _end(self._endings)


def _end(endings: list[Callable[[], object]], _destroyed: object = None) -> None:
    for ending in endings:
        ending()
    endings.clear()


def _abandon(jobs: set[Job]) -> None:
    for job in jobs:
        job.abandon()
    jobs.clear()

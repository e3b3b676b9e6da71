"""Work in another thread: one generator, which can be stopped between its steps."""

import threading
import time
from collections.abc import Generator
from typing import Any

from qtpy.QtCore import QObject, Signal

# A job outlives the dock that started it until its thread has let go of it.
_ALIVE: set["Job"] = set()

_SIGNAL_INTERVAL = 0.05  # s; more steps than that only keep the GUI thread busy


class Job(QObject):
    """Runs one generator in a worker thread, once.

    A function worker drains the generator and never raises: a generator worker would
    drop every `RuntimeError`, leave the generator open when it is stopped, and tell of
    errors twice under PySide6. All signals arrive in the GUI thread.

    Parameters
    ----------
    steps : generator
        The work. It is closed in the thread it ran in.
    name : str
        What napari calls it when it asks whether to close while it runs.
    is_background : bool, optional
        Whether napari need not know of it.
    """

    stepped = Signal(object)
    done = Signal(object)
    """The generator's result."""
    failed = Signal(object)
    """The exception."""
    cancelled = Signal()
    ended = Signal()
    """Always last, however it ended."""
    _stepped_there = Signal(object)

    def __init__(
        self,
        steps: Generator[Any, None, Any],
        name: str,
        *,
        is_background: bool = False,
    ) -> None:
        super().__init__()
        if is_background:
            from superqt.utils import create_worker
        else:
            from napari.qt.threading import create_worker
        self._steps = steps
        self._stop = threading.Event()
        self._outcome: tuple[Any, ...] = (self.cancelled,)

        def work() -> None:
            self._drain()

        work.__name__ = work.__qualname__ = name
        self._worker = create_worker(work, _start_thread=False)
        self._worker.finished.connect(self._on_worker_finished)
        # Through this thread: a step on its way to a dock that is gone stops here.
        self._stepped_there.connect(self._on_stepped_there)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self in _ALIVE

    def start(self) -> None:
        """Start the work.

        Raises
        ------
        RuntimeError
            If it was started before.
        """
        if self._worker is None or self.is_running:
            raise RuntimeError("A job is started only once.")
        _ALIVE.add(self)
        self._worker.start()

    def cancel(self) -> None:
        """Ask it to stop at its next step."""
        self._stop.set()

    def abandon(self) -> None:
        """Stop it at its next step, and hear no more of it."""
        self.blockSignals(True)
        self.cancel()

    def _drain(self) -> None:
        """Run the generator to its end; in the worker thread."""
        signaled = 0.0
        try:
            while not (self._stop.is_set() or self._worker.abort_requested):
                step = next(self._steps)
                now = time.monotonic()
                # What counts nothing is the beginning of something that can take long.
                is_told = step.message or not step.done
                if is_told or now - signaled > _SIGNAL_INTERVAL:
                    signaled = now
                    self._stepped_there.emit(step)
        except StopIteration as stop:
            self._outcome = (self.done, stop.value)
        except Exception as error:  # noqa: BLE001 whatever it is, the dock tells it
            self._outcome = (self.failed, error)
        finally:
            self._steps.close()

    def _on_stepped_there(self, step: Any) -> None:
        self.stepped.emit(step)

    def _on_worker_finished(self) -> None:
        self._worker = None
        signal, *arguments = self._outcome
        # A run that was stopped in its last step has a result nobody waits for.
        if self._stop.is_set():
            signal, arguments = self.cancelled, []
        self._outcome = ()
        _ALIVE.discard(self)
        signal.emit(*arguments)
        self.ended.emit()

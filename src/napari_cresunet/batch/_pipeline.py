"""Images on their way through reading, prediction, and segmentation with writing.

Reading and finishing run in threads of their own, several images at a time; the network
runs in the thread that drains the generator. So disk, network and the rest overlap,
while what is in memory stays bounded.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from napari_cresunet.batch._reading import Loaded, Outcome, Task, read
from napari_cresunet.batch._stages import (
    CannotWriteError,
    Setting,
    error_text,
    finish,
    spoils_all,
)
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.inference import Model

Result = TypeVar("Result")

_MOST_BYTES = 1024**3
"""Of images, probabilities and labels on their way."""
_FIRST_GUESS = 64 * 1024**2
"""Bytes that an image may take, before one was read."""
_READERS = 2
_UNREAD = 2 * _READERS
"""Images that readers are given before it is known how large they are."""
_AHEAD = 16
"""Images that are being read or wait for the network, at most."""
_BEAT = 0.2  # s
"""Without news for so long, the caller may still want to stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something happened to an image; with neither outcome nor step, it has begun."""

    task: Task | None = None
    """None if only time has passed, or the message is about no image."""
    outcome: Outcome | None = None
    step: Step | None = None
    message: str = ""


Settle = Callable[[Task, Outcome], Outcome]
"""Notes in the journal what came of an image; called in any thread."""
Slides = Callable[[Task], Generator[Step, None, Outcome]]
"""Counts an image that is larger than memory."""


class Pipeline:
    """Images of one run, in this process."""

    def __init__(
        self, tasks: Iterable[Task], setting: Setting, settle: Settle, slides: Slides
    ) -> None:
        self._tasks = iter(tasks)
        self._setting = setting
        self._settle = settle
        self._slides = slides
        self._model: Model | None = None
        # More than there are processors: they mostly wait until the disk has it.
        n_finishers = max(4, min(8, os.cpu_count() or 4))
        self._readers = ThreadPoolExecutor(_READERS, "ncr-read")
        self._finishers = ThreadPoolExecutor(n_finishers, "ncr-finish")
        self._most_finishing = 2 * n_finishers
        self._reading: deque[tuple[Task, Future[Loaded | Outcome | None]]] = deque()
        self._finishing: dict[Future[Outcome], tuple[Task, int]] = {}
        self._largest = 0

    def run(self) -> Generator[Event, None, None]:
        """Count all images.

        Yields
        ------
        Event
            In the order in which things happen. May be closed at any event: what is
            predicted is still written and noted.
        """
        try:
            while self._read_ahead() or self._finishing:
                yield from self._collect()
                if self._may_predict():
                    yield from self._predict_next()
                elif not self._is_something_done():
                    yield Event()
        finally:
            self._close()

    def _read_ahead(self) -> bool:
        """Begin to read as many images as there is room for; tell whether any wait."""
        channel = self._setting.options.channel
        while len(self._reading) < _AHEAD:
            read = [future for _, future in self._reading if future.done()]
            n_unread = len(self._reading) - len(read)
            sizes = [size for _, size in self._finishing.values()]
            sizes += map(_bytes_of, read)
            self._largest = max(self._largest, *sizes, 0)
            expected = self._largest or _FIRST_GUESS
            needed = sum(sizes) + expected * (n_unread + 1)
            # An image that does not fit at all goes alone.
            if needed > _MOST_BYTES and (self._reading or self._finishing):
                break
            if n_unread >= _UNREAD:
                break
            task = next(self._tasks, None)
            if task is None:
                break
            self._reading.append((task, self._readers.submit(_read, task, channel)))
        return bool(self._reading)

    def _may_predict(self) -> bool:
        is_read = bool(self._reading) and self._reading[0][1].done()
        return is_read and len(self._finishing) < self._most_finishing

    def _is_something_done(self) -> bool:
        """Wait a moment for a thread; tell whether one is done."""
        waited: list[Future[object]] = [*self._finishing]  # type: ignore[list-item]  # what they return does not matter
        if len(self._finishing) < self._most_finishing and self._reading:
            waited.append(self._reading[0][1])  # type: ignore[arg-type]
        return bool(wait(waited, _BEAT, FIRST_COMPLETED).done)

    def _collect(self) -> Iterator[Event]:
        """Tell of the images that are finished."""
        done = [future for future in self._finishing if future.done()]
        for future in done:
            task, _ = self._finishing.pop(future)
            yield Event(task=task, outcome=future.result())

    def _predict_next(self) -> Generator[Event, None, None]:
        """Take the next image that is read as far as this thread goes."""
        task, future = self._reading.popleft()
        try:
            loaded = future.result()
        except Exception as error:  # noqa: BLE001  # of one image, whatever it is
            yield self._failed(task, error)
            return
        if isinstance(loaded, Outcome):
            yield Event(task=task, outcome=self._settle(task, loaded))
            return
        yield Event(task=task)
        if loaded is None:
            yield from self._count_slide(task)
        elif loaded.known is not None:
            self._pass_on(task, loaded, partial(finish, task, loaded, None, 0.0))
        else:
            yield from self._predict(task, loaded)

    def _predict(self, task: Task, loaded: Loaded) -> Generator[Event, None, None]:
        from napari_cresunet.inference import iter_predict

        if self._model is None:
            # Outside of the block below: without a model no image can be counted.
            self._model = self._setting.options.model.load()
        started = time.monotonic()
        try:
            steps = iter_predict(
                loaded.pixels, self._model, diameter=task.count.diameter
            )
            prediction = yield from told(task, steps)
        except Exception as error:  # noqa: BLE001  # of one image, whatever it is
            yield self._failed(task, error)
            return
        seconds = time.monotonic() - started
        self._pass_on(task, loaded, partial(finish, task, loaded, prediction, seconds))

    def _pass_on(
        self, task: Task, loaded: Loaded, work: Callable[[Setting], Outcome]
    ) -> None:
        future = self._finishers.submit(self._finish, task, work)
        self._finishing[future] = task, loaded.n_bytes

    def _finish(self, task: Task, work: Callable[[Setting], Outcome]) -> Outcome:
        """Finish one image, in a thread of its own, and note it."""
        try:
            outcome = work(self._setting)
        except CannotWriteError:
            raise
        except Exception as error:  # noqa: BLE001  # of one image, whatever it is
            outcome = Outcome(state="failed", error=error_text(error))
        return self._settle(task, outcome)

    def _count_slide(self, task: Task) -> Generator[Event, None, None]:
        try:
            outcome = yield from told(task, self._slides(task))
        except Exception as error:
            if spoils_all(error):
                raise CannotWriteError(error_text(error)) from error
            yield self._failed(task, error)
            return
        yield Event(task=task, outcome=self._settle(task, outcome))

    def _failed(self, task: Task, error: Exception) -> Event:
        outcome = Outcome(state="failed", error=error_text(error))
        return Event(task=task, outcome=self._settle(task, outcome))

    def _close(self) -> None:
        """Let what is predicted be finished, and end the threads."""
        self._readers.shutdown(cancel_futures=True)
        self._finishers.shutdown()


def _read(task: Task, channel: str | None) -> Loaded | Outcome | None:
    """Read an image; None for one that is larger than memory."""
    from napari_cresunet.batch._slides import is_slide

    # Asking takes as long as seeing that a known image is as it was.
    labels = task.known["record"]["labels"] if task.known is not None else ""
    is_known_as_small = labels.endswith(".tif") and channel is None
    if is_known_as_small or not is_slide(task.image.path, channel):
        return read(task, channel)
    return None


def _bytes_of(read: "Future[Loaded | Outcome | None]") -> int:
    """Return how much memory an image takes that was read, if it was."""
    if read.exception() is not None:
        return 0
    loaded = read.result()
    return loaded.n_bytes if isinstance(loaded, Loaded) else 0


def told(
    task: Task, steps: Generator[Step, None, Result]
) -> Generator[Event, None, Result]:
    """Pass steps on as events of an image."""
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            yield Event(task=task, step=step)

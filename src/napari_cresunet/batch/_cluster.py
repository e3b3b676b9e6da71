"""A pool whose tasks run on the workers of a Dask cluster."""

import pickle
import queue
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from napari_cresunet._wording import list_names
from napari_cresunet._writing import told_why
from napari_cresunet.batch._cluster_versions import check_versions
from napari_cresunet.batch._cluster_worker import (
    CannotLoadError,
    Refused,
    fault_of_files,
    run_task,
)
from napari_cresunet.errors import EngineError, InputError

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 2
"""Tasks in flight for each worker: one at work, one that is there when it is done."""

_ANSWER = "10s"
"""How long a scheduler that answered before may take to answer again."""

_MOST_LOSSES = 10
"""How often a task may get lost on its way."""

_LOOK_EVERY = 1.0
"""Seconds between two looks at the workers."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open connection to a scheduler."""

    client: Any
    title: str
    """What it is called for people, such as "the scheduler tcp://10.0.0.1:8786"."""
    remedy: str
    """What to do when there are no workers, as the end of a sentence."""
    worker_timeout: float
    """Seconds without any worker after which to give up."""

    def workers(self) -> set[str]:
        """Return the addresses of the workers there are now.

        Returns
        -------
        set of str
            One for each process.

        Raises
        ------
        EngineError
            If the scheduler is gone.
        """
        import dask

        try:
            with dask.config.set({"distributed.comm.timeouts.connect": _ANSWER}):
                return set(self.client.nthreads())
        except OSError as error:
            raise self.gone() from error

    def gone(self) -> EngineError:
        """Return the error for a scheduler that went away."""
        title = self.title[:1].upper() + self.title[1:]
        return EngineError(
            f"{title} went away during the run: start it again, then run the same "
            "again; what is done is not lost."
        )

    def deserted(self) -> EngineError:
        """Return the error for a cluster whose workers are all lost."""
        return EngineError(
            f"{self.title[:1].upper()}{self.title[1:]} has had no worker for "
            f"{self.worker_timeout:g} s: {self.remedy}, then run the same again; what "
            "is done is not lost."
        )


class ClusterPool:
    """The workers of a cluster; see `Pool`.

    Parameters
    ----------
    cluster : Cluster
        Open; whoever opened it closes it.
    retries : int
        How often a task that failed is tried again.
    """

    is_local = False

    def __init__(self, cluster: Cluster, *, retries: int) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._retries = retries
        self._addresses = cluster.workers()
        self._news: list[str] = []
        self._looked = time.monotonic()
        self._deserted_at: float | None = None

    @property
    def workers(self) -> int:
        """How many processes run tasks now."""
        return len(self._addresses)

    def map_unordered(
        self,
        function: Callable[[Task], Result],
        tasks: Iterable[Task],
        *,
        beat: float = 1.0,
    ) -> Iterator[tuple[Task, Result | Exception] | None]:
        """Run a function on tasks, as workers become free; see `Pool`."""
        waiting = iter(tasks)
        flight = _Flight(self._cluster, function, self._retries)
        try:
            while True:
                self._look()
                flight.fill(waiting, _AHEAD * max(1, self.workers))
                if not flight.tasks:
                    return
                done = flight.next_done(beat)
                if done is None or not flight.is_suspect(*done):
                    yield done
        finally:
            flight.end()

    def news(self) -> list[str]:
        """Return what happened to workers; see `Pool`."""
        self._look()
        news, self._news = self._news, []
        return news

    def check_files(self, output: Path | None, images: Sequence[Path] = ()) -> None:
        """Let all workers look for the files; see `Pool`."""
        looked_for = list(_one_of_each_folder(images).values())
        if output is None:
            self._ask_for_files(None, looked_for)
            return
        content = secrets.token_hex(16)
        token = output.absolute() / f".napari-cresunet-{content[:8]}.tmp"
        with told_why(token):
            token.write_text(content)
        try:
            self._ask_for_files((str(token), content), looked_for)
        finally:
            with suppress(OSError):
                token.unlink()

    def _ask_for_files(
        self, token: tuple[str, str] | None, images: Sequence[str]
    ) -> None:
        """Raise what the first worker has to say against the files."""
        try:
            answers = self._client.run(fault_of_files, token, images, on_error="ignore")
        except OSError as error:
            raise self._cluster.gone() from error
        for address, fault in sorted(answers.items()):
            if fault:
                raise InputError(
                    f"The worker {address} {fault}: give folders that all computers "
                    "have under the same path, and may write to."
                )

    def _look(self) -> None:
        """Note which workers came and went; give up when there have been none long."""
        now = time.monotonic()
        if now < self._looked + _LOOK_EVERY:
            return
        self._looked = now
        before, self._addresses = self._addresses, self._cluster.workers()
        lost = sorted(before - self._addresses)
        if lost:
            workers = "worker" if len(lost) == 1 else "workers"
            self._news.append(
                f"Lost {len(lost)} {workers} ({list_names(lost)}); what was in work "
                "there is done again."
            )
        if self._addresses - before:
            check_versions(self._client, self._cluster.title)
        if self._addresses:
            self._deserted_at = None
        elif self._deserted_at is None:
            self._deserted_at = now
        elif now > self._deserted_at + self._cluster.worker_timeout:
            raise self._cluster.deserted()


def _one_of_each_folder(images: Sequence[Path]) -> dict[Path, str]:
    """Return the first image that is there, for each folder."""
    found: dict[Path, str] = {}
    for image in images:
        if image.parent not in found and image.exists():
            found[image.parent] = str(image.absolute())
    return found


class _Flight:
    """The tasks of one function that are on their way."""

    def __init__(
        self, cluster: Cluster, function: Callable[[Any], Any], retries: int
    ) -> None:
        import cloudpickle  # type: ignore[import-untyped]  # it ships no types

        from napari_cresunet.batch._cluster_plugin import FunctionPlugin

        self._cluster = cluster
        self._retries = retries
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._run = secrets.token_hex(8)
        self._n = 0
        self.tasks: dict[str, tuple[Any, Any, int]] = {}
        """Key → future, task, and how often the task got lost."""
        self._suspects: list[Any] = []
        self._is_alone = False
        self._plugin = FunctionPlugin(self._run, cloudpickle.dumps(function))
        self._register()

    def _register(self) -> None:
        """Let all workers have the function."""
        for attempt in range(_MOST_LOSSES):
            try:
                self._cluster.client.register_plugin(self._plugin)
            except OSError as error:
                # A worker was lost meanwhile, or the scheduler is gone.
                if attempt == _MOST_LOSSES - 1:
                    raise self._cluster.gone() from error
            else:
                return

    def fill(self, waiting: Iterator[Any], most: int) -> None:
        """Send tasks until so many are on their way; at the end each suspect alone."""
        while len(self.tasks) < most and not self._is_alone:
            try:
                self._send(next(waiting))
            except StopIteration:
                self._is_alone = not self.tasks
                break
        if self._is_alone and not self.tasks and self._suspects:
            self._send(self._suspects.pop(0))

    def _send(self, task: Any, n_lost: int = 0) -> None:
        future = self._cluster.client.submit(
            run_task,
            self._run,
            pickle.dumps(task),
            key=f"task-{self._run}-{self._n}",
            retries=self._retries,
            priority=-self._n,
            pure=False,
        )
        self._n += 1
        self.tasks[future.key] = future, task, n_lost
        future.add_done_callback(self._done.put)

    def is_suspect(self, task: Any, outcome: Any) -> bool:
        """Tell whether a task was put aside, because workers died that had it."""
        # Dask blames all that a worker had. Alone, each shows whether it is to blame.
        if self._is_alone or not isinstance(outcome, _WorkersDiedError):
            return False
        self._suspects.append(task)
        return True

    def next_done(self, beat: float) -> tuple[Any, Any] | None:
        """Return the next task and what came of it, or None if nothing does."""
        try:
            future = self._done.get(timeout=beat)
        except queue.Empty:
            return None
        if future.status not in ("error", "finished", "pending"):
            self._send_again(*self.tasks.pop(future.key))
            return None
        try:
            outcome = self._outcome(future, beat)
        except _LostResultError:
            self._done.put(future)
            return None
        return self.tasks.pop(future.key)[1], outcome

    def _send_again(self, future: Any, task: Any, n_lost: int) -> None:
        """Send a task that Dask lost, as when a worker dies that has its result."""
        self._cluster.workers()  # which ends all if the scheduler is gone
        if n_lost == _MOST_LOSSES:
            raise self._cluster.gone()
        future.release()
        self._send(task, n_lost + 1)

    def _outcome(self, future: Any, beat: float) -> Any:
        """Return a result or an error."""
        if future.status == "error":
            return self._explained(future.exception())
        try:
            result = future.result(timeout=beat)
        except TimeoutError as error:
            # The worker that had it is lost; another does the task again.
            raise _LostResultError from error
        except Exception as error:
            if future.status in ("cancelled", "lost"):
                raise _LostResultError from error
            return self._explained(error)
        return result.error if isinstance(result, Refused) else result

    def _explained(self, error: Exception) -> Exception:
        """Return an error as people understand it."""
        from distributed import KilledWorker

        if isinstance(error, CannotLoadError):
            raise EngineError(
                f"The workers cannot load what they are to run ({error}): install the "
                "same there as on this computer."
            )
        if isinstance(error, KilledWorker):
            return _WorkersDiedError(
                f"{error.allowed_failures + 1} workers died on this one after the "
                "other, as when memory runs out: give each worker more memory, or use "
                "smaller images or blocks."
            )
        return error

    def end(self) -> None:
        """Cancel what is on its way."""
        futures = [future for future, *_ in self.tasks.values()]
        self.tasks.clear()
        with suppress(OSError, TimeoutError):
            self._cluster.client.cancel(futures, force=True)
            self._cluster.client.unregister_worker_plugin(self._plugin.name)


class _WorkersDiedError(EngineError):
    """Workers died on a task, or on another one that they had."""


class _LostResultError(Exception):
    """A result got lost after it was finished."""

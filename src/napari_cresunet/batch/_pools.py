"""Where the tasks of a batch run: in this process, or on the workers of a cluster."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Pool(Protocol):
    """What runs one function on many tasks."""

    is_local: bool
    """Whether tasks run in this process."""

    @property
    def workers(self) -> int:
        """How many processes run tasks now."""
        ...

    def map_unordered(
        self,
        function: Callable[[Task], Result],
        tasks: Iterable[Task],
        *,
        beat: float = 1.0,
    ) -> Iterator[tuple[Task, Result | Exception] | None]:
        """Run a function on tasks and hand out what comes of each as it is finished.

        Parameters
        ----------
        function : callable
            Of the top level of a module, or a `functools.partial` of one with all that
            the tasks share, such as a `ModelSpec`: it is sent to each worker once. It
            may run twice on a task, on two workers even, if one of them is lost.
        tasks : iterable
            What is different for each call: small, and able to be pickled. They are
            taken lazily, about two for each worker ahead of what is finished. Paths
            are absolute.
        beat : float, optional
            Seconds without a result after which None is handed out, so that the caller
            may report or stop; a pool in this process has no beat.

        Yields
        ------
        tuple of (task, result or error), or None
            What the function returned, or the error that it raised on this task after
            the pool has tried it again where that may help; other tasks go on. Closing
            the generator cancels what is in flight.

        Raises
        ------
        EngineError
            If no task can run any more, as when the scheduler is gone.
        """
        ...

    def news(self) -> list[str]:
        """Return what the user should know that happened since this was called last.

        Such as a worker that was lost; each is a sentence.
        """
        ...

    def check_files(self, output: Path | None, images: Sequence[Path] = ()) -> None:
        """Make sure that all workers see the files.

        Parameters
        ----------
        output : Path or None
            A folder where they write; it exists.
        images : sequence of Path
            What they read; one of each folder is looked for.

        Raises
        ------
        InputError
            If a worker does not see them under the same path, or may not write there.
        """
        ...


def local_pool() -> Pool:
    """Return the pool that runs one task after the other in this process.

    Returns
    -------
    Pool
        Its results come in the order of the tasks.
    """
    return _LocalPool()


class _LocalPool:
    """One task after the other, in this process."""

    is_local = True
    workers = 1

    def map_unordered(
        self,
        function: Callable[[Task], Result],
        tasks: Iterable[Task],
        *,
        beat: float = 1.0,
    ) -> Iterator[tuple[Task, Result | Exception] | None]:
        """Run the function on each task; see `Pool`."""
        for task in tasks:
            try:
                outcome: Result | Exception = function(task)
            except Exception as error:  # noqa: BLE001 the other tasks are still to come
                outcome = error
            yield task, outcome

    def news(self) -> list[str]:
        """Return nothing; see `Pool`."""
        return []

    def check_files(self, output: Path | None, images: Sequence[Path] = ()) -> None:
        """Do nothing: this process sees what it sees; see `Pool`."""


@contextmanager
def cluster_pool(
    scheduler: str,
    *,
    tell: Callable[[str], object] | None = None,
    leave_if_asked: Callable[[], object] | None = None,
    connect_timeout: float = 10.0,
    worker_timeout: float | None = None,
    retries: int = 2,
) -> Iterator[Pool]:
    """Open a pool of the workers of a Dask cluster; close it at the end of the block.

    Parameters
    ----------
    scheduler : str
        "tcp://host:port" of a Dask scheduler that runs already; "local" or "local:N"
        for N processes on this computer; "slurm" or "slurm:N" for N jobs as the Dask
        configuration describes them; or a YAML file that describes jobs for SLURM.
    tell : callable, optional
        Called with a sentence when there is something to wait for.
    leave_if_asked : callable, optional
        Called again and again while a worker is waited for; may raise to give up.
    connect_timeout : float, optional
        Seconds within which the scheduler must answer.
    worker_timeout : float, optional
        Seconds within which there must be a worker, also when all are lost in mid-run;
        by default 60, and without end where SLURM decides.
    retries : int, optional
        How often a task that failed is tried again; one whose image or model cannot be
        used is not.

    Yields
    ------
    Pool
        Tasks run on the workers, each of which loads its own model.

    Raises
    ------
    InputError
        If the scheduler does not answer, has no workers or other versions of what both
        sides need, if Dask is not installed, or if the text means nothing.
    """
    from napari_cresunet.batch._cluster import ClusterPool
    from napari_cresunet.batch._cluster_opening import open_cluster

    with open_cluster(
        scheduler,
        tell=tell or (lambda _: None),
        leave_if_asked=leave_if_asked or (lambda: None),
        connect_timeout=connect_timeout,
        worker_timeout=worker_timeout,
    ) as cluster:
        yield ClusterPool(cluster, retries=retries)


@contextmanager
def open_pool(
    scheduler: str | None,
    tell: Callable[[str], object] | None = None,
    leave_if_asked: Callable[[], object] | None = None,
) -> Iterator[Pool | None]:
    """Open the pool that a command line asks for.

    Parameters
    ----------
    scheduler : str or None
        As for `cluster_pool`; None for no cluster.
    tell, leave_if_asked : callable, optional
        As for `cluster_pool`.

    Yields
    ------
    Pool or None
        The pool, or None for no cluster.
    """
    if scheduler is None:
        yield None
    else:
        with cluster_pool(scheduler, tell=tell, leave_if_asked=leave_if_asked) as pool:
            yield pool

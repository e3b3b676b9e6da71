"""From the text that names a cluster to an open connection."""

import asyncio
import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from math import inf
from typing import Any

from napari_cresunet.batch._cluster import Cluster
from napari_cresunet.batch._cluster_slurm import is_slurm, start_slurm
from napari_cresunet.batch._cluster_versions import check_versions
from napari_cresunet.errors import InputError

_NO_DASK = (
    "Clusters need Dask, which is not installed; "
    'install it with: pip install "napari-cresunet[cluster]"'
)
_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+:\d+")
_LOCAL = re.compile(r"local(?::(\d+))?")

_PAUSE = 0.1
"""Seconds between two looks for the first worker."""


@contextmanager
def open_cluster(
    scheduler: str,
    *,
    tell: Callable[[str], object],
    leave_if_asked: Callable[[], object],
    connect_timeout: float,
    worker_timeout: float | None,
) -> Iterator[Cluster]:
    """Connect to a cluster, or start one; end it at the end of the block.

    Parameters
    ----------
    scheduler : str
        As for `cluster_pool`.
    tell : callable
        Called with a sentence when there is something to wait for.
    leave_if_asked : callable
        Called while a worker is waited for; may raise.
    connect_timeout : float
        Seconds within which the scheduler must answer.
    worker_timeout : float or None
        Seconds within which there must be a worker; None for what fits the cluster.

    Yields
    ------
    Cluster
        With at least one worker, all of which have our versions.

    Raises
    ------
    InputError
        If there is no such cluster, or it cannot be used.
    """
    _check_dask()
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        title, remedy, patience = "the scheduler " + scheduler, "", 60.0
        local = _LOCAL.fullmatch(scheduler)
        if is_slurm(scheduler):
            address: Any = stack.enter_context(start_slurm(scheduler))
            title, patience = "the cluster of SLURM jobs", inf
            remedy = "look at `squeue` and at the logs of the jobs"
        elif local:
            address = stack.enter_context(_start_local(local[1]))
            title = "the cluster on this computer"
            remedy = "use fewer workers"
        elif _ADDRESS.fullmatch(scheduler):
            address = scheduler
            remedy = f"start some with `dask worker {scheduler}`"
        else:
            raise InputError(
                f"{scheduler!r} is no cluster: give tcp://HOST:PORT of a Dask "
                "scheduler, local:N, slurm:N or a YAML file for SLURM."
            )
        client = stack.enter_context(_connect(address, title, connect_timeout))
        if local:
            _let_outlive_interrupts(client)
        given = patience if worker_timeout is None else worker_timeout
        cluster = Cluster(client, title, remedy, given)
        _await_worker(cluster, tell, leave_if_asked)
        check_versions(client, title)
        yield cluster


def _check_dask() -> None:
    """Make sure that Dask is there."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise InputError(_NO_DASK) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what Dask logs of what we say in a sentence."""
    from distributed.utils import silence_logging_cmgr

    with (
        silence_logging_cmgr(logging.CRITICAL),
        silence_logging_cmgr(logging.CRITICAL, root="tornado.application"),
    ):
        yield


@contextmanager
def _start_local(n: str | None) -> Iterator[Any]:
    """Start processes on this computer that share its cores."""
    from dask.system import CPU_COUNT
    from distributed import LocalCluster

    n_workers = CPU_COUNT if n is None else int(n)
    if n_workers < 1:
        raise InputError(f"'local:{n}' has no worker: give at least local:1.")
    with LocalCluster(
        n_workers=n_workers,
        threads_per_worker=max(1, CPU_COUNT // n_workers),
        processes=True,
        dashboard_address=None,
        # Its pages are still served: at any port, as the usual one may be taken.
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


def _let_outlive_interrupts(client: Any) -> None:
    from napari_cresunet.batch._cluster_plugin import UninterruptedPlugin

    client.register_plugin(UninterruptedPlugin())


@contextmanager
def _connect(address: Any, title: str, timeout: float) -> Iterator[Any]:
    """Connect to a scheduler."""
    from distributed import Client

    name = title[:1].upper() + title[1:]
    try:
        with warnings.catch_warnings():
            # Other versions are told of in `check_versions`.
            warnings.simplefilter("ignore")
            if isinstance(address, str):
                _greet(address, timeout)
            client = Client(address, timeout=timeout, set_as_default=False)
    except OSError as error:
        raise InputError(
            f"{name} does not answer within {timeout:g} s: see whether it runs and "
            "whether the address is right."
        ) from error
    except Exception as error:
        raise InputError(
            f"{name} does not speak the language of this version of Dask "
            f"({type(error).__name__}): install the same versions on all computers."
        ) from error
    with client:
        yield client


def _greet(address: str, timeout: float) -> None:
    """Exchange greetings with a scheduler: `Client` waits for a mute one for ever."""
    from distributed import Security
    from distributed.comm import connect

    async def greet() -> None:
        arguments = Security().get_connection_args("client")
        comm = await connect(address, timeout=timeout, **arguments)
        await comm.close()

    async def in_time() -> None:
        await asyncio.wait_for(greet(), timeout)

    # This thread may have a loop of its own, as in a notebook.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(in_time())).result()


def _await_worker(
    cluster: Cluster,
    tell: Callable[[str], object],
    leave_if_asked: Callable[[], object],
) -> None:
    """Wait for the first worker."""
    began = time.monotonic()
    is_told = False
    while not cluster.workers():
        waited = time.monotonic() - began
        if waited > cluster.worker_timeout:
            title = cluster.title[:1].upper() + cluster.title[1:]
            raise InputError(
                f"{title} has had no worker for {cluster.worker_timeout:g} s: "
                f"{cluster.remedy}."
            )
        if waited > 1 and not is_told:
            tell(f"Waiting for a worker of {cluster.title}.")
            is_told = True
        leave_if_asked()
        time.sleep(_PAUSE)

"""What is brought to all workers: a function of tasks, and patience."""

import signal
from typing import Any

from distributed import WorkerPlugin

from napari_cresunet.batch._cluster_worker import drop_function, keep_function


class FunctionPlugin(WorkerPlugin):  # type: ignore[misc]  # Dask ships no types
    """Keeps a function on a worker; those that join later get it, too.

    It is no task: a task that workers lose too often is given up, and all others would
    be with it.

    Parameters
    ----------
    token : str
        Under which tasks ask for it.
    packed : bytes
        The pickled function.
    """

    def __init__(self, token: str, packed: bytes) -> None:
        self.name = f"napari-cresunet-{token}"
        self.token = token
        self.packed = packed

    def setup(self, worker: Any) -> None:
        """Keep the function."""
        keep_function(self.token, self.packed)

    def teardown(self, worker: Any) -> None:
        """Let it go."""
        drop_function(self.token)


class UninterruptedPlugin(WorkerPlugin):  # type: ignore[misc]  # as above
    """Lets workers outlive Ctrl+C, which a terminal sends to all of its processes.

    The one that started them ends them, once it has noted down what they have done.
    """

    name = "napari-cresunet-uninterrupted"

    def setup(self, worker: Any) -> None:
        """Pay no attention any more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

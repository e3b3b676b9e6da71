"""What happens on a worker of a cluster: its share of cores and GPUs, and its tasks.

Only the standard library is needed to load this, so that it loads on a scheduler, too.
"""

import os
import pickle
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from napari_cresunet._files import lock_file
from napari_cresunet.errors import CResUNetError, EngineError

_GPU_LOCKS = "napari-cresunet-gpus"
_MOST_ON_ONE_GPU = 64

_cores: int | None = None
_gpu: int | None = None
_claims: list[IO[bytes]] = []
_claiming = threading.Lock()

_packed: dict[str, bytes] = {}
_functions: dict[str, Callable[[Any], Any]] = {}
_unpacking = threading.Lock()


class CannotLoadError(EngineError):
    """A worker cannot load what it is to run; it would be so for every task."""


class Refused:
    """An error that would come again, so that the task is not tried again.

    Parameters
    ----------
    error : CResUNetError
        What is wrong with the image or the model.
    """

    def __init__(self, error: CResUNetError) -> None:
        self.error = error


def keep_function(token: str, packed: bytes) -> None:
    """Keep a function for the tasks that ask for it, pickled until one does."""
    _packed[token] = packed


def drop_function(token: str) -> None:
    """Forget a function."""
    _packed.pop(token, None)
    _functions.pop(token, None)


def run_task(token: str, task: bytes) -> Any:
    """Run a function on a task of this worker.

    Parameters
    ----------
    token : str
        Of the function.
    task : bytes
        The pickled task: Dask would look for tasks of its own in lists and dicts.

    Returns
    -------
    object
        What the function returns, or `Refused`.

    Raises
    ------
    EngineError
        As from the function; like all other errors it lets Dask try again.
    """
    from distributed import get_worker

    be_worker(get_worker().state.nthreads)
    try:
        return _function(token)(pickle.loads(task))
    except EngineError:
        raise
    except CResUNetError as error:
        return Refused(error)


def _function(token: str) -> Callable[[Any], Any]:
    """Return a function, which is unpickled once."""
    with _unpacking:
        if token not in _functions:
            try:
                _functions[token] = pickle.loads(_packed[token])
            except Exception as error:
                raise CannotLoadError(str(error)) from error
        return _functions[token]


def be_worker(cores: int) -> None:
    """Note that this process is a worker that has so many cores."""
    global _cores
    _cores = max(1, cores)


def cores() -> int | None:
    """Return how many cores a worker has; None in any other process."""
    return _cores


def own_gpu() -> int | None:
    """Return the GPU that this worker uses, as PyTorch counts them.

    Returns
    -------
    int or None
        None in a process that is no worker, or where there is no choice.
    """
    global _gpu
    if _cores is None:
        return None
    with _claiming:
        if _gpu is None:
            import torch

            n = torch.cuda.device_count() if torch.cuda.is_available() else 0
            if n < 2:
                return None
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
            _gpu = gpu_for_worker(visible_gpus(visible, n), _claim)
    return _gpu


def visible_gpus(variable: str | None, n: int) -> list[str]:
    """Return what the system calls the GPUs of a process.

    Parameters
    ----------
    variable : str or None
        The environment variable CUDA_VISIBLE_DEVICES.
    n : int
        How many GPUs PyTorch sees.

    Returns
    -------
    list of str
        `n` names, in the order in which PyTorch counts them.

    Examples
    --------
    >>> visible_gpus(None, 2), visible_gpus("3,1", 2)
    (['0', '1'], ['3', '1'])
    """
    names = [name.strip() for name in (variable or "").split(",") if name.strip()]
    return names if len(names) == n else [str(index) for index in range(n)]


def gpu_for_worker(visible: Sequence[str], claim: Callable[[str, int], bool]) -> int:
    """Choose the GPU of a worker, so that the workers of a computer share them evenly.

    Each worker takes the first that nobody has. Dask-CUDA shows each worker the same
    GPUs beginning with another one, so each takes its own; SLURM shows all workers of a
    job the same list, so each takes the next.

    Parameters
    ----------
    visible : sequence of str
        Names of the GPUs that this worker sees, at least one.
    claim : callable
        Called with a name and a seat, counted from 0; returns whether the seat was free
        and is now this worker's.

    Returns
    -------
    int
        Index into `visible`.

    Examples
    --------
    >>> taken = {("0", 0)}
    >>> gpu_for_worker(["0", "1"], lambda name, seat: (name, seat) not in taken)
    1
    """
    for seat in range(_MOST_ON_ONE_GPU):
        for index, name in enumerate(visible):
            if claim(name, seat):
                return index
    return 0


def _claim(name: str, seat: int) -> bool:
    """Take a seat at a GPU; the system frees it when this process ends."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    folder = Path(tempfile.gettempdir()) / f"{_GPU_LOCKS}-{user}"
    folder.mkdir(parents=True, exist_ok=True)
    # Names such as "MIG-<uuid>" are good names of files; slashes occur in old ones.
    file = (folder / f"{name.replace('/', '_')}.{seat}.lock").open("ab")
    if lock_file(file):
        _claims.append(file)
        return True
    file.close()
    return False


def version() -> str:
    """Return the version of this package on a worker."""
    import napari_cresunet

    return str(napari_cresunet.__version__)


def fault_of_files(token: tuple[str, str] | None, images: Sequence[str]) -> str:
    """Look for the files of the one who asks.

    Parameters
    ----------
    token : tuple of (path, content) or None
        A file in the folder of the results; another is written beside it.
    images : sequence of str
        Files that are to be read.

    Returns
    -------
    str
        What is wrong, as the end of a sentence; empty if nothing is.
    """
    if token is not None:
        path, content = Path(token[0]), token[1]
        try:
            is_same = path.read_text() == content
        except OSError:
            is_same = False
        if not is_same:
            return f"does not see the folder {path.parent}"
        trial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            trial.write_text(content)
            trial.unlink()
        except OSError as error:
            return f"cannot write to {path.parent} ({error.strerror})"
    unseen = next((image for image in images if not Path(image).exists()), None)
    return "" if unseen is None else f"does not see the image {unseen}"

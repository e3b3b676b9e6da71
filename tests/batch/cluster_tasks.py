"""What the workers of a cluster run in tests; they import it by its name."""

import logging
import os
import signal
import threading
from pathlib import Path

from napari_cresunet.batch import ModelSpec
from napari_cresunet.errors import EngineError, InputError


def double(number: int) -> int:
    return 2 * number


def process(_: int) -> int:
    return os.getpid()


def interrupt(_: int) -> int:
    """Press Ctrl+C in this process."""
    os.kill(os.getpid(), signal.SIGINT)
    return os.getpid()


def keep(task: object) -> object:
    """Return what came, and of which type it is."""
    return task, type(task).__name__


def note(folder: Path, number: int) -> int:
    """Leave a file for each run."""
    (folder / f"{number}.{os.getpid()}.{len(list(folder.iterdir()))}").touch()
    return number


def fail(folder: Path, number: int) -> int:
    """Fail in the way of the number, and leave a file for each run."""
    note(folder, number)
    if number == 1:
        raise InputError("The image is bad.")
    if number == 2:
        raise EngineError("The disk is full.")
    if number == 3:
        raise ZeroDivisionError("by zero")
    return number


def die_once(folder: Path, number: int) -> int:
    """Kill the worker that gets number 3 first, as the system does."""
    died = folder / "died"
    if number == 3 and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def always_die(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def await_file(path: Path, number: int) -> int:
    """Return only when there is a file, and leave one that says so."""
    pause = threading.Event()
    while not path.exists():
        pause.wait(0.05)
    path.with_name(f"ran-{number}").touch()
    return number


def load(spec: ModelSpec, log: Path, number: int) -> tuple[int, int, str]:
    """Load a model, and leave a line in a file if that was really done."""
    logger = logging.getLogger("napari_cresunet.batch._specs")
    if not logger.handlers:
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.FileHandler(log))
        logger.handlers[0].setFormatter(logging.Formatter("%(process)d"))
    model = spec.load()
    import torch

    return os.getpid(), torch.get_num_threads(), model.card.weights_hash

"""Ctrl+C between two pieces of work, not in the middle of one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl+C back until the work says that it can be left.

    Python raises KeyboardInterrupt wherever it happens to be: inside a library that
    leaves half a file behind, or inside a destructor that swallows it. The second
    Ctrl+C is not held back.

    Yields
    ------
    callable
        To be called between two pieces of work: raises KeyboardInterrupt if Ctrl+C came
        since the beginning.
    """
    came = False

    def leave_if_asked() -> None:
        if came:
            raise KeyboardInterrupt

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        leave_if_asked()
        came = True

    # Other threads get no signals, and may not ask for them.
    if threading.current_thread() is not threading.main_thread():
        yield leave_if_asked
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield leave_if_asked
    finally:
        signal.signal(signal.SIGINT, before)
    leave_if_asked()

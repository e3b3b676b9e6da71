"""Long work as generators: they yield steps and return their result.

The command line drains such a generator, a dock runs it in a worker thread and may
stop between two steps by closing it. The engine needs no callbacks, queues or Qt.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

AnyStep = TypeVar("AnyStep")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One finished piece of long work."""

    done: int
    """How many pieces are finished, at least 1."""
    total: int
    """How many pieces there are."""
    message: str = ""
    """What the user should know of this piece, such as a fall-back; mostly empty."""


def drain(
    steps: Generator[AnyStep, None, Result],
    on_step: Callable[[AnyStep], object] | None = None,
) -> Result:
    """Run a generator of steps to its end.

    Parameters
    ----------
    steps : generator of Step, or of steps of another kind
        The work.
    on_step : callable, optional
        Called with each step as it is finished.

    Returns
    -------
    Result
        What the generator returns.

    Examples
    --------
    >>> def work():
    ...     yield Step(done=1, total=1)
    ...     return "labels"
    >>> drain(work(), on_step=lambda step: print(step.done, "of", step.total))
    1 of 1
    'labels'
    """
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if on_step is not None:
            on_step(step)

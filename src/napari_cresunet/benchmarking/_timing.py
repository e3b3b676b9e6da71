"""Times of ways that take turns, so that all see the same load."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from numpy.typing import NDArray

from napari_cresunet.benchmarking._ways import Way, Work

TURN = 0.2
"""Seconds: what is faster runs several times within one turn."""
MOST = 100
"""Runs in one turn at most."""


@dataclass(slots=True)
class Timed:
    """How long one way takes, and what it gives."""

    way: Way
    times: list[float] = field(default_factory=list)
    """Seconds of every run, the first one (warming up) left out."""
    result: Any = None
    """Of the first run; None if memory ran out."""

    @property
    def seconds(self) -> float | None:
        """The median; None if memory ran out."""
        return median(self.times) if self.times else None


def iter_times(
    ways: Sequence[Way], pixels: NDArray[Any], rounds: int
) -> Generator[str, None, list[Timed]]:
    """Time ways on the same pixels.

    Parameters
    ----------
    ways : sequence of Way
        What is timed.
    pixels : ndarray
        Image or probability.
    rounds : int
        How many turns each gets, after the one that warms up.

    Yields
    ------
    str
        What was done, after every turn: `rounds` + 1 for each way.

    Returns
    -------
    list of Timed
        In the order of `ways`.
    """
    timed = [Timed(way) for way in ways]
    works: list[Work | None] = []
    for one in timed:
        works.append(_warmed_up(one, pixels))
        yield one.way.title
    for _ in range(rounds):
        for one, work in zip(timed, works, strict=True):
            if work is not None:
                one.times += _turn(work)
            yield one.way.title
    return timed


def _warmed_up(timed: Timed, pixels: NDArray[Any]) -> Work | None:
    """Run once, and return what can be run again if there was enough memory."""
    from napari_cresunet.inference import is_out_of_memory

    try:
        work = timed.way.ready(pixels)
        timed.result = work()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    return work


def _turn(work: Work) -> list[float]:
    """Run for a while, and return the seconds of every run."""
    times: list[float] = []
    while not times or (sum(times) < TURN and len(times) < MOST):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times

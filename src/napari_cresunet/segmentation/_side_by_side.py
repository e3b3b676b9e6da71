"""Compiled loops over many cells, on several processors at once."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from napari_cresunet._typing import Indices

Made = TypeVar("Made")

WORTH = 500_000
"""Pixels of cells from which a thread pays: they take some milliseconds."""

MOST_THREADS = 4


def side_by_side(work: Callable[[int, int], Made], offsets: Indices) -> list[Made]:
    """Do work on parts of a list, each in a thread of its own.

    Parameters
    ----------
    work : callable
        Gets the first one of its part and the one after the last. It must spend its
        time in compiled functions, which let others work meanwhile.
    offsets : ndarray of intp, shape (N + 1,)
        Px before each one of the list, and of all together: parts have about as many.

    Returns
    -------
    list
        What each part made, in order. One part where threads do not pay.
    """
    size = int(offsets[-1])
    n_parts = min(_n_processors(), MOST_THREADS, max(size // WORTH, 1))
    goals = np.linspace(0, size, n_parts + 1)[1:-1]
    inner = np.searchsorted(offsets, goals).tolist()
    parts = list(pairwise([0, *inner, len(offsets) - 1]))
    if n_parts == 1:
        return [work(*parts[0])]
    with ThreadPoolExecutor(n_parts) as pool:
        return list(pool.map(lambda part: work(*part), parts))


def _n_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Runs above many thresholds of one plane, found in a copy of one byte for each pixel.

Reading a plane of float32 takes most of the time that finding runs takes. A byte holds
between which hundredths a pixel lies: enough for the thresholds of a slider, and for
others but for the pixels between the same two hundredths.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._runs import find_runs, stride_of

HUNDREDTHS = 101
"""0, 0.01, ... 1: with one more level above, all levels fit into seven bits."""

AT_ONCE = 1024
"""Words of eight pixels that are worked on together, in the processor's cache."""


class Levels:
    """Finds the runs above one threshold after another.

    Parameters
    ----------
    plane : ndarray of shape (Y, X)
        Probability, without NaN; not to be changed afterwards.

    Notes
    -----
    Keeps a byte for each pixel from the second threshold on: a single one does not pay
    for making them.
    """

    def __init__(self, plane: NDArray[Any]) -> None:
        self._plane = plane
        # Others have no compiled loops: half precision, and foreign byte orders.
        is_plain = plane.dtype in (np.float32, np.float64)
        self._is_plain = is_plain and sys.byteorder == "little"
        self._table = (np.arange(HUNDREDTHS) / 100).astype(plane.dtype)
        self._levels: NDArray[np.uint8] | None = None
        self._is_first = True

    def runs(self, threshold: float) -> tuple[Indices, Indices]:
        """Return the runs of pixels above a threshold, as `find_runs` does.

        Parameters
        ----------
        threshold : float
            Foreground is strictly above this, in the precision of the plane.

        Returns
        -------
        starts, stops : ndarray of intp
            Flat indices in rows of `stride_of(X)` px.
        """
        if not self._is_plain or self._is_first:
            self._is_first = False
            return find_runs(self._plane, threshold)
        if self._levels is None:
            height, width = self._plane.shape
            self._levels = np.zeros((height, stride_of(width)), np.uint8)
            _set_levels(self._levels, self._plane, self._table)
        level = int(np.searchsorted(self._table, self._plane.dtype.type(threshold)))
        levels = self._levels
        if self._table[level] != self._plane.dtype.type(threshold):
            levels = levels.copy()
            _settle(levels, self._plane, self._plane.dtype.type(threshold), level)
        return _runs_above(levels.view(np.uint64).ravel(), np.uint64(127 - level))


@compiled
def _set_levels(
    levels: NDArray[np.uint8], plane: NDArray[Any], table: NDArray[Any]
) -> None:
    """Write how many of the table's values are below each pixel."""
    height, width = plane.shape
    hundred = table.dtype.type(100)
    for row in range(height):
        for column in range(width):
            value = plane[row, column]
            level = int(min(max(value * hundred, 0), 100))
            # The product is rounded, and may be on the other side.
            if value > table[level]:
                level += 1
            elif level and not value > table[level - 1]:
                level -= 1
            levels[row, column] = level


@compiled
def _settle(
    levels: NDArray[np.uint8], plane: NDArray[Any], threshold: float, level: int
) -> None:
    """Raise the pixels of one level that are above a threshold within it."""
    height, width = plane.shape
    for row in range(height):
        for column in range(width):
            if levels[row, column] == level and plane[row, column] > threshold:
                levels[row, column] += 1


@compiled
def _runs_above(words: NDArray[np.uint64], lift: np.uint64) -> tuple[Indices, Indices]:
    """Return the runs of bytes that are above 127 once `lift` is added."""
    lifts = lift * np.uint64(0x0101010101010101)
    # As many as there can be: memory that is not written to costs nothing.
    ends = np.empty(8 * len(words) + 2, dtype=np.intp)
    turns = np.empty(AT_ONCE, dtype=np.uint64)
    filled = np.empty(AT_ONCE, dtype=np.intp)
    count = 0
    before = np.uint64(0)
    for start in range(0, len(words), AT_ONCE):
        some = words[start : start + AT_ONCE]
        before = _mark_turns(turns[: len(some)], some, lifts, before)
        n_filled = 0
        for i in range(len(some)):
            # Without a branch, which could not be foreseen.
            filled[n_filled] = i
            n_filled += turns[i] != 0
        for i in filled[:n_filled]:
            left = turns[i]
            while left:
                lowest = left & (~left + np.uint64(1))
                # The product has the number of the byte in its highest one.
                byte = (lowest >> np.uint64(7)) * np.uint64(0x0001020304050607)
                ends[count] = 8 * (start + i) + np.intp(byte >> np.uint64(56))
                count += 1
                left ^= lowest
    pairs = ends[:count].reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


@compiled
def _mark_turns(
    turns: NDArray[np.uint64],
    words: NDArray[np.uint64],
    lifts: np.uint64,
    before: np.uint64,
) -> np.uint64:
    """Mark bytes whose sum has another highest bit than before; returns the last."""
    high = np.uint64(0x8080808080808080)
    for i in range(len(words)):
        turns[i] = (words[i] + lifts) & high
    last: np.uint64 = turns[-1]
    # Backwards, as each is read once more.
    for i in range(len(words) - 1, 0, -1):
        turns[i] ^= turns[i] << np.uint64(8) | turns[i - 1] >> np.uint64(56)
    turns[0] ^= turns[0] << np.uint64(8) | before >> np.uint64(56)
    return last

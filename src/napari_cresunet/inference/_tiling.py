"""Which pixels a tile of the result needs, on the way through the network's own grid.

The network sees the image resampled by the zoom and extended at the bottom and right by
reflection to multiples of its stride. A tile's input is cut from that grid at multiples
of the stride, with the receptive radius around it, so tiles give the whole's numbers.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._resampling import (
    resample,
    resampling_matrix,
    support,
)


class Rectangle(NamedTuple):
    """A part of the image's Y, X: rows top to bottom, columns left to right."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def side(self) -> int:
        """The longer side in px."""
        return max(self.bottom - self.top, self.right - self.left)


def split(rectangle: Rectangle, tile: int) -> list[Rectangle]:
    """Cut a rectangle into tiles, row by row.

    Parameters
    ----------
    rectangle : Rectangle
        What to cut.
    tile : int
        Side of a tile in px; the last ones may be smaller.

    Returns
    -------
    list of Rectangle
        Together they are the rectangle.
    """
    top, bottom, left, right = rectangle
    return [
        Rectangle(y, min(y + tile, bottom), x, min(x + tile, right))
        for y in range(top, bottom, tile)
        for x in range(left, right, tile)
    ]


def reflected(n: int, multiple: int) -> NDArray[np.int64]:
    """Extend n positions to a multiple by reflection at the end, as often as needed.

    Parameters
    ----------
    n : int
        Number of positions, at least 1.
    multiple : int
        What the length becomes a multiple of.

    Returns
    -------
    ndarray of int64
        For every position of the extended line the one it shows.

    Examples
    --------
    >>> reflected(3, 8)
    array([0, 1, 2, 2, 1, 0, 0, 1])
    """
    positions = np.arange(-(-n // multiple) * multiple) % (2 * n)
    return np.minimum(positions, 2 * n - 1 - positions)


@dataclass(frozen=True, slots=True)
class Window:
    """What one range of the result needs along one axis."""

    read: slice
    """Part of the image."""
    entry: Any
    """From that part to the network's input: positions, or a resampling matrix."""
    keep: slice
    """Part of the network's output that is wanted."""
    exit: Any
    """From that part back to the image's grid: a resampling matrix, or None."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The way of one axis to the network's grid and back, for the whole image."""

    shown: NDArray[np.int64]
    """For every network position the resampled one it shows."""
    stride: int
    radius: int
    inward: Any
    """Resampling matrix from the image to `shown`, or None at zoom 1."""
    outward: Any
    """Resampling matrix from the network's grid to the image's, or None at zoom 1."""

    @classmethod
    def plan(cls, n: int, *, zoom: float, stride: int, radius: int) -> "Axis":
        """Plan an axis of n px; stride and radius are the network's."""
        if zoom == 1:
            return cls(reflected(n, stride), stride, radius, None, None)
        n_network = max(1, round(n * zoom))
        shown = reflected(n_network, stride)
        inward = resampling_matrix(n, n_network)[shown]
        return cls(shown, stride, radius, inward, resampling_matrix(n_network, n))

    def window(self, start: int, stop: int) -> Window:
        """Return what the range from `start` to `stop` of the result needs."""
        inner = (start, stop)
        if self.outward is not None:
            inner = support(self.outward, start, stop)
        first = max(0, (inner[0] - self.radius) // self.stride * self.stride)
        last = -(-(inner[1] + self.radius) // self.stride) * self.stride
        last = min(len(self.shown), last)
        keep = slice(inner[0] - first, inner[1] - first)
        if self.inward is None:
            shown = self.shown[first:last]
            read = slice(int(shown.min()), int(shown.max()) + 1)
            return Window(read, shown - read.start, keep, None)
        read = slice(*support(self.inward, first, last))
        entry = self.inward[first:last, read]
        return Window(read, entry, keep, self.outward[start:stop, slice(*inner)])


def enter(
    channels: NDArray[np.float32], rows: Window, columns: Window
) -> NDArray[np.float32]:
    """Bring what was read of the image to the network's grid.

    Parameters
    ----------
    channels : ndarray of shape (C, Y, X)
        The windows' `read` parts, scaled.
    rows, columns : Window
        Of the two axes.

    Returns
    -------
    ndarray of shape (C, Y', X')
        Sides are multiples of the network's stride.
    """
    if rows.exit is None:
        extended: NDArray[np.float32] = channels[
            :, rows.entry[:, np.newaxis], columns.entry
        ]
        return extended
    return resample(channels, rows.entry, columns.entry)


def leave(
    probability: NDArray[np.float32], rows: Window, columns: Window
) -> NDArray[np.float32]:
    """Bring the network's output back to the image's grid.

    Parameters
    ----------
    probability : ndarray of shape (Y', X')
        The output for what `enter` returned.
    rows, columns : Window
        Of the two axes.

    Returns
    -------
    ndarray of shape (Y, X)
        The tile of the result.
    """
    kept = probability[rows.keep, columns.keep]
    if rows.exit is None:
        return kept
    back: NDArray[np.float32] = resample(kept[np.newaxis], rows.exit, columns.exit)[0]
    np.clip(back, 0, 1, out=back)  # rounding may go beyond
    return back

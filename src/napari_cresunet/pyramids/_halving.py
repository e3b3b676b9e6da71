"""A level of a pyramid from the one above, block by block."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray


def blocks_of(
    shape: Sequence[int], chunks: Sequence[int]
) -> Iterator[tuple[slice, ...]]:
    """Return the part of an array that each of its chunks holds.

    Parameters
    ----------
    shape : sequence of int
        Of the array.
    chunks : sequence of int
        How long a chunk is, for each axis.

    Yields
    ------
    tuple of slice
        One for each axis, in row order.
    """
    sides = [
        [slice(at, min(at + step, length)) for at in range(0, length, step)]
        for length, step in zip(shape, chunks, strict=True)
    ]
    yield from product(*sides)


def fill_block(
    lower: Any, upper: Any, part: tuple[slice, ...], *, is_mean: bool
) -> None:
    """Compute a part of a level from the one above.

    Parameters
    ----------
    lower, upper : zarr.Array
        The level, and the one with twice its resolution; (..., Y, X).
    part : tuple of slice
        Which part of the lower one.
    is_mean : bool
        Whether a pixel is the mean of four, or else the first of them.
    """
    plane = part[:-2]
    rows, columns = (
        slice(2 * side.start, min(2 * side.stop, length))
        for side, length in zip(part[-2:], upper.shape[-2:], strict=True)
    )
    pixels = upper[(*plane, rows, columns)]
    lower[part] = _halved(pixels) if is_mean else pixels[..., ::2, ::2]


def _halved(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of each 2 x 2 pixels; at an odd edge, of those that are left."""
    exact = np.float64 if pixels.dtype.itemsize > 2 else np.float32
    means: NDArray[Any] = pixels.astype(exact)
    for axis in (-2, -1):
        starts = np.arange(0, pixels.shape[axis], 2)
        counts = np.diff(np.append(starts, pixels.shape[axis]))
        means = np.add.reduceat(means, starts, axis=axis)
        means = means / (counts[:, None] if axis == -2 else counts)
    if pixels.dtype.kind in "iu":
        means = np.rint(means)
    return means.astype(pixels.dtype)

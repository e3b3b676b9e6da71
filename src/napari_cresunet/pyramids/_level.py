"""One level of a pyramid: an array of which only the part that is asked for is read."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrangement:
    """How (..., Y, X) or (..., Y, X, 3) is found among the axes of a file."""

    order: tuple[int, ...]
    """The axes of the file that are kept, in the order in which they come here."""
    fixed: dict[int, int] = field(default_factory=dict)
    """For each other axis of the file, at which of its places the image is."""
    is_rgb: bool = False
    """Whether the last of `order` holds colors; of more than three, three are taken."""


class Level:
    """An array in a file, arranged (..., Y, X) or (..., Y, X, 3).

    Slices read only the chunks that they touch, from any thread. `numpy.asarray` reads
    it whole. It can be sent to another process, which opens the file anew.

    Attributes
    ----------
    shape : tuple of int
        (..., Y, X) or (..., Y, X, 3).
    dtype : dtype
        As in the file, in the byte order of this machine.
    chunks : tuple of int
        What is read at once, along each axis.
    """

    def __init__(
        self,
        source: Any,
        arrangement: Arrangement,
        *,
        path: Path,
        reopen: tuple[Callable[..., "Level"], tuple[Any, ...]],
    ) -> None:
        """See an array in another order of axes.

        Parameters
        ----------
        source : array-like with shape, dtype and chunks
            What reads the file.
        arrangement : Arrangement
            What becomes of its axes.
        path : Path
            The file or folder, for messages.
        reopen : tuple of callable and tuple
            What opens this level in another process, and its arguments.
        """
        self._source = source
        self._arrangement = arrangement
        self._path = path
        self._reopen = reopen
        order = arrangement.order
        shape = [int(source.shape[axis]) for axis in order]
        chunks = [int(source.chunks[axis]) for axis in order]
        if arrangement.is_rgb:
            shape[-1] = 3
            chunks[-1] = min(3, chunks[-1])
        self.dtype: np.dtype[Any] = np.dtype(source.dtype).newbyteorder("=")
        self.shape: tuple[int, ...] = tuple(shape)
        self.chunks: tuple[int, ...] = tuple(chunks)

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes it would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        """Return how long the first axis is."""
        return self.shape[0]

    def __repr__(self) -> str:
        """Return what it is, for people who program."""
        return f"<Level {self.shape} {self.dtype} of {self._path}>"

    def __reduce__(self) -> tuple[Callable[..., "Level"], tuple[Any, ...]]:
        """Return how to open it in another process."""
        return self._reopen

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Read all of it."""
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, where: Any) -> NDArray[Any]:
        """Read a part.

        Parameters
        ----------
        where : int, slice or Ellipsis, or a tuple of these
            Which part; steps must be positive.

        Returns
        -------
        ndarray
            As NumPy would return it.

        Raises
        ------
        InputError
            If that part of the file is damaged.

        Notes
        -----
        A chunk that has no file is empty, as zarr has it. Another kind of index, or one
        that is outside, is an `IndexError`.
        """
        places = _places(where, self.shape)
        order = self._arrangement.order
        chosen: list[int | slice] = [0] * (len(order) + len(self._arrangement.fixed))
        for axis, fixed in self._arrangement.fixed.items():
            chosen[axis] = fixed
        for axis, place in zip(order, places, strict=True):
            chosen[axis] = place
        read = self._read(tuple(chosen), places)
        # Axes of which one place was asked for are gone from what was read.
        left = [axis for axis in order if isinstance(chosen[axis], slice)]
        ranks = [sorted(left).index(axis) for axis in left]
        return read.transpose(ranks).astype(self.dtype, copy=False)

    def _read(
        self, chosen: tuple[int | slice, ...], places: list[int | slice]
    ) -> NDArray[Any]:
        try:
            return np.asarray(self._source[chosen])
        except (InputError, MemoryError):
            raise
        except Exception as error:  # whatever a decoder makes of damage
            last = -1 if self._arrangement.is_rgb else len(places)
            rows, columns = (_span(place) for place in places[:last][-2:])
            raise InputError(
                f"{self._path} is damaged in rows {rows}, columns {columns}: copy or "
                "export it again."
            ) from error


def _places(where: Any, shape: tuple[int, ...]) -> list[int | slice]:
    """Return an index for each axis: a number from 0, or a slice without None."""
    wanted = where if isinstance(where, tuple) else (where,)
    n_missing = len(shape) - len(wanted) + wanted.count(Ellipsis)
    if wanted.count(Ellipsis) > 1 or n_missing < 0:
        raise IndexError(f"{where!r} is too much for {len(shape)} axes")
    if Ellipsis not in wanted:
        wanted = (*wanted, Ellipsis)
    at = wanted.index(Ellipsis)
    every = (slice(None),) * n_missing
    wanted = (*wanted[:at], *every, *wanted[at + 1 :])
    return [_place(one, length) for one, length in zip(wanted, shape, strict=True)]


def _place(one: Any, length: int) -> int | slice:
    if isinstance(one, slice):
        start, stop, step = one.indices(length)
        if step < 1:
            raise IndexError(f"{one!r} goes backward")
        return slice(start, max(start, stop), step)
    try:
        place = operator.index(one)
    except TypeError:
        raise IndexError(f"{one!r} is neither a number nor a slice") from None
    if not -length <= place < length:
        raise IndexError(f"{place} is outside of an axis of {length}")
    return place % length


def _span(place: int | slice) -> str:
    if isinstance(place, int):
        return str(place)
    return f"{place.start} to {place.stop}"

"""What a pyramid that is written looks like: dtypes, options, sizes of its levels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np

from napari_cresunet._label_images import MOST
from napari_cresunet.errors import InputError

Kind: TypeAlias = Literal["labels", "image"]
Version: TypeAlias = Literal["0.4", "0.5"]

_LARGEST_OVERVIEW = 512
"""Levels are added until the longer side is not longer than this, in px."""
_LEADING = ((), ("z",), ("t", "z"))
"""What axes before Y, X are called by default, by their number."""


class WriteOptions(TypedDict, total=False):
    """What need not be said of a pyramid; see `create_pyramid`."""

    chunk: int
    """Height and width of a chunk in px; 1024."""
    pixel_size: tuple[float, float] | None
    """Height and width of a pixel in µm; None if it is not known."""
    leading: Sequence[str]
    """Names of the axes before Y, X, such as ("t", "z"); by default (), ("z",), ...."""
    rgb: bool
    """Whether the last of the axes holds red, green and blue; False."""
    name: str | None
    """What it is called; by default after the folder."""
    record: Mapping[str, Any] | None
    """How it was made: what JSON can hold."""
    version: Version
    """Of OME-Zarr: "0.5" or, for older programs, "0.4"."""
    replace: bool
    """Whether a pyramid of this program that is there already is deleted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What a pyramid that is written looks like."""

    shape: tuple[int, ...]
    """(..., Y, X) or (..., Y, X, 3) of full resolution."""
    dtype: str
    """Of its pixels."""
    kind: Kind
    """What it holds."""
    name: str
    """What it is called."""
    chunk: int = 1024
    """Height and width of a chunk in px."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in µm; None if it is not known."""
    leading: tuple[str, ...] = ()
    """Names of the axes before Y, X."""
    rgb: bool = False
    """Whether the last of the axes holds colors."""
    version: Version = "0.5"
    """Of OME-Zarr."""
    record: dict[str, Any] = field(default_factory=dict)
    """How it was made."""

    @property
    def zarr_format(self) -> Literal[2, 3]:
        """The format of zarr in which OME-Zarr of this version is."""
        return 2 if self.version == "0.4" else 3

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes as they are stored: colors come before space."""
        before = [name for name in self.leading if name == "t"]
        after = [name for name in self.leading if name != "t"]
        return (*before, *(["c"] if self.rgb else []), *after, "y", "x")

    @property
    def stored(self) -> tuple[int, ...]:
        """The shape as it is stored."""
        return tuple(np.empty(self.shape, "V0").transpose(self.order).shape)

    @property
    def order(self) -> tuple[int, ...]:
        """Which axis of `shape` is stored in which place."""
        here = (*self.leading, "y", "x", *(["c"] if self.rgb else []))
        return tuple(here.index(name) for name in self.axes)

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape of a chunk as it is stored."""
        sides = (min(n, self.chunk) for n in self.stored[-2:])
        return (1,) * (len(self.stored) - 2) + tuple(sides)

    def level(self, number: int) -> tuple[int, ...]:
        """Return the shape of a level as it is stored."""
        sides = (-(-n // 2**number) for n in self.stored[-2:])
        return (*self.stored[:-2], *sides)

    @property
    def n_levels(self) -> int:
        """How many levels there are, with full resolution."""
        longest = max(self.stored[-2:])
        n = 1
        while longest > _LARGEST_OVERVIEW:
            longest = -(-longest // 2)
            n += 1
        return n

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold of it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Layout":
        """Return what `to_dict` wrote.

        Parameters
        ----------
        said : mapping
            As read from JSON.

        Returns
        -------
        Layout
            The same as was written.
        """
        lists = ("shape", "pixel_size", "leading")
        tuples = {n: tuple(said[n]) for n in lists if said[n] is not None}
        return cls(**{**said, **tuples})


def checked_layout(layout: Layout) -> Layout:
    """Return a layout with all that is told by default, or refuse it.

    Parameters
    ----------
    layout : Layout
        What is wanted.

    Returns
    -------
    Layout
        The same, with names of all leading axes.

    Raises
    ------
    InputError
        If it cannot be.
    """
    n_leading = len(layout.shape) - (3 if layout.rgb else 2)
    if n_leading < 0 or min(layout.shape, default=0) < 1:
        raise InputError(
            f"`shape` must have the axes Y, X and no axis of length 0, got "
            f"{layout.shape}."
        )
    if layout.rgb and layout.shape[-1] != 3:
        raise InputError(
            f"`shape` must end in 3 colors with `rgb`, got {layout.shape}."
        )
    dtype = np.dtype(layout.dtype)
    if dtype.kind not in ("iu" if layout.kind == "labels" else "iuf"):
        wanted = "whole numbers" if layout.kind == "labels" else "numbers"
        raise InputError(f"`dtype` must be one of {wanted}, got {dtype}.")
    if layout.chunk < 16:
        raise InputError(f"`chunk` must be at least 16, got {layout.chunk}.")
    if layout.version not in ("0.4", "0.5"):
        raise InputError(f'`version` must be "0.4" or "0.5", got "{layout.version}".')
    return _with_leading(layout, n_leading)


def _with_leading(layout: Layout, n_leading: int) -> Layout:
    names = layout.leading
    if not names and n_leading < len(_LEADING):
        names = _LEADING[n_leading]
    is_known = len(set(names)) == len(names) and not {*names} & {"c", "y", "x"}
    if len(names) != n_leading or not is_known:
        raise InputError(
            f"`leading` must name {n_leading} axes before Y, X, other than c, y and x, "
            f"got {names}."
        )
    values = {name: getattr(layout, name) for name in Layout.__slots__}
    return Layout(**{**values, "leading": tuple(names)})


def labels_dtype(n_cells: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the dtype that can number so many cells.

    Parameters
    ----------
    n_cells : int
        How many there are, or may be.

    Returns
    -------
    dtype
        int32, or int64 beyond 2**31 - 1 cells.

    Examples
    --------
    >>> str(labels_dtype(2**31 - 1)), str(labels_dtype(2**31))
    ('int32', 'int64')
    """
    return np.dtype(np.int32 if n_cells <= MOST else np.int64)

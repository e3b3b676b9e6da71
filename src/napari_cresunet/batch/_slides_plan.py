"""How an image larger than memory is cut into blocks."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cresunet._writing import as_plain
from napari_cresunet.errors import InputError
from napari_cresunet.weights import ModelCard

if TYPE_CHECKING:
    from collections.abc import Mapping

TILE = 768
"""Side of the network's tiles in px of its own grid: with their surroundings they take
0.8 GB in PyTorch."""
LARGEST_TILE = 2048
"""Side in px of the image."""
SMALLEST_TILE = 32
BLOCK = 2304
"""Side in px of a block: three tiles at zoom 1."""
LARGEST_CHUNK = 1024


def plane_index(number: int, leading: tuple[int, ...]) -> tuple[int, ...]:
    """Return where a plane is on the leading axes.

    Parameters
    ----------
    number : int
        Which plane, counted through all leading axes.
    leading : tuple of int
        Lengths of these.

    Returns
    -------
    tuple of int
        One index for each of them.
    """
    if not leading:
        return ()
    return tuple(int(i) for i in np.unravel_index(number, leading))


@dataclass(frozen=True, slots=True)
class Block:
    """A part of one plane: rows top to bottom, columns left to right."""

    plane: int
    """Counted through all leading axes."""
    top: int
    bottom: int
    left: int
    right: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.left, self.right)

    def place(self, leading: tuple[int, ...]) -> tuple[int | slice, ...]:
        """Return where it is in an array (..., Y, X)."""
        return (*plane_index(self.plane, leading), self.rows, self.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class SlidePlan:
    """What is counted and how; ready for JSON by `to_dict`."""

    name: str
    identity: dict[str, Any]
    """Of the image."""
    card: dict[str, Any]
    """Of the model."""
    backend: str
    precision: str
    diameter: float | None
    leading: tuple[int, ...]
    """Lengths of the axes before Y, X."""
    extent: tuple[int, int]
    axes: tuple[str, ...] | None
    """Names of the leading axes, if they are known."""
    pixel_size: tuple[float, float] | None
    tile: int
    block: int
    scaling: tuple[float, float]
    """Low and span."""
    version: str
    """Of the package."""

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as a plain dict."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: "Mapping[str, Any]") -> "SlidePlan":
        """Make a plan from a dict that was read from JSON."""
        as_tuples: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**as_tuples)

    @property
    def n_planes(self) -> int:
        """How many planes there are."""
        return prod(self.leading)

    @property
    def model(self) -> ModelCard:
        """Card of the model."""
        return ModelCard.from_dict(self.card)

    @property
    def chunk(self) -> int:
        """Side in px of what is written at once: a block is a whole number of it."""
        # A tile is a multiple of 8, so it can be halved thrice.
        chunk = self.tile
        while chunk > LARGEST_CHUNK and chunk % 2 == 0:
            chunk //= 2
        return chunk

    def is_same_work(self, other: "SlidePlan") -> bool:
        """Whether what was done by another plan is of use for this one."""
        free = ("block", "scaling")
        one, two = as_plain(self.to_dict()), as_plain(other.to_dict())
        return all(one[name] == two[name] for name in one if name not in free)

    def blocks(self) -> list[Block]:
        """Return all blocks, plane by plane and row by row."""
        return list(self.cut(self.block))

    def cut(self, side: int) -> Iterator[Block]:
        """Yield squares of all planes, plane by plane and row by row."""
        height, width = self.extent
        tops, lefts = range(0, height, side), range(0, width, side)
        for plane, top, left in product(range(self.n_planes), tops, lefts):
            bottom, right = min(top + side, height), min(left + side, width)
            yield Block(plane, top, bottom, left, right)

    def n_tiles(self, block: Block) -> int:
        """Return how many tiles a block has."""
        height, width = block.bottom - block.top, block.right - block.left
        return -(-height // self.tile) * -(-width // self.tile)


def slide_tile(card: ModelCard, diameter: float | None) -> int:
    """Choose the side of the tiles.

    Parameters
    ----------
    card : ModelCard
        Of the model.
    diameter : float or None
        Of a cell in px of the image.

    Returns
    -------
    int
        In px of the image, a multiple of 8. It does not depend on the computer.
    """
    zoom = 1.0 if diameter is None else card.zoom_at(diameter)
    return max(SMALLEST_TILE, min(LARGEST_TILE, round(TILE / zoom / 8) * 8))


def check_tile(tile: int) -> int:
    """Refuse a tile that does not fit the network or the blocks.

    Parameters
    ----------
    tile : int
        Side in px.

    Returns
    -------
    int
        The same.

    Raises
    ------
    InputError
        If it is no multiple of 8, or below 32.
    """
    if tile < SMALLEST_TILE or tile % 8:
        raise InputError(
            f"`tile` must be a multiple of 8 and at least {SMALLEST_TILE}, got {tile}."
        )
    return tile


def slide_block(block: int | None, tile: int) -> int:
    """Return a side of blocks that is a whole number of tiles, at least one."""
    return max(1, round((BLOCK if block is None else block) / tile)) * tile

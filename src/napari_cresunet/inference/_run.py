"""One prediction while it runs: its image, its tiles, and how far it is."""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._cuda import CudaRunner
from napari_cresunet.inference._pieces import Piece, Preparation, entered, left
from napari_cresunet.inference._places import (
    Place,
    is_out_of_memory,
    retreat,
    tiles_at_once,
)
from napari_cresunet.inference._planes import read_region
from napari_cresunet.inference._tiling import Axis, Rectangle, split
from napari_cresunet.steps import Step

AHEAD = 2
"""Batches that a GPU is given before the first is waited for."""
WINDOWS = 256
"""Rectangles whose way into the network is remembered."""
NOT_FINITE = "Some values are NaN or infinite and were taken as black."


@dataclass(frozen=True, slots=True)
class Source:
    """The image, and the way of its pixels into the network and back."""

    image: Any
    is_rgb: bool
    preparation: Preparation
    rows: Axis
    columns: Axis


class Tile(NamedTuple):
    """What is predicted of one plane at a time."""

    plane: int
    """Which, of those that are predicted."""
    rectangle: Rectangle


class Flight(Protocol):
    """A batch on its way."""

    def land(self) -> list[NDArray[np.float32]]:
        """Wait for the probability of its tiles."""
        ...


class Landed(NamedTuple):
    """A batch that was computed at once."""

    values: list[NDArray[np.float32]]

    def land(self) -> list[NDArray[np.float32]]:
        """Return the probability of its tiles."""
        return self.values


@dataclass(slots=True)
class Run:
    """A prediction that advances batch by batch."""

    source: Source
    wanted: Rectangle
    """What is predicted of every plane."""
    place: Place
    """Changes when memory runs out."""
    messages: list[str] = field(default_factory=list)
    n_told: int = 0
    done: int = 0
    total: int = 0
    ahead: int = AHEAD
    windows: dict[Rectangle, tuple[Any, Any]] = field(default_factory=dict)

    def fill(
        self, probability: NDArray[np.float32], planes: Sequence[tuple[int, ...]]
    ) -> Generator[Step, None, None]:
        """Predict planes.

        Parameters
        ----------
        probability : ndarray of shape (planes, Y, X)
            Where the result goes.
        planes : sequence of tuple of int
            Positions on the leading axes.

        Yields
        ------
        Step
            After every tile.
        """
        waiting = self._tiles(len(planes))
        flying: deque[tuple[list[Tile], Flight]] = deque()
        self._count(waiting)
        while waiting or flying:
            while waiting and len(flying) < self._most_flying():
                tiles = self._next_batch(waiting)
                flight = self._attempt(tiles, planes)
                if flight is not None:
                    flying.append((tiles, flight))
                    continue
                waiting.extendleft(reversed(tiles))
                if flying:  # what is on its way has the memory
                    self.ahead = 1
                    break
                self._retreat(waiting, len(tiles))
            tiles, flight = flying.popleft()
            values = self._land(flight)
            if values is None:
                waiting.extendleft(reversed(tiles))
                self._retreat(waiting, len(tiles))
                continue
            for tile, value in zip(tiles, values, strict=True):
                self._write(probability, tile, value)
                yield self._step()

    def _tiles(self, n_planes: int) -> deque[Tile]:
        """Return all tiles; those that may be one batch stand together."""
        most = self.place.runner.most
        return deque(
            Tile(plane, rectangle)
            for first in range(0, n_planes, most)
            for rectangle in split(self.wanted, self.place.tile)
            for plane in range(first, min(first + most, n_planes))
        )

    def _count(self, waiting: deque[Tile]) -> None:
        """Estimate the total anew, for the tiles as they are now."""
        side = self.place.tile
        here = sum(len(split(tile.rectangle, side)) for tile in waiting)
        self.total = self.done + here

    def _most_flying(self) -> int:
        """Return how many batches may be on their way."""
        return self.ahead if isinstance(self.place.runner, CudaRunner) else 1

    def _next_batch(self, waiting: deque[Tile]) -> list[Tile]:
        """Take tiles whose inputs to the network have one shape."""
        tiles = [self._next(waiting)]
        shape = self._shape(tiles[0].rectangle)
        most = tiles_at_once(self.place, shape)
        while waiting and len(tiles) < most:
            tile = self._next(waiting)
            if self._shape(tile.rectangle) != shape:
                waiting.appendleft(tile)
                break
            tiles.append(tile)
        return tiles

    def _next(self, waiting: deque[Tile]) -> Tile:
        """Take a tile, cut if it is too large by now."""
        plane, rectangle = waiting.popleft()
        first, *others = split(rectangle, self.place.tile)
        waiting.extendleft(Tile(plane, other) for other in reversed(others))
        return Tile(plane, first)

    def _shape(self, rectangle: Rectangle) -> tuple[int, int]:
        """Return height and width of the network's input."""
        rows, columns = self._windows(rectangle)
        return rows.entry.shape[0], columns.entry.shape[0]

    def _windows(self, rectangle: Rectangle) -> tuple[Any, Any]:
        """Return the way of a part of the image, as of its rows and columns."""
        if rectangle not in self.windows:
            if len(self.windows) >= WINDOWS:
                self.windows.clear()
            top, bottom, start, stop = rectangle
            self.windows[rectangle] = (
                self.source.rows.window(top, bottom),
                self.source.columns.window(start, stop),
            )
        return self.windows[rectangle]

    def _attempt(
        self, tiles: list[Tile], planes: Sequence[tuple[int, ...]]
    ) -> Flight | None:
        """Begin with a batch; return None if memory runs out."""
        try:
            return self._start([self._read(tile, planes) for tile in tiles])
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, outside of the handler, is the memory of the failed tiles free.
        return None

    def _retreat(self, waiting: deque[Tile], n_tiles: int) -> None:
        """Go on with fewer or smaller tiles than there was memory for."""
        self.place, message = retreat(self.place, n_tiles)
        self.messages.append(message)
        self._count(waiting)

    def _read(self, tile: Tile, planes: Sequence[tuple[int, ...]]) -> Piece:
        """Read what a tile needs of the image."""
        rows, columns = self._windows(tile.rectangle)
        pixels = read_region(
            self.source.image,
            planes[tile.plane],
            rows.read,
            columns.read,
            is_rgb=self.source.is_rgb,
        )
        self._check_finite(pixels)
        return Piece(pixels, rows, columns)

    def _start(self, pieces: list[Piece]) -> Flight:
        """Begin with a batch; runners without a queue compute it at once."""
        runner, preparation = self.place.runner, self.source.preparation
        if isinstance(runner, CudaRunner):
            return runner.start(pieces, preparation)
        outputs = runner.run([entered(piece, preparation) for piece in pieces])
        found = zip(pieces, outputs, strict=True)
        return Landed([left(piece, output) for piece, output in found])

    def _land(self, flight: Flight) -> list[NDArray[np.float32]] | None:
        """Wait for a batch; return None if memory runs out after all."""
        try:
            return flight.land()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        return None

    def _write(
        self,
        probability: NDArray[np.float32],
        tile: Tile,
        values: NDArray[np.float32],
    ) -> None:
        """Put the probability of a tile in its place."""
        top, left = self.wanted.top, self.wanted.left
        rectangle = tile.rectangle
        probability[
            tile.plane,
            rectangle.top - top : rectangle.bottom - top,
            rectangle.left - left : rectangle.right - left,
        ] = values

    def _check_finite(self, pixels: NDArray[Any]) -> None:
        """Note once that there are values that are no numbers."""
        if pixels.dtype.kind != "f" or NOT_FINITE in self.messages:
            return
        if not np.isfinite(pixels).all():
            self.messages.append(NOT_FINITE)

    def _step(self) -> Step:
        """Count one tile and tell what is new."""
        self.done += 1
        news = " ".join(self.messages[self.n_told :])
        self.n_told = len(self.messages)
        return Step(done=self.done, total=self.total, message=news)

"""One prediction while it runs: its image, its tiles, and how far it is."""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._places import (
    Place,
    is_out_of_memory,
    retreat,
)
from napari_cresunet.inference._planes import read_region
from napari_cresunet.inference._scaling import Scaling, apply_scaling, select_channels
from napari_cresunet.inference._tiling import Axis, Rectangle, enter, leave, split
from napari_cresunet.steps import Step

NOT_FINITE = "Some values are NaN or infinite and were taken as black."


@dataclass(frozen=True, slots=True)
class Source:
    """The image, and the way of its pixels into the network and back."""

    image: Any
    is_rgb: bool
    scaling: Scaling
    channels: str
    """As in the model card."""
    rows: Axis
    columns: Axis


@dataclass(slots=True)
class Run:
    """A prediction that advances tile by tile."""

    source: Source
    wanted: Rectangle
    """What is predicted of every plane."""
    place: Place
    """Changes when memory runs out."""
    n_planes: int
    """How many are not begun."""
    messages: list[str] = field(default_factory=list)
    n_told: int = 0
    done: int = 0
    total: int = 0

    def fill(
        self, probability: NDArray[np.float32], plane: tuple[int, ...]
    ) -> Generator[Step, None, None]:
        """Predict one plane.

        Parameters
        ----------
        probability : ndarray of shape (Y, X)
            Where the result goes.
        plane : tuple of int
            Position on the leading axes.

        Yields
        ------
        Step
            After every tile.
        """
        self.n_planes -= 1
        pending = deque([self.wanted])
        self._count(pending)
        while pending:
            rectangle = pending.popleft()
            pieces = split(rectangle, self.place.tile)
            if len(pieces) > 1:
                pending.extendleft(reversed(pieces))
                continue
            values = self._attempt(plane, rectangle)
            if values is None:
                pending.appendleft(rectangle)
                self._count(pending)
                continue
            top, left = self.wanted.top, self.wanted.left
            probability[
                rectangle.top - top : rectangle.bottom - top,
                rectangle.left - left : rectangle.right - left,
            ] = values
            yield self._step()

    def _count(self, pending: deque[Rectangle]) -> None:
        """Estimate the total anew, for the tiles as they are now."""
        tile = self.place.tile
        here = sum(len(split(rectangle, tile)) for rectangle in pending)
        self.total = self.done + here + self.n_planes * len(split(self.wanted, tile))

    def _attempt(
        self, plane: tuple[int, ...], rectangle: Rectangle
    ) -> NDArray[np.float32] | None:
        """Predict one tile, or retreat and return None if memory runs out."""
        try:
            return self._predict(plane, rectangle)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, outside of the handler, is the memory of the failed tile free.
        self.place, message = retreat(self.place)
        self.messages.append(message)
        return None

    def _predict(
        self, plane: tuple[int, ...], rectangle: Rectangle
    ) -> NDArray[np.float32]:
        """Predict one tile."""
        source = self.source
        rows = source.rows.window(rectangle.top, rectangle.bottom)
        columns = source.columns.window(rectangle.left, rectangle.right)
        pixels = read_region(
            source.image, plane, rows.read, columns.read, is_rgb=source.is_rgb
        )
        self._check_finite(pixels)
        scaled = select_channels(apply_scaling(pixels, source.scaling), source.channels)
        channels = enter(scaled, rows, columns)
        (probability,) = self.place.runner.run([channels])
        return leave(probability, rows, columns)

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

"""Shapes that annotators draw, and the pixels that belong to them.

Coordinates are (row, column); whole numbers are the centers of pixels, so the first
pixel reaches from -0.5 to 0.5. What lies outside of the image is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices, Labels

Shape: TypeAlias = tuple[int, int]
"""Height and width of an image in px."""

Pixels: TypeAlias = tuple[Indices, Indices]
"""Rows and columns of pixels; one may be there twice."""

_FAR = 1e6
"""Coordinates are cut here, far outside of any image, so that none overflows."""


class Part(Protocol):
    """A shape that is a cell or a part of one."""

    def pixels(self, shape: Shape) -> Pixels:
        """Return the pixels of an image of this shape that belong to it."""
        ...


Cell: TypeAlias = Sequence[Part]


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """A closed outline."""

    points: NDArray[np.float64]
    """(N, 2), row and column; may be a single point."""
    is_of_pixels: bool = True
    """Whether whole numbers mean pixels that belong to the shape, as in OpenCV."""

    def pixels(self, shape: Shape) -> Pixels:
        """Return the pixels whose center is inside or on the outline."""
        from skimage import draw

        points = self.points.clip(-_FAR, _FAR)
        found = [draw.polygon(points[:, 0], points[:, 1], shape=shape)]
        # OpenCV's outlines go through the centers of the outermost pixels, which are
        # part of the cell even where it is only one pixel wide.
        if self.is_of_pixels and (points == np.round(points)).all():
            corners = np.vstack([points, points[:1]]).astype(int).tolist()
            found += [
                _inside(draw.line(*here, *there), shape)
                for here, there in pairwise(corners)
            ]
        rows, columns = (
            np.concatenate(indices) for indices in zip(*found, strict=True)
        )
        if rows.size:
            return rows, columns
        row, column = points.mean(axis=0)
        return _nearest(row, column, shape)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Closed outlines, each of which turns inside into outside: one may be a hole."""

    rings: Sequence[NDArray[np.float64]]
    """(N, 2) each, row and column."""

    def pixels(self, shape: Shape) -> Pixels:
        """Return the pixels whose center is inside of an odd number of outlines."""
        from skimage import draw

        rings = [ring.clip(-_FAR, _FAR) for ring in self.rings]
        corners = np.concatenate(rings)
        low = np.clip(np.floor(corners.min(axis=0)), 0, shape).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0)) + 1, low, shape).astype(int)
        is_inside = np.zeros(high - low, np.bool_)
        for ring in rings:
            rows, columns = (ring - low).T
            is_inside[draw.polygon(rows, columns, shape=is_inside.shape)] ^= True
        if is_inside.any():
            found = np.nonzero(is_inside)
            return found[0] + low[0], found[1] + low[1]
        row, column = rings[0].mean(axis=0)
        return _nearest(row, column, shape)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse or, with equal radii, a circle."""

    row: float
    column: float
    row_radius: float
    column_radius: float
    turn: float = 0.0
    """Clockwise as one sees it, in radians."""

    def pixels(self, shape: Shape) -> Pixels:
        """Return the pixels whose center is inside."""
        from skimage import draw

        row, column = (min(max(x, -_FAR), _FAR) for x in (self.row, self.column))
        radii = (min(self.row_radius, _FAR), min(self.column_radius, _FAR))
        if min(radii) <= 0:
            return _nearest(row, column, shape)
        # skimage turns the other way.
        turn = -float(np.remainder(self.turn + np.pi, 2 * np.pi) - np.pi)
        rows, columns = draw.ellipse(row, column, *radii, shape=shape, rotation=turn)
        return (rows, columns) if rows.size else _nearest(row, column, shape)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; the last row and column are not part of it."""

    top: float
    left: float
    bottom: float
    right: float

    def pixels(self, shape: Shape) -> Pixels:
        """Return its pixels; at least one row and column."""
        sides = []
        bounds = ((self.top, self.bottom), (self.left, self.right))
        for (low, high), size in zip(bounds, shape, strict=True):
            first = round(min(max(low, -_FAR), _FAR))
            last = max(round(min(max(high, -_FAR), _FAR)), first + 1)
            sides.append(np.arange(max(first, 0), max(min(last, size), 0)))
        rows, columns = np.meshgrid(*sides, indexing="ij")
        return rows.ravel(), columns.ravel()

    def overlap(self, other: "Box") -> float:
        """Return the shared area over the area of both together, in [0, 1]."""
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        width = min(self.right, other.right) - max(self.left, other.left)
        shared = max(height, 0) * max(width, 0)
        areas = ((b.bottom - b.top) * (b.right - b.left) for b in (self, other))
        both = sum(areas) - shared
        return shared / both if both > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A point: one pixel."""

    row: float
    column: float

    def pixels(self, shape: Shape) -> Pixels:
        """Return its pixel."""
        return _nearest(self.row, self.column, shape)


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Lengths of background and cell in turn, down one column after the other."""

    counts: NDArray[np.int64]
    height: int

    def pixels(self, shape: Shape) -> Pixels:
        """Return the pixels of the runs of cell."""
        ends = np.cumsum(self.counts)[1::2]
        lengths = self.counts[1::2]
        # Each run becomes first, first + 1, ...: a running number, moved.
        moves = np.repeat(ends - np.cumsum(lengths), lengths)
        places = moves + np.arange(lengths.sum())
        return _inside((places % self.height, places // self.height), shape)


def draw_cells(
    cells: Iterable[Cell],
    shape: tuple[int, ...],
    planes: Iterable[Sequence[Sequence[int]]] | None = None,
) -> Labels:
    """Draw cells into a label image; where two overlap, the first keeps the pixels.

    Parameters
    ----------
    cells : iterable of sequence of Part
        The parts of each cell.
    shape : tuple of int
        Shape of the image, (..., Y, X), in px.
    planes : iterable, optional
        For each part of each cell, numbers of the planes that it is on, counted through
        all leading axes; by default the first.

    Returns
    -------
    ndarray of int32, shape (..., Y, X)
        0 is background, 1..N are the cells in their order. A cell without a free pixel,
        because it lies outside or below others, has no label.
    """
    labels = np.zeros(shape, np.int32)
    height, width = shape[-2:]
    stack = labels.reshape(-1, height, width)
    number = 1
    for parts, places in zip(cells, planes or repeat(()), strict=False):
        is_seen = False
        for part, numbers in zip(parts, places or repeat((0,)), strict=False):
            rows, columns = part.pixels((height, width))
            for plane in (stack[one] for one in numbers):
                is_free = plane[rows, columns] == 0
                plane[rows[is_free], columns[is_free]] = number
                is_seen |= bool(is_free.any())
        number += is_seen
    return labels


def _inside(pixels: Pixels, shape: Shape) -> Pixels:
    rows, columns = pixels
    keep = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[keep], columns[keep]


def _nearest(row: float, column: float, shape: Shape) -> Pixels:
    """Return the pixel around a point, or none outside of the image."""
    place = np.floor(np.clip([[row], [column]], -_FAR, _FAR) + 0.5).astype(np.intp)
    return _inside((place[0], place[1]), shape)

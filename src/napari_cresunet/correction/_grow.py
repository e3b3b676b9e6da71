"""A cell grown around a place, as far as it stands out best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import checked_labels
from napari_cresunet._typing import Indices, Mask
from napari_cresunet.config import check_bounds
from napari_cresunet.correction._edit import ADD, Edit
from napari_cresunet.correction._flood import fill_holes, reach
from napari_cresunet.correction._patches import free_labels
from napari_cresunet.correction._places import (
    as_points,
    check_landscape,
    is_inside,
    nearest_pixels,
    plane_of,
)
from napari_cresunet.errors import InputError

_NOTHING = "Nothing stands out at this place: draw the outline of the cell instead."
_N_LEVELS = 40
_SIGMA = 1.0
"""Px; less is noise."""
_CLIMB = 5
"""Px that one may click beside a peak."""
_HALF = 160
"""Px to each side that are looked at: room for long cells of 10,000 px."""
_LOW = 10
"""Percentile of the surroundings down to which levels go."""
_SIZE_POWER = 0.25
"""How much more a large cell counts: bright spots inside of cells have steep outlines,
too. Median IoU with synthetic neurons in brightness 0.84, without 0.69; in probability
0.99 both (benchmarks/correction.py)."""
_FLAT = 1e-3
"""Of full brightness: what rises no more is flat."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Grown:
    """Cells that could be at a place: each is part of the next one."""

    levels: NDArray[np.float64]
    """(N,), descending: what is as high or higher belongs to the cell."""
    areas: Indices
    """(N,), ascending: their px."""
    best: int
    """Which of them is separated best: see `grow`."""
    place: tuple[int, ...]
    """The pixel that was asked for."""
    falls: NDArray[np.float64]
    """(N,): how much lower the map is right outside of the outline, on average."""
    label: int
    """The label that the cell gets."""
    dtype: np.dtype[Any]
    """Of the label image."""
    ranks: Indices
    """(M,): the first of the levels at which a pixel belongs to the cell."""
    places: Indices
    """(M,), ascending: those pixels, in the label image laid out in one line."""

    def pixels(self, index: int | None = None) -> Indices:
        """Return the pixels of one of the cells.

        Parameters
        ----------
        index : int, optional
            Which; by default the best.

        Returns
        -------
        ndarray of shape (K,)
            Places, ascending, in the label image laid out in one line (C order).

        Raises
        ------
        InputError
            If there is no such cell.
        """
        chosen = self.best if index is None else int(index)
        if not 0 <= chosen < len(self.levels):
            raise InputError(
                f"There are {len(self.levels)} sizes, from 0 on, got {chosen}."
            )
        return self.places[self.ranks <= chosen]

    def edit(self, index: int | None = None) -> Edit:
        """Return the edit that adds one of the cells.

        Parameters
        ----------
        index : int, optional
            Which; by default the best.

        Returns
        -------
        Edit
            For the label image that was grown in.

        Notes
        -----
        Raises `InputError` if there is no such cell.
        """
        pixels = self.pixels(index)
        return Edit(
            kind=ADD,
            pixels=pixels,
            values=np.full(len(pixels), self.label, self.dtype),
            before=(),
            after=(self.label,),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Window:
    """What is around a place."""

    heights: NDArray[np.float64]
    """(H, W): the smoothed map."""
    is_free: Mask
    """(H, W): False where other cells are, or nothing is known."""
    is_other: Mask
    """(H, W): where other cells are."""
    corner: tuple[int, int]
    """Row and column of the first pixel."""
    is_open: tuple[bool, bool, bool, bool]
    """Whether the image goes on: at the top, left, bottom, right."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Nested:
    """Cells of different sizes around a peak."""

    levels: NDArray[np.float64]
    areas: Indices
    falls: NDArray[np.float64]
    ranks: Indices
    """(H, W): the first level at which a pixel belongs to the cell; N for never."""
    corner: tuple[int, int]
    """Row and column of the first pixel in the image."""


def grow(
    landscape: ArrayLike,
    labels: ArrayLike,
    place: Sequence[float],
    *,
    min_size: int = 20,
    max_size: int = 10_000,
) -> Grown:
    """Find the cell at a place: what stands out there from its surroundings.

    Parameters
    ----------
    landscape : array_like of shape (..., Y, X)
        Probability, or brightness in [0, 1]. What is not finite belongs to no cell.
    labels : array_like of shape (..., Y, X), int
        0 is background; the pixels of other cells are left alone.
    place : sequence of float
        A point on background, in px. A peak up to 5 px away is found by going uphill.
    min_size, max_size : int, optional
        Px, inclusive: smaller and larger cells are not proposed.

    Returns
    -------
    Grown
        Cells of different sizes: at each level what is connected with the peak
        (4-connected) and as high, with its holes filled, but for the rims of other
        cells. The best one has the outline
        across which the map falls most steeply; of equally steep ones, a larger one is
        better, by the fourth root of the area.

    Raises
    ------
    InputError
        If the place is outside of the image or in a cell, nothing stands out there,
        the shapes differ, no label is free, `min_size` is below 1 or above `max_size`,
        or the labels are not whole numbers from 0 to 2**31 - 1.

    Notes
    -----
    The map is smoothed by a Gaussian of 1 px, and looked at as far as 160 px from the
    place. There are up to 40 levels, down to the 10th percentile of these surroundings.

    Examples
    --------
    A bright disk of radius 8 in dim surroundings, and the size it is found in:

    >>> import numpy as np
    >>> radius = np.hypot(*np.mgrid[-30:30, -30:30])
    >>> image = 0.1 + 0.8 / (1 + np.exp(radius - 8))
    >>> int((image > 0.5).sum())
    193
    >>> labels = np.zeros((60, 60), np.int32)
    >>> grown = grow(image, labels, (33, 28))
    >>> int(grown.edit().applied_to(labels).sum())
    193
    """
    image = checked_labels(labels)
    heights = check_landscape(landscape, image)
    check_bounds("min_size", min_size, 1, None)
    check_bounds("max_size", max_size, min_size, None)
    pixel = _checked_place(image, place)
    label = free_labels(image, 1)[0]
    plane = tuple(pixel[0, :-2].tolist())
    row, column = pixel[0, -2:].tolist()
    window = _look(heights[plane], image[plane], (row, column))
    found = _nested(window, _climb(window, (row, column)), (min_size, max_size))
    if not len(found.areas):
        raise InputError(_NOTHING)
    rows, columns = np.nonzero(found.ranks < len(found.areas))
    offset = plane_of(pixel, image) * image.shape[-2]
    places = (rows + found.corner[0] + offset) * image.shape[-1]
    return Grown(
        levels=found.levels,
        areas=found.areas,
        best=int(np.argmax(found.falls * found.areas**_SIZE_POWER)),
        place=tuple(pixel[0].tolist()),
        falls=found.falls,
        label=label,
        dtype=image.dtype,
        ranks=found.ranks[rows, columns],
        places=places + columns + found.corner[1],
    )


def _checked_place(image: NDArray[Any], place: Sequence[float]) -> Indices:
    pixel = nearest_pixels(as_points([place], image), image)
    if not len(pixel) or not is_inside(pixel, image).all():
        raise InputError("The place is outside of the image: click inside of it.")
    label = int(image[tuple(pixel[0])])
    if label:
        raise InputError(f"Cell {label} is at this place: click on background.")
    return pixel


def _look(
    heights: NDArray[Any], plane: NDArray[Any], place: tuple[int, int]
) -> _Window:
    """Cut out what is around a place, and smooth it."""
    from scipy import ndimage

    low = [max(at - _HALF, 0) for at in place]
    high = [
        min(at + _HALF + 1, size) for at, size in zip(place, plane.shape, strict=True)
    ]
    # What is beyond the window matters to what is smoothed in it.
    more = [min(4, at) for at in low]
    wide = tuple(
        slice(start - extra, stop + 4)
        for start, extra, stop in zip(low, more, high, strict=True)
    )
    inner = tuple(
        slice(extra, extra + stop - start)
        for start, extra, stop in zip(low, more, high, strict=True)
    )
    values = heights[wide].astype(np.float64)
    is_known = np.isfinite(values)
    if not is_known.all():
        values[~is_known] = values[is_known].min() if is_known.any() else 0.0
    smoothed = ndimage.gaussian_filter(values, _SIGMA, mode="nearest", truncate=4.0)
    return _Window(
        heights=smoothed[inner],
        is_free=(plane[wide] == 0)[inner] & is_known[inner],
        is_other=(plane[wide] != 0)[inner],
        corner=(low[0], low[1]),
        is_open=(
            low[0] > 0,
            low[1] > 0,
            high[0] < plane.shape[0],
            high[1] < plane.shape[1],
        ),
    )


def _climb(window: _Window, place: tuple[int, int]) -> tuple[int, int]:
    """Go uphill to the peak nearby."""
    row, column = (at - first for at, first in zip(place, window.corner, strict=True))
    heights = np.where(window.is_free, window.heights, -np.inf)
    for _ in range(_CLIMB):
        top, left = max(row - 1, 0), max(column - 1, 0)
        near = heights[top : row + 2, left : column + 2]
        step = np.unravel_index(np.argmax(near), near.shape)
        if near[step] <= heights[row, column]:
            break
        row, column = top + int(step[0]), left + int(step[1])
    if not np.isfinite(heights[row, column]):
        raise InputError(_NOTHING)
    return row, column


def _nested(window: _Window, start: tuple[int, int], sizes: tuple[int, int]) -> _Nested:
    """Find what is connected with the peak at each level, for all levels in one go."""
    levels = _levels(window, start)
    never = len(levels)
    low, high = sizes
    seed = np.array([start[0] * window.heights.shape[1] + start[1]])
    if window.is_other.any():
        window = _without_rims(window, seed)
    # At which level a pixel is there, and at which one it is connected with the peak.
    heights = np.where(window.is_free, window.heights, -np.inf)
    ranks = reach(np.searchsorted(-levels, -heights), seed, never)
    # Holes only add to the area.
    n_small = int(np.searchsorted(_areas(ranks, never)[:never], high, side="right"))
    end = min(_first_open(window, ranks, never), n_small)
    if not end:
        raise InputError(_NOTHING)
    ranks[ranks >= end] = never
    window, ranks = _crop(window, ranks, never)
    ranks = np.where(window.is_free, fill_holes(ranks, never), never)
    areas = _areas(ranks, never)[:never]
    is_kept = (areas >= low) & (areas <= high) & (np.diff(areas, prepend=0) > 0)
    kept = np.flatnonzero(is_kept)
    return _Nested(
        levels=levels[kept],
        areas=areas[kept],
        falls=_falls(window, ranks, never)[kept],
        ranks=np.searchsorted(kept, ranks),
        corner=window.corner,
    )


def _levels(window: _Window, start: tuple[int, int]) -> NDArray[np.float64]:
    """Return levels from below the peak down to the surroundings."""
    top = window.heights[start]
    floor = np.percentile(window.heights[window.is_free], _LOW)
    if top - floor <= _FLAT:
        raise InputError(_NOTHING)
    return np.linspace(top, floor, _N_LEVELS + 2)[1:-1]


def _without_rims(window: _Window, seed: Indices) -> _Window:
    """Leave out the rims of other cells: what goes uphill into one of them."""
    is_seen = window.is_free | window.is_other
    heights = np.where(is_seen, window.heights, -np.inf)
    heights = np.pad(heights, 1, constant_values=-np.inf)
    places = np.arange(heights.size).reshape(heights.shape)
    inner = np.s_[1:-1, 1:-1]
    highest, uphill = heights[inner].copy(), places[inner].copy()
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        there = np.roll(heights, (-down, -right), (0, 1))[inner]
        is_higher = (there > highest) & window.is_free
        highest[is_higher] = there[is_higher]
        uphill[is_higher] = places[inner][is_higher] + down * heights.shape[1] + right
    ways = places.ravel()
    ways[places[inner].ravel()] = uphill.ravel()
    # Each time twice as far, until everybody is at the top.
    while not np.array_equal(ways, further := ways[ways]):
        ways = further
    is_top_taken = np.pad(window.is_other, 1).ravel()[ways].reshape(heights.shape)
    is_own = window.is_free & ~is_top_taken[inner]
    # On the slope of another cell there is no top of one's own.
    return replace(window, is_free=is_own) if is_own.flat[seed[0]] else window


def _areas(ranks: Indices, never: int) -> Indices:
    """Return the px at each level, and of all pixels."""
    return np.cumsum(np.bincount(ranks.ravel(), minlength=never + 1))


def _first_open(window: _Window, ranks: Indices, never: int) -> int:
    """Return the first level at which the cell goes on beyond the window."""
    sides = (ranks[0], ranks[:, 0], ranks[-1], ranks[:, -1])
    pairs = zip(sides, window.is_open, strict=True)
    return min((int(side.min()) for side, is_open in pairs if is_open), default=never)


def _crop(window: _Window, ranks: Indices, never: int) -> tuple[_Window, Indices]:
    """Leave out what belongs to no cell, but for a margin."""
    rows, columns = np.nonzero(ranks < never)
    top, left = (max(int(x.min()) - 1, 0) for x in (rows, columns))
    part = np.s_[top : rows.max() + 2, left : columns.max() + 2]
    cropped = replace(
        window,
        heights=window.heights[part],
        is_free=window.is_free[part],
        is_other=window.is_other[part],
        corner=(window.corner[0] + top, window.corner[1] + left),
    )
    return cropped, ranks[part]


def _falls(window: _Window, ranks: NDArray[np.intp], never: int) -> NDArray[np.float64]:
    """Return how steeply the map falls across each outline, on average."""
    falls, counts = np.zeros(never + 1), np.zeros(never + 1)
    for here, there in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        one, other = ranks[here], ranks[there]
        is_pair = window.is_free[here] & window.is_free[there] & (one != other)
        one, other = one[is_pair], other[is_pair]
        fall = (window.heights[here] - window.heights[there])[is_pair]
        fall = np.where(one < other, fall, -fall)
        # The pair is at the outline from one level up to the other.
        for level, sign in ((np.minimum(one, other), 1), (np.maximum(one, other), -1)):
            falls += sign * np.bincount(level, fall, minlength=never + 1)
            counts += sign * np.bincount(level, minlength=never + 1)
    falls, counts = np.cumsum(falls)[:never], np.cumsum(counts)[:never]
    means: NDArray[np.float64] = np.where(counts > 0, falls / counts.clip(min=1), 0.0)
    return means

"""A cell grown around a place, as far as it stands out best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Indices, Mask
from napari_cresunet.config import check_bounds
from napari_cresunet.correction._edit import ADD, Edit
from napari_cresunet.correction._patches import free_labels
from napari_cresunet.correction._places import (
    as_label_image,
    as_points,
    check_landscape,
    check_numbers,
    is_inside,
    nearest_pixels,
    plane_of,
)
from napari_cresunet.errors import InputError

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.bool_)
_N_LEVELS = 40
_SIGMA = 1.0
"""Px; less is noise."""
_CLIMB = 5
"""Px that one may click beside a peak."""
_WINDOWS = (80, 160)
"""Half sides in px: the second only where cells could be larger than the first."""
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
    """Which of them has the steepest outline."""
    place: tuple[int, ...]
    """The pixel that was asked for."""
    falls: NDArray[np.float64]
    """(N,): how much lower the map is right outside of the outline, on average."""
    label: int
    """The label that the cell gets."""
    dtype: np.dtype[Any]
    """Of the label image."""
    ranks: NDArray[np.intp]
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
    corner: tuple[int, int]
    """Row and column of the first pixel."""
    is_open: tuple[bool, bool, bool, bool]
    """Whether the image goes on: at the top, left, bottom, right."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Nested:
    """Cells of different sizes in a window."""

    levels: NDArray[np.float64]
    areas: Indices
    falls: NDArray[np.float64]
    ranks: NDArray[np.intp]
    """(H, W): the first level at which a pixel belongs to the cell; N for never."""
    is_cut_off: bool
    """Whether cells that are not too large go beyond the window."""


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
        (4-connected) and as high, with its holes filled. The best one has the outline
        across which the map falls most steeply.

    Raises
    ------
    InputError
        If the place is outside of the image or in a cell, nothing stands out there,
        the shapes differ, no label is free, `min_size` is below 1 or above `max_size`,
        or the labels are not whole numbers from 0 to 2**31 - 1.

    Notes
    -----
    The map is smoothed by a Gaussian of 1 px, and looked at as far as 160 px from the
    place.

    Examples
    --------
    A bright disk of radius 8 in dim surroundings:

    >>> import numpy as np
    >>> rows, columns = np.mgrid[:60, :60] - 30
    >>> image = 0.1 + 0.8 * (rows**2 + columns**2 <= 64)
    >>> labels = np.zeros((60, 60), np.int32)
    >>> grown = grow(image, labels, (33, 28))
    >>> bool((grown.edit().applied_to(labels) == (image > 0.5)).all())
    True
    """
    image = as_label_image(labels)
    check_numbers(image)
    heights = check_landscape(landscape, image)
    check_bounds("min_size", min_size, 1, None)
    check_bounds("max_size", max_size, min_size, None)
    pixel = _checked_place(image, place)
    label = free_labels(image, 1)[0]
    plane = tuple(pixel[0, :-2].tolist())
    row, column = pixel[0, -2:].tolist()
    found = None
    for half in _WINDOWS:
        window = _look(heights[plane], image[plane], (row, column), half)
        start = _climb(window, (row, column))
        if found is None:
            levels = _levels(window, start)
        found = _nested(window, start, levels, (min_size, max_size))
        if not found.is_cut_off:
            break
    if not len(found.areas):
        raise _nothing()
    rows, columns = np.nonzero(found.ranks < len(found.areas))
    offset = plane_of(pixel, image) * image.shape[-2]
    places = (rows + window.corner[0] + offset) * image.shape[-1]
    return Grown(
        levels=found.levels,
        areas=found.areas,
        best=int(np.argmax(found.falls)),
        place=tuple(pixel[0].tolist()),
        falls=found.falls,
        label=label,
        dtype=image.dtype,
        ranks=found.ranks[rows, columns],
        places=places + columns + window.corner[1],
    )


def _nothing() -> InputError:
    return InputError(
        "Nothing stands out at this place: draw the outline of the cell instead."
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
    heights: NDArray[Any], plane: NDArray[Any], place: tuple[int, int], half: int
) -> _Window:
    """Cut out what is around a place, and smooth it."""
    from scipy import ndimage

    low = [max(at - half, 0) for at in place]
    high = [
        min(at + half + 1, size) for at, size in zip(place, plane.shape, strict=True)
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
        raise _nothing()
    return row, column


def _levels(window: _Window, start: tuple[int, int]) -> NDArray[np.float64]:
    """Return levels from below the peak to above the lowest pixel."""
    top = window.heights[start]
    floor = window.heights[window.is_free].min()
    if top - floor <= _FLAT:
        raise _nothing()
    return np.linspace(top, floor, _N_LEVELS + 2)[1:-1]


def _nested(
    window: _Window,
    start: tuple[int, int],
    levels: NDArray[np.float64],
    sizes: tuple[int, int],
) -> _Nested:
    """Find what is connected with the peak at each level, for all levels in one go."""
    never = len(levels)
    # At which level a pixel is there, and at which one it is connected with the peak.
    heights = np.where(window.is_free, window.heights, -np.inf)
    ranks = np.searchsorted(-levels, -heights)
    seed = np.full(ranks.shape, never)
    seed[start] = ranks[start]
    ranks = _paths(seed, ranks)
    ranks = np.where(window.is_free, _fill_holes(ranks, never), never)
    areas = np.cumsum(np.bincount(ranks.ravel(), minlength=never + 1)[:never])
    sides = (ranks[0], ranks[:, 0], ranks[-1], ranks[:, -1])
    limit = min(
        (
            side.min()
            for side, is_open in zip(sides, window.is_open, strict=True)
            if is_open
        ),
        default=never,
    )
    low, high = sizes
    is_kept = (areas >= low) & (areas <= high) & (np.diff(areas, prepend=0) > 0)
    is_kept[limit:] = False
    kept = np.flatnonzero(is_kept)
    return _Nested(
        levels=levels[kept],
        areas=areas[kept],
        falls=_falls(window, ranks, never)[kept],
        ranks=np.searchsorted(kept, ranks),
        is_cut_off=bool((areas[limit:] <= high).any()),
    )


def _paths(seed: NDArray[np.intp], ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the lowest that the highest rank on a way from the seed can be."""
    from skimage.morphology import reconstruction

    found = reconstruction(seed, ranks, method="erosion", footprint=_CROSS)
    reached: NDArray[np.intp] = found.astype(np.intp)
    return reached


def _fill_holes(ranks: NDArray[np.intp], never: int) -> NDArray[np.intp]:
    """Let pixels in as soon as there is no way out."""
    from skimage.morphology import reconstruction

    seed = np.zeros_like(ranks)
    for side in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        seed[side] = ranks[side]
    found = reconstruction(seed, ranks, method="dilation", footprint=_CROSS)
    filled: NDArray[np.intp] = found.astype(np.intp)
    return filled


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

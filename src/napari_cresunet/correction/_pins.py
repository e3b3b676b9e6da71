"""Which cells a person has touched, and keeping them while all others are made anew."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices, Labels

ADDED, EDITED, ACCEPTED = "added", "edited", "accepted"
"""Why a cell is pinned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Erased:
    """Pixels that a person took from a cell: nothing is found there any more."""

    label: int
    """The cell's label when it was erased."""
    pixels: Indices
    """(N,), ascending: places in the label image laid out in one line (C order)."""
    is_whole: bool
    """Whether the cell is gone, and did not only lose a part."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pins:
    """What new labels must leave as it is."""

    cells: Mapping[int, str] = field(default_factory=dict)
    """Labels of the pinned cells, ascending, and why each is: "added", "edited" or
    "accepted". Their pixels are those of the label image."""
    erased: tuple[Erased, ...] = ()
    """Where no cell is to be found."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has touched anything."""
        return not self.cells and not self.erased


def find_pins(labels: NDArray[Any], base: NDArray[Any], before: Pins) -> Pins:
    """Tell which cells a person has touched since labels were made.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        As they are now.
    base : ndarray of the same shape, int
        As they were made.
    before : Pins
        What was pinned then.

    Returns
    -------
    Pins
        A cell of which any pixel is another than then is pinned, as long as it is
        there. What was taken from a cell and is background now is erased, wherever it
        is not drawn over.

    Notes
    -----
    Only the two arrays count, and not the way from one to the other: what was undone
    leaves no pin.
    """
    flat, then = labels.ravel(), base.ravel()
    changed = np.flatnonzero(flat != then)
    return pins_of_changes(
        changed,
        (flat[changed], then[changed]),
        (_areas(flat), _areas(then)),
        before,
    )


def pins_of_changes(
    changed: Indices,
    values: tuple[NDArray[Any], NDArray[Any]],
    areas: tuple[NDArray[np.intp], NDArray[np.intp]],
    before: Pins,
) -> Pins:
    """Tell which cells a person has touched, from the pixels that are others than then.

    Parameters
    ----------
    changed : ndarray of intp, shape (N,)
        Places, ascending, of the pixels that differ.
    values : tuple of two ndarray of int, shape (N,)
        Their labels now and then.
    areas : tuple of two ndarray of intp
        How many px each label has now and had then, from label 0 on.
    before : Pins
        What was pinned then.

    Returns
    -------
    Pins
        As of `find_pins`.
    """
    if not len(changed):
        return before
    (flat, then), (now, known) = values, areas
    cells = {cell: kind for cell, kind in before.cells.items() if _has(now, cell)}
    for cell in _numbers(flat) | _numbers(then):
        if _has(now, cell) and cells.get(cell) != ADDED:
            cells[cell] = EDITED if _has(known, cell) else ADDED
    is_taken = flat == 0
    erased = _with_more(before.erased, then[is_taken], changed[is_taken], now)
    return Pins(cells=dict(sorted(cells.items())), erased=erased)


def _areas(labels: NDArray[Any]) -> NDArray[np.intp]:
    return np.bincount(labels.astype(np.intp, copy=False))


def _numbers(labels: NDArray[Any]) -> set[int]:
    return set(np.unique(labels[labels > 0]).tolist())


def _has(areas: NDArray[np.intp], cell: int) -> bool:
    return cell < len(areas) and bool(areas[cell])


def _with_more(
    before: tuple[Erased, ...],
    cells: NDArray[Any],
    pixels: Indices,
    areas: NDArray[np.intp],
) -> tuple[Erased, ...]:
    """Add pixels, each taken from a cell, to what was erased before."""
    kept = []
    found = {int(cell): pixels[cells == cell] for cell in np.unique(cells)}
    for one in before:
        # A number can be that of another cell, once the first has gone.
        if not one.is_whole and one.label in found:
            found[one.label] = np.union1d(found[one.label], one.pixels)
        else:
            kept.append(one)
    more = [
        Erased(label=cell, pixels=places, is_whole=not _has(areas, cell))
        for cell, places in found.items()
    ]
    return (*kept, *more)


def apply_pins(
    automatic: NDArray[Any], labels: NDArray[Any], pins: Pins, min_size: int
) -> Labels:
    """Make all cells anew but the pinned ones.

    Parameters
    ----------
    automatic : ndarray of shape (..., Y, X), int
        The new cells, 1 to N.
    labels : ndarray of the same shape, int
        Where the pinned cells are.
    pins : Pins
        Which they are, and where nothing is to be found.
    min_size : int
        Px; of a new cell that gives way, no smaller piece stays.

    Returns
    -------
    ndarray of int32, shape (..., Y, X)
        Pinned cells are as they were, under the same numbers. New cells have the other
        numbers from 1 on, in their order.

    Notes
    -----
    A new cell gives way where it overlaps with a pinned cell or with what was erased.
    A piece of what is left of it (4-connected) stays a cell if it has at least
    `min_size` px and is at least half as wide as the overlap; the width is twice the
    largest distance to the outside. So the rim that a lower threshold adds around a
    pinned cell is no cell, but a neighbor that has grown together with it is one.
    """
    if pins.is_empty:
        return automatic.astype(np.int32)
    # Cells are a small part of an image: only their pixels are looked at.
    flat, new = labels.ravel(), automatic.ravel()
    # Of a mask, numpy finds the places several times as fast as of numbers.
    old_places, places = np.flatnonzero(flat != 0), np.flatnonzero(new != 0)
    is_pinned = np.zeros(int(flat.max(initial=0)) + 1, np.bool_)
    is_pinned[[cell for cell in pins.cells if cell < len(is_pinned)]] = True
    pinned = old_places[is_pinned[flat[old_places]]]
    blocked = np.zeros(flat.shape, np.bool_)
    for pixels in (pinned, *(one.pixels for one in pins.erased)):
        blocked[pixels] = True
    places, cells = _give_way(
        (places, new[places].astype(np.intp)), blocked, automatic.shape[-2:], min_size
    )
    made = np.zeros(flat.shape, np.int32)
    made[places] = _new_numbers(cells, np.flatnonzero(is_pinned))[cells]
    made[pinned] = flat[pinned]
    return made.reshape(automatic.shape)


def _give_way(
    pixels: tuple[Indices, Indices],
    blocked: NDArray[np.bool_],
    plane_shape: tuple[int, ...],
    min_size: int,
) -> tuple[Indices, Indices]:
    """Leave blocked pixels out of cells; pieces of a cell get numbers of their own.

    Parameters
    ----------
    pixels : tuple of ndarray of intp, shape (N,)
        Places of the cells' pixels, ascending, and the cell of each.
    blocked : ndarray of bool
        Of all places.
    plane_shape : tuple of int
        Height and width in px.
    min_size : int
        Px; no smaller piece stays.

    Returns
    -------
    tuple of ndarray of intp, shape (M,)
        What is left of `pixels`.
    """
    places, cells = pixels
    is_hit = np.bincount(cells[blocked[places]], minlength=cells.max(initial=0) + 1) > 0
    is_of_hit = is_hit[cells]
    if not is_of_hit.any():
        return pixels
    order = np.argsort(cells[is_of_hit], kind="stable")
    hit_places, hit_cells = places[is_of_hit][order], cells[is_of_hit][order]
    starts = np.flatnonzero(np.diff(hit_cells, prepend=-1))
    found = [(places[~is_of_hit], cells[~is_of_hit])]
    another = len(is_hit)
    for number, own in zip(
        hit_cells[starts], np.split(hit_places, starts[1:]), strict=True
    ):
        # The largest piece keeps the number, so that it stays in its order.
        for piece in _pieces(own, blocked[own], plane_shape, min_size):
            found.append((piece, np.full(len(piece), number)))
            number, another = another, another + 1
    all_places, all_cells = zip(*found, strict=True)
    return np.concatenate(all_places), np.concatenate(all_cells)


def _pieces(
    places: Indices,
    is_blocked: NDArray[np.bool_],
    shape: tuple[int, ...],
    min_size: int,
) -> Iterator[Indices]:
    """Return what is left of a cell and stays one, the largest piece first."""
    from scipy import ndimage

    if np.count_nonzero(~is_blocked) < max(min_size, 1):
        return
    # A new cell is on one plane. It gets a frame, from which the width is measured.
    rows, columns = np.unravel_index(places % (shape[0] * shape[1]), shape)
    local = (rows - rows.min() + 1, columns - columns.min() + 1)
    size = [int(axis.max()) + 2 for axis in local]
    rest, overlap = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    rest[local], overlap[local] = ~is_blocked, is_blocked
    parts, count = ndimage.label(rest)
    least = _half_width(overlap) / 2
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    numbers = parts[local]
    for part in np.argsort(-areas, kind="stable") + 1:
        if areas[part - 1] < max(min_size, 1):
            return
        if _half_width(parts == part) >= least:
            yield places[numbers == part]


def _half_width(mask: NDArray[np.bool_]) -> float:
    """Return the largest distance to the outside."""
    from scipy import ndimage

    return float(ndimage.distance_transform_edt(mask).max())


def _new_numbers(cells: Indices, taken: Indices) -> Labels:
    """Return the new number of each cell: the first ones that no pinned cell has."""
    is_there = np.bincount(cells, minlength=1) > 0
    count = np.count_nonzero(is_there)
    candidates = np.arange(1, count + len(taken) + 1, dtype=np.int32)
    numbers = np.zeros(len(is_there), np.int32)
    numbers[is_there] = candidates[~np.isin(candidates, taken)][:count]
    return numbers

"""How many pixels each label has, and what a change of labels was about."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.correction import LogEntry

Areas: TypeAlias = list[NDArray[np.intp]]
"""For each plane, how many px each label has, from label 0 on."""
_AT_ONCE = 2**18
"""Pixels compared at once: what comes of them stays in the processor's cache."""


def fingerprint(places: Indices, values: NDArray[Any]) -> int:
    """Return a number that tells these values at these places from others.

    Parameters
    ----------
    places : ndarray of intp, shape (N,)
        In the labels laid out in one line.
    values : ndarray of int, shape (N,)
        The labels there.

    Returns
    -------
    int
        From 0 to 2**64 - 1; of other places it is a number to be added.
    """
    # A sum over pixels: of a small change, the change of the sum is enough.
    word = places.astype(np.uint64) << np.uint64(32) | values.astype(np.uint32)
    # The end of splitmix64: each bit of the word changes about half of the result's.
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return int((word ^ (word >> np.uint64(31))).sum(dtype=np.uint64))


def counts_of(planes: Areas) -> tuple[int, ...]:
    """Return how many cells each plane has.

    Parameters
    ----------
    planes : list of ndarray
        From `areas_of_planes`.

    Returns
    -------
    tuple of int
        One number for each plane.
    """
    return tuple(int(np.count_nonzero(areas[1:])) for areas in planes)


def areas_of_planes(labels: NDArray[Any]) -> Areas:
    """Return how many px each label has on each plane.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        The label image; no label is negative, or so high that a table is too long.

    Returns
    -------
    list of ndarray of intp
        For each plane, from label 0 to its highest.
    """
    planes = labels.reshape(-1, math.prod(labels.shape[-2:]))
    return [
        np.bincount(plane.astype(np.intp, copy=False), minlength=1) for plane in planes
    ]


def areas_of_cells(cells: Sequence[NDArray[np.intp]], n_px: int) -> Areas:
    """Return how many px each label has on each plane, from those of its cells.

    Parameters
    ----------
    cells : sequence of ndarray of intp
        Px of each plane's cells, whose numbers run on through the planes from 1.
    n_px : int
        Of a plane.

    Returns
    -------
    list of ndarray of intp
        As of `areas_of_planes`, without a look at the labels.
    """
    planes = []
    before = 0
    for areas in cells:
        # A plane without cells has no labels but 0.
        n = 1 + (before + len(areas) if len(areas) else 0)
        plane = np.zeros(n, np.intp)
        plane[n - len(areas) :] = areas
        plane[0] = n_px - areas.sum()
        planes.append(plane)
        before += len(areas)
    return planes


def differing_places(
    labels: NDArray[Any], others: NDArray[Any], most: int | None = None
) -> Indices | None:
    """Find where labels differ.

    Parameters
    ----------
    labels, others : ndarray of the same shape, int
        What is compared.
    most : int, optional
        No more places are of interest.

    Returns
    -------
    ndarray of intp, or None
        Places in the labels laid out in one line, ascending; None if there are more
        than `most`, for which not all of the labels is looked at.
    """
    one, other = labels.ravel(), others.ravel()
    found = [np.empty(0, np.intp)]
    count = 0
    for start in range(0, one.size, _AT_ONCE):
        stop = start + _AT_ONCE
        here = np.flatnonzero(one[start:stop] != other[start:stop])
        if not len(here):
            continue
        found.append(here + start)
        count += len(here)
        if most is not None and count > most:
            return None
    return np.concatenate(found)


def changed_areas(
    planes: Areas,
    changed: Indices,
    values: tuple[NDArray[Any], NDArray[Any]],
    shape: tuple[int, ...],
) -> Areas:
    """Return the areas of each plane's labels after pixels have changed.

    Parameters
    ----------
    planes : list of ndarray
        The areas before.
    changed : ndarray of intp, shape (N,)
        Places of the pixels in the labels laid out in one line.
    values : tuple of two ndarray of int, shape (N,)
        Their labels before and after.
    shape : tuple of int
        Of the labels.

    Returns
    -------
    list of ndarray of intp
        Those of planes where nothing has changed are the same arrays.
    """
    areas = list(planes)
    where = changed // math.prod(shape[-2:])
    for plane in np.unique(where):
        old, new = (side[where == plane].astype(np.intp) for side in values)
        n = max(len(areas[plane]), int(new.max()) + 1)
        more = np.bincount(new, minlength=n) - np.bincount(old, minlength=n)
        more[: len(areas[plane])] += areas[plane]
        areas[plane] = more
    return areas


def total_areas(planes: Areas) -> NDArray[np.intp]:
    """Return how many px each label has on all planes together.

    Parameters
    ----------
    planes : list of ndarray
        From `areas_of_planes`.

    Returns
    -------
    ndarray of intp
        From label 0 to the highest.
    """
    total = np.zeros(max(len(areas) for areas in planes), np.intp)
    for areas in planes:
        total[: len(areas)] += areas
    return total


def describe_change(
    kind: str,
    changed: Indices,
    values: tuple[NDArray[Any], NDArray[Any]],
    planes: tuple[Areas, Areas],
    labels: NDArray[Any],
) -> LogEntry:
    """Describe a change by what was there before and after it.

    Parameters
    ----------
    kind : str
        What was done.
    changed : ndarray of intp, shape (N,)
        Places of the pixels in the labels laid out in one line.
    values : tuple of two ndarray of int, shape (N,)
        Their labels before and after.
    planes : tuple of two lists of ndarray
        The areas before and after.
    labels : ndarray of int
        After the change.

    Returns
    -------
    LogEntry
        With the cells that are there before and after, on these planes.
    """
    touched = np.union1d(*values)
    touched = touched[touched > 0]
    where = np.unique(changed // math.prod(labels.shape[-2:]))
    before, after = (
        tuple(
            int(cell)
            for cell in touched
            if any(cell < len(side[p]) and side[p][cell] for p in where)
        )
        for side in planes
    )
    place = middle_of(changed, labels.shape)
    return LogEntry(
        kind=kind, before=before, after=after, changed_px=len(changed), **place
    )


def middle_of(places: Indices, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return where the middle of pixels is.

    Parameters
    ----------
    places : ndarray of intp, shape (N,)
        Of the pixels in the labels laid out in one line.
    shape : tuple of int
        Of the labels.

    Returns
    -------
    dict
        plane, row and column of a `LogEntry`, on the first plane; empty for no pixels.
    """
    if not len(places):
        return {}
    planes, rest = np.divmod(places, math.prod(shape[-2:]))
    on_plane = rest[planes == planes[0]]
    rows, columns = np.divmod(on_plane, shape[-1])
    return {
        "plane": int(planes[0]),
        "row": round(float(rows.mean()), 1),
        "column": round(float(columns.mean()), 1),
    }

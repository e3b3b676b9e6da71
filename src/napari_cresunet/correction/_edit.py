"""What a correction changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices

ADD, DELETE, MERGE, SPLIT, TRIM = "add", "delete", "merge", "split", "trim"
FILL_HOLES, SMOOTH, RELABEL = "fill holes", "smooth", "relabel"
PAINT = "paint"
"""Kinds of edits; the last is any tool of napari."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Edit:
    """Pixels of a label image that get another label, and which cells that is about."""

    kind: str
    """What was done, such as "merge"."""
    pixels: Indices
    """(N,), ascending: places in the label image laid out in one line (C order); only
    those that change."""
    values: NDArray[Any]
    """(N,): their new labels, in the dtype of the label image."""
    before: tuple[int, ...]
    """Labels of the cells before, ascending."""
    after: tuple[int, ...]
    """Labels of the cells that have come of them, ascending."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not len(self.pixels)

    def applied_to(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the label image with this change.

        Parameters
        ----------
        labels : ndarray of shape (..., Y, X), int
            The label image that the edit was made for.

        Returns
        -------
        ndarray of shape (..., Y, X), int
            A new array of the same dtype.
        """
        changed = np.array(labels, order="C")
        changed.ravel()[self.pixels] = self.values
        return changed


def make_edit(
    kind: str,
    labels: NDArray[Any],
    changes: Sequence[tuple[Indices, int]],
    cells: tuple[Iterable[int], Iterable[int]],
) -> Edit:
    """Put changes together.

    Parameters
    ----------
    kind : str
        What is done.
    labels : ndarray of shape (..., Y, X), int
        The label image.
    changes : sequence of (ndarray of shape (N,), int)
        Places in the label image laid out in one line, and their new label. Where
        places come twice, the later change counts.
    cells : tuple of two iterables of int
        Labels before and after.

    Returns
    -------
    Edit
        Without the pixels that have that label already.
    """
    before, after = (tuple(sorted(set(labels))) for labels in cells)
    places = np.concatenate([np.zeros(0, np.intp), *(where for where, _ in changes)])
    values = np.concatenate(
        [
            np.zeros(0, labels.dtype),
            *(np.full(len(where), label, labels.dtype) for where, label in changes),
        ]
    )
    # A stable order from the back: of equal places the last one is the first.
    order = np.argsort(places[::-1], kind="stable")
    places, values = places[::-1][order], values[::-1][order]
    is_new = np.ones(len(places), np.bool_)
    is_new[1:] = places[1:] != places[:-1]
    is_new &= values != labels[np.unravel_index(places, labels.shape)]
    return Edit(
        kind=kind,
        pixels=places[is_new],
        values=values[is_new],
        before=before,
        after=after,
    )

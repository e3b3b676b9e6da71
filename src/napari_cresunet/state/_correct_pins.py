"""The list of cells that new labels leave as they are."""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.correction import Erased, Pins
from napari_cresunet.state._spots import Spot

DELETED = "deleted"
PIN_COLORS = {
    "added": "#009e73",
    "edited": "#56b4e9",
    "accepted": "#f0e442",
    DELETED: "#d55e00",
}
"""Of Okabe and Ito's palette, for each reason why a cell is pinned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PinnedCell:
    """A cell that new labels leave as it is, or a place where one was deleted."""

    reason: str
    """One of `PIN_COLORS`."""
    label: int
    spot: Spot
    erased: Erased | None = None
    """What was deleted."""


def list_pinned(labels: NDArray[Any], pins: Pins) -> list[PinnedCell]:
    """List what is pinned, and where it is.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        The cells.
    pins : Pins
        What is pinned in them.

    Returns
    -------
    list of PinnedCell
        Cells in the order of their labels, then those that were deleted.
    """
    # Faster than one comparison for each of them, as long as labels are not huge.
    pixels = np.flatnonzero(np.isin(labels, list(pins.cells)))
    order = np.argsort(labels.ravel()[pixels], kind="stable")
    pixels = pixels[order]
    cells, starts = np.unique(labels.ravel()[pixels], return_index=True)
    parts = np.split(pixels, starts)[1:]
    listed = [
        PinnedCell(
            reason=pins.cells[int(cell)],
            label=int(cell),
            spot=_spot(f"#{cell}", pins.cells[int(cell)], part, labels.shape),
        )
        for cell, part in zip(cells, parts, strict=True)
    ]
    return listed + [
        PinnedCell(
            reason=DELETED,
            label=one.label,
            spot=_spot(f"was #{one.label}", DELETED, one.pixels, labels.shape),
            erased=one,
        )
        for one in pins.erased
        if one.is_whole
    ]


def _spot(name: str, reason: str, pixels: Indices, shape: tuple[int, ...]) -> Spot:
    """Return the middle of pixels of one plane, the first one they are on."""
    planes, rest = np.divmod(pixels, shape[-2] * shape[-1])
    plane = int(planes[0])
    rows, columns = np.divmod(rest[planes == plane], shape[-1])
    words = [f"{name}: {reason}", f"{len(pixels):,} px"]
    if len(shape) > 2:
        words.append(f"plane {plane + 1}")
    return Spot(
        text=", ".join(words),
        row=float(rows.mean()),
        column=float(columns.mean()),
        plane=plane,
        size=2 * sqrt(len(rows) / pi),
        color=PIN_COLORS[reason],
    )

"""In which order cells are looked at: the most doubtful ones first."""

from collections.abc import Generator
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.state._corrections import Corrections
from napari_cresunet.state._run import Progress, as_progress
from napari_cresunet.state._spots import Spot


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReviewOrder:
    """Cells in the order of doubt, and where they are."""

    cells: tuple[int, ...] = ()
    """Their labels."""
    spots: tuple[Spot, ...] = ()
    """What is doubtful about each, and where it is."""


def reviewed_cells(corrections: Corrections) -> frozenset[int]:
    """Return the labels of the cells that a person has accepted or touched."""
    return corrections.reviewed | frozenset(corrections.pins.cells)


def review_progress(corrections: Corrections) -> tuple[int, int]:
    """Tell how far a review is.

    Parameters
    ----------
    corrections : Corrections
        What a person did to the cells.

    Returns
    -------
    reviewed, total : int
        Cells. Those that were deleted are in both: somebody has looked at them, and
        the total stays as it was.
    """
    n_deleted = sum(one.is_whole for one in corrections.pins.erased)
    n_reviewed = len(reviewed_cells(corrections))
    return n_reviewed + n_deleted, corrections.count + n_deleted


def iter_review(
    labels: NDArray[Any],
    probability: NDArray[np.floating] | None = None,
    threshold: float | None = None,
) -> Generator[Progress, None, ReviewOrder]:
    """Order cells by how doubtful they are.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        The cells.
    probability : ndarray of the same shape, float, optional
        What they were made of.
    threshold : float, optional
        With which; near it, a cell is doubtful.

    Yields
    ------
    Progress
        Between the parts of the work, where it may be closed.

    Returns
    -------
    ReviewOrder
        All cells. Those that are equally doubtful are in the order of their labels.
    """
    from napari_cresunet.measurement import doubts, iter_measure

    steps = iter_measure(labels, probability=probability)
    cells = yield from as_progress(steps, "Measuring the cells…")
    doubt, reasons = doubts(cells, threshold=threshold)
    n_planes = int(np.prod(labels.shape[:-2], dtype=int))
    order = np.argsort(-np.asarray(doubt), kind="stable")
    return ReviewOrder(
        cells=tuple(int(cell) for cell in cells["label"][order]),
        spots=tuple(_spot(cells, int(k), reasons[k], n_planes) for k in order),
    )


def _spot(cells: dict[str, NDArray[Any]], row: int, reason: str, n_planes: int) -> Spot:
    """Return where a row of the table is, and what is doubtful about it."""
    area = int(cells["area_px"][row])
    plane = int(cells["plane"][row]) if "plane" in cells else 0
    words = [reason, f"{area:,} px"]
    if n_planes > 1:
        words.append(f"plane {plane + 1}")
    listed = ", ".join(word for word in words if word)
    return Spot(
        text=f"#{cells['label'][row]}: {listed}",
        row=float(cells["centroid_y_px"][row]),
        column=float(cells["centroid_x_px"][row]),
        plane=plane,
        size=2 * sqrt(area / pi),
    )

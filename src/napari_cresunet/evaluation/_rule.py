"""How a prediction and a true cell are said to belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.config import Options, check_bounds, option
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._matching import MATCHINGS, Matches, match_centers
from napari_cresunet.evaluation._objects import Objects

CENTERS = ("box", "centroid")

_PUBLISHED_DISTANCE, _PUBLISHED_DIAMETER = 40.0, 36.5
"""In px, of the images of Morelli et al. 2021 and their mean cell."""


def usual_distance(diameter: float | None = None) -> float:
    """Return the published matching distance, for cells of whatever size.

    Parameters
    ----------
    diameter : float, optional
        Of a usual cell, in px; that of Morelli et al. 2021, 36.5, by default.

    Returns
    -------
    float
        40 px where cells are 36.5 px wide, in proportion elsewhere; whole px, at least
        1.

    Examples
    --------
    >>> usual_distance(), usual_distance(7)
    (40.0, 8.0)
    """
    diameter = _PUBLISHED_DIAMETER if diameter is None else diameter
    distance = _PUBLISHED_DISTANCE / _PUBLISHED_DIAMETER * diameter
    return float(max(1, round(distance)))


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchRule(Options):
    """When a prediction and a true cell are a pair."""

    max_distance: float = option(
        40.0, "Largest distance of two matching centers, inclusive.", unit="px", low=0
    )
    matching: str = option(
        "optimal",
        "As many pairs as possible, or each prediction in turn the nearest free cell.",
        choices=MATCHINGS,
    )
    center: str = option(
        "box",
        "Center of a cell: of its bounding box, or the mean of its pixels.",
        choices=CENTERS,
    )
    spacing: float | Sequence[float] = 1.0
    """Height and width of a pixel, or one number for both; `max_distance` is in its
    unit, such as µm."""

    def __post_init__(self) -> None:
        """Check everything."""
        Options.__post_init__(self)
        # Not by type: a number of numpy is one, too.
        if np.ndim(self.spacing) and np.size(self.spacing) != 2:
            raise InputError(
                f"`spacing` must be one number or two, got {np.size(self.spacing)}."
            )
        for side in self.sides:
            check_bounds("spacing", float(side), 1e-9, None)

    @property
    def sides(self) -> NDArray[np.float64]:
        """Height and width of a pixel."""
        sides: NDArray[np.float64] = np.broadcast_to(
            np.asarray(self.spacing, np.float64), (2,)
        )
        return sides

    def centers_of(self, objects: Objects) -> NDArray[np.float64]:
        """Return the centers in px.

        Parameters
        ----------
        objects : Objects
            Whose.

        Returns
        -------
        ndarray of float64, shape (N, 2)
            Row and column.
        """
        return objects.centers if self.center == "box" else objects.centroids()

    def match(self, pred: Objects, true: Objects) -> Matches:
        """Pair the cells of two sides, each plane by itself.

        Parameters
        ----------
        pred, true : Objects
            The sides.

        Returns
        -------
        Matches
            Pairs of rows of the two; distances in the unit of `spacing`.
        """
        return match_centers(
            self.placed(pred),
            self.placed(true),
            self.max_distance,
            matching=self.matching,
        )

    def placed(self, objects: Objects) -> NDArray[np.float64]:
        """Return the centers, planes so far apart that none reaches another.

        Parameters
        ----------
        objects : Objects
            Whose.

        Returns
        -------
        ndarray of float64, shape (N, 2) or (N, 3)
            In the unit of `spacing`; of a stack with the plane in front.
        """
        centers = self.centers_of(objects) * self.sides
        if len(objects.shape) == 2:
            return centers
        far = objects.planes[:, None] * (2 * self.max_distance + 1.0)
        return np.concatenate([far, centers], axis=1)

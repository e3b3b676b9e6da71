"""An area of the image that has a name, such as a brain region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Region:
    """An area in which cells are counted."""

    name: str
    polygons: tuple[NDArray[np.float64], ...] = ()
    """Outlines, (N, 2) each, row and column in px of the image; whole numbers are the
    centers of pixels. What lies in any of them is in the region; it may reach beyond
    the image."""
    mask: NDArray[np.bool_] | None = None
    """(Y, X): the area instead of outlines, where it comes from a label image."""
    plane: int | None = None
    """Number of the plane, counted through all leading axes; None for all planes."""

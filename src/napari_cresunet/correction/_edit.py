"""What a correction changes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices


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
        changed = np.ascontiguousarray(labels).copy()
        changed.ravel()[self.pixels] = self.values
        return changed

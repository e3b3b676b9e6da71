"""The unbiased counting frame of stereology."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.measurement._checks import label_planes


@dataclass(frozen=True, slots=True)
class CountingFrame:
    """A rectangle with two sides that count and two that forbid.

    Top and right count. Left and bottom forbid, and so do the left side's extension
    upward and the right side's extension downward.
    """

    top: float
    """Row in px, as the others; whole numbers are the centers of pixels. A center on
    the top or left side is inside, one on the bottom or right side is not."""
    left: float
    bottom: float
    right: float

    def __post_init__(self) -> None:
        """Refuse a frame without area."""
        if not (self.top < self.bottom and self.left < self.right):
            raise InputError(
                "A counting frame needs top < bottom and left < right, got "
                f"{self.top:g}, {self.left:g}, {self.bottom:g} and {self.right:g}."
            )

    @property
    def area_px(self) -> float:
        """Area in px, also of what lies beyond the image."""
        return (self.bottom - self.top) * (self.right - self.left)


def in_frame(labels: ArrayLike, frame: CountingFrame) -> NDArray[np.int64]:
    """Return the cells that an unbiased counting frame counts.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background; a label on several planes is one cell, seen from above.
    frame : CountingFrame
        Where to count.

    Returns
    -------
    ndarray of int64, shape (N,)
        Labels, ascending: those with a pixel in the frame, and none beyond the
        forbidden line, which is left of the frame, or below it within its width.

    Raises
    ------
    InputError
        As `measure` does of labels.

    Notes
    -----
    The rule of Gundersen (1977, https://doi.org/10.1111/j.1365-2818.1977.tb00062.x).
    Frames that tile the plane count every cell exactly once, whatever its shape and
    size; so the count of a frame over its area is a density without bias. That holds
    where the image shows whole cells: leave space between the frame and its edges.

    Examples
    --------
    The first cell crosses the top side, which counts, the other one the left side:

    >>> import numpy as np
    >>> labels = np.zeros((8, 9), int)
    >>> labels[0:4, 4:6], labels[4:6, 0:4] = 1, 2
    >>> in_frame(labels, CountingFrame(top=2, left=2, bottom=7, right=8))
    array([1])
    """
    planes = label_planes(labels)
    height, width = planes.shape[1:]
    top, bottom = (_first_from(edge, height) for edge in (frame.top, frame.bottom))
    left, right = (_first_from(edge, width) for edge in (frame.left, frame.right))
    inside = np.unique(planes[:, top:bottom, left:right])
    forbidden = np.union1d(planes[:, :, :left], planes[:, bottom:, left:right])
    counted = np.setdiff1d(inside, forbidden, assume_unique=True)
    return counted[counted > 0].astype(np.int64)


def _first_from(edge: float, side: int) -> int:
    """Return the first pixel whose center is at an edge or behind it."""
    return int(np.clip(np.ceil(edge), 0, side))

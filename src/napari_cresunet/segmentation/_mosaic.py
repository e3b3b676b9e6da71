"""Pack boxes into one small image, and take maxima over windows of it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.segmentation._runs import Indices


def lay_out(
    heights: Indices, widths: Indices, gap: int
) -> tuple[Indices, Indices, tuple[int, int]]:
    """Place boxes on shelves, tallest first.

    Parameters
    ----------
    heights, widths : ndarray of shape (N,)
        Sizes of the boxes in px, at least one box.
    gap : int
        Px between two boxes, and around all of them.

    Returns
    -------
    tops, lefts : ndarray of shape (N,)
        Where the boxes lie.
    shape : tuple of int
        Size of the whole.
    """
    order = np.argsort(-heights, kind="stable")
    tall, wide = heights[order] + gap, widths[order] + gap
    side = max(math.isqrt(int(tall @ wide)), int(wide.max()))
    ends = np.cumsum(wide)
    shelf = (ends - wide) // side
    is_first = np.ones(len(shelf), dtype=bool)
    np.not_equal(shelf[1:], shelf[:-1], out=is_first[1:])
    first, shelf = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    shelf_ends = np.cumsum(tall[first])
    tops, lefts = np.empty_like(heights), np.empty_like(widths)
    tops[order] = gap + (shelf_ends - tall[first])[shelf]
    lefts[order] = gap + (ends - wide) - (ends - wide)[first][shelf]
    return tops, lefts, (gap + int(shelf_ends[-1]), int((lefts + widths).max()) + gap)


def window_max(image: NDArray[Any], before: int, after: int) -> NDArray[Any]:
    """Return the maximum over a square window around each pixel.

    Parameters
    ----------
    image : ndarray of shape (Y, X)
        At least as large as the window.
    before, after : int
        Px that the window reaches up and left, and down and right.

    Returns
    -------
    ndarray of shape (Y - before - after, X - before - after)
        Maxima around the pixels whose window lies inside the image.

    Notes
    -----
    Takes 2 log2(window) passes, which numpy vectorizes; scipy's maximum_filter took
    four times as long at 21 px.
    """
    size = before + after + 1
    reach = 1
    while reach < size:
        step = min(reach, size - reach)
        image = np.maximum(image[:-step], image[step:])
        image = np.maximum(image[:, :-step], image[:, step:])
        reach += step
    return image

"""Flooding over many levels at once, compiled by numba."""

import numpy as np

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices


def fill_holes(ranks: Indices, never: int) -> Indices:
    """Let pixels in as soon as there is no way out.

    Parameters
    ----------
    ranks : ndarray of intp, shape (H, W)
        The first of several levels at which each pixel is in, from 0 on.
    never : int
        The rank of what is never in.

    Returns
    -------
    ndarray of intp, shape (H, W)
        The ranks with holes filled (4-connected), at each level.
    """
    is_side = np.ones(ranks.shape, np.bool_)
    is_side[1:-1, 1:-1] = False
    # A way out is as good as its highest rank, and only the lowest one matters.
    return never - reach(never - ranks, np.flatnonzero(is_side), never + 1)


@compiled
def reach(ranks: Indices, seeds: Indices, never: int) -> Indices:
    """Find the way from seeds to each pixel whose highest rank is lowest: that rank.

    Parameters
    ----------
    ranks : ndarray of intp, shape (H, W)
        From 0 on; C order.
    seeds : ndarray of intp, shape (S,)
        Where ways begin, in the image laid out in one line.
    never : int
        Pixels of this rank, or a higher one, are on no way.

    Returns
    -------
    ndarray of intp, shape (H, W)
        The highest rank on the way; `never` where there is none (4-connected).
    """
    height, width = ranks.shape
    values = ranks.ravel()
    reached = np.full(values.shape, never)
    is_known = np.zeros(values.shape, np.bool_)
    # Each rank has a queue of its own.
    first = np.full(never, -1)
    following = np.full(values.shape, -1)
    for seed in seeds:
        if values[seed] < never:
            is_known[seed] = True
            following[seed] = first[values[seed]]
            first[values[seed]] = seed
    for level in range(never):
        while first[level] >= 0:
            place = first[level]
            first[level] = following[place]
            reached[place] = level
            row, column = place // width, place % width
            for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0)):
                if not (0 <= row + down < height and 0 <= column + right < width):
                    continue
                other = place + down * width + right
                if is_known[other] or values[other] >= never:
                    continue
                is_known[other] = True
                higher = max(level, values[other])
                following[other] = first[higher]
                first[higher] = other
    return reached.reshape(ranks.shape)

"""Exact squared distance to the background for many regions at once."""

from typing import Any

import numpy as np
from edt import edtsq
from numpy.typing import NDArray

from napari_cresunet.segmentation._compiled import squared_distances_of_small
from napari_cresunet.segmentation._runs import Regions

LARGE = 181
"""Px of a box's diagonal from which on `edt` is faster."""

FLOAT32_INTEGERS = 2**24
"""Below this, float32 holds every integer."""


def squared_distances(regions: Regions, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Return each pixel's squared distance to the nearest background pixel.

    Parameters
    ----------
    regions : Regions
        At least one.
    shape : tuple of int
        Size of the plane. There is no background beyond its edge, but some within.

    Returns
    -------
    ndarray of int32
        For every pixel of the regions, run by run.
    """
    boxes = regions.boxes
    is_large = ((boxes[:, 2:] - boxes[:, :2]) ** 2).sum(axis=1) >= LARGE**2
    if not is_large.any():
        return _of_small(regions, shape)
    squared = np.empty(regions.areas.sum(), dtype=np.int32)
    owners = np.repeat(is_large, regions.areas)
    if not is_large.all():
        squared[~owners] = _of_small(regions.take(np.flatnonzero(~is_large)), shape)
    large = np.flatnonzero(is_large)
    squared[owners] = np.concatenate(
        [_of_large(regions.take(large[i : i + 1]), shape) for i in range(len(large))]
    )
    return squared


def _of_small(regions: Regions, shape: tuple[int, int]) -> NDArray[np.int32]:
    runs = regions.rows, regions.columns, regions.lengths
    return squared_distances_of_small(runs, regions.offsets, regions.boxes, shape)


def _of_large(region: Regions, shape: tuple[int, int]) -> NDArray[Any]:
    """Return the squared distances of one region's pixels."""
    top, left, bottom, right = region.boxes[0]
    top, left = max(top - 1, 0), max(left - 1, 0)
    bottom, right = min(bottom + 1, shape[0]), min(right + 1, shape[1])
    crop = np.zeros((bottom - top, right - left), dtype=bool)
    own = region.flat_pixels(right - left) - top * (right - left) - left
    crop.ravel()[own] = True
    squared = edtsq(crop)
    if squared.max() >= FLOAT32_INTEGERS:
        from scipy import ndimage

        squared = np.rint(ndimage.distance_transform_edt(crop) ** 2)
    distances: NDArray[Any] = squared.ravel()[own]
    return distances

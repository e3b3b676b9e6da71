"""A cell split from seeds."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Mask
from napari_cresunet.correction._edit import SPLIT, Edit, make_edit
from napari_cresunet.correction._patches import free_labels, patches_of
from napari_cresunet.correction._places import (
    as_label_image,
    as_points,
    check_landscape,
    check_numbers,
    is_inside,
    nearest_pixels,
)
from napari_cresunet.errors import InputError


def split_at_seeds(
    labels: ArrayLike, seeds: ArrayLike, landscape: ArrayLike | None = None
) -> Edit:
    image = as_label_image(labels)
    check_numbers(image)
    pixels = nearest_pixels(as_points(seeds, image), image)
    inside = is_inside(pixels, image)
    if not inside.all():
        raise InputError("A seed is outside of the image: click inside of the cell.")
    pixels = np.unique(pixels, axis=0)
    if len(pixels) < 2:
        raise InputError(
            "One seed splits no cell: click at least twice, once in each part."
        )
    found = np.unique(image[tuple(pixels.T)])
    if len(found) > 1 or not found[0]:
        raise InputError("The seeds are not in one cell: click inside of one cell.")
    plane = 0
    if image.ndim > 2:
        plane = int(np.ravel_multi_index(tuple(pixels[0, :-2]), image.shape[:-2]))
    patch = next(
        patch for patch in patches_of(image, [int(found[0])]) if patch.plane == plane
    )
    from scipy import ndimage
    from skimage.segmentation import watershed

    markers = np.zeros(patch.mask.shape, np.int32)
    rows, columns = (pixels[:, -2:] - (patch.top, patch.left)).T
    markers[rows, columns] = np.arange(1, len(rows) + 1)
    heights = (
        ndimage.distance_transform_edt(patch.mask)
        if landscape is None
        else patch.cut(check_landscape(landscape, image))
    )
    parts = watershed(-heights, markers, 2, mask=patch.mask)
    areas = np.bincount(parts.ravel(), minlength=len(rows) + 1)
    order = [n for n in range(1, len(rows) + 1) if n != np.argmax(areas[1:]) + 1]
    fresh = free_labels(image, len(order))
    changes = [
        (patch.places(parts == n), label) for n, label in zip(order, fresh, strict=True)
    ]
    return make_edit(SPLIT, image, changes, ([patch.label], [patch.label, *fresh]))

"""Small pictures of many images."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image
from napari_cresunet.export._pictures import FOUND_COLOR, stretched

THUMBNAIL = 220
"""Px of the longer side, at most."""
_SHARE = 0.6
"""Of the color of cells, where there is one."""


def thumbnail(image: Image, labels: NDArray[Any]) -> bytes:
    """Return a small picture of an image with its cells tinted.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image; of a stack the middle plane is shown.
    labels : ndarray of shape (..., Y, X)
        The cells.

    Returns
    -------
    bytes
        A JPEG file of at most 220 px and some 5 kB.
    """
    from PIL import Image as Pillow

    height, width = labels.shape[-2:]
    stack = labels.reshape(-1, height, width)
    colors = image.shape[labels.ndim :]
    middle = len(stack) // 2
    step = -(-max(height, width) // THUMBNAIL)
    plane = image.reshape(-1, height, width, *colors)[middle]
    small = stretched(_shrunk(plane, step)[..., :3] if colors else _shrunk(plane, step))
    color = small if colors else np.stack([small] * 3, axis=-1)
    # Cells may be smaller than what becomes one pixel.
    cells = _shrunk(stack[middle] != 0, step) > 0
    tinted = color.astype(np.float32)
    tinted[cells] += _SHARE * (np.array(FOUND_COLOR, np.float32) - tinted[cells])
    content = io.BytesIO()
    Pillow.fromarray(tinted.astype(np.uint8)).save(content, "JPEG", quality=80)
    return content.getvalue()


def _shrunk(plane: NDArray[Any], step: int) -> NDArray[np.float32]:
    """Return the means of four pixels of each block of so many rows and columns."""
    height, width = plane.shape[:2]
    corners = {0, step // 2}
    parts = [
        plane[row::step, column::step].astype(np.float32)
        for row in corners
        for column in corners
    ]
    rows, columns = max(1, height // step), max(1, width // step)
    cut = [part[:rows, :columns] for part in parts]
    mean: NDArray[np.float32] = np.mean(
        [part for part in cut if part.shape == cut[0].shape], axis=0
    )
    return mean

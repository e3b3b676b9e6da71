"""Small copies of published folders."""

import imageio.v3 as iio
import numpy as np

SHAPE = (12, 16)


def write(path, pixels):
    """Write an image; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, pixels)
    return path


def image(seed=0):
    """An RGB image of noise."""
    return np.random.default_rng(seed).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)


def mask(n_cells=2):
    """A mask of 0 and 255 with cells of 3 by 2 px in a row."""
    pixels = np.zeros(SHAPE, np.uint8)
    for number in range(n_cells):
        pixels[2:5, 1 + 4 * number : 3 + 4 * number] = 255
    return pixels


def labels(n_cells=2):
    """The cells of `mask`, touching in one row."""
    pixels = np.zeros(SHAPE, np.uint16)
    for number in range(n_cells):
        pixels[2:5, 1 + 2 * number : 3 + 2 * number] = number + 1
    return pixels

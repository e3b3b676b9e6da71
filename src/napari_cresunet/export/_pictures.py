"""Pictures of a result for the eye: a heatmap and an overlay, 8-bit RGB."""

from functools import cache
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image, Labels, Mask, Probability

Picture: TypeAlias = NDArray[np.uint8]
"""(Y, X, 3)."""

Pixel = TypeVar("Pixel", bound=np.generic)

WIDTH = 1000
"""Small images are enlarged by a whole number to about this many px."""
# Okabe and Ito's colors, told apart with any color vision; neither is that of a cell.
FOUND_COLOR = (86, 180, 233)
TRUE_COLOR = (204, 121, 167)


def heatmap(probability: Probability) -> Picture:
    """Color a probability from black over violet and orange to light yellow.

    Parameters
    ----------
    probability : ndarray of shape (Y, X)
        In [0, 1].

    Returns
    -------
    ndarray of uint8, shape (Y', X', 3)
        Enlarged by a whole number if the image is small.
    """
    return _enlarged(heat_colors(probability))


def heat_colors(probability: Probability) -> Picture:
    """Color a probability as `heatmap` does, at its own size.

    Parameters
    ----------
    probability : ndarray of shape (Y, X)
        In [0, 1].

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        Black is 0, light yellow 1.
    """
    levels = np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)
    return _color_table()[levels]


@cache
def _color_table() -> Picture:
    """Return 256 colors of evenly rising lightness: equal steps look equal."""
    from skimage.color import lab2rgb

    level = np.linspace(0, 1, 256)
    hue = np.deg2rad(-60 + 160 * level)  # violet, red, orange, yellow in CIELAB
    chroma = 70 * np.sin(np.pi * level) ** 0.7
    lab = np.stack([96 * level, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    table: Picture = np.rint(lab2rgb(lab) * 255).astype(np.uint8)
    return table


def overlay(image: Image, labels: Labels, truth: Labels | None = None) -> Picture:
    """Draw the outlines of the counted cells over the image.

    Parameters
    ----------
    image : ndarray of shape (Y, X) or (Y, X, 3 or 4)
        The image.
    labels : ndarray of shape (Y, X)
        The counted cells: blue outlines.
    truth : ndarray of shape (Y, X), optional
        The true cells: reddish outlines, one px further inside.

    Returns
    -------
    ndarray of uint8, shape (Y', X', 3)
        Enlarged by a whole number if the image is small.
    """
    picture = _enlarged(_as_color(image))
    if truth is not None:
        picture[_outlines(truth, "inner")] = TRUE_COLOR
    picture[_outlines(labels, "outer")] = FOUND_COLOR
    return picture


def _outlines(labels: Labels, side: str) -> Mask:
    from skimage.segmentation import find_boundaries

    outlines: Mask = find_boundaries(_enlarged(labels), mode=side)
    return outlines


def _as_color(image: Image) -> Picture:
    """Return the image as 8-bit RGB; other ranges than 0 to 255 are stretched."""
    color = image[..., :3] if image.ndim == 3 else np.stack([image] * 3, axis=-1)
    if color.dtype == np.uint8:
        return color.copy()
    low, high = np.percentile(color, (0.5, 99.9))
    unit = (color - low) / max(high - low, 1e-12)
    picture: Picture = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    return picture


def _enlarged(pixels: NDArray[Pixel]) -> NDArray[Pixel]:
    factor = max(1, WIDTH // pixels.shape[1])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)

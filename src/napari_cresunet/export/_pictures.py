"""Pictures of a result for the eye: a heatmap and an overlay, 8-bit RGB."""

from functools import cache
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image, Labels, Mask, Probability
from napari_cresunet.errors import InputError

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
    return color.copy() if color.dtype == np.uint8 else stretched(color)


def stretched(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image in 8 bits, from percentile 0.5 to 99.9.

    Parameters
    ----------
    pixels : ndarray of shape (Y, X) or (Y, X, 3)
        The image.

    Returns
    -------
    ndarray of uint8 of the same shape
        What is not finite is black.
    """
    step = sparse_step(pixels.size)
    return in_eight_bits(pixels, *contrast_of(pixels[::step, ::step]))


def sparse_step(size: int) -> int:
    """Return how far apart pixels may be that tell the contrast as well as all do."""
    return max(1, int((size / 4e6) ** 0.5))


def contrast_of(pixels: NDArray[Any]) -> tuple[float, float]:
    """Return what is to be black and what is to be white: percentiles 0.5 and 99.9."""
    values = pixels.astype(np.float64)
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, (0.5, 99.9)) if known.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-12))


def in_eight_bits(pixels: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return pixels from black (`low`) to white (`high`); not finite is black, too."""
    eight_bits = np.empty(pixels.shape, np.uint8)
    # Row by row: all at once, 64 bits for each pixel would take much memory.
    for row, line in zip(eight_bits, pixels, strict=True):
        unit = (line.astype(np.float64) - low) / (high - low)
        unit[~np.isfinite(unit)] = 0
        row[...] = np.rint(np.clip(unit, 0, 1) * 255)
    return eight_bits


def png_bytes(picture: Picture) -> bytes:
    """Return a picture as the content of a PNG file, every pixel as it is."""
    import imageio.v3 as iio

    content: bytes = iio.imwrite("<bytes>", picture, extension=".png")
    return content


def is_color(image: Image, shape: tuple[int, ...], name: str) -> bool:
    """Tell whether an image has colors, or refuse one of another size than its labels.

    Parameters
    ----------
    image : ndarray
        The image.
    shape : tuple of int
        Of its labels, (..., Y, X).
    name : str
        What to call it.

    Returns
    -------
    bool
        Whether there is an axis of colors behind those of the labels.

    Raises
    ------
    InputError
        If it has another shape.
    """
    if image.shape == shape:
        return False
    if image.shape[:-1] == shape and image.shape[-1] in (3, 4):
        return True
    raise InputError(
        f"Image and labels of {name} differ in shape: {image.shape} and {shape}; take "
        "the image of these labels."
    )


def _enlarged(pixels: NDArray[Pixel]) -> NDArray[Pixel]:
    factor = max(1, WIDTH // pixels.shape[1])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)

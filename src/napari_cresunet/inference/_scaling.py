"""From the numbers of a camera to the [0, 1] that a network was trained on.

The same functions serve training and prediction. They need no torch.
"""

from dataclasses import dataclass
from functools import reduce
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.inference._planes import as_image, plane_shape, read_region
from napari_cresunet.weights import SCALINGS

SAMPLE_PIXELS = 1_000_000
SAMPLE_PLANES = 64

PERCENTILES = (1.0, 99.8)
"""What becomes black and, if it stands out from the noise, white."""

NOISE_SPAN = 25.0
"""White is at least this many standard deviations of the noise above black.

Noise alone spans about 7 of them in a million pixels, so it stays below 0.3.
"""

_MAD_TO_STANDARD_DEVIATION = 1.4826  # of a normal distribution
_ROUNDING = 0.5  # rounding to integers can make a median this much too small


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """A value v of the image becomes (v - low) / span, clipped to [0, 1].

    A span of 0 makes everything 0.
    """

    low: float
    span: float


def measure_scaling(image: Any, method: str, *, rgb: bool | None = None) -> Scaling:
    """Measure how an image is scaled.

    Parameters
    ----------
    image : array-like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        Image or stack. At most about a million of its pixels are looked at, always the
        same ones; large ones are read plane by plane.
    method : str
        "unit" divides by the full range of the dtype, as the paper does: 255 for
        uint8, 65535 for uint16, 1 for floating-point numbers.
        "adaptive" does the same where the range is known, that is for uint8 and for
        floating-point numbers in [0, 1], so that dim images stay dim. All others are
        scaled from their 1st percentile to their 99.8th, but never so far that noise
        becomes signal.
    rgb : bool, optional
        Whether the last axis is color; see `plane_shape`.

    Returns
    -------
    Scaling
        For `apply_scaling`.

    Raises
    ------
    InputError
        If `image` is no image, has no finite value, or `method` is unknown.

    Notes
    -----
    The noise is the robust standard deviation of the differences between horizontal
    neighbors, divided by the square root of 2. Of color, the largest channel counts.
    Where all values are integers, half a step is added for what rounding may hide.

    Examples
    --------
    >>> measure_scaling(np.zeros((8, 8), np.uint8), "unit")
    Scaling(low=0.0, span=255.0)
    """
    if method not in SCALINGS:
        raise InputError(f"Unknown scaling {method!r}; choose {' or '.join(SCALINGS)}.")
    dtype = np.dtype(as_image(image).dtype)
    if dtype == np.uint8:
        return Scaling(low=0.0, span=255.0)
    if dtype == np.uint16 and method == "unit":
        return Scaling(low=0.0, span=65535.0)
    sample = sample_brightness(image, rgb=rgb)
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        raise InputError(
            "The image has only NaN or infinite values: check how it was made."
        )
    if method == "unit":
        return Scaling(low=0.0, span=_full_range(dtype, finite.max()))
    if dtype.kind == "f" and finite.min() >= 0 and finite.max() <= 1:
        return Scaling(low=0.0, span=1.0)
    return _stretch(sample, finite)


def apply_scaling(values: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Scale values to [0, 1].

    Parameters
    ----------
    values : ndarray of any shape and real dtype
        Values of the image.
    scaling : Scaling
        As measured over the whole image.

    Returns
    -------
    ndarray of float32, same shape
        In [0, 1]; 0 where a value is NaN or infinite.
    """
    if scaling.span == 0:
        return np.zeros(values.shape, np.float32)
    # float32 holds integers of 16 bits exactly, but no wider ones.
    narrow = values.dtype.itemsize <= 2 or values.dtype == np.float32
    scaled: NDArray[np.float64] = values.astype(np.float32 if narrow else np.float64)
    if values.dtype.kind == "f":
        scaled[~np.isfinite(scaled)] = -np.inf
    with np.errstate(over="ignore"):
        scaled -= scaling.low
        scaled /= scaling.span
    np.clip(scaled, 0, 1, out=scaled)
    return scaled.astype(np.float32, copy=False)


def select_channels(scaled: NDArray[np.float32], channels: str) -> NDArray[np.float32]:
    """Return what a network is to see of the channels.

    Parameters
    ----------
    scaled : ndarray of shape (1 or 3, Y, X)
        In [0, 1].
    channels : str
        "rgb" for all of them, "brightest" for their maximum: a stain of one color then
        gives the same as its gray picture.

    Returns
    -------
    ndarray of shape (1 or 3, Y, X)
        One channel for "brightest".
    """
    if channels != "brightest":
        return scaled
    # Five times as fast as `max` over an axis that is interleaved in memory.
    brightest: NDArray[np.float32] = reduce(np.maximum, scaled)[np.newaxis]
    return brightest


def sample_brightness(image: Any, *, rgb: bool | None = None) -> NDArray[np.float64]:
    """Read evenly spaced rows of evenly spaced planes.

    Parameters
    ----------
    image : array-like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        Image or stack.
    rgb : bool, optional
        Whether the last axis is color; see `plane_shape`.

    Returns
    -------
    ndarray of shape (rows, X)
        About a million pixels, the largest channel of each; small images come whole.
    """
    leading, (height, width), is_rgb = plane_shape(image, rgb=rgb)
    n_planes = prod(leading)
    planes = range(0, n_planes, ceil(n_planes / SAMPLE_PLANES))
    step = min(height, ceil(len(planes) * height * width / SAMPLE_PIXELS))
    rows = [
        read_region(
            image,
            tuple(int(i) for i in np.unravel_index(plane, leading)) if leading else (),
            slice(step // 2, None, step),
            slice(None),
            is_rgb=is_rgb,
        ).max(axis=0)
        for plane in planes
    ]
    return np.concatenate(rows).astype(np.float64)


def _full_range(dtype: np.dtype[Any], brightest: float) -> float:
    """Return the white level; wide integers mostly hold images of 8 or 16 bits."""
    if dtype.kind == "f":
        return 1.0
    if brightest <= 255:
        return 255.0
    return 65535.0 if brightest <= 65535 else float(np.iinfo(dtype).max)


def _stretch(sample: NDArray[np.float64], finite: NDArray[np.float64]) -> Scaling:
    """Return the scaling by percentiles, bounded by the noise."""
    low, high = (float(value) for value in np.percentile(finite, PERCENTILES))
    with np.errstate(over="ignore", invalid="ignore"):
        rounding = _ROUNDING if np.array_equal(finite, np.rint(finite)) else 0.0
        span = max(high - low, NOISE_SPAN * _noise(sample, rounding))
        if span == 0:  # a few bright pixels on a perfectly even background
            span = float(finite.max()) - low
    return Scaling(low=low, span=min(span, float(np.finfo(np.float64).max)))


def _noise(sample: NDArray[np.float64], rounding: float) -> float:
    """Return the standard deviation of the noise of one pixel."""
    differences = np.diff(sample, axis=1)
    differences = differences[np.isfinite(differences)]
    deviation = rounding
    if differences.size > 0:
        deviation += np.median(np.abs(differences - np.median(differences)))
    return float(_MAD_TO_STANDARD_DEVIATION * deviation / np.sqrt(2))

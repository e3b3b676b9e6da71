"""Images that show a network its usual numbers before it goes on to 8 bits."""

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._images import read_image

_BUNDLED = (("neurons", 36.5 * 300 / 1600), ("nuclei", 28.0))
"""The samples of real cells, and their diameter in px; `plugin` has them, too."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CalibrationImage:
    """An image of the kind that will be predicted."""

    image: NDArray[Any]
    """(..., Y, X) or (..., Y, X, 3 or 4)."""
    diameter: float | None = None
    """Of a cell in px, as for `predict`."""
    truth: NDArray[Any] | None = None
    """Labels (Y, X), where they are known."""


def bundled_images() -> list[CalibrationImage]:
    """Read the samples of real cells that come with the package.

    Returns
    -------
    list of CalibrationImage
        With their truth.
    """
    folder = files("napari_cresunet") / "plugin" / "samples"
    found = []
    for name, diameter in _BUNDLED:
        with (
            as_file(folder / f"{name}.png") as image,
            as_file(folder / f"{name}_truth.png") as truth,
        ):
            found.append(
                CalibrationImage(
                    image=read_image(image),
                    diameter=diameter,
                    truth=read_image(truth).astype(np.int32),
                )
            )
    return found


def hash_of_images(images: list[CalibrationImage]) -> str:
    """Return SHA-256 of images, their truths and sizes in hexadecimal."""
    digest = hashlib.sha256()
    for item in images:
        for array in (item.image, item.truth):
            if array is not None:
                digest.update(f"{array.shape} {array.dtype.str}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(json.dumps(item.diameter).encode())
    return digest.hexdigest()

"""An image with its ground truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._labels import as_labels
from napari_cresunet._typing import Image, Labels
from napari_cresunet.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """An image and its ground truth."""

    name: str
    image: Image
    """(Y, X) or (Y, X, 3)."""
    labels: Labels
    """(Y, X), int32; 0 is background, each cell has its own value."""
    match_distance: float | None = None
    """Distance in px up to which centers match, where the data set says one."""
    weight: float = 1.0
    """How often it is drawn in training, relative to others."""
    cell_diameter: float | None = None
    """Size of a usual cell in px, where it is known."""

    @property
    def diameter(self) -> float | None:
        """Mean equivalent diameter of the cells in px; None without cells."""
        areas = np.bincount(self.labels.flat)[1:]
        areas = areas[areas > 0]
        return float(2 * np.sqrt(areas.mean() / np.pi)) if areas.size else None


def pair_from_arrays(
    name: str,
    image: ArrayLike,
    truth: ArrayLike,
    *,
    match_distance: float | None = None,
    cell_diameter: float | None = None,
) -> Pair:
    """Make a pair of arrays, such as the data of two layers.

    Parameters
    ----------
    name : str
        What to call it in messages and results.
    image : array_like of shape (Y, X), (Y, X, 3) or (Y, X, 4)
        One plane; transparency is left out.
    truth : array_like of shape (Y, X)
        A mask or label image; see `as_labels` for how it becomes cells.
    match_distance : float, optional
        Distance in px up to which centers match.
    cell_diameter : float, optional
        Size of a usual cell in px.

    Returns
    -------
    Pair
        The image as it is and the truth as labels.

    Raises
    ------
    InputError
        If the image is no plane of finite numbers, the truth is neither mask nor
        labels, or the two differ in size.
    """
    pixels = checked_image(np.asarray(image), f"The image {name}")
    truth = np.asarray(truth)
    if truth.shape[:2] != pixels.shape[:2]:
        raise InputError(
            f"Image and labels of {name} differ in size: "
            f"{pixels.shape[:2]} and {truth.shape[:2]}."
        )
    return Pair(
        name=name,
        image=pixels,
        labels=as_labels(truth, name=f"The truth of {name}"),
        match_distance=match_distance,
        cell_diameter=cell_diameter,
    )


def checked_image(image: NDArray[Any], name: str) -> Image:
    """Check that an image can be one of a pair.

    Parameters
    ----------
    image : ndarray
        Its pixels.
    name : str
        What to call it in messages.

    Returns
    -------
    ndarray of shape (Y, X) or (Y, X, 3)
        The image without transparency.

    Raises
    ------
    InputError
        If it is no plane of finite numbers.
    """
    is_color = image.ndim == 3 and image.shape[-1] in (3, 4)
    if not (image.ndim == 2 or is_color):
        raise InputError(
            f"{name} has the shape {image.shape}: use one plane (Y, X), or (Y, X, 3) "
            "in color."
        )
    if not image.size:
        raise InputError(f"{name} has no pixel: leave it out.")
    if image.dtype.kind not in "uif":
        raise InputError(
            f"{name} holds {image.dtype} and not numbers: give its pixels."
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError(
            f"{name} has pixels that are not finite: mend or leave it out."
        )
    return image[..., :3] if is_color else image

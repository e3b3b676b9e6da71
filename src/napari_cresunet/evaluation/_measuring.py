"""Brightness and probability of cells and of what is around them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Mask
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._comparison import Comparison
from napari_cresunet.evaluation._objects import Objects

_LEAST_SURROUNDINGS = 3  # px around a cell
_POINT_DIAMETER = 20.0  # px, where nothing was found that tells how wide a cell is


class Outline(NamedTuple):
    """The outline that stands for a case."""

    is_pred: bool
    """Whether it is a predicted one."""
    row: int
    """Row of the predictions or of the true cells."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """The pixels of an outline, and those around it."""

    plane: int
    box: tuple[slice, slice]
    """Rows and columns of what is around it, too."""
    inside: Mask
    """Within the box."""
    around: Mask
    """Within the box: pixels of no cell on either side."""


def as_planes(values: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """Return values of the shape of the labels as (planes, Y, X).

    Parameters
    ----------
    values : array_like
        Such as a probability.
    shape : tuple of int
        Of the labels.
    name : str
        What to call it.

    Returns
    -------
    ndarray of shape (planes, Y, X)
        A view where possible.

    Raises
    ------
    InputError
        If the shape is another.
    """
    array = np.asarray(values)
    if array.shape != shape:
        raise InputError(
            f"Labels and {name} differ in shape: {shape} and {array.shape}; take the "
            f"{name} of these labels."
        )
    return array.reshape(math.prod(shape[:-2]), *shape[-2:])


def gray_planes(image: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an image as (planes, Y, X), colors by the brightest channel.

    Parameters
    ----------
    image : array_like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image; transparency is left out.
    shape : tuple of int
        Of the labels.

    Returns
    -------
    ndarray of shape (planes, Y, X)
        In the unit of the image.
    """
    array = np.asarray(image)
    if array.ndim == len(shape) + 1 and array.shape[-1] in (3, 4):
        array = array[..., :3].max(axis=-1)
    return as_planes(array, shape, "image")


def measure_mean(
    comparison: Comparison, outlines: Sequence[Outline], planes: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the mean within each outline.

    Parameters
    ----------
    comparison : Comparison
        What the outlines are of.
    outlines : sequence of Outline
        Where.
    planes : ndarray of shape (planes, Y, X)
        Of what.

    Returns
    -------
    ndarray of float64, shape (N,)
        In the unit of the values.
    """
    means = [
        planes[spot.plane][spot.box][spot.inside].mean(dtype=np.float64)
        for spot in _spots(comparison, outlines)
    ]
    return np.array(means, np.float64)


def measure_brightness(
    comparison: Comparison, outlines: Sequence[Outline], planes: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Return how bright cells and their surroundings are.

    Parameters
    ----------
    comparison : Comparison
        What the outlines are of.
    outlines : sequence of Outline
        Where.
    planes : ndarray of shape (planes, Y, X)
        The brightness.

    Returns
    -------
    dict of str to ndarray of float64, shape (N,)
        "brightness", "background" and "contrast".
    """
    brightness, background = [], []
    for spot in _spots(comparison, outlines):
        crop = planes[spot.plane][spot.box]
        around = crop[spot.around]
        brightness.append(crop[spot.inside].mean(dtype=np.float64))
        background.append(np.median(around) if around.size else np.nan)
    table = {
        "brightness": np.array(brightness, np.float64),
        "background": np.array(background, np.float64),
    }
    return table | {"contrast": table["brightness"] - table["background"]}


def surroundings_of(box: Sequence[int], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return which part of a plane shows a cell with its background.

    Parameters
    ----------
    box : sequence of 4 int
        Bounding box of the cell: top, left, bottom and right, the last two exclusive.
    shape : tuple of int
        Height and width of the plane in px.

    Returns
    -------
    rows, columns : slice
        The box with half of its longer side around it, at least 3 px, as far as the
        plane reaches.
    """
    top, left, bottom, right = box
    longer = max(bottom - top, right - left)
    margin = max(_LEAST_SURROUNDINGS, math.ceil(longer / 2))
    return (
        slice(max(top - margin, 0), min(bottom + margin, shape[0])),
        slice(max(left - margin, 0), min(right + margin, shape[1])),
    )


def _spots(comparison: Comparison, outlines: Sequence[Outline]) -> Iterator[_Spot]:
    """Yield where outlines are, one after the other."""
    radius = _usual_diameter(comparison.pred) / 2
    for is_pred, row in outlines:
        side = comparison.pred if is_pred else comparison.true
        box = side.boxes[row]
        if side.index is None:
            reach = math.ceil(radius)
            box = box + np.array([-reach, -reach, reach, reach])
        yield _spot(comparison, side, row, box, radius)


def _spot(
    comparison: Comparison,
    side: Objects,
    row: int,
    box: NDArray[np.intp],
    radius: float,
) -> _Spot:
    height, width = side.shape[-2:]
    place = surroundings_of(box.tolist(), (height, width))
    plane = int(side.planes[row])
    if side.index is None:
        rows, columns = np.ogrid[place]
        center = np.floor(side.centers[row] + 0.5)
        center = np.clip(center, 0, [height - 1, width - 1])
        inside = np.hypot(rows - center[0], columns - center[1]) <= radius
    else:
        inside = side.index[plane][place] == row + 1
    around = ~inside
    for other in (comparison.pred, comparison.true):
        if other.index is not None:
            around &= other.index[plane][place] == 0
    return _Spot(plane, place, inside, around)


def _usual_diameter(pred: Objects) -> float:
    """Return how wide a disc of the usual area is, in px."""
    if not len(pred):
        return _POINT_DIAMETER
    return float(2 * np.sqrt(np.median(pred.areas) / np.pi))

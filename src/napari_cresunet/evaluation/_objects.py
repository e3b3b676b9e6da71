"""What is compared: the cells of one side, from labels, a mask or points."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._labels import as_numbers, connected
from napari_cresunet._typing import Indices, Labels
from napari_cresunet.errors import InputError

Shape: TypeAlias = tuple[int, ...]

_MOST_LABELS = 10_000_000
"""A label above, or above the pixels of a plane, is renumbered first: a table up to it
would fill the memory, and take long for each plane."""
_OUTSIDE = 1.0  # px by which a point may lie outside, for rounding


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """The cells of one side, predicted or true.

    Leading axes are planes: a label in two planes is two cells.
    """

    shape: Shape
    """Of the image, (..., Y, X)."""
    ids: Indices
    """(N,): the label of each cell, or the number of the point from 0."""
    planes: Indices
    """(N,): its plane, counted through all leading axes."""
    centers: NDArray[np.float64]
    """(N, 2): row and column in px of the center of its bounding box, or the point."""
    boxes: Indices
    """(N, 4): top, left, bottom and right of its bounding box, the last two exclusive;
    of a point the pixel around it."""
    areas: Indices
    """(N,): its pixels; 0 of a point."""
    index: Labels | None
    """(planes, Y, X): 0 is background, i + 1 is the cell of row i; None for points."""
    is_mask: bool = False
    """Whether it is a mask, in which cells that touch are one."""

    def __len__(self) -> int:
        """Return how many cells there are."""
        return len(self.ids)

    @property
    def touches_border(self) -> NDArray[np.bool_]:
        """(N,): whether its bounding box reaches the edge of its plane."""
        if self.index is None:
            return np.zeros(len(self), np.bool_)
        top, left, bottom, right = self.boxes.T
        height, width = self.shape[-2:]
        touches: NDArray[np.bool_] = (
            (top == 0) | (left == 0) | (bottom == height) | (right == width)
        )
        return touches

    def centroids(self) -> NDArray[np.float64]:
        """Return (N, 2), the mean row and column of each cell's pixels; of a point it.

        Returns
        -------
        ndarray of float64, shape (N, 2)
            In px.
        """
        if self.index is None:
            return self.centers
        width, height = self.shape[-1], self.shape[-2]
        pixels = np.flatnonzero(self.index)
        numbers = self.index.ravel()[pixels] - 1
        rows, columns = np.divmod(pixels, width)
        sums = [
            np.bincount(numbers, weights=values, minlength=len(self))
            for values in (rows % height, columns)
        ]
        centroids: NDArray[np.float64] = np.stack(sums, axis=1) / self.areas[:, None]
        return centroids


def objects_of(labels: ArrayLike, *, name: str = "The label image") -> Objects:
    """Find the cells of a label image or mask.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X)
        One number for each cell. True and False, or 0 and one other number, are a mask,
        whose 8-connected parts are the cells; if there is but one, that number stays
        its label. 8 bits may be a mask that was saved with loss; see
        `datasets.as_labels`.
    name : str, optional
        What to call it in messages.

    Returns
    -------
    Objects
        The cells, by plane and label.

    Raises
    ------
    InputError
        If it has less than two axes, or values that are no labels.
    """
    array = np.asarray(labels)
    if array.ndim < 2:
        raise InputError(
            f"{name} must have at least two axes (Y, X), got shape {array.shape}."
        )
    given, array = array, as_numbers(array, name=name)
    if array.max(initial=0) > np.iinfo(np.intp).max:
        raise InputError(f"{name} has values too large for labels: number them anew.")
    planes = array.reshape(math.prod(array.shape[:-2]), *array.shape[-2:])
    is_mask = planes.dtype.kind == "b"
    if is_mask:
        parts = [connected(plane) for plane in planes]
        planes = np.stack(parts) if parts else planes.astype(np.int32)
    values: NDArray[Any] | None = None
    if planes.max(initial=0) > min(_MOST_LABELS, math.prod(array.shape[-2:])):
        # A 0 of another type would make floating-point numbers of unsigned ones.
        zero = np.zeros(1, planes.dtype)
        values, places = np.unique(np.append(zero, planes), return_inverse=True)
        planes = places[1:].reshape(planes.shape)
    found = [_boxes(plane) for plane in planes]
    counts = [len(ids) for ids, _ in found]
    ids = np.concatenate([np.empty(0, np.intp), *(ids for ids, _ in found)])
    boxes = np.concatenate([np.empty((0, 4), np.intp), *(boxes for _, boxes in found)])
    index = _numbered(planes, ids, counts)
    if is_mask and max(counts, default=0) == 1:
        ids[:] = _only_label(given)
    return Objects(
        shape=array.shape,
        ids=ids if values is None else values[ids].astype(np.intp),
        planes=np.repeat(np.arange(len(planes)), counts),
        centers=(boxes[:, :2] + boxes[:, 2:] - 1) / 2,
        boxes=boxes,
        areas=np.bincount(index[index > 0], minlength=len(ids) + 1)[1:],
        index=index,
        # One number with one part, as in an image with a single cell, is none.
        is_mask=given.dtype.kind == "b" or (is_mask and len(ids) > 1),
    )


def _only_label(mask: NDArray[Any]) -> int:
    """Return the one number that a mask has beside 0; 1 if it is none of a label."""
    highest = mask.max()
    is_single = highest >= 1 and bool(((mask == 0) | (mask == highest)).all())
    return int(highest) if is_single else 1


def _boxes(plane: NDArray[Any]) -> tuple[Indices, Indices]:
    """Return the labels of a plane and their bounding boxes."""
    from scipy import ndimage

    boxes = ndimage.find_objects(plane)
    ids = [number for number, box in enumerate(boxes, start=1) if box is not None]
    edges = [
        (box[0].start, box[1].start, box[0].stop, box[1].stop) for box in boxes if box
    ]
    return np.array(ids, np.intp), np.array(edges, np.intp).reshape(-1, 4)


def _numbered(planes: NDArray[Any], ids: Indices, counts: list[int]) -> Labels:
    """Number the cells through all planes."""
    if (ids == np.arange(1, len(ids) + 1)).all():
        # The labels of this package are so already: no copy.
        return planes.astype(np.int32, copy=False)
    index = np.zeros(planes.shape, np.int32)
    first = 0
    for plane, numbered, count in zip(planes, index, counts, strict=True):
        own = ids[first : first + count]
        table = np.zeros(own.max(initial=0) + 1, np.int32)
        table[own] = np.arange(first + 1, first + count + 1)
        np.take(table, plane, out=numbered)
        first += count
    return index


def points_of(points: ArrayLike, shape: Shape, *, name: str = "The truth") -> Objects:
    """Take points, each of which marks a cell.

    Parameters
    ----------
    points : array_like of shape (N, D)
        Coordinates in px, in the order of the image's axes; rows and columns last.
        Coordinates along leading axes are rounded to the nearest plane.
    shape : tuple of int
        Of the image, with `D` axes.
    name : str, optional
        What to call them in messages.

    Returns
    -------
    Objects
        The points in their order.

    Raises
    ------
    InputError
        If they have another number of coordinates, or lie outside of the image.
    """
    array = np.asarray(points, np.float64)
    if array.ndim != 2 or array.shape[1] != len(shape):
        raise InputError(
            f"{name} has points of {array.shape[-1]} coordinates, but the image has "
            f"{len(shape)} axes: give one coordinate for each axis."
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name} has a coordinate that is not finite: leave it out.")
    steps = array.copy()
    steps[:, :-2] = np.floor(steps[:, :-2] + 0.5)
    last = np.array(shape) - 1
    reach = np.where(np.arange(len(shape)) < len(shape) - 2, 0, 0.5 + _OUTSIDE)
    is_outside = ((steps < -reach) | (steps > last + reach)).any(axis=1)
    if is_outside.any():
        raise InputError(
            f"{name} has {np.count_nonzero(is_outside)} of {len(array)} points outside "
            f"of the image of {' x '.join(map(str, shape))} px: give them in px, the "
            "row before the column."
        )
    leading = tuple(steps[:, :-2].astype(np.intp).T)
    planes = (
        np.ravel_multi_index(leading, shape[:-2])
        if leading
        else np.zeros(len(array), np.intp)
    )
    centers = array[:, -2:]
    pixels = np.clip(np.floor(centers + 0.5), 0, last[-2:]).astype(np.intp)
    return Objects(
        shape=tuple(shape),
        ids=np.arange(len(array)),
        planes=np.asarray(planes, np.intp),
        centers=centers,
        boxes=np.concatenate([pixels, pixels + 1], axis=1),
        areas=np.zeros(len(array), np.intp),
        index=None,
    )


def true_objects(truth: "ArrayLike | Objects", shape: Shape) -> Objects:
    """Take a truth in whatever form.

    Parameters
    ----------
    truth : array_like or Objects
        Label image or mask of this shape, or points (N, D).
    shape : tuple of int
        Of the predicted labels.

    Returns
    -------
    Objects
        The true cells.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(truth, Objects):
        found = truth
    else:
        array = np.asarray(truth)
        if _is_points(array, shape):
            return points_of(array, shape)
        if array.shape == (0,):  # an empty list
            return points_of(np.empty((0, len(shape))), shape)
        found = objects_of(array, name="The truth")
    if found.shape != shape:
        raise InputError(
            f"Labels and truth differ in shape: {shape} and {found.shape}; take the "
            "truth of this image."
        )
    return found


def _is_points(array: NDArray[Any], shape: Shape) -> bool:
    """Tell points from labels; nothing else has two or three columns."""
    return (
        array.ndim == 2
        and array.shape != shape
        and array.shape[1] in (2, 3, len(shape))
    )


def as_objects(
    labels: "ArrayLike | Objects", truth: "ArrayLike | Objects"
) -> tuple[Objects, Objects]:
    """Take both sides in whatever form.

    Parameters
    ----------
    labels : array_like or Objects
        Predicted labels.
    truth : array_like or Objects
        Labels, mask or points.

    Returns
    -------
    pred, true : Objects
        The cells.
    """
    pred = labels if isinstance(labels, Objects) else objects_of(labels)
    return pred, true_objects(truth, pred.shape)

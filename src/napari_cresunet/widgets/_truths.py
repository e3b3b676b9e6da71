"""Layers that say where the true cells are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.widgets._layers import layer_shape
from napari_cresunet.widgets._records import record_of

_WORDS = ("truth", "ground", "manual", "annotat", "mask")


def is_truth(layer: Any) -> bool:
    """Tell whether a layer can say where the true cells are.

    Parameters
    ----------
    layer : napari.layers.Layer
        Labels, points, or an image of whole numbers, as napari opens masks.

    Returns
    -------
    bool
        False for what this plugin made.
    """
    from napari.layers import Image, Labels, Points

    if "source" in record_of(layer):
        return False
    if isinstance(layer, Image):
        return not layer.rgb and np.dtype(layer.dtype).kind in "bui"
    return isinstance(layer, Labels | Points) and "kind" not in record_of(layer)


def is_named_truth(layer: Any) -> bool:
    """Tell whether a layer says of itself that it is a truth.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    bool
        By a mark of our samples and readers, or by a word in its name.
    """
    is_named = any(word in layer.name.lower() for word in _WORDS)
    return is_named or bool(record_of(layer).get("truth"))


def truth_of(truth: Any, reference: Any) -> NDArray[Any]:
    """Return the true cells in the pixels of another layer.

    Parameters
    ----------
    truth : napari.layers.Labels, Points or Image
        A layer for which `is_truth`.
    reference : napari.layers.Labels
        The predicted cells.

    Returns
    -------
    ndarray
        Labels or mask of the shape of the reference, cut out where that is a field of
        view of it; or points (N, D) in px of the reference. Not copied where it need
        not be.

    Raises
    ------
    InputError
        If the truth is points of another number of axes, or lies elsewhere.
    """
    from napari.layers import Points

    if isinstance(truth, Points):
        return _points(truth, reference)
    data = np.asarray(truth.data[0] if truth.multiscale else truth.data)
    shape = layer_shape(reference)
    if data.shape == shape or data.ndim != len(shape):
        return data  # what cannot be compared is refused there, with both shapes
    return _cut(data, truth, reference, shape)


def _points(points: Any, reference: Any) -> NDArray[np.float64]:
    """Return points in px of another layer, where they are seen."""
    if points.ndim != reference.ndim:
        raise InputError(
            f"The points in {points.name!r} have {points.ndim} coordinates, but "
            f"{reference.name!r} has {reference.ndim} axes: mark the cells in a points "
            "layer made on this image."
        )
    found = [reference.world_to_data(points.data_to_world(one)) for one in points.data]
    return np.array(found, np.float64).reshape(-1, reference.ndim)


def _cut(
    data: NDArray[Any], truth: Any, reference: Any, shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return the part of a truth that a field of view shows."""
    ends = [
        np.asarray(truth.world_to_data(reference.data_to_world(corner)))
        for corner in (np.zeros(len(shape)), np.array(shape) - 1.0)
    ]
    first, last = (np.round(end).astype(int) for end in ends)
    is_exact = np.allclose(ends, [first, last], atol=0.01)
    fits = (first >= 0).all() and (last < data.shape).all()
    if not (is_exact and fits and (last - first + 1 == shape).all()):
        return data
    return data[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]

"""Which layers of a viewer hold cells, and which image and probability are theirs."""

from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.widgets._drawing import plane_map
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    is_cells,
    is_source,
    layer_shape,
    pixel_um_of,
    source_of,
)
from napari_cresunet.widgets._records import record_of
from napari_cresunet.widgets._truths import is_named_truth


def cell_layers(viewer: Any) -> list[Any]:
    """Return the labels layers that may hold cells, our own counts first."""
    layers = [x for x in reversed(viewer.layers) if is_cells(x)]
    return sorted(layers, key=_rank)


def _rank(layer: Any) -> tuple[bool, bool, bool]:
    return not is_counted(layer), is_named_truth(layer), not layer.visible


def proposed_cells(viewer: Any) -> Any:
    """Return the labels that are taken unless the user says otherwise, or None."""
    layers = cell_layers(viewer)
    return next((x for x in layers if is_counted(x) or not is_named_truth(x)), None)


def selected_cells(viewer: Any) -> Any:
    """Return the labels that the user means with the selected layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose.

    Returns
    -------
    napari.layers.Labels or None
        The layer itself, or what was counted on it; None if it is neither.
    """
    active = viewer.layers.selection.active
    if active is None:
        return None
    for layer in cell_layers(viewer):
        image = image_of(viewer, layer) if is_counted(layer) else None
        own = [identity_of(one) for one in (layer, image) if one is not None]
        if identity_of(active) in own:
            return layer
    return None


def is_counted(layer: Any) -> bool:
    """Tell whether the labels are those of Segment and count."""
    return bool(record_of(layer).get("kind") == "cells")


def image_of(viewer: Any, labels: Any) -> Any:
    """Return the layer with the image that labels are of, or None."""
    source = find_layer(viewer, str(record_of(labels).get("source", "")))
    if source is not None:
        return source
    shape = layer_shape(labels)
    fitting = [x for x in viewer.layers if is_source(x) and layer_shape(x) == shape]
    # Truth that was opened as an image is no image of cells.
    pictures = [layer for layer in fitting if not is_named_truth(layer)]
    return next(iter(reversed(pictures)), None)


def probability_of(viewer: Any, labels: Any) -> Any:
    """Return the layer with the probability that labels were made of, or None."""
    record = record_of(labels)
    if not is_counted(labels):
        return None
    for layer in reversed(viewer.layers):
        other = record_of(layer)
        is_same_run = all(
            other.get(name) == record.get(name) for name in ("source", "time", "model")
        )
        if other.get("kind") == "probability" and is_same_run:
            fits = layer_shape(layer) == layer_shape(labels)
            return layer if fits else None
    return None


def pixel_size_of(labels: Any, image: Any) -> tuple[float, float] | None:
    """Return height and width of a pixel of labels in µm.

    Parameters
    ----------
    labels : napari.layers.Labels
        Say it themselves, or
    image : napari.layers.Image or None
        their image does, if it has the same pixels.

    Returns
    -------
    tuple of float, or None
        None if nothing tells it.
    """
    known = pixel_um_of(labels)
    if known is None and image is not None:
        is_same = layer_shape(image)[-2:] == layer_shape(labels)[-2:]
        known = pixel_um_of(image) if is_same else None
    return known


def pixels_on(image: Any, labels: Any) -> Any:
    """Return the pixels of an image on which labels lie.

    Parameters
    ----------
    image : napari.layers.Image
        The image; of a pyramid the full resolution is taken.
    labels : napari.layers.Labels
        The cells, of the whole image or of a field of view.

    Returns
    -------
    array of shape (..., Y, X) or (..., Y, X, 3 or 4)
        Not copied.

    Raises
    ------
    InputError
        If the labels are of another image.
    """
    source = source_of(image)
    shape, wanted = layer_shape(image), layer_shape(labels)
    is_same = shape == wanted
    has_channels = not source.is_rgb and shape[1:] == wanted
    if is_same or has_channels:
        return source.image
    matrix, offset = plane_map(labels, image)
    corner = np.round(offset).astype(int)
    ends = corner + np.array(wanted[-2:])
    is_inside = (corner >= 0).all() and (ends <= shape[-2:]).all()
    is_part = shape[:-2] == wanted[:-2] and np.allclose(matrix, np.eye(2), atol=1e-3)
    if not (is_inside and is_part):
        raise InputError(
            f"{image.name!r} has {_size(shape)} px and {labels.name!r} "
            f"{_size(wanted)}: choose the image that was counted."
        )
    rows, columns = (slice(a, b) for a, b in zip(corner, ends, strict=True))
    tail = (slice(None),) if source.is_rgb else ()
    return source.image[(..., rows, columns, *tail)]


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))

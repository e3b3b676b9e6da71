"""What the layers of a viewer hold that is counted and measured."""

from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region
from napari_cresunet.state import Corrections, MeasureSource
from napari_cresunet.widgets._drawing import plane_map
from napari_cresunet.widgets._evaluate_pairs import image_of, probability_of
from napari_cresunet.widgets._layers import (
    identity_of,
    is_cells,
    is_source,
    layer_shape,
    pixel_um_of,
    record_of,
    set_features,
    source_of,
)
from napari_cresunet.widgets._measure_frames import frames_of
from napari_cresunet.widgets._measure_regions import regions_of
from napari_cresunet.widgets._truths import is_named_truth

_MICROMETER = "micrometer"
_MOST_ROWS = 3  # rows of napari's own table for each cell
_PUBLISHED = (
    *("region", "area_px", "area_um2", "equivalent_diameter_um", "solidity"),
    *("mean_probability", "mean_intensity", "integrated_intensity"),
)
"""Few, for napari shows all of them in its status bar."""


def cell_layers(viewer: Any) -> list[Any]:
    """Return the labels layers that may hold cells, our own counts first."""
    layers = [x for x in reversed(viewer.layers) if is_cells(x)]
    return sorted(layers, key=_rank)


def _rank(layer: Any) -> tuple[bool, bool, bool]:
    is_counted = record_of(layer).get("kind") == "cells"
    return not is_counted, is_named_truth(layer), not layer.visible


def image_layers(viewer: Any) -> list[Any]:
    """Return the layers in which the brightness of cells can be measured."""
    return [x for x in reversed(viewer.layers) if is_source(x)]


def likely_image(viewer: Any, labels: Any) -> Any:
    """Return the image that labels are of, or None."""
    return None if labels is None else image_of(viewer, labels)


def source_now(
    viewer: Any, labels: Any, image: Any, regions: Any, frame: Any
) -> MeasureSource:
    """Take what layers hold now.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the probability is looked for.
    labels : napari.layers.Labels
        The cells; copied, for the user may go on painting.
    image : napari.layers.Image or None
        Where brightness is measured.
    regions : napari.layers.Shapes or Labels, or None
        The regions.
    frame : napari.layers.Shapes or None
        The counting frames.

    Returns
    -------
    MeasureSource
        All that is known; what does not fit is left out, with a warning.
    """
    data = labels.data[0] if labels.multiscale else labels.data
    probability = probability_of(viewer, labels)
    corrections = known_corrections(labels)
    pixels: Any = None
    drawn: tuple[Region, ...] = ()
    warnings = []
    # Counts are right without what does not fit.
    try:
        pixels = None if image is None else pixels_on(image, labels)
    except InputError as error:
        warnings.append(str(error))
    try:
        drawn = () if regions is None else regions_of(regions, labels)
    except InputError as error:
        warnings.append(str(error))
    return MeasureSource(
        identity=identity_of(labels),
        name=labels.name,
        # What is not in memory is loaded with the work, which may be in a thread.
        labels=data.copy() if isinstance(data, np.ndarray) else data,
        image_name="" if pixels is None else image.name,
        image=pixels,
        is_rgb=pixels is not None and bool(image.rgb),
        probability=None if probability is None else probability.data,
        pixel_um=pixel_size_of(labels, image),
        regions=drawn,
        frames=() if frame is None else frames_of(frame, labels),
        record=dict(record_of(labels)),
        log=() if corrections is None else tuple(corrections.log),
        n_pinned=None if corrections is None else corrections.n_pinned,
        warning=" ".join(warnings),
    )


def known_corrections(labels: Any) -> Corrections | None:
    """Return what a person did to labels, if a record of it is kept."""
    found = (x for x in labels.metadata.values() if isinstance(x, Corrections))
    return next(found, None)


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


def set_pixel_size(viewer: Any, labels: Any, image: Any, um: float) -> None:
    """Give labels, their image and all that lies on them the size of a pixel.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose.
    labels : napari.layers.Labels
        The cells.
    image : napari.layers.Image or None
        Their image.
    um : float
        Side of a pixel in µm, more than 0.
    """
    own = [layer for layer in (labels, image) if layer is not None]
    camera, shown = viewer.scene.camera, viewer.dims.displayed
    seen = um / float(np.mean(labels.scale[-2:]))
    for layer in [x for x in viewer.layers if _lies_on(x, own)]:
        ratio = um / np.asarray(layer.scale)[-2:]
        translate = np.array(layer.translate, float)
        translate[-2:] *= ratio
        scale = np.array(layer.scale, float)
        scale[-2:] = um
        layer.scale, layer.translate = scale, translate
        layer.units = (*layer.units[:-2], _MICROMETER, _MICROMETER)
    if len(shown) == 2:  # what was in sight stays there
        camera.center = (*camera.center[:-2], *(seen * x for x in camera.center[-2:]))
        camera.zoom /= seen


def _lies_on(layer: Any, own: list[Any]) -> bool:
    """Tell whether a layer has the pixels of labels or image, or is drawn on them."""
    from napari.layers import Image, Labels

    if any(identity_of(layer) == identity_of(one) for one in own):
        return True
    is_there = any(
        np.allclose(layer.scale[-2:], one.scale[-2:])
        and layer.units[-2:] == one.units[-2:]
        for one in own
    )
    if not (is_there and isinstance(layer, Image | Labels)):
        return is_there
    sides = [layer_shape(one)[-2:] for one in own]
    names = [identity_of(one) for one in own]
    return layer_shape(layer)[-2:] in sides or record_of(layer).get("source") in names


def publish(labels: Any, columns: Any) -> None:
    """Show measures in napari's own table and status bar, too.

    Parameters
    ----------
    labels : napari.layers.Labels
        The cells.
    columns : mapping of str to ndarray
        As of `measurement.measure`; only a few of them are shown.
    """
    cells = columns["label"]
    n = int(cells.max(initial=0)) + 1
    # napari's table has a row for each number, whether there is such a cell or not.
    if n > _MOST_ROWS * (len(cells) + 1):
        return
    table = {"index": np.arange(n), "label": np.arange(n)}
    for name in _PUBLISHED:
        if name in columns:
            column = columns[name]
            is_text = column.dtype.kind in "USO"
            full = np.full(n, "" if is_text else np.nan, object if is_text else float)
            full[cells] = column
            table[name] = full
    set_features(labels, table)

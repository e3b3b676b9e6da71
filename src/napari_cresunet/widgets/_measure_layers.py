"""What the layers of a viewer hold that is counted and measured."""

from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region
from napari_cresunet.state import MeasureSource
from napari_cresunet.widgets._belonging import (
    pixel_size_of,
    pixels_on,
    probability_of,
)
from napari_cresunet.widgets._corrections import corrections_of, is_followed
from napari_cresunet.widgets._layers import (
    identity_of,
    is_source,
    layer_shape,
    set_features,
)
from napari_cresunet.widgets._measure_frames import frames_of
from napari_cresunet.widgets._measure_regions import regions_of
from napari_cresunet.widgets._records import record_of

_MICROMETER = "micrometer"
_MOST_ROWS = 3  # rows of napari's own table for each cell
_PUBLISHED = (
    *("region", "area_px", "area_um2", "equivalent_diameter_um", "solidity"),
    *("mean_probability", "mean_intensity", "integrated_intensity"),
)
"""Few, for napari shows all of them in its status bar."""


def image_layers(viewer: Any) -> list[Any]:
    """Return the layers in which the brightness of cells can be measured."""
    return [x for x in reversed(viewer.layers) if is_source(x)]


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
    corrections = corrections_of(labels) if is_followed(labels) else None
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

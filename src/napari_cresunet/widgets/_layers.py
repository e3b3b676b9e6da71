"""Layers of the viewer: what an image layer says of itself, and where results go."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cresunet.state import Corrections, Result, Source
from napari_cresunet.widgets._corrections import (
    CORRECTIONS,
    corrections_of,
    forget_edits,
    is_edited,
    is_followed,
    known_corrections,
    show_renewed,
    start_corrections,
)
from napari_cresunet.widgets._records import record_of

SPATIAL = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
_KEY = "cresunet"


def identity_of(layer: Any) -> str:
    """Return what tells a layer from all others, whatever it is called."""
    return str(layer.unique_id)


def find_layer(viewer: Any, identity: str) -> Any:
    """Return the layer with this identity, or None if it is gone."""
    for layer in viewer.layers:
        if identity_of(layer) == identity:
            return layer
    return None


def is_source(layer: Any) -> bool:
    """Tell whether a layer is an image to be counted, not one of our results."""
    from napari.layers import Image

    return isinstance(layer, Image) and "source" not in record_of(layer)


def is_cells(layer: Any) -> bool:
    """Tell whether a layer holds cells, and does not only show how they were judged.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    bool
        True for labels that were counted, drawn or opened.
    """
    from napari.layers import Labels

    is_ours = record_of(layer).get("kind") in (None, "cells", "compared cells")
    return isinstance(layer, Labels) and is_ours


def is_area(layer: Any) -> bool:
    """Tell whether a layer holds areas that somebody drew.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    bool
        True for shapes, but not for the lines of a correction or of a frame.
    """
    from napari.layers import Shapes

    is_drawn = record_of(layer).get("kind") in (None, "regions", "frame")
    return isinstance(layer, Shapes) and is_drawn


def source_of(layer: Any) -> Source:
    """Return what the engine must know of an image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer; its pixels are not read.

    Returns
    -------
    Source
        Of a pyramid the full resolution.
    """
    record = record_of(layer)
    diameter, pyramid = record.get("diameter"), record.get("pyramid")
    return Source(
        identity=identity_of(layer),
        name=layer.name,
        image=layer.data[0] if layer.multiscale else layer.data,
        is_rgb=bool(layer.rgb),
        pixel_um=pixel_um_of(layer),
        diameter=float(diameter) if isinstance(diameter, int | float) else None,
        pyramid=(pyramid, record.get("channel")) if isinstance(pyramid, str) else None,
    )


def pixel_um_of(layer: Any) -> tuple[float, float] | None:
    """Return height and width of a pixel in µm, if the layer has units of length."""
    import pint

    if layer.ndim < 2:
        return None
    try:
        height, width = (
            abs(float(side)) * float((1 * unit).to("micrometer").magnitude)
            for side, unit in zip(layer.scale[-2:], layer.units[-2:], strict=True)
        )
    except pint.DimensionalityError:
        return None
    return height, width


def visible_region(viewer: Any, layer: Any) -> tuple[slice, slice] | None:
    """Return the rows and columns of an image that the canvas shows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    layer : napari.layers.Image
        The image.

    Returns
    -------
    tuple of slice, or None
        None if the canvas does not show rows and columns of it.
    """
    displayed = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
    if displayed != [-2, -1]:
        return None
    corners = np.array(layer.corner_pixels, float)[:, -2:]
    if layer.multiscale:
        corners *= np.asarray(layer.downsample_factors)[layer.data_level][-2:]
    shape = layer_shape(layer)[-2:]
    low = np.clip(np.floor(corners[0]), 0, shape).astype(int)
    high = np.clip(np.ceil(corners[1]) + 1, 0, shape).astype(int)
    if (high - low < 2).any():
        return None
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def layer_shape(layer: Any) -> tuple[int, ...]:
    """Return (..., Y, X) of an image layer at full resolution."""
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape[: layer.ndim])


def shown_plane(viewer: Any, layer: Any) -> int:
    """Return the number of the plane of a stack that the canvas shows."""
    leading = layer_shape(layer)[:-2]
    if not leading:
        return 0
    point = np.asarray(layer.world_to_data(viewer.dims.point[-layer.ndim :]))
    steps = np.clip(np.round(point[: len(leading)]), 0, np.array(leading) - 1)
    return int(np.ravel_multi_index(tuple(steps.astype(int)), leading))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Placement:
    """Where an image lies, remembered in case its layer goes."""

    name: str
    spatial: dict[str, Any]

    def shifted(self, offset: tuple[int, int]) -> dict[str, Any]:
        """Return the arguments of a layer that begins at a row and column of it."""
        if offset == (0, 0):
            return dict(self.spatial)
        from napari.utils.transforms import Affine

        own = {name: self.spatial[name] for name in SPATIAL[:4]}
        corner = np.zeros(len(own["scale"]))
        corner[-2:] = offset
        return self.spatial | {"translate": Affine(**own)(corner)}


def placement_of(layer: Any) -> Placement:
    """Remember where an image lies.

    Parameters
    ----------
    layer : napari.layers.Image
        The image.

    Returns
    -------
    Placement
        Its name and everything spatial.
    """
    return Placement(
        name=layer.name, spatial={name: getattr(layer, name) for name in SPATIAL}
    )


def show_result(
    viewer: Any, result: Result, placement: Placement, *, new_layers: bool
) -> tuple[Any, str]:
    """Put probability and labels into layers: those of the last run, or new ones.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    result : Result
        What to show.
    placement : Placement
        Where the image lies.
    new_layers : bool
        Whether the last run's layers are to stay as they are.

    Returns
    -------
    layer : napari.layers.Labels
        The cells.
    kept : str
        Name of a labels layer that was edited by hand and stays, or "".
    """
    spatial = placement.shifted(result.offset)
    source = result.request.source.identity
    probability = None if new_layers else latest_result(viewer, source, "probability")
    cells = None if new_layers else latest_result(viewer, source, "cells")
    record = result.record | {"source": source, "kind": "probability"}
    if probability is None:
        viewer.add_image(
            result.probability,
            name=f"{placement.name} probability",
            colormap="magma",
            blending="additive",
            opacity=0.4,
            contrast_limits=(0, 1),
            metadata={_KEY: record},
            **spatial,
        )
    else:
        probability.data = result.probability
        _move(probability, spatial)
        probability.metadata[_KEY] = record
    if cells is not None and _fits(cells, result):
        result.corrections = corrections_of(cells)
        result.join()
    elif cells is not None and not is_edited(cells):
        start_corrections(cells, _new_corrections(result))
    else:
        return _add_cells(viewer, result, placement, keep=cells)
    replace_labels(cells, result)
    forget_edits(cells)
    _move(cells, spatial)
    return cells, ""


def _fits(cells: Any, result: Result) -> bool:
    """Tell whether pixels of a layer are those of a result."""
    offset = record_of(cells).get("offset", (0, 0))
    is_there = tuple(offset) == result.offset
    return is_followed(cells) and cells.data.shape == result.labels.shape and is_there


def _new_corrections(result: Result) -> Corrections:
    result.corrections = corrections = Corrections(result.labels)
    result.join()
    corrections.renew(result.labels, result.automatic, result.settings.min_size)
    return corrections


def latest_result(viewer: Any, source: str, kind: str) -> Any:
    """Return the topmost result layer of a kind for an image.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    source : str
        Identity of the image.
    kind : str
        As it is noted down on the layer.

    Returns
    -------
    napari.layers.Layer or None
        None if there is none.
    """
    for layer in reversed(viewer.layers):
        record = record_of(layer)
        if record.get("source") == source and record.get("kind") == kind:
            return layer
    return None


def _move(layer: Any, spatial: dict[str, Any]) -> None:
    for name, value in spatial.items():
        setattr(layer, name, value)


def show_labels(
    viewer: Any, cells: Any, result: Result, placement: Placement
) -> tuple[Any, str]:
    """Put new labels of a known result into its layer, which was looked at before.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    cells : napari.layers.Labels or None
        The layer of the result's labels; None if it is gone.
    result : Result
        What to show.
    placement : Placement
        Where the image lies.

    Returns
    -------
    layer : napari.layers.Labels
        The cells: the same layer, or a new one if it is gone or has another shape.
    kept : str
        Name of a layer that was edited by hand and stays as it is, or "".
    """
    if cells is None or not _fits(cells, result):
        return _add_cells(viewer, result, placement, keep=cells)
    # The user may have painted while labels were made in a thread.
    corrections = known_corrections(cells)
    if corrections.pins is not result.joined:
        result.corrections = corrections
        result.join()
    replace_labels(cells, result, in_place=True)
    return cells, ""


def _add_cells(
    viewer: Any, result: Result, placement: Placement, keep: Any
) -> tuple[Any, str]:
    """Add a layer of cells; hide, but keep, one that was edited by hand."""
    kept = ""
    if keep is not None:
        keep.visible = False
        kept = keep.name
    corrections = _new_corrections(result)
    layer = viewer.add_labels(
        result.labels.copy(),
        name=f"{placement.name} cells",
        opacity=0.7,
        metadata={_KEY: _cells_record(result), CORRECTIONS: corrections},
        **placement.shifted(result.offset),
    )
    start_corrections(layer, corrections)
    return layer, kept


def _cells_record(result: Result) -> dict[str, Any]:
    return result.provenance() | {"kind": "cells", "edited": result.n_pinned > 0}


def replace_labels(layer: Any, result: Result, *, in_place: bool = False) -> None:
    """Show a result's labels, in which pinned cells are as the layer has them.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    result : Result
        What to show; its corrections are those of the layer.
    in_place : bool, optional
        As for `show_renewed`.
    """
    show_renewed(
        layer,
        result.labels,
        (result.automatic, result.settings.min_size),
        _cells_record(result),
        areas=result.areas,
        in_place=in_place,
    )


def set_features(layer: Any, features: Any) -> None:
    """Set the table of cells."""
    layer.features = {name: np.asarray(column) for name, column in features.items()}

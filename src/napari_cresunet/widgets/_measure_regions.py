"""Regions that are drawn as shapes, or that a labels layer holds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region, regions_from_labels
from napari_cresunet.widgets._drawing import outline_of, plane_map, plane_spatial
from napari_cresunet.widgets._layers import (
    identity_of,
    layer_shape,
    placement_of,
)
from napari_cresunet.widgets._records import record_of

_KEY = "cresunet"
REGIONS = "regions"
COLUMN = "region"
"""Of the features of shapes: their names. Shapes of one name are one region."""
_NAMES = "region_names"
_COLOR = "#f0e442"  # yellow of the Okabe-Ito palette, seen on dark and bright images


def region_layers(viewer: Any, labels: Any) -> list[Any]:
    """Return the layers that can hold regions, those drawn for it first.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose.
    labels : napari.layers.Labels or None
        The counted cells, which are no regions.

    Returns
    -------
    list of napari.layers.Shapes or Labels
        Without what this plugin drew for other purposes.
    """
    from napari.layers import Labels, Shapes

    own = "" if labels is None else identity_of(labels)
    layers = [
        layer
        for layer in reversed(viewer.layers)
        if isinstance(layer, Labels | Shapes)
        and record_of(layer).get("kind") in (None, REGIONS)
        and identity_of(layer) != own
    ]
    return sorted(layers, key=lambda x: (not is_drawn(x), isinstance(x, Labels)))


def is_drawn(layer: Any) -> bool:
    """Tell whether a layer was made to draw regions in."""
    from napari.layers import Shapes

    return isinstance(layer, Shapes) and record_of(layer).get("kind") == REGIONS


def regions_for(viewer: Any, labels: Any) -> Any:
    """Return the layer with the regions that belong to labels, or None."""
    wanted = (identity_of(labels), record_of(labels).get("source"))
    for layer in region_layers(viewer, labels):
        of = record_of(layer).get("of")
        if of is not None and of in wanted:
            return layer
    return None


def add_regions(viewer: Any, labels: Any) -> Any:
    """Add a layer in which the user draws regions over cells.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    labels : napari.layers.Labels
        The cells. In a stack the regions are those of every plane.

    Returns
    -------
    napari.layers.Shapes
        Empty.
    """
    return _add_polygons(viewer, labels, [], [])


def show_regions(viewer: Any, labels: Any, regions: tuple[Region, ...]) -> None:
    """Show regions as shapes to draw in, and those of a label image as labels.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    labels : napari.layers.Labels
        The cells, on which the regions lie.
    regions : tuple of Region
        In px of the labels.
    """
    drawn = [
        (_name_of(region), _corners(outline, region.plane, labels))
        for region in regions
        for outline in region.polygons
        if len(outline) > 2
    ]
    if drawn:
        _add_polygons(viewer, labels, *map(list, zip(*drawn, strict=True)))
    masks = [(one.name, one.mask) for one in regions if one.mask is not None]
    if masks:
        numbered = np.zeros(masks[0][1].shape, np.int32)
        for number, (_, mask) in enumerate(masks, start=1):
            numbered[mask] = number
        names = {str(n): name for n, (name, _) in enumerate(masks, start=1)}
        viewer.add_labels(
            numbered,
            name=f"{labels.name} regions",
            opacity=0.3,
            metadata={_KEY: _about(labels) | {_NAMES: names}},
            **plane_spatial(labels),
        )


def _add_polygons(
    viewer: Any, labels: Any, names: list[str], polygons: list[NDArray[np.float64]]
) -> Any:
    """Add a layer of regions; polygons of no plane are those of every plane."""
    ndim = polygons[0].shape[1] if polygons else 2
    is_like_labels = ndim == labels.ndim
    return viewer.add_shapes(
        polygons or None,
        shape_type="polygon",
        ndim=ndim,
        name=f"{labels.name} regions",
        features={COLUMN: np.array(names, object)},
        edge_color=_COLOR,
        edge_width=_line_width(labels),
        face_color="transparent",
        text=_text(),
        metadata={_KEY: _about(labels)},
        **(placement_of(labels).spatial if is_like_labels else plane_spatial(labels)),
    )


def _about(labels: Any) -> dict[str, Any]:
    """Return what tells the regions of labels from all else."""
    source = record_of(labels).get("source") or identity_of(labels)
    return {"kind": REGIONS, "of": source}


def _name_of(region: Region) -> str:
    return region.name.removesuffix(f", plane {region.plane}")


def _corners(
    outline: NDArray[np.float64], plane: int | None, labels: Any
) -> NDArray[np.float64]:
    """Return corners with the plane they are on in front, where they are on one."""
    leading = layer_shape(labels)[:-2]
    if plane is None or not leading:
        return outline
    steps = np.unravel_index(plane, leading)
    before = np.broadcast_to(np.array(steps, float), (len(outline), len(leading)))
    return np.concatenate([before, outline], axis=1)


def draw_in(viewer: Any, layer: Any, mode: str) -> None:
    """Put a tool of a layer into the user's hand."""
    viewer.layers.selection.active = layer
    layer.visible = True
    if viewer.dims.ndisplay == 2:  # nothing is drawn in 3D
        layer.mode = mode


def _text() -> dict[str, Any]:
    return {
        "string": f"{{{COLUMN}}}",
        "color": _COLOR,
        "size": 10,
        "anchor": "upper_left",
        "translation": [0.0, 0.0],
    }


def _line_width(labels: Any) -> float:
    """Return px of a line that is seen when the whole image is."""
    return max(1.0, round(max(layer_shape(labels)[-2:]) / 500, 1))


# Names


def names_of(layer: Any) -> list[str]:
    """Return the name of each shape, in their order.

    Parameters
    ----------
    layer : napari.layers.Shapes
        Any; shapes without a name are numbered.

    Returns
    -------
    list of str
        As many as there are shapes.
    """
    n = len(layer.data)
    column = layer.features.get(COLUMN)
    known = [""] * n if column is None else [_name(value) for value in column]
    known = (known + [""] * n)[:n]
    return [name or f"region {number}" for number, name in enumerate(known, start=1)]


def _name(value: Any) -> str:
    # pandas has nan or None where nobody said anything.
    return value.strip() if isinstance(value, str) else ""


def set_names(layer: Any, names: list[str]) -> None:
    """Name the shapes of a layer, and show the names."""
    features = layer.features.copy()
    features[COLUMN] = np.array(names, object)
    layer.features = features
    layer.refresh_text()


def name_new_shapes(layer: Any, n_before: int) -> bool:
    """Give shapes that were just drawn names of their own.

    Parameters
    ----------
    layer : napari.layers.Shapes
        A layer of `add_regions`.
    n_before : int
        Shapes that were there before.

    Returns
    -------
    bool
        Whether there were any.
    """
    names = names_of(layer)
    if len(names) <= n_before:
        return False
    # napari gives a new shape the name of the one that was selected last.
    kept = names[:n_before]
    number = 1
    while len(kept) < len(names):
        if f"region {number}" not in kept:
            kept.append(f"region {number}")
        number += 1
    set_names(layer, kept)
    return True


def rename(layer: Any, old: str, new: str) -> None:
    """Rename a region; with a name that another one has, the two become one.

    Parameters
    ----------
    layer : napari.layers.Shapes or Labels
        The regions.
    old, new : str
        Names.

    Raises
    ------
    InputError
        If the new name is empty.
    """
    from napari.layers import Labels

    new = new.strip()
    if not new:
        raise InputError("A region needs a name: type one.")
    if not isinstance(layer, Labels):
        set_names(layer, [new if name == old else name for name in names_of(layer)])
        return
    names = _label_names(layer)
    known = {int(value) for value in np.unique(np.asarray(layer.data)) if value}
    for value in known:
        if names.get(value, f"region {value}") == old:
            names[value] = new
    record = record_of(layer) | {_NAMES: {str(k): name for k, name in names.items()}}
    layer.metadata[_KEY] = record


def _label_names(layer: Any) -> dict[int, str]:
    """Return the names that were given to labels, or come with them."""
    names = {}
    features = layer.features
    if COLUMN in features and "index" in features:
        names = {
            int(value): _name(name)
            for value, name in zip(features["index"], features[COLUMN], strict=True)
        }
    given = record_of(layer).get(_NAMES) or {}
    names |= {int(value): str(name) for value, name in given.items()}
    return {value: name for value, name in names.items() if name}


# Places


def regions_of(layer: Any, labels: Any) -> tuple[Region, ...]:
    """Return the regions of a layer in px of the cells.

    Parameters
    ----------
    layer : napari.layers.Shapes or Labels
        The regions, wherever and however they lie.
    labels : napari.layers.Labels
        The cells.

    Returns
    -------
    tuple of Region
        Shapes of one name (and plane, where they have one) are one region.

    Raises
    ------
    InputError
        If a labels layer of regions is a stack.
    """
    from napari.layers import Labels

    if isinstance(layer, Labels):
        return _labeled_regions(layer, labels)
    shapes: dict[tuple[str, int | None], list[NDArray[np.float64]]] = {}
    matrix, offset = plane_map(layer, labels)
    for number, name in enumerate(names_of(layer)):
        outline = outline_of(layer, number)
        if outline is None:
            continue
        plane = _plane_of(layer.data[number], layer, labels)
        shapes.setdefault((name, plane), []).append(outline @ matrix.T + offset)
    places = [name for name, _ in shapes]
    return tuple(
        Region(
            name=name if places.count(name) == 1 else f"{name}, plane {plane}",
            polygons=tuple(polygons),
            plane=plane,
        )
        for (name, plane), polygons in shapes.items()
    )


def _plane_of(corners: NDArray[np.float64], layer: Any, labels: Any) -> int | None:
    """Return the plane that a shape is drawn on; None for all planes."""
    leading = layer_shape(labels)[:-2]
    if not leading or corners.shape[1] < labels.ndim:
        return None
    world = layer.data_to_world(corners[0])[-labels.ndim :]
    steps = np.round(labels.world_to_data(world))[:-2].astype(int)
    steps = np.clip(steps, 0, np.array(leading) - 1)
    return int(np.ravel_multi_index(tuple(steps), leading))


def _labeled_regions(layer: Any, labels: Any) -> tuple[Region, ...]:
    data = np.asarray(layer.data[0] if layer.multiscale else layer.data)
    if data.ndim != 2:
        raise InputError(
            f"The regions in {layer.name!r} have {data.ndim} axes: give one plane of "
            "labels, which holds for all planes."
        )
    shape = layer_shape(labels)[-2:]
    matrix, offset = plane_map(labels, layer)
    is_same = np.allclose(matrix, np.eye(2)) and np.allclose(offset, 0)
    if not is_same or data.shape != shape:
        data = _resampled(data, shape, matrix, offset)
    names = _label_names(layer)
    known = {int(value): f"region {value}" for value in np.unique(data) if value}
    return tuple(regions_from_labels(data, names=known | names))


def _resampled(
    data: NDArray[Any],
    shape: tuple[int, ...],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> NDArray[Any]:
    """Return labels on the pixels of another layer; 0 where they do not reach."""
    from scipy import ndimage

    return np.asarray(
        ndimage.affine_transform(
            data, matrix, offset=offset, output_shape=shape, order=0, cval=0
        )
    )

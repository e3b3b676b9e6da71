"""What is drawn over images: marks, areas, and where both lie."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.state import Spot
from napari_cresunet.widgets._layers import SPATIAL

_AREAS = ("rectangle", "polygon", "ellipse")


@contextmanager
def selection_kept(viewer: Any) -> Iterator[None]:
    """Leave the selected layer selected.

    A new layer is selected, which would take a tool out of the user's hand.

    Parameters
    ----------
    viewer : napari.Viewer
        In which a layer comes or goes.
    """
    selection = viewer.layers.selection
    selected = selection.active
    yield
    if selected is not None and selected in viewer.layers:
        selection.active = selected


# Marks


def places_of(spots: Sequence[Spot], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return where spots are, with all axes of a layer.

    Parameters
    ----------
    spots : sequence of Spot
        N of them.
    shape : tuple of int
        (..., Y, X) of the layer.

    Returns
    -------
    ndarray of shape (N, D)
        In px.
    """
    if not spots:
        return np.empty((0, len(shape)))
    places = np.array([(spot.row, spot.column) for spot in spots])
    if len(shape) == 2:
        return places
    planes = np.unravel_index([spot.plane for spot in spots], shape[:-2])
    return np.column_stack([*planes, places])


def move_marks(
    layer: Any, places: NDArray[np.float64], look: Mapping[str, Any]
) -> None:
    """Show other marks in place of those that were shown.

    Parameters
    ----------
    layer : napari.layers.Points
        The marks.
    places : ndarray of shape (N, D)
        Where they are from now on.
    look : mapping of str to list
        Attributes of the layer with a value for each mark.
    """
    layer.selected_data = set()
    layer.data = places
    for name, value in look.items() if len(places) else ():
        setattr(layer, name, value)


# Areas


def polygons_of(shapes: Any, image: Any) -> tuple[NDArray[np.float64], ...]:
    """Return the areas drawn in a shapes layer, in px of an image.

    Parameters
    ----------
    shapes : napari.layers.Shapes
        Selected shapes, or all if none is selected. Lines and paths have no area.
    image : napari.layers.Image
        The image.

    Returns
    -------
    tuple of ndarray of shape (N, 2)
        Corners (row, column).
    """
    chosen = sorted(shapes.selected_data) or range(shapes.nshapes)
    outlines = [outline_of(shapes, number) for number in chosen]
    matrix, offset = plane_map(shapes, image)
    return tuple(one @ matrix.T + offset for one in outlines if one is not None)


def outline_of(shapes: Any, number: int) -> NDArray[np.float64] | None:
    """Return the outline of a shape.

    Parameters
    ----------
    shapes : napari.layers.Shapes
        The layer.
    number : int
        Of the shape, from 0.

    Returns
    -------
    ndarray of shape (N, 2), or None
        Corners (row, column) in px of the layer; None if it has no area.
    """
    corners = np.asarray(shapes.data[number], float)[:, -2:]
    kind = shapes.shape_type[number]
    if kind not in _AREAS or len(corners) < 3:  # the latter is being drawn
        return None
    return _ellipse(corners) if kind == "ellipse" else corners


def _ellipse(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outline of the ellipse in a box of four corners."""
    center = corners.mean(axis=0)
    one, other = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)[:, np.newaxis]
    outline: NDArray[np.float64] = center + np.cos(turns) * one + np.sin(turns) * other
    return outline


# Places


def plane_map(
    layer: Any, reference: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how rows and columns of a layer become those of another one.

    Parameters
    ----------
    layer, reference : napari.layers.Layer
        The two; both lie flat, as all transforms of napari leave them.

    Returns
    -------
    matrix : ndarray of shape (2, 2)
        A place p of the first is matrix @ p + offset in the second.
    offset : ndarray of shape (2,)
        In px.
    """
    # Three places tell all of an affine map, with napari's public functions only.
    images = []
    for row, column in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)):
        place = np.zeros(layer.ndim)
        place[-2:] = row, column
        world = np.asarray(layer.data_to_world(place))[-2:]
        point = np.zeros(reference.ndim)
        point[-2:] = world
        images.append(np.asarray(reference.world_to_data(point))[-2:])
    offset = images[0]
    return np.column_stack([images[1] - offset, images[2] - offset]), offset


def plane_spatial(layer: Any) -> dict[str, Any]:
    """Return the arguments of a layer of rows and columns that lies on another one.

    Parameters
    ----------
    layer : napari.layers.Labels
        The other one, which may be a stack.

    Returns
    -------
    dict
        Everything spatial.
    """
    if layer.ndim == 2:
        return {name: getattr(layer, name) for name in SPATIAL}
    return {
        "scale": layer.scale[-2:],
        "translate": layer.translate[-2:],
        "rotate": layer.rotate[-2:, -2:],
        "units": layer.units[-2:],
        "axis_labels": layer.axis_labels[-2:],
    }

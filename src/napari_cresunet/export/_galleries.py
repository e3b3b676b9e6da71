"""Pictures of an evaluation: what became of each cell, drawn over the image."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image, Indices, Mask
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import Objects
from napari_cresunet.export._colors import KIND_COLORS
from napari_cresunet.export._evaluated import Evaluated
from napari_cresunet.export._pictures import (
    Picture,
    contrast_of,
    in_eight_bits,
    is_color,
    sparse_step,
)

_LEAST_SIZE, _LARGEST_SIZE = 24, 160
"""Px of the image that a crop shows at least and at most on each side."""
_DIAMETERS = 4
"""Usual cells that fit into a crop side by side."""
_USUAL_SIDE = 160
"""Px that a crop's picture has at least."""
_DASH = 4
_RING = 3


class Ground(NamedTuple):
    """An image in gray: on it the colors of all kinds can be seen."""

    planes: NDArray[Any] | None
    """(planes, Y, X); None where there is no image."""
    low: float = 0.0
    """What is shown black."""
    high: float = 1.0
    """What is shown white."""

    def gray(
        self, plane: int, corner: tuple[int, int], size: tuple[int, int]
    ) -> Picture:
        """Return a part of a plane; black where there is nothing.

        Parameters
        ----------
        plane : int
            Which plane.
        corner, size : tuple of int
            Row and column where it begins, height and width; may reach beyond the edge.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)
            A new picture.
        """
        if self.planes is None:
            return np.zeros((*size, 3), np.uint8)
        cut = cut_out(self.planes[plane], corner, size, fill=self.low)
        return np.stack([in_eight_bits(cut, self.low, self.high)] * 3, axis=-1)


class _Canvas(NamedTuple):
    """A part of one plane that is drawn."""

    plane: int
    top: int
    left: int
    zoom: int = 1
    """Px of the picture for each of the image."""
    shrink: int = 1
    """Px of the image for each of the picture."""


def case_overlay(
    evaluated: Evaluated, plane: int = 0, *, zoom: int = 1, shrink: int = 1
) -> Picture:
    """Draw what became of each cell over the image.

    Parameters
    ----------
    evaluated : Evaluated
        Image, cells and truth.
    plane : int, optional
        Which one of a stack, counted through all leading axes.
    zoom : int, optional
        Px of the picture for each of the image; outlines stay thin.
    shrink : int, optional
        Px of the image for each of the picture, for large images.

    Returns
    -------
    ndarray of uint8, shape (Y * zoom / shrink, X * zoom / shrink, 3)
        The image in gray (colors by the brightest channel), and on it outlines in the
        color of their kind, `KIND_COLORS`: predictions solid, true cells dashed, true
        points as rings. Black where there is no image.

    Raises
    ------
    InputError
        If there is no such plane.
    """
    n_planes = _n_planes(evaluated)
    if not 0 <= plane < n_planes:
        raise InputError(f"There is no plane {plane}: the image has {n_planes}.")
    height, width = evaluated.comparison.pred.shape[-2:]
    canvas = _Canvas(plane, 0, 0, zoom, shrink)
    return _drawn(evaluated, _ground(evaluated), canvas, (height, width))


def case_crops(
    evaluated: Evaluated,
    kinds: Collection[str],
    size: int | None = None,
    *,
    at_most: int | None = None,
) -> list[tuple[int, Picture]]:
    """Cut out the surroundings of each case of some kinds.

    Parameters
    ----------
    evaluated : Evaluated
        Image, cells and truth.
    kinds : collection of str
        Of `KINDS`.
    size : int, optional
        Px of the image that a crop shows on each side, so that all have one scale; by
        default about four cells.
    at_most : int, optional
        Only the first so many are cut out.

    Returns
    -------
    list of tuple of int and ndarray of uint8, shape (S, S, 3)
        Row of the table of cases, and its picture, drawn as by `case_overlay`. S is
        `size`, enlarged by a whole number to at least 160 px; black beyond the edge of
        the image.
    """
    numbers = np.flatnonzero(np.isin(evaluated.cases["kind"], list(kinds)))[:at_most]
    pictures = crops_at(evaluated, numbers, size or usual_size(evaluated))
    return list(zip(numbers.tolist(), pictures, strict=True))


def crops_at(evaluated: Evaluated, numbers: Indices, size: int) -> list[Picture]:
    """Cut out the surroundings of some cases; see `case_crops`.

    Parameters
    ----------
    evaluated : Evaluated
        Image, cells and truth.
    numbers : ndarray of int, shape (N,)
        Rows of the table of cases.
    size : int
        Px of the image that a crop shows on each side.

    Returns
    -------
    list of ndarray of uint8, shape (S, S, 3)
        One picture for each.
    """
    ground, cases = _ground(evaluated), evaluated.cases
    planes = cases["plane"][numbers].tolist()
    corners = [
        (np.floor(cases[name][numbers] + 0.5).astype(int) - size // 2).tolist()
        for name in ("row", "column")
    ]
    zoom = -(-_USUAL_SIDE // size)
    return [
        _drawn(evaluated, ground, _Canvas(plane, top, left, zoom), (size, size))
        for plane, top, left in zip(planes, *corners, strict=True)
    ]


def usual_size(evaluated: Evaluated) -> int:
    """Return the px that a crop shows on each side: about four cells."""
    areas = np.concatenate(
        [evaluated.comparison.true.areas, evaluated.comparison.pred.areas]
    )
    areas = areas[areas > 0]
    diameter = 2 * np.sqrt(np.median(areas) / np.pi) if areas.size else 0.0
    return int(np.clip(round(_DIAMETERS * diameter), _LEAST_SIZE, _LARGEST_SIZE))


def _n_planes(evaluated: Evaluated) -> int:
    return int(np.prod(evaluated.comparison.pred.shape[:-2], dtype=np.intp))


def _ground(evaluated: Evaluated) -> Ground:
    shape = evaluated.comparison.pred.shape
    return ground_of(evaluated.image, shape, evaluated.name)


def ground_of(image: Image | None, shape: tuple[int, ...], name: str) -> Ground:
    """Return an image in gray with its contrast.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X) or (..., Y, X, 3 or 4), or None
        The image.
    shape : tuple of int
        Of its labels.
    name : str
        What to call it.

    Returns
    -------
    Ground
        Colors by the brightest channel, from percentile 0.5 to 99.9.

    Notes
    -----
    Raises `InputError` if it has another shape than the labels.
    """
    if image is None or not np.size(image):
        return Ground(None)
    array = np.asarray(image)
    if is_color(array, shape, name):
        array = array[..., :3].max(axis=-1)
    planes = array.reshape(-1, *shape[-2:])
    step = sparse_step(planes.size)
    return Ground(planes, *contrast_of(planes[:, ::step, ::step]))


def _drawn(
    evaluated: Evaluated,
    ground: Ground,
    canvas: _Canvas,
    size: tuple[int, int],
) -> Picture:
    """Draw a part of a plane; what lies beyond the edge is black."""
    colors = ground.gray(canvas.plane, (canvas.top, canvas.left), size)
    picture = scaled(shrunk(colors, canvas.shrink), canvas.zoom)
    comparison = evaluated.comparison
    _outline(picture, canvas, comparison.pred, comparison.pred_kinds, size)
    if comparison.true.index is None:
        _ring(picture, canvas, comparison.true, comparison.true_kinds)
    else:
        dashes = _dashes(picture.shape[:2])
        _outline(picture, canvas, comparison.true, comparison.true_kinds, size, dashes)
    return picture


def cut_out(
    plane: NDArray[Any], corner: tuple[int, int], size: tuple[int, int], fill: float
) -> NDArray[Any]:
    """Return a part of a plane that may reach beyond its edges.

    Parameters
    ----------
    plane : ndarray of shape (Y, X)
        The plane.
    corner, size : tuple of int
        Row and column where the part begins; its height and width.
    fill : float
        What stands beyond the edges.

    Returns
    -------
    ndarray of shape `size`
        A copy.
    """
    cut = np.full(size, fill, plane.dtype)
    places, sources = [], []
    for start, length, extent in zip(corner, size, plane.shape, strict=True):
        first, last = max(start, 0), min(start + length, extent)
        places.append(slice(first - start, max(last, first) - start))
        sources.append(slice(first, max(last, first)))
    cut[tuple(places)] = plane[tuple(sources)]
    return cut


def scaled(pixels: NDArray[Any], zoom: int) -> NDArray[Any]:
    """Return pixels enlarged by a whole number."""
    return pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)


def shrunk(picture: Picture, shrink: int) -> Picture:
    """Return the mean of each block of pixels; labels take one pixel of each."""
    if shrink == 1:
        return picture
    height, width = (-(-length // shrink) for length in picture.shape[:2])
    wide = [
        (0, shrink * height - picture.shape[0]),
        (0, shrink * width - picture.shape[1]),
    ]
    blocks = np.pad(picture, [*wide, (0, 0)], mode="edge")
    blocks = blocks.reshape(height, shrink, width, shrink, 3)
    means: Picture = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return means


def _outline(
    picture: Picture,
    canvas: _Canvas,
    objects: Objects,
    kinds: NDArray[np.str_],
    size: tuple[int, int],
    drawn: Mask | None = None,
) -> None:
    """Draw the outlines of the cells of one side, all of them or where it is said."""
    from scipy import ndimage

    if objects.index is None:
        return
    corner = (canvas.top, canvas.left)
    cut = cut_out(objects.index[canvas.plane], corner, size, fill=0)
    cut = cut[:: canvas.shrink, :: canvas.shrink]
    numbers = scaled(cut, canvas.zoom)
    # Two px wide where there is room.
    window = 3 if canvas.zoom == 1 else 5
    edges = [
        find(numbers, window, mode="nearest")
        for find in (ndimage.minimum_filter, ndimage.maximum_filter)
    ]
    is_outline = (numbers > 0) & (edges[0] != edges[1])
    if drawn is not None:
        is_outline &= drawn
    colors = np.concatenate([np.zeros((1, 3), np.uint8), kind_colors(kinds)])
    picture[is_outline] = colors[numbers[is_outline]]


def _dashes(shape: tuple[int, ...]) -> Mask:
    """Return a checkerboard: a line in any direction is dashed by it."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    dashes: Mask = (rows // _DASH + columns // _DASH) % 2 == 0
    return dashes


def _ring(
    picture: Picture, canvas: _Canvas, points: Objects, kinds: NDArray[np.str_]
) -> None:
    """Draw a small ring around each true point."""
    radius = max(_RING, canvas.zoom)
    reach = radius + 1
    steps = np.arange(-reach, reach + 1)
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    is_ring = np.abs(np.hypot(rows, columns) - radius) < 0.6
    rows, columns = rows[is_ring], columns[is_ring]
    colors = kind_colors(kinds)
    scale = canvas.zoom / canvas.shrink
    for number in np.flatnonzero(points.planes == canvas.plane).tolist():
        row, column = points.centers[number] - (canvas.top, canvas.left)
        ring_rows = rows + int((row + 0.5) * scale)
        ring_columns = columns + int((column + 0.5) * scale)
        is_inside = (
            (ring_rows >= 0)
            & (ring_rows < picture.shape[0])
            & (ring_columns >= 0)
            & (ring_columns < picture.shape[1])
        )
        picture[ring_rows[is_inside], ring_columns[is_inside]] = colors[number]


def kind_colors(kinds: NDArray[np.str_]) -> Picture:
    """Return the color of each kind.

    Parameters
    ----------
    kinds : ndarray of str, shape (N,)
        Of `KINDS`.

    Returns
    -------
    ndarray of uint8, shape (N, 3)
        Red, green and blue.
    """
    colors = np.zeros((len(kinds), 3), np.uint8)
    for kind, color in KIND_COLORS.items():
        colors[kinds == kind] = tuple(bytes.fromhex(color[1:]))
    return colors

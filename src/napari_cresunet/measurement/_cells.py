"""One row for each cell."""

import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Mask
from napari_cresunet.measurement._channels import Channels, channels_of
from napari_cresunet.measurement._checks import (
    PixelSize,
    check_pixel_size,
    label_planes,
)
from napari_cresunet.measurement._region import Region
from napari_cresunet.measurement._regions import names_of_regions
from napari_cresunet.steps import Step, drain

Table = dict[str, NDArray[Any]]
"""Columns of equal length by their names."""

_MOST_LABELS = 10_000_000
"""A plane with a higher label is renumbered first: a list up to it would fill the
memory."""
_CELLS_A_STEP = 25  # some 20 ms
_COLUMN_TYPES: dict[str, type[np.generic]] = {
    "label": np.int64,
    "plane": np.intp,
    "planes": np.intp,
    "area_px": np.int64,
    "touches_border": np.bool_,
    "region": np.str_,
}
"""All others are float64."""


class Piece(NamedTuple):
    """What one plane shows of a cell."""

    plane: int
    box: tuple[int, int, int, int]
    """Top, left, bottom and right of its bounding box, the last two exclusive."""
    mask: Mask
    """Within the box."""


def measure(  # noqa: PLR0913  # the names are a contract
    labels: ArrayLike,
    *,
    image: ArrayLike | None = None,
    rgb: bool | None = None,
    channels: Sequence[str] | None = None,
    probability: ArrayLike | None = None,
    pixel_size: PixelSize | None = None,
    regions: Sequence[Region] = (),
) -> Table:
    """Measure every cell.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background, every other number a cell, also where it is in several pieces
        or on several planes. Numbers may be missing.
    image : array_like, optional
        The brightness, in any unit: (..., Y, X); (..., Y, X, 3 or 4) in color, of which
        transparency is left out; or (C, ..., Y, X) with C channels.
    rgb : bool, optional
        Whether the image is in color; by default, where its shape says so.
    channels : sequence of str, optional
        Names of the C channels; "1", "2", ... by default. For an image of one channel
        without an axis for it, one name.
    probability : array_like of shape (..., Y, X), optional
        Probability of "cell".
    pixel_size : tuple of float, optional
        Height and width of a pixel in µm.
    regions : sequence of Region, optional
        Adds the column region.

    Returns
    -------
    dict of str to ndarray of shape (N,)
        Columns of a table, one row for each label that exists, ascending:

        - label
        - plane: index of the plane, counted through all leading axes, and planes: on
          how many the cell is; both only with leading axes
        - area_px, area_um2; equivalent_diameter_px, equivalent_diameter_um: of the disc
          of that area
        - major_axis_px, minor_axis_px, major_axis_um, minor_axis_um: of the ellipse
          with the same second moments, as scikit-image's `regionprops`; eccentricity of
          that ellipse
        - solidity: area over the area of the convex hull
        - centroid_y_px, centroid_x_px, centroid_y_um, centroid_x_um: whole px are the
          centers of pixels; µm count from the center of the first pixel
        - touches_border: whether a pixel is at the edge of the plane
        - mean_probability, max_probability: only with `probability`
        - mean_intensity, background, integrated_intensity: only with `image`; for
          several channels with an ending each, "_red", "_green" and "_blue" in color
        - region: names of the regions of its centroid, joined by "; "; only if there
          are `regions`

        Columns in µm are there only with `pixel_size`.

    Raises
    ------
    InputError
        If labels, image or probability are none, differ in shape, or the pixel size is
        none.

    Notes
    -----
    The background of a cell is the median of the pixels around it that belong to no
    cell: in its bounding box with half of its longer side around it, at least 3 px. It
    is NaN where there is no such pixel. integrated_intensity is the sum over the cell
    of brightness minus background.

    Of a cell on several planes (see `link_planes`) shape and place are those on the
    plane where it is largest, the middle one of equals; probability and brightness are
    of all its pixels, on all planes.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 0, 0, 0, 0], [0, 7, 7, 7, 0], [0, 0, 0, 0, 0]])
    >>> table = measure(labels, image=np.where(labels, 90, 20), pixel_size=(0.5, 0.5))
    >>> for name in ("label", "area_px", "area_um2", "background"):
    ...     print(name, table[name].tolist())
    label [7]
    area_px [3]
    area_um2 [0.75]
    background [20.0]
    >>> table["integrated_intensity"].tolist()
    [210.0]
    """
    return drain(
        iter_measure(
            labels,
            image=image,
            rgb=rgb,
            channels=channels,
            probability=probability,
            pixel_size=pixel_size,
            regions=regions,
        )
    )


def iter_measure(  # noqa: PLR0913  # as above
    labels: ArrayLike,
    *,
    image: ArrayLike | None = None,
    rgb: bool | None = None,
    channels: Sequence[str] | None = None,
    probability: ArrayLike | None = None,
    pixel_size: PixelSize | None = None,
    regions: Sequence[Region] = (),
) -> Generator[Step, None, Table]:
    """Do what `measure` does, step by step.

    Parameters
    ----------
    labels, image, rgb, channels, probability, pixel_size, regions
        As for `measure`.

    Yields
    ------
    Step
        After some cells each.

    Returns
    -------
    dict of str to ndarray of shape (N,)
        As from `measure`.

    Raises
    ------
    InputError
        As from `measure`.
    """
    planes = label_planes(labels)
    shape = np.shape(labels)
    size = check_pixel_size(pixel_size)
    brightness = channels_of(shape, image, rgb, channels, probability)
    cells = _cells(planes)
    total = len(cells)
    rows = []
    for done, (label, pieces) in enumerate(cells.items(), start=1):
        row: dict[str, float] = {"label": label}
        if len(shape) > 2:
            row |= {"plane": _main(pieces).plane, "planes": len(pieces)}
        row |= _shape(_main(pieces), size)
        row |= {"touches_border": _touches_border(pieces, planes.shape[1:])}
        row |= brightness.measure(pieces, planes)
        rows.append(row)
        if done % _CELLS_A_STEP == 0 or done == total:
            yield Step(done=done, total=total)
    names = _column_names(shape, size, brightness)
    table = {
        name: np.array([row[name] for row in rows], _COLUMN_TYPES.get(name, np.float64))
        for name in names
    }
    if regions:
        found = names_of_regions(table, shape, regions)
        table["region"] = np.array(found, np.str_)
    return table


def _cells(planes: NDArray[Any]) -> dict[int, list[Piece]]:
    """Return the pieces of every cell, by ascending label."""
    found: dict[int, list[Piece]] = {}
    for number, plane in enumerate(planes):
        for label, piece in _pieces(plane, number):
            found.setdefault(label, []).append(piece)
    return dict(sorted(found.items()))


def _pieces(plane: NDArray[Any], number: int) -> Iterator[tuple[int, Piece]]:
    from scipy import ndimage

    if not plane.any():
        return
    values: NDArray[Any] | None = None
    if plane.max() > _MOST_LABELS:
        # A 0 in front: background stays 0, also where there is none.
        values = np.union1d(np.zeros(1, plane.dtype), plane)
        plane = np.searchsorted(values, plane)
    # Also puts the bytes of a file of another order right.
    plane = plane.astype(np.int32, copy=False)
    for index, place in enumerate(ndimage.find_objects(plane), start=1):
        if place is None:
            continue
        label = index if values is None else int(values[index])
        rows, columns = place
        box = (rows.start, columns.start, rows.stop, columns.stop)
        yield label, Piece(number, box, plane[place] == index)


def _main(pieces: Sequence[Piece]) -> Piece:
    """Return the largest piece, the middle one of equals."""
    areas = [np.count_nonzero(piece.mask) for piece in pieces]
    largest = [
        piece for piece, area in zip(pieces, areas, strict=True) if area == max(areas)
    ]
    return largest[(len(largest) - 1) // 2]


def _shape(piece: Piece, size: PixelSize | None) -> dict[str, float]:
    from skimage.morphology import convex_hull_image

    rows, columns = np.nonzero(piece.mask)
    area = len(rows)
    inner = rows.mean(), columns.mean()
    row, column = inner[0] + piece.box[0], inner[1] + piece.box[1]
    moments = _moments(rows - inner[0], columns - inner[1])
    major, minor = _axes(moments)
    found = {
        "area_px": area,
        "equivalent_diameter_px": 2 * math.sqrt(area / math.pi),
        "major_axis_px": major,
        "minor_axis_px": minor,
        "centroid_y_px": row,
        "centroid_x_px": column,
        "solidity": area / np.count_nonzero(convex_hull_image(piece.mask)),
    }
    if size is not None:
        height, width = size
        in_um = np.array([height * height, height * width, width * width])
        major, minor = _axes(moments * in_um)
        found |= {
            "area_um2": area * height * width,
            "equivalent_diameter_um": 2 * math.sqrt(area * height * width / math.pi),
            "major_axis_um": major,
            "minor_axis_um": minor,
            "centroid_y_um": row * height,
            "centroid_x_um": column * width,
        }
    # Of the shape as it is, where pixels are known not to be squares.
    found["eccentricity"] = math.sqrt(1 - (minor / major) ** 2) if major else 0.0
    return found


def _moments(rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float64]:
    """Return the variance of rows, the covariance, and the variance of columns."""
    return np.array([rows @ rows, rows @ columns, columns @ columns]) / len(rows)


def _axes(moments: NDArray[np.float64]) -> tuple[float, float]:
    """Return the axes of the ellipse with these second moments."""
    rows, both, columns = moments.tolist()
    largest = (rows + columns) / 2 + math.hypot((rows - columns) / 2, both)
    # As a product: a difference of the two would lose the digits of a thin cell.
    smallest = max(rows * columns - both * both, 0) / largest if largest else 0.0
    return 4 * math.sqrt(largest), 4 * math.sqrt(smallest)


def _touches_border(pieces: Sequence[Piece], shape: tuple[int, ...]) -> bool:
    height, width = shape
    return any(
        top == 0 or left == 0 or bottom == height or right == width
        for top, left, bottom, right in (piece.box for piece in pieces)
    )


def _column_names(
    shape: tuple[int, ...], size: PixelSize | None, channels: Channels
) -> list[str]:
    names = [
        "label",
        *(("plane", "planes") if len(shape) > 2 else ()),
        *_in_units(size, "area_px", "area_um2"),
        *_in_units(size, "equivalent_diameter_px", "equivalent_diameter_um"),
        *("major_axis_px", "minor_axis_px"),
        *(("major_axis_um", "minor_axis_um") if size else ()),
        *("eccentricity", "solidity", "centroid_y_px", "centroid_x_px"),
        *(("centroid_y_um", "centroid_x_um") if size else ()),
        "touches_border",
    ]
    return names + channels.columns


def _in_units(size: PixelSize | None, *names: str) -> tuple[str, ...]:
    return names if size else names[:1]

"""ImageJ: one region in a file, or many in the ZIP file of the ROI Manager."""

import struct
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.annotations._annotated import (
    CELL_PROPERTY,
    AnnotatedImage,
    Placed,
    image_of,
)
from napari_cresunet.annotations._parsing import Entries
from napari_cresunet.annotations._place import Place
from napari_cresunet.annotations._planes import EVERYWHERE, Plane
from napari_cresunet.annotations._shapes import (
    Box,
    Cell,
    Dot,
    Ellipse,
    Outlines,
    Part,
    Polygon,
)

if TYPE_CHECKING:
    from roifile import ImagejRoi

_NUMBERS_OF = {0: 2, 1: 2, 2: 4, 3: 6, 4: 0}
"""How many numbers follow a command in a path: move, line, two curves, close."""
_CURVE = np.linspace(0, 1, 17)[1:, np.newaxis]
"""Places on a curve that become corners."""

_DAMAGE = (AssertionError, OverflowError, TypeError, ValueError, struct.error)
"""What roifile raises."""


def is_imagej(entries: Entries) -> bool:
    """Tell whether there are regions of ImageJ."""
    return bool(entries)


def read_imagej(path: Path, entries: Entries) -> list[AnnotatedImage]:
    """Read the image of ImageJ's regions.

    Parameters
    ----------
    path : Path
        The file, for messages.
    entries : mapping of str to bytes
        The regions by name.

    Returns
    -------
    list of AnnotatedImage
        One image without name and size. Every area is a cell, with its holes, and so is
        every point of a region of points; what `write_imagej` wrote for one cell on
        several planes is one. Lines, angles and texts are left out.

    Raises
    ------
    InputError
        If nothing is left, or a region is damaged.

    Notes
    -----
    For areas, the first pixel reaches from 0 to 1; for points, whole numbers are the
    centers of pixels. ImageJ says so itself where it defines regions, since 1.52t.
    """
    found = [
        placed
        for name, content in entries.items()
        for placed in _placed(Place(path, name), name, content)
    ]
    if not found:
        raise Place(path, f"{len(entries)} regions").fault(
            "none has an area or a point"
        )
    return [image_of(found, "position")]


def _placed(place: Place, entry: str, content: bytes) -> Iterator[Placed]:
    roi = _decode(place, content)
    name = roi.name or entry.rpartition("/")[2].removesuffix(".roi")
    said = roi.properties.get(CELL_PROPERTY)
    key = None if said is None else str(said)
    for cell, plane in zip(_cells(place, roi), _planes(roi), strict=False):
        yield Placed(cell, name, plane, key)


def _decode(place: Place, content: bytes) -> "ImagejRoi":
    import roifile

    try:
        return roifile.ImagejRoi.frombytes(content)
    except _DAMAGE as error:
        raise place.fault("it is damaged or no ImageJ ROI") from error


def _planes(roi: "ImagejRoi") -> Iterator[Plane]:
    """Yield the plane of each cell of a region; ImageJ counts from 1, 0 is on all."""
    if roi.counter_positions is not None and roi.counter_positions.any():
        yield from map(_plane_at, roi.counter_positions.tolist())
    elif roi.z_position > 0 or roi.t_position > 0:
        words = f"z {roi.z_position} t {roi.t_position}"
        z, t = (n - 1 if n > 0 else None for n in (roi.z_position, roi.t_position))
        yield from repeat(Plane(words, z=z, t=t))
    else:
        yield from repeat(_plane_at(roi.position))


def _plane_at(position: int) -> Plane:
    return Plane(str(position), position - 1) if position > 0 else EVERYWHERE


def _cells(place: Place, roi: "ImagejRoi") -> Iterator[Cell]:
    from roifile import ROI_SUBTYPE, ROI_TYPE

    if roi.subtype in (ROI_SUBTYPE.TEXT, ROI_SUBTYPE.IMAGE):
        return
    match roi.roitype:
        case ROI_TYPE.POLYGON | ROI_TYPE.FREEHAND | ROI_TYPE.TRACED:
            yield (Polygon(_points(place, roi) - 0.5, is_of_pixels=False),)
        case ROI_TYPE.POINT:
            yield from ((Dot(row, column),) for row, column in _points(place, roi))
        case ROI_TYPE.RECT if roi.multi_coordinates is not None:
            yield (Outlines(_rings(place, roi.multi_coordinates)),)
        case ROI_TYPE.RECT | ROI_TYPE.OVAL:
            yield (_framed(place, roi),)
        case ROI_TYPE.LINE | ROI_TYPE.FREELINE | ROI_TYPE.POLYLINE | ROI_TYPE.ANGLE:
            return
        case _:
            raise place.fault("it is of no kind that ImageJ has")


def _points(place: Place, roi: "ImagejRoi") -> NDArray[np.float64]:
    """Return rows and columns."""
    points = _finite(place, roi.coordinates()).reshape(-1, 2)[:, ::-1]
    if not len(points):
        raise place.fault("it has no point")
    return points


def _finite(place: Place, coordinates: ArrayLike) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # some kinds of NaN warn when they are copied
        numbers = np.asarray(coordinates, np.float64)
    if not np.isfinite(numbers).all():
        raise place.fault("a coordinate is not finite")
    return numbers


def _framed(place: Place, roi: "ImagejRoi") -> Part:
    from roifile import ROI_TYPE

    frame: tuple[float, ...] = (
        roi.top,
        roi.left,
        roi.bottom - roi.top,
        roi.right - roi.left,
    )
    if roi.subpixelrect:
        frame = (roi.yd, roi.xd, roi.heightd, roi.widthd)
    top, left = (place.number(float(side), "bounds") for side in frame[:2])
    height, width = (place.size(float(side), "bounds") for side in frame[2:])
    if roi.roitype == ROI_TYPE.RECT:
        return Box(top, left, top + height, left + width)
    row, column = top + height / 2 - 0.5, left + width / 2 - 0.5
    return Ellipse(row, column, height / 2, width / 2)


def _rings(place: Place, path: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Read the closed outlines of a path, curves as short lines."""
    values = _finite(place, path)
    rings: list[list[NDArray[np.float64]]] = []
    step = 0
    while step < len(values):
        command = int(values[step])
        end = step + 1 + _NUMBERS_OF.get(command, len(values))
        if end > len(values) or not (rings or command == 0):
            raise place.fault("its outline is damaged")
        # x, y become row, column.
        points = values[step + 1 : end].reshape(-1, 2)[:, ::-1] - 0.5
        if command == 0:
            rings.append([points])
        elif command in (2, 3):
            rings[-1].append(_curve(np.vstack([rings[-1][-1][-1:], points])))
        elif command == 1:
            rings[-1].append(points)
        step = end
    return [np.concatenate(ring) for ring in rings]


def _curve(controls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points of a Bézier curve, without its first."""
    between = controls[:, np.newaxis]
    while len(between) > 1:
        between = between[:-1] * (1 - _CURVE) + between[1:] * _CURVE
    found: NDArray[np.float64] = between[0]
    return found

"""Pascal VOC: one XML file for each image."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.annotations._annotated import AnnotatedImage
from napari_cresunet.annotations._place import Place, image_shape
from napari_cresunet.annotations._shapes import Box, Dot, Part, Polygon

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

_SAME_CELL = 0.5
"""From this overlap on a box and the box around an outline mean the same cell."""


def is_voc(root: "Element") -> bool:
    """Tell whether an XML document is Pascal VOC."""
    return root.tag == "annotation"


def read_voc(path: Path, root: "Element") -> list[AnnotatedImage]:
    """Read the image of a Pascal VOC document.

    Parameters
    ----------
    path : Path
        The file, for messages and as the image's name where none is given.
    root : Element
        Its `annotation` element.

    Returns
    -------
    list of AnnotatedImage
        One image. The files of Fluorescent Neuronal Cells hold every cell three times,
        as outline, box and dot: boxes around an outline are left out, and so are dots
        where there is anything else.

    Raises
    ------
    InputError
        If an object has no shape, or a coordinate is missing.
    """
    size = root.find("size")
    shape = None
    if size is not None:
        place = Place(path, "size")
        shape = image_shape(place, _text(size, "height"), _text(size, "width"))
    parts = [
        _part(Place(path, f"object {number}"), item)
        for number, item in enumerate(root.iterfind("object"), start=1)
    ]
    cells = [(part,) for part in _once(parts)]
    name = _text(root, "filename") or path.name
    return [AnnotatedImage(name, shape, cells)]


def _once(parts: "Sequence[Part]") -> list[Part]:
    """Leave out what says the same cell again."""
    around = [_box_around(part) for part in parts if isinstance(part, Polygon)]
    areas = [part for part in parts if not isinstance(part, Dot)]
    return [
        part
        for part in areas or parts
        if not isinstance(part, Box)
        or all(part.overlap(box) < _SAME_CELL for box in around)
    ]


def _box_around(polygon: Polygon) -> Box:
    top, left = polygon.points.min(axis=0)
    bottom, right = polygon.points.max(axis=0) + 1
    return Box(top, left, bottom, right)


def _part(place: Place, item: "Element") -> Part:
    polygon = item.find("polygon")
    if polygon is not None:
        return Polygon(_points(place, polygon))
    box = item.find("bndbox")
    if box is not None:
        sides = ("ymin", "xmin", "ymax", "xmax")
        return Box(*(place.number(_text(box, side), side) for side in sides))
    dot = item.find("dot")
    if dot is None:
        dot = item.find("point")
    if dot is not None:
        return Dot(*(place.number(_text(dot, axis), axis) for axis in ("y", "x")))
    raise place.fault("it has no polygon, bndbox or dot")


def _points(place: Place, polygon: "Element") -> NDArray[np.float64]:
    """Read points as `pt` elements or as elements named x1, y1, x2, y2 and so on."""
    points = [
        [place.number(_text(point, axis), axis) for axis in ("y", "x")]
        for point in polygon.iterfind("pt")
    ]
    while not polygon.findall("pt") and (
        polygon.find(f"x{len(points) + 1}") is not None
    ):
        names = [f"{axis}{len(points) + 1}" for axis in "yx"]
        points.append([place.number(_text(polygon, name), name) for name in names])
    if not points:
        raise place.fault("its polygon has no point")
    return np.array(points, np.float64)


def _text(element: "Element", name: str) -> str | None:
    text = element.findtext(name)
    return text.strip() or None if text else None

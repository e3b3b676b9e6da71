"""COCO: one JSON file for many images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.annotations._annotated import AnnotatedImage
from napari_cresunet.annotations._place import Place, image_shape
from napari_cresunet.annotations._shapes import Box, Cell, Polygon, Runs, Shape


def is_coco(content: Any) -> bool:
    """Tell whether a JSON document is COCO."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("images"), list)
        and isinstance(content.get("annotations"), list)
    )


def read_coco(path: Path, content: Any) -> list[AnnotatedImage]:
    """Read the images of a COCO document.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : dict
        The document.

    Returns
    -------
    list of AnnotatedImage
        In the order of the file. Every annotation is a cell, of whatever category; one
        without segmentation is its box. The files of Fluorescent Neuronal Cells hold
        one annotation for each image, whose polygons are its cells.

    Raises
    ------
    InputError
        If an image has no name, an annotation no outline or an unknown image, or a
        coordinate is missing.

    Notes
    -----
    In COCO the first pixel reaches from 0 to 1.
    """
    images: dict[str, tuple[str, Shape | None, list[Cell]]] = {}
    for number, item in enumerate(content["images"], start=1):
        place = Place(path, f"image {number}")
        name, identity = _field(place, item, "file_name"), _field(place, item, "id")
        shape = image_shape(place, item.get("height"), item.get("width"))
        images[str(identity)] = (str(name), shape, [])
    for number, item in enumerate(content["annotations"], start=1):
        place = Place(path, f"annotation {number}")
        identity = str(_field(place, item, "image_id"))
        if identity not in images:
            raise place.fault(f"there is no image with the id {identity}")
        _, shape, cells = images[identity]
        cells += _cells(place, item, shape)
    return [AnnotatedImage(*entry) for entry in images.values()]


def _field(place: Place, item: Any, name: str) -> Any:
    if not isinstance(item, dict) or item.get(name) is None:
        raise place.fault(f"`{name}` is missing")
    return item[name]


def _cells(place: Place, item: dict[str, Any], shape: Shape | None) -> list[Cell]:
    """Return the cell of an annotation, or all where it stands for an image."""
    outline, box = item.get("segmentation"), item.get("bbox")
    has_many = isinstance(box, list) and all(isinstance(one, list) for one in box)
    if has_many and isinstance(outline, list) and (box or "count" in item):
        # Made with OpenCV: whole numbers are the centers of pixels.
        return [(Polygon(_points(place, one)),) for one in outline]
    if isinstance(outline, dict):
        return [(_runs(place, outline, shape),)]
    if isinstance(outline, list) and outline:
        parts = outline if isinstance(outline[0], list) else [outline]
        return [[Polygon(_points(place, one) - 0.5, False) for one in parts]]
    if isinstance(box, list) and len(box) == 4:
        left, top = (place.number(n, "bbox") for n in box[:2])
        width, height = (place.size(n, "bbox") for n in box[2:])
        return [(Box(top, left, top + height, left + width),)]
    raise place.fault("it has no segmentation and no bbox")


def _points(place: Place, polygon: Any) -> NDArray[np.float64]:
    """Read x, y, x, y, ... or pairs of x and y; return rows and columns."""
    values = polygon if isinstance(polygon, list) else []
    if values and all(isinstance(one, list) and len(one) == 2 for one in values):
        values = [number for pair in values for number in pair]
    if not values or len(values) % 2:
        raise place.fault("a polygon is no list of x and y in turn")
    numbers = [place.number(value, "segmentation") for value in values]
    return np.array(numbers, np.float64).reshape(-1, 2)[:, ::-1]


def _runs(place: Place, outline: dict[str, Any], shape: Shape | None) -> Runs:
    size, counts = _field(place, outline, "size"), _field(place, outline, "counts")
    if not (isinstance(size, list) and len(size) == 2):
        raise place.fault("`size` is no height and width")
    height, width = image_shape(place, *size) or (0, 0)
    if isinstance(counts, str):
        lengths = _decode(place, counts)
    elif isinstance(counts, list):
        lengths = [int(place.size(one, "counts")) for one in counts]
    else:
        raise place.fault("`counts` is no list and no text")
    if sum(lengths) != height * width or min(lengths, default=0) < 0:
        raise place.fault(f"`counts` do not add up to {height} x {width} px")
    if shape not in (None, (height, width)):
        raise place.fault(f"`size` is not that of the image ({height} x {width} px)")
    return Runs(np.array(lengths, np.int64), max(height, 1))


def _decode(place: Place, text: str) -> Sequence[int]:
    """Undo COCO's compression of run lengths."""
    # Each character holds five bits of a number, the lowest first, and one that says
    # whether more follow; from the fourth number on it is the difference to the one
    # before the last.
    lengths: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise place.fault("`counts` is damaged")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise place.fault("`counts` is damaged")
    return lengths

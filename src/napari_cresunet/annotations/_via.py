"""VGG Image Annotator (VIA): a project, or its annotations exported as JSON."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_cresunet.annotations._annotated import AnnotatedImage
from napari_cresunet.annotations._place import Place
from napari_cresunet.annotations._shapes import Box, Cell, Dot, Ellipse, Part, Polygon

_PROJECT = "_via_img_metadata"


def is_via(content: Any) -> bool:
    """Tell whether a JSON document is a VIA project or its exported annotations."""
    if not isinstance(content, dict):
        return False
    images = content.get(_PROJECT, content)
    return isinstance(images, dict) and all(
        isinstance(image, dict) and "regions" in image for image in images.values()
    )


def read_via(path: Path, content: Any) -> list[AnnotatedImage]:
    """Read the images of a VIA document.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : dict
        The document: a project, or exported annotations.

    Returns
    -------
    list of AnnotatedImage
        In the order of the file, without a size: VIA writes none. Every region is a
        cell, whatever its attributes.

    Raises
    ------
    InputError
        If a region is a line, or a coordinate is missing.
    """
    images = []
    for key, image in content.get(_PROJECT, content).items():
        name = str(image.get("filename") or key)
        regions = image["regions"]
        if isinstance(regions, dict):  # as version 1 wrote them
            regions = list(regions.values())
        if not isinstance(regions, list):
            raise Place(path, name).fault("`regions` is no list")
        cells: list[Cell] = [
            (read_region(Place(path, f"{name}, region {number}"), region),)
            for number, region in enumerate(regions, start=1)
        ]
        images.append(AnnotatedImage(name, None, cells))
    return images


def read_region(place: Place, region: Any) -> Part:
    """Read the shape of a region.

    Parameters
    ----------
    place : Place
        Where it is, for messages.
    region : dict
        Holds `shape_attributes`.

    Returns
    -------
    Part
        The shape.

    Raises
    ------
    InputError
        If it is a line, or a coordinate is missing.
    """
    shape = region.get("shape_attributes") if isinstance(region, dict) else None
    if not isinstance(shape, dict):
        raise place.fault("`shape_attributes` is missing")

    def read(*names: str) -> list[float]:
        return [place.number(shape.get(name), name) for name in names]

    def read_sizes(*names: str) -> list[float]:
        return [place.size(shape.get(name), name) for name in names]

    match shape.get("name"):
        case "polygon":
            return _polygon(place, shape)
        case "rect":
            (top, left), (height, width) = read("y", "x"), read_sizes("height", "width")
            return Box(top, left, top + height, left + width)
        case "circle":
            (row, column), (radius,) = read("cy", "cx"), read_sizes("r")
            return Ellipse(row, column, radius, radius)
        case "ellipse":
            turn = place.number(shape.get("theta", 0), "theta")
            (row, column), (tall, wide) = read("cy", "cx"), read_sizes("ry", "rx")
            return Ellipse(row, column, tall, wide, turn)
        case "point":
            return Dot(*read("cy", "cx"))
        case other:
            raise place.fault(
                f"its shape is {other} and not polygon, ellipse, circle, rect or point"
            )


def _polygon(place: Place, shape: dict[str, Any]) -> Polygon:
    axes = [shape.get(f"all_points_{axis}") for axis in "yx"]
    for axis, values in zip("yx", axes, strict=True):
        if not isinstance(values, list) or not values:
            raise place.fault(f"`all_points_{axis}` is missing")
    rows, columns = (
        [place.number(value, f"all_points_{axis}") for value in values or ()]
        for axis, values in zip("yx", axes, strict=True)
    )
    if len(rows) != len(columns):
        raise place.fault(f"it has {len(columns)} x but {len(rows)} y")
    return Polygon(np.column_stack([rows, columns]))

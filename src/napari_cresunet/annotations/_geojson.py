"""QuPath: objects exported as GeoJSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.annotations._annotated import (
    CELL_PROPERTY,
    AnnotatedImage,
    Placed,
    image_of,
)
from napari_cresunet.annotations._place import Place, shortened
from napari_cresunet.annotations._planes import Plane
from napari_cresunet.annotations._shapes import Cell, Dot, Outlines

_DETECTED = {"detection", "cell", "pathdetectionobject", "pathcellobject"}
"""Kinds that are cells wherever they are; older files say the name of a class."""
_AROUND = {
    *("tile", "tma_core", "tmacore", "root"),
    *("pathtileobject", "tmacoreobject", "pathrootobject"),
}
"""Kinds that are never cells."""


def is_geojson(content: Any) -> bool:
    """Tell whether a JSON document is GeoJSON."""
    if isinstance(content, list):
        return bool(content) and all(_type(item) == "Feature" for item in content)
    return _type(content) in ("FeatureCollection", "Feature")


def read_geojson(path: Path, content: Any) -> list[AnnotatedImage]:
    """Read the image of a GeoJSON document.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : dict or list
        The document: a FeatureCollection, a Feature, or a list of them.

    Returns
    -------
    list of AnnotatedImage
        One image without name and size. Where there are detections or cells, they are
        the cells, and annotations are regions around them; else each annotation is a
        cell, and so is each of several points. Lines are left out.

    Raises
    ------
    InputError
        If nothing is left, or a coordinate is missing.

    Notes
    -----
    In QuPath the first pixel reaches from 0 to 1, for points as well.
    """
    features = [content] if _type(content) == "Feature" else content
    if isinstance(features, dict):
        features = features.get("features")
    if not isinstance(features, list):
        raise Place(path, "FeatureCollection").fault("`features` is no list")
    places = [Place(path, f"feature {n}") for n in range(1, len(features) + 1)]
    kinds = [_kind(*pair) for pair in zip(places, features, strict=True)]
    wanted = _DETECTED if _DETECTED & set(kinds) else set(kinds) - _AROUND
    found = [
        placed
        for place, feature, kind in zip(places, features, kinds, strict=True)
        if kind in wanted
        for placed in _placed(place, feature)
    ]
    if features and not found:
        raise Place(path, f"{len(features)} features").fault(
            "none has an area or a point"
        )
    return [image_of(found, "plane")]


def _placed(place: Place, feature: dict[str, Any]) -> Iterator[Placed]:
    said = _dict(feature.get("properties"))
    named = (said.get("name"), _dict(said.get("classification")).get("name"))
    name = next((one for one in named if isinstance(one, str) and one), "")
    cell_of = _dict(said.get("metadata")).get(CELL_PROPERTY)
    key = None if cell_of is None else str(cell_of)
    geometry = feature.get("geometry")
    for cell in _cells(place, geometry):
        yield Placed(cell, name, _plane(place, geometry), key)


def _type(item: Any) -> Any:
    return item.get("type") if isinstance(item, dict) else None


def _kind(place: Place, feature: Any) -> str:
    if _type(feature) != "Feature":
        raise place.fault("it is no Feature")
    properties = feature.get("properties")
    said = _dict(properties)
    kind = said.get("objectType") or said.get("object_type") or feature.get("id")
    return str(kind).lower()


def _plane(place: Place, geometry: Any) -> Plane:
    said = _dict(_dict(geometry).get("plane"))
    z, t = (int(place.size(said.get(axis) or 0, axis)) for axis in "zt")
    return Plane(f"z {z} t {t}", z=z, t=t)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _cells(place: Place, geometry: Any) -> Iterator[Cell]:
    if not isinstance(geometry, dict):
        raise place.fault("`geometry` is missing")
    coordinates = geometry.get("coordinates")
    match geometry.get("type"):
        case "Polygon":
            yield (_polygon(place, coordinates),)
        case "MultiPolygon":
            yield [_polygon(place, one) for one in _list(place, coordinates)]
        case "Point":
            yield (_dot(place, coordinates),)
        case "MultiPoint":
            yield from ((_dot(place, one),) for one in _list(place, coordinates))
        case "LineString" | "MultiLineString":
            return
        case other:
            raise place.fault(
                f"its geometry is {shortened(other)} and not Polygon, MultiPolygon, "
                "Point or MultiPoint"
            )


def _polygon(place: Place, rings: Any) -> Outlines:
    return Outlines([_ring(place, ring) for ring in _list(place, rings)])


def _ring(place: Place, ring: Any) -> NDArray[np.float64]:
    points = [_position(place, point) for point in _list(place, ring)]
    return np.array(points, np.float64)


def _dot(place: Place, point: Any) -> Dot:
    return Dot(*_position(place, point))


def _position(place: Place, point: Any) -> tuple[float, float]:
    """Return row and column."""
    if not isinstance(point, list) or len(point) < 2:
        raise place.fault("a point has no x and y")
    x, y = (place.number(number, "coordinates") for number in point[:2])
    return y - 0.5, x - 0.5


def _list(place: Place, value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise place.fault("`coordinates` are missing or not nested as they should be")
    return value

"""A study as a JSON document, and back."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices
from napari_cresunet._writing import as_plain
from napari_cresunet.correction import Erased, LogEntry, Pins
from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region
from napari_cresunet.studies._content import ImageReference, StudyContent

FORMAT = "napari-cresunet study"
VERSION = 1
DATA_FILE = re.compile(r"(labels|region)-[0-9a-f]{32}\.tif")
"""What a file of pixels is called: after its content."""

AnyKind = TypeVar("AnyKind")
Reader = Callable[[str, tuple[int, ...], np.dtype[Any]], NDArray[Any]]
"""Reads a file of pixels, by its name, with this shape and dtype."""
_LABEL_DTYPES = {"bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64))}


class DamageError(ValueError):
    """What is wrong with a document, in a few words."""


# Writing


def to_document(content: StudyContent, labels: str, masks: Iterable[str]) -> str:
    """Return a study as text, one line for each part.

    Parameters
    ----------
    content : StudyContent
        The study.
    labels : str
        Name of the file of the labels.
    masks : iterable of str
        Names of the files of those regions that are masks, in their order.

    Returns
    -------
    str
        JSON.

    Raises
    ------
    InputError
        If a region has corners that are no numbers.
    """
    parts = {
        "format": FORMAT,
        "version": VERSION,
        "name": content.name,
        "image": _from_image(content.image),
        "labels": {
            "file": labels,
            "shape": content.labels.shape,
            "dtype": content.labels.dtype.name,
        },
        "offset": content.offset,
        "pixel_size": content.pixel_size,
        "record": content.record,
        "metrics": content.metrics,
        "reviewed": content.reviewed,
        "pins": _from_pins(content.pins),
        "log": [asdict(entry) for entry in content.log],
        "regions": _from_regions(content.regions, iter(masks)),
    }
    # Only ASCII: so names of files that are no text of any encoding come back, too.
    lines = [
        f"{json.dumps(name)}: {json.dumps(as_plain(part), allow_nan=False)}"
        for name, part in parts.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _from_image(image: ImageReference | None) -> dict[str, Any] | None:
    if image is None:
        return None
    path = None if image.path is None else str(image.path)
    return asdict(image) | {"path": path}


def _from_pins(pins: Pins) -> dict[str, Any]:
    return {
        "cells": [{"label": label, "kind": kind} for label, kind in pins.cells.items()],
        "erased": [
            {
                "label": one.label,
                "is_whole": one.is_whole,
                "runs": _to_runs(one.pixels),
            }
            for one in pins.erased
        ],
    }


def _to_runs(pixels: Indices) -> list[list[int]]:
    """Return places that follow each other as their first one and their number."""
    starts = np.flatnonzero(np.diff(pixels, prepend=-2) != 1)
    lengths = np.diff(starts, append=len(pixels))
    runs: list[list[int]] = np.stack([pixels[starts], lengths], axis=1).tolist()
    return runs


def _from_regions(regions: Iterable[Region], masks: Any) -> dict[str, Any]:
    features = []
    for region in regions:
        finite = all(np.isfinite(polygon).all() for polygon in region.polygons)
        if not finite:
            raise InputError(
                f"The region {region.name!r} has corners that are no numbers: draw it "
                "anew."
            )
        about: dict[str, Any] = {"name": region.name, "plane": region.plane}
        if region.mask is not None:
            about["mask"] = {"file": next(masks), "shape": region.mask.shape}
        rings = [_ring(polygon) for polygon in region.polygons]
        shape = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
        features.append({"type": "Feature", "properties": about, "geometry": shape})
    return {
        "type": "FeatureCollection",
        "coordinates": "column and row in px, whole numbers are centers of pixels",
        "features": features,
    }


def _ring(polygon: NDArray[np.float64]) -> list[list[float]]:
    corners: list[list[float]] = np.asarray(polygon, float)[:, ::-1].tolist()
    return [*corners, *corners[:1]]


# Reading


def read_document(path: Path) -> dict[str, Any]:
    """Read the JSON of a study, up to its version.

    Parameters
    ----------
    path : Path
        A study.json.

    Returns
    -------
    dict
        The document, of this version.

    Raises
    ------
    DamageError
        If it is damaged.
    InputError
        If it is missing, of another program or of a newer version.
    """
    document = _parse(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path} is of another program: choose the folder of a study.")
    version = get(document, "version", int)
    if version > VERSION:
        raise InputError(
            f"{path} was written by a newer version (format {version}): update "
            "napari-cresunet to open it."
        )
    return document


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{path.parent} holds no study: choose a folder with a {path.name}."
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): ask for permission or copy it "
            "elsewhere."
        ) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DamageError(f"{place}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise DamageError(f"byte {error.start} is no UTF-8") from None
    except (RecursionError, ValueError):  # an endless nest, an endless number
        raise DamageError("nested too deep or too long") from None


def get(values: Any, name: str, kind: type[AnyKind]) -> AnyKind:
    """Return a part of a document.

    Parameters
    ----------
    values : object
        Should be a dict.
    name : str
        Of the part.
    kind : type
        What it should be.

    Returns
    -------
    object
        Of that kind.

    Raises
    ------
    DamageError
        If it is missing or of another kind.
    """
    value = values.get(name) if isinstance(values, dict) else None
    is_truth = isinstance(value, bool) and kind is not bool
    if is_truth or not isinstance(value, kind):
        raise DamageError(f"`{name}` is missing or no {kind.__name__}")
    return value


def from_document(document: Mapping[str, Any], read: Reader) -> StudyContent:
    """Return the study of a document.

    Parameters
    ----------
    document : dict
        From `read_document`.
    read : callable
        Reads a file of pixels, by its name, with this shape and dtype.

    Returns
    -------
    StudyContent
        What was written.

    Raises
    ------
    DamageError
        If a part is missing or cannot be.
    """
    labels = _to_labels(get(document, "labels", dict), read)
    return StudyContent(
        name=get(document, "name", str),
        image=_to_image(document.get("image")),
        labels=labels,
        pins=_to_pins(get(document, "pins", dict), labels.size),
        log=tuple(_to_entry(entry) for entry in get(document, "log", list)),
        reviewed=_whole(document, "reviewed"),
        record=get(document, "record", dict),
        metrics=get(document, "metrics", dict),
        pixel_size=_to_pixel_size(document.get("pixel_size")),
        offset=_pair_of(_whole(document, "offset"), "offset"),
        regions=_to_regions(document, read),
    )


def _whole(values: Any, name: str) -> tuple[int, ...]:
    """Return whole numbers that are not negative."""
    numbers = get(values, name, list)
    if any(type(number) is not int or number < 0 for number in numbers):
        raise DamageError(f"`{name}` holds something else than whole numbers")
    return tuple(numbers)


def _number(values: Any, name: str) -> float:
    """Return a number, which is a whole one in JSON where its digits behind are 0."""
    is_whole = type(values.get(name)) is int
    return float(get(values, name, int)) if is_whole else get(values, name, float)


def _pair_of(values: tuple[AnyKind, ...], name: str) -> tuple[AnyKind, AnyKind]:
    if len(values) != 2:
        raise DamageError(f"`{name}` is no pair")
    return values[0], values[1]


def _to_pixel_size(values: Any) -> tuple[float, float] | None:
    if values is None:
        return None
    try:
        sides = tuple(float(side) for side in values)
    except (TypeError, ValueError, OverflowError):
        sides = ()
    if not all(0 < side < inf for side in sides):
        raise DamageError("`pixel_size` is no size")
    return _pair_of(sides, "pixel_size")


def _to_labels(values: Any, read: Reader) -> NDArray[Any]:
    shape, dtype = _whole(values, "shape"), get(values, "dtype", str)
    if dtype not in _LABEL_DTYPES:
        raise DamageError("the dtype of `labels` is not of whole numbers")
    if len(shape) < 2:
        raise DamageError("`labels` has no rows and columns")
    return read(get(values, "file", str), shape, np.dtype(dtype))


def _to_image(values: Any) -> ImageReference | None:
    if values is None:
        return None
    name = get(values, "name", str)
    path, sample = values.get("path"), values.get("sample")
    return ImageReference(
        name=name,
        path=None if path is None else Path(get(values, "path", str)),
        sample=None
        if sample is None
        else _pair_of(tuple(map(str, get(values, "sample", list))), "sample"),
        hash=get(values, "hash", str),
        shape=_whole(values, "shape"),
        dtype=get(values, "dtype", str),
    )


def _to_pins(values: Any, size: int) -> Pins:
    cells = {
        get(cell, "label", int): get(cell, "kind", str)
        for cell in get(values, "cells", list)
    }
    erased = tuple(
        Erased(
            label=get(one, "label", int),
            pixels=_from_runs(get(one, "runs", list), size),
            is_whole=get(one, "is_whole", bool),
        )
        for one in get(values, "erased", list)
    )
    return Pins(cells=cells, erased=erased)


def _from_runs(runs: list[Any], size: int) -> Indices:
    end = 0
    for run in runs:
        is_pair = isinstance(run, list) and [type(one) for one in run] == [int, int]
        if not is_pair or run[0] < end or run[1] < 1 or sum(run) > size:
            raise DamageError("`runs` are no places of the labels, in their order")
        end = sum(run)
    pixels = [np.arange(start, start + length) for start, length in runs]
    return np.concatenate([np.zeros(0, np.intp), *pixels]).astype(np.intp)


def _to_entry(values: Any) -> LogEntry:
    return LogEntry(
        kind=get(values, "kind", str),
        before=_whole(values, "before"),
        after=_whole(values, "after"),
        plane=get(values, "plane", int),
        row=_number(values, "row"),
        column=_number(values, "column"),
        changed_px=get(values, "changed_px", int),
    )


def _to_regions(document: Mapping[str, Any], read: Reader) -> tuple[Region, ...]:
    regions = []
    for feature in get(get(document, "regions", dict), "features", list):
        about = get(feature, "properties", dict)
        rings = get(get(feature, "geometry", dict), "coordinates", list)
        has_plane = about.get("plane") is not None
        regions.append(
            Region(
                name=get(about, "name", str),
                polygons=tuple(_to_polygon(ring) for ring in rings),
                mask=_to_mask(about.get("mask"), read),
                plane=get(about, "plane", int) if has_plane else None,
            )
        )
    return tuple(regions)


def _to_mask(values: Any, read: Reader) -> NDArray[np.bool_] | None:
    if values is None:
        return None
    shape = _whole(values, "shape")
    pixels = read(get(values, "file", str), shape, np.dtype(np.uint8))
    return pixels.astype(np.bool_)


def _to_polygon(rings: Any) -> NDArray[np.float64]:
    try:
        (ring,) = rings
        corners = np.array(ring, np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        raise DamageError("a region is no ring of corners") from None
    if not np.isfinite(corners).all():
        raise DamageError("a region has corners that are no numbers")
    return np.ascontiguousarray(corners[:-1, ::-1])

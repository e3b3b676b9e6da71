"""Writing cells for QuPath: detections as GeoJSON."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._label_images import planes_of
from napari_cresunet._writing import write_json
from napari_cresunet.annotations._annotated import CELL_PROPERTY
from napari_cresunet.annotations._outlines import (
    Ring,
    outlines_in_planes,
    pieces_of,
)
from napari_cresunet.errors import InputError

_CLASS = {"name": "Cell", "color": [0, 158, 115]}


def write_geojson(
    path: str | Path,
    labels: NDArray[Any],
    *,
    measurements: Mapping[str, NDArray[Any]] | None = None,
    names: Mapping[int, str] | None = None,
) -> None:
    """Write cells as detections that QuPath imports.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    labels : ndarray of shape (..., Y, X), int
        Label image with at most two leading axes. One is written as z, two as t and z.
    measurements : mapping of str to ndarray of shape (N,), optional
        Columns of a table of cells, one of which is "label". Numbers become
        measurements; texts, such as the region, become metadata.
    names : mapping of int to str, optional
        Names of cells by their label; the others are named by their number.

    Raises
    ------
    InputError
        If it is no label image, has more axes, or the table has no labels.

    Notes
    -----
    A FeatureCollection after RFC 7946, but in px, where the first one reaches from 0 to
    1 and y goes down. Outer rings are counterclockwise in these numbers, holes
    clockwise, and the last corner repeats the first. Each cell is a Polygon or
    MultiPolygon; on several planes it is one feature on each. A file that cannot be
    written is an `EngineError`.
    """
    array = np.asarray(labels)
    if array.ndim > 4:
        raise InputError(
            f"QuPath knows z and t only, but `labels` has {array.ndim - 2} leading "
            "axes: write a part of it."
        )
    measured = _by_label(measurements or {})
    features = list(_features(array, measured, names or {}))
    write_json(Path(path), {"type": "FeatureCollection", "features": features})


def _features(
    labels: NDArray[Any],
    measured: Mapping[int, Mapping[str, Any]],
    names: Mapping[int, str],
) -> Iterator[dict[str, Any]]:
    outlines = outlines_in_planes(labels)
    stack = planes_of(labels)
    for label, planes in outlines.items():
        properties = {
            "objectType": "detection",
            "name": names.get(label) or str(label),
            "classification": _CLASS,
            **measured.get(label, {}),
        }
        if len(planes) > 1:
            metadata = {**properties.get("metadata", {}), CELL_PROPERTY: str(label)}
            properties["metadata"] = metadata
        for number, rings in planes:
            geometry = _geometry(pieces_of(stack[number], rings))
            if labels.ndim > 2:
                t, z = (
                    divmod(number, labels.shape[-3]) if labels.ndim > 3 else (0, number)
                )
                geometry["plane"] = {"c": -1, "z": z, "t": t}
            yield {"type": "Feature", "geometry": geometry, "properties": properties}


def _geometry(pieces: list[list[Ring]]) -> dict[str, Any]:
    polygons = [[_closed(ring) for ring in piece] for piece in pieces]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed(ring: Ring) -> list[list[int]]:
    """Return x and y, whole numbers, the first corner once more at the end."""
    corners = (np.vstack([ring, ring[:1]])[:, ::-1] + 0.5).astype(int)
    points: list[list[int]] = corners.tolist()
    return points


def _by_label(table: Mapping[str, NDArray[Any]]) -> dict[int, dict[str, Any]]:
    """Return measurements and metadata of each cell."""
    if not table:
        return {}
    if "label" not in table:
        raise InputError("`measurements` has no column label: say whose they are.")
    columns = {name: np.asarray(column).tolist() for name, column in table.items()}
    labels = columns.pop("label")
    rows = zip(*columns.values(), strict=True) if columns else [()] * len(labels)
    found: dict[int, dict[str, Any]] = {}
    for label, row in zip(labels, rows, strict=True):
        values = dict(zip(columns, row, strict=True))
        numbers = {name: _number(value) for name, value in values.items()}
        measured = {name: n for name, n in numbers.items() if n is not None}
        texts = {n: one for n, one in values.items() if isinstance(one, str) and one}
        found[int(label)] = {"measurements": measured}
        found[int(label)] |= {"metadata": texts} if texts else {}
    return found


def _number(value: Any) -> int | float | None:
    """Return a number that JSON has, without the digits of rounding; else None."""
    if isinstance(value, int):
        return int(value)  # of truth values, too
    if isinstance(value, float) and np.isfinite(value):
        return float(f"{value:.10g}")
    return None

"""Writing cells as COCO: one JSON file for all planes of an image."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._label_images import checked_labels, planes_of
from napari_cresunet._writing import write_json
from napari_cresunet.annotations._outlines import (
    Ring,
    box_of,
    is_outer,
    outlines_of,
)


def write_coco(
    path: str | Path,
    labels: NDArray[Any],
    *,
    image_name: str,
    category: str = "cell",
) -> None:
    """Write cells as instances of COCO.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    labels : ndarray of shape (..., Y, X), int
        Label image.
    image_name : str
        File name of the image. COCO knows no stacks: planes are images of their own,
        such as "a_z001.tif", or with two leading axes "a_t001_z001.tif", from 1 on.
    category : str, optional
        What all of them are.

    Notes
    -----
    Cells without holes are polygons, one for each part; cells with holes are run
    lengths that are not compressed. Both are exact. An annotation also says the number
    of its cell as "label". `InputError` if it is no label image; a file that cannot be
    written is an `EngineError`.
    """
    array = checked_labels(labels)
    stack = planes_of(array)
    names = _names(image_name, array.shape[:-2])
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (plane, name) in enumerate(zip(stack, names, strict=True), start=1):
        height, width = plane.shape
        size = {"height": height, "width": width}
        images.append({"id": number, "file_name": name, **size})
        for cell in _cells(plane):
            numbers = {"id": len(annotations) + 1, "image_id": number, "category_id": 1}
            annotations.append(numbers | cell)
    categories = [{"id": 1, "name": category, "supercategory": ""}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_json(Path(path), {"info": {}, "licenses": [], **content})


def _names(image_name: str, leading: tuple[int, ...]) -> list[str]:
    if not leading:
        return [image_name]
    axes = {1: ("z",), 2: ("t", "z")}.get(len(leading), ("p",) * len(leading))
    file = PurePosixPath(image_name)
    stem = file.stem.removesuffix(".ome") or file.stem
    ending = file.name[len(stem) :]
    return [
        str(file.with_name(f"{stem}{_place(axes, place)}{ending}"))
        for place in np.ndindex(leading)
    ]


def _place(axes: tuple[str, ...], place: tuple[int, ...]) -> str:
    return "".join(
        f"_{axis}{number + 1:03}" for axis, number in zip(axes, place, strict=True)
    )


def _cells(plane: NDArray[Any]) -> Iterator[dict[str, Any]]:
    for label, rings in outlines_of(plane).items():
        top, left, bottom, right = box_of(rings)
        rows, columns = np.nonzero(plane[top:bottom, left:right] == label)
        outline: Any = [_polygon(ring) for ring in rings]
        if not all(is_outer(ring) for ring in rings):
            outline = {
                "size": list(plane.shape),
                "counts": _runs(rows + top, columns + left, plane.shape),
            }
        yield {
            "segmentation": outline,
            "area": len(rows),
            "bbox": [left, top, right - left, bottom - top],
            "iscrowd": 0,
            "label": label,
        }


def _polygon(ring: Ring) -> list[int]:
    """Return x, y, x, y, ...; the first pixel reaches from 0 to 1."""
    numbers: list[int] = (ring[:, ::-1] + 0.5).astype(int).ravel().tolist()
    return numbers


def _runs(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> list[int]:
    """Return lengths of background and cell in turn, down one column after another."""
    height, width = shape
    places = np.sort(columns * height + rows)
    breaks = np.flatnonzero(np.diff(places) != 1)
    starts = places[np.append(0, breaks + 1)]
    ends = places[np.append(breaks, len(places) - 1)] + 1
    edges = np.column_stack([starts, ends]).ravel()
    counts: list[int] = np.diff(np.concatenate([[0], edges, [height * width]])).tolist()
    return counts if counts[-1] else counts[:-1]

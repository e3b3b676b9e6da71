"""What is drawn of one image of a batch: overlay, table of cells, thumbnail."""

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image, Probability
from napari_cresunet._writing import told_why, write_bytes
from napari_cresunet.batch._journal import Journal
from napari_cresunet.batch._options import BatchOptions

if TYPE_CHECKING:
    from napari_cresunet.pyramids import Pyramid

_MOST_PIXELS = 16_000_000
"""Of a level, from which an image larger than memory is drawn."""

_drawing = threading.Lock()
"""matplotlib does not draw in two threads at once."""


def write_pictures(
    record: Mapping[str, Any],
    pixels: Image,
    labels: NDArray[Any],
    probability: Probability | None,
    place: tuple[Journal, str, BatchOptions],
) -> dict[str, Any]:
    """Write what is wanted beside labels and probability.

    Parameters
    ----------
    record : mapping
        How the count came about.
    pixels : ndarray of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image.
    labels : ndarray of shape (..., Y, X)
        The cells.
    probability : ndarray of shape (..., Y, X), or None
        Goes into the table of cells.
    place : tuple of (Journal, str, BatchOptions)
        Where to, under which name, and what.

    Returns
    -------
    dict
        The record, with the names of the files that were written.
    """
    from napari_cresunet.export import (
        Counted,
        thumbnail,
        write_cells_csv,
        write_overlay,
    )

    journal, name, options = place
    output, known = journal.folder.parent, dict(record)
    size = known.get("pixel_size_um")
    counted = Counted(
        name=name,
        labels=labels,
        image=pixels,
        probability=probability,
        pixel_size=None if size is None else (size[0], size[1]),
        record=record,
    )
    if options.overlay:
        known["overlay"] = f"{name}_overlay.png"
        with _drawing:
            write_overlay(output / known["overlay"], counted)
    if options.cells:
        known["cells"] = f"{name}_cells.csv"
        write_cells_csv(output / known["cells"], counted)
    _write_thumbnail(journal.thumbnail_file(name), thumbnail(pixels, labels))
    return known


def _write_thumbnail(path: Path, content: bytes) -> None:
    """Write a file that nobody misses: waiting for the disk takes longer than all."""
    temporary = path.with_name(f".{path.name}.tmp")
    with told_why(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)


def write_slide_pictures(
    record: Mapping[str, Any],
    image: "Pyramid",
    labels: Path,
    place: tuple[Journal, str, BatchOptions],
) -> dict[str, Any]:
    """Draw an image larger than memory, if it has a level that is small enough.

    Parameters
    ----------
    record : mapping
        How the count came about.
    image : Pyramid
        The image.
    labels : Path
        OME-Zarr of its labels.
    place : tuple of (Journal, str, BatchOptions)
        Where to, under which name, and what.

    Returns
    -------
    dict
        The record, with the name of the overlay if it was written.
    """
    from napari_cresunet.export import thumbnail
    from napari_cresunet.pyramids import open_pyramid

    journal, name, options = place
    known = dict(record)
    levels = image.levels, open_pyramid(labels).levels
    small = [_fitting(one, levels[1][0].ndim) for one in levels]
    if not all(small):
        return known
    if options.overlay:
        # Without matplotlib, which would take some hundred bytes for each pixel.
        known["overlay"] = f"{name}_overlay.png"
        path = journal.folder.parent / known["overlay"]
        write_bytes(path, _outlined(*_on_one_grid(*(one[0] for one in small))))
    pixels, cells = _on_one_grid(*(one[-1] for one in small))
    _write_thumbnail(journal.thumbnail_file(name), thumbnail(pixels, cells))
    return known


def _fitting(levels: Sequence[Any], n_axes: int) -> list[Any]:
    """Return the levels that fit into memory easily, the finest first."""
    return [one for one in levels if math.prod(one.shape[:n_axes]) <= _MOST_PIXELS]


def _outlined(pixels: Image, cells: NDArray[Any]) -> bytes:
    """Return the plane with the largest part in cells, with outlines, as PNG."""
    from napari_cresunet.export import overlay, png_bytes, stretched

    planes = cells.reshape(-1, *cells.shape[-2:])
    fullest = int(np.argmax(np.count_nonzero(planes, axis=(1, 2))))
    plane = pixels.reshape(-1, *pixels.shape[cells.ndim - 2 :])[fullest]
    plane = plane[..., :3] if plane.ndim == 3 else plane
    return png_bytes(overlay(stretched(plane), planes[fullest]))


def _on_one_grid(image: Any, labels: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read a level of each; both have halved their sides, but maybe not equally."""
    pixels, cells = np.asarray(image), np.asarray(labels)
    n_before = cells.ndim - 2
    for axis in (n_before, n_before + 1):
        length, wanted = cells.shape[axis], pixels.shape[axis]
        places = np.minimum(np.arange(wanted) * length // wanted, length - 1)
        cells = cells.take(places, axis)
    return pixels, cells

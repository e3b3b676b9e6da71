"""Writing cells for ImageJ: the ZIP file of the ROI Manager, or a single region."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._writing import write_bytes
from napari_cresunet.annotations._annotated import CELL_PROPERTY
from napari_cresunet.annotations._outlines import Ring, box_of, outlines_in_planes
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from roifile import ImagejRoi

_MOST_CORNERS = 2**15
"""Of a traced outline, whose corners ImageJ counts with 16 bits."""
_FARTHEST = 2**15 - 1
"""Px of a corner that fits into the 16 bits of a traced outline."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same cells make the same file."""


def write_imagej(
    path: str | Path, labels: NDArray[Any], *, names: Mapping[int, str] | None = None
) -> None:
    """Write cells as regions for the ROI Manager of ImageJ and Fiji.

    Parameters
    ----------
    path : str or Path
        Ends in `.zip`, or in `.roi` for a single region. Replaced if it exists, and
        never half written.
    labels : ndarray of shape (..., Y, X), int
        Label image with at most two leading axes. One is written as the position in the
        stack, two as frame and slice (T, Z).
    names : mapping of int to str, optional
        Names of cells by their label; the others are named by their number.

    Raises
    ------
    InputError
        If the ending is another, it is no label image or has more axes, or there is not
        exactly one region for `.roi`.

    Notes
    -----
    Regions stand in the order of labels, one for each cell and plane, and hold exactly
    its pixels: traced outlines, or composites where a cell has holes or several parts.
    Without a cell the ZIP file is empty. A file that cannot be written is an
    `EngineError`.
    """
    path = Path(path)
    array = np.asarray(labels)
    if array.ndim > 4:
        raise InputError(
            f"ImageJ knows slices and frames only, but `labels` has {array.ndim - 2} "
            "leading axes: write a part of it."
        )
    regions = dict(_regions(array, names or {}))
    match path.suffix.lower():
        case ".zip":
            write_bytes(path, _zipped(regions))
        case ".roi" if len(regions) == 1:
            write_bytes(path, next(iter(regions.values())).tobytes())
        case ".roi":
            raise InputError(
                f"{path} can hold one region, but there are {len(regions)}: end its "
                "name in .zip."
            )
        case _:
            raise InputError(f"{path} does not end in .zip or .roi: name it so.")


def _zipped(regions: "Mapping[str, ImagejRoi]") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, roi in regions.items():
            entry = zipfile.ZipInfo(f"{name}.roi", _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, roi.tobytes())
    return content.getvalue()


def _regions(
    labels: NDArray[Any], names: Mapping[int, str]
) -> "Iterator[tuple[str, ImagejRoi]]":
    """Yield the region of each cell in each plane by the name of its entry."""
    outlines = outlines_in_planes(labels)
    width = max(4, len(str(max(outlines, default=0))))
    taken: set[str] = set()
    for label, planes in outlines.items():
        number = f"{label:0{width}}"
        name = _plain(names.get(label, "")) or number
        for plane, rings in planes:
            roi = _composite(rings) if _is_composite(rings) else _traced(rings[0])
            _set_position(roi, plane, labels.shape[:-2])
            roi.name = name
            if len(planes) > 1:
                roi.name = f"{name}-{plane + 1:0{width}}"
                roi.props = f"{CELL_PROPERTY}: {label}\n"
            # ImageJ shows the name of the entry.
            while roi.name in taken:
                roi.name = f"{roi.name}-{number}"
            taken.add(roi.name)
            yield roi.name, roi


def _plain(name: str) -> str:
    """Return a name that can be that of a file in any system, and of none hidden."""
    return "".join(
        letter if letter.isprintable() and letter not in '/\\:*?"<>|' else "_"
        for letter in name.encode("utf-16", "replace").decode("utf-16")
        if ord(letter) < 2**16  # roifile counts others as one
    ).strip(" .")


def _is_composite(rings: list[Ring]) -> bool:
    ring = rings[0]
    return len(rings) > 1 or len(ring) > _MOST_CORNERS or ring.max() > _FARTHEST


def _traced(ring: Ring) -> "ImagejRoi":
    from roifile import ROI_TYPE, ImagejRoi

    # x and y; the first pixel reaches from 0 to 1.
    points = (ring[:, ::-1] + 0.5).astype(np.int32)
    top, left, bottom, right = box_of([ring])
    return ImagejRoi(
        roitype=ROI_TYPE.TRACED,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        n_coordinates=len(points),
        integer_coordinates=points - (left, top),
    )


def _composite(rings: list[Ring]) -> "ImagejRoi":
    from roifile import ROI_TYPE, ImagejRoi

    path: list[float] = []
    for ring in rings:
        first, *others = (ring[:, ::-1] + 0.5).tolist()
        path += [0, *first]
        for point in others:
            path += [1, *point]
        path.append(4)
    top, left, bottom, right = (min(side, _FARTHEST) for side in box_of(rings))
    return ImagejRoi(
        roitype=ROI_TYPE.RECT,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        shape_roi_size=len(path),
        multi_coordinates=np.array(path, np.float32),
    )


def _set_position(roi: "ImagejRoi", plane: int, leading: tuple[int, ...]) -> None:
    """Say on which plane a region is; ImageJ counts from 1."""
    if len(leading) == 2:
        frame, piece = divmod(plane, leading[1])
        roi.t_position, roi.z_position = frame + 1, piece + 1
    elif leading:
        roi.position = plane + 1

"""Label images as OME-TIFF, with the size of a pixel and how they came about."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import written_whole
from napari_cresunet._label_images import checked_labels
from napari_cresunet._writing import as_plain, told_why
from napari_cresunet.errors import InputError

_AXES = ("YX", "ZYX", "TZYX")
NAMESPACE = "napari-cresunet"
"""Of the annotation that holds the record."""


def write_ome_tiff(
    path: str | Path,
    labels: NDArray[Any],
    *,
    pixel_size: tuple[float, float] | None = None,
    record: Mapping[str, Any] | None = None,
    name: str = "",
) -> None:
    """Write a label image as OME-TIFF.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    labels : ndarray of shape (..., Y, X), int
        Label image with at most two leading axes: one is written as Z, two as T and Z.
    pixel_size : tuple of float, optional
        Height and width of a pixel in µm.
    record : mapping, optional
        How it came about, ready for JSON.
    name : str, optional
        Of the image.

    Raises
    ------
    InputError
        If it is no label image, has no pixel, or has more axes.

    Notes
    -----
    Numbers are uint16 if the highest label fits, which all programs know, else int32.
    The record is JSON in a comment annotation of the OME metadata. The size of a pixel
    is there, too, and as the resolution of the TIFF. A file that cannot be written is
    an `EngineError`.
    """
    import tifffile

    path = Path(path)
    array = checked_labels(labels)
    if array.ndim > 4:
        raise InputError(
            f"OME-TIFF has T and Z here, but `labels` has {array.ndim - 2} leading "
            "axes: write a part of it."
        )
    if not array.size:
        raise InputError(
            f"`labels` must have a pixel, got shape {array.shape}: there is nothing to "
            "write."
        )
    kind = np.uint16 if array.max(initial=0) < 2**16 else np.int32
    metadata: dict[str, Any] = {"axes": _AXES[array.ndim - 2]}
    metadata |= {"Name": _printable(name)} if name else {}
    options: dict[str, Any] = {}
    if pixel_size is not None:
        height, width = (float(side) for side in pixel_size)
        metadata |= {"PhysicalSizeY": height, "PhysicalSizeYUnit": "µm"}
        metadata |= {"PhysicalSizeX": width, "PhysicalSizeXUnit": "µm"}
        options["resolution"] = (1e4 / width, 1e4 / height)
        options["resolutionunit"] = "CENTIMETER"
    if record:
        # Only ASCII: not every character that a path may have can stand in XML.
        text = json.dumps(as_plain(record), allow_nan=False)
        metadata["CommentAnnotation"] = {"Namespace": NAMESPACE, "Value": text}
    with told_why(path), written_whole(path) as file:
        tifffile.imwrite(
            file,
            array.astype(kind),
            ome=True,
            photometric="minisblack",
            compression="zlib",
            metadata=metadata,
            **options,
        )


def _printable(name: str) -> str:
    """Return a name that can stand in XML."""
    return "".join(one if one.isprintable() else "_" for one in name)


def record_in_ome(metadata: str) -> dict[str, Any]:
    """Return the record that `write_ome_tiff` put into OME metadata.

    Parameters
    ----------
    metadata : str
        OME-XML, of any program.

    Returns
    -------
    dict
        Empty where there is none.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    path = f".//{{*}}CommentAnnotation[@Namespace='{NAMESPACE}']/{{*}}Value"
    try:
        record = json.loads(fromstring(metadata).findtext(path) or "{}")
    except (ParseError, DefusedXmlException, ValueError):
        return {}
    return record if isinstance(record, dict) else {}

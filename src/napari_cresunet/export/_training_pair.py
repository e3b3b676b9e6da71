"""An image with corrected labels, in the layout that training reads."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import written_whole
from napari_cresunet._label_images import checked_labels, planes_of
from napari_cresunet._writing import told_why
from napari_cresunet.errors import InputError
from napari_cresunet.export._pictures import is_color


def write_training_pair(
    folder: str | Path, name: str, image: NDArray[Any], labels: NDArray[Any]
) -> list[Path]:
    """Write an image and its labels as `images/NAME.tif` and `labels/NAME.tif`.

    Parameters
    ----------
    folder : str or Path
        Where `images` and `labels` are, or will be.
    name : str
        Of the image; what cannot be in the name of a file becomes "_".
    image : ndarray of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image, in any dtype; transparency is left out.
    labels : ndarray of shape (..., Y, X), int
        Its cells. Of a stack each plane that has cells is a pair of its own, named
        NAME_p001, NAME_p002, ...

    Returns
    -------
    list of Path
        The files; those that were there are replaced, and none is half written.

    Raises
    ------
    InputError
        If image and labels differ in shape, there is no cell, or it is no label image.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    array, pixels = checked_labels(labels), np.asarray(image)
    has_colors = is_color(pixels, array.shape, name)
    if not array.any():
        raise InputError(f"{name} has no cell: there is nothing to learn from.")
    stack = planes_of(array)
    planes = pixels.reshape(len(stack), *pixels.shape[array.ndim - 2 :])
    written = []
    for number in np.flatnonzero(stack.any(axis=(1, 2))).tolist():
        place = f"_p{number + 1:03}" if len(stack) > 1 else ""
        file = f"{_plain(name)}{place}.tif"
        pairs = {"images": planes[number][..., :3] if has_colors else planes[number]}
        pairs["labels"] = _smallest(stack[number])
        for kind, content in pairs.items():
            path = Path(folder) / kind / file
            _write(path, content)
            written.append(path)
    return written


def _plain(name: str) -> str:
    kept = "".join(one if one.isalnum() or one in " ._-()" else "_" for one in name)
    return kept.strip(" .") or "image"


def _smallest(labels: NDArray[Any]) -> NDArray[Any]:
    return labels.astype(np.uint16 if labels.max() < 2**16 else np.int32)


def _write(path: Path, pixels: NDArray[Any]) -> None:
    import tifffile

    with told_why(path), written_whole(path) as file:
        tifffile.imwrite(
            file,
            np.ascontiguousarray(pixels),
            photometric="rgb" if pixels.ndim == 3 else "minisblack",
            compression="zlib",
        )

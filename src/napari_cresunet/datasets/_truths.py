"""Truth in files: mask and label images, and annotation files."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._images import PICTURE_SUFFIXES, TIFF_SUFFIXES, read_image
from napari_cresunet._labels import as_labels
from napari_cresunet._typing import Labels
from napari_cresunet.annotations import (
    ANNOTATION_SUFFIXES,
    Annotations,
    is_annotation_file,
    load_annotations,
)
from napari_cresunet.errors import InputError

IMAGE_SUFFIXES = TIFF_SUFFIXES + PICTURE_SUFFIXES
TRUTH_SUFFIXES = IMAGE_SUFFIXES + ANNOTATION_SUFFIXES
TRUTH_ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label")
"""What other programs put behind the name of an image; longer ones first."""
_ANNOTATION_ENDINGS = (*TRUTH_ENDINGS, "_annotations", "_points", "_rois", "_roiset")
_ANNOTATION_BEGINNING = "cellcounter_"
"""What people and ImageJ add to the name of an annotation file."""
_OFTEN_OTHER = (".csv", ".zip")
"""Files of these kinds mostly hold something else, such as counts."""
_NO_IMAGE_ENDINGS = ("_probability",)
"""What our own results end in that is neither image nor truth."""


@dataclass(frozen=True, slots=True)
class TruthFile:
    """The truth of one image in a file."""

    path: Path
    image_name: str | None = None
    """Which image of a file that describes several; None for the only one."""
    annotations: Annotations | None = None
    """What an annotation file says, where it has been read already."""

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.path}: {self.image_name}" if self.image_name else str(self.path)

    def read(self, shape: tuple[int, ...]) -> Labels:
        """Read the labels.

        Parameters
        ----------
        shape : tuple of int
            Of the image without colors, in px: (Y, X), or of annotations (..., Y, X).

        Returns
        -------
        ndarray of int32, shape (..., Y, X)
            0 is background, 1..N are the cells.

        Raises
        ------
        InputError
            If the file cannot be read, or its size is another.
        """
        annotations = self._annotations()
        if annotations is not None:
            return annotations.labels(self.image_name, shape=shape)
        labels = as_labels(read_image(self.path), name=str(self.path))
        if labels.shape != shape:
            raise InputError(
                f"{self.path} has {labels.shape[0]} x {labels.shape[1]} px, but its "
                f"image has {shape[0]} x {shape[1]} px: use the truth of this image."
            )
        return np.ascontiguousarray(labels)

    def read_truth(self, shape: tuple[int, ...]) -> Labels | NDArray[np.float64]:
        """Read the labels, or the points where cells are only marked.

        Parameters
        ----------
        shape : tuple of int
            As for `read`.

        Returns
        -------
        ndarray of int32, shape (..., Y, X), or of float64, shape (N, 2)
            Labels as `read` gives them, also where there is no cell; or, if every cell
            is marked by a dot, row and column in px, not rounded.

        Raises
        ------
        InputError
            If the file cannot be read, its size is another, a point lies outside of the
            image, or there are points but several planes.
        """
        annotations = self._annotations()
        if annotations is None or not annotations.find(self.image_name).is_points:
            return self.read(shape)
        if len(shape) > 2:
            raise InputError(
                f"{self.title} marks cells by points, but the image has "
                f"{math.prod(shape[:-2])} planes: give outlines or a label image."
            )
        return annotations.points(self.image_name, shape=(shape[-2], shape[-1]))

    def _annotations(self) -> Annotations | None:
        if self.path.suffix.lower() not in ANNOTATION_SUFFIXES:
            return None
        return self.annotations or load_annotations(self.path)


def stem_of_file(path: Path) -> str:
    """Return the name of a file without its ending.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Such as "a" for "a.ome.tif".
    """
    return path.stem.removesuffix(".ome") or path.stem


def without_ending(stem: str) -> str | None:
    """Return the name that a truth's name was made from.

    Parameters
    ----------
    stem : str
        Name of a truth without its suffix, such as "a_mask".

    Returns
    -------
    str or None
        Such as "a"; None for a name without a known ending.
    """
    return _without(stem, TRUTH_ENDINGS)


def stem_of_image(path: Path) -> str:
    """Return the name of the image that a truth's name was made from.

    Parameters
    ----------
    path : Path
        A mask, label image or annotation file.

    Returns
    -------
    str
        Such as "a" for "a_mask.png", "a_RoiSet.zip", "a.tif.geojson" or
        "CellCounter_a.xml".
    """
    stem = stem_of_file(path)
    if path.suffix.lower() not in ANNOTATION_SUFFIXES:
        return without_ending(stem) or stem
    if stem.lower().startswith(_ANNOTATION_BEGINNING):
        stem = stem[len(_ANNOTATION_BEGINNING) :] or stem
    stem = _without(stem, _ANNOTATION_ENDINGS) or stem
    is_whole_name = Path(stem).suffix.lower() in IMAGE_SUFFIXES
    return stem_of_file(Path(stem)) if is_whole_name else stem


def image_beside(path: Path, name: str = "") -> Path | None:
    """Find the image that an annotation file is for, in the same folder.

    Parameters
    ----------
    path : Path
        The annotation file.
    name : str, optional
        The name of the image, as the file says it; by default what the name of the file
        was made from, such as "a" for "a_RoiSet.zip".

    Returns
    -------
    Path or None
        An image of that name, whatever its ending; the first by name of several.
    """
    said = stem_of_file(Path(name.replace("\\", "/")))
    stem = said if name else stem_of_image(path)
    images = files_in(path.parent, IMAGE_SUFFIXES)
    return next((image for image in images if stem_of_file(image) == stem), None)


def _without(stem: str, endings: tuple[str, ...]) -> str | None:
    for ending in endings:
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            return stem[: -len(ending)]
    return None


def files_in(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder that have one of these suffixes.

    Parameters
    ----------
    folder : Path
        The folder.
    suffixes : tuple of str
        Such as ".png", in lower case.

    Returns
    -------
    list of Path
        Sorted by name, without hidden files, probabilities, and tables and archives
        that are no annotations.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes
        and not path.name.startswith(".")
        and not stem_of_file(path).lower().endswith(_NO_IMAGE_ENDINGS)
        and path.is_file()
        and not _is_other(path)
    )


def _is_other(path: Path) -> bool:
    return path.suffix.lower() in _OFTEN_OTHER and not is_annotation_file(path)

"""Truth in files: mask and label images, and annotation files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cresunet._images import PICTURE_SUFFIXES, TIFF_SUFFIXES, read_image
from napari_cresunet._labels import as_labels
from napari_cresunet._typing import Labels
from napari_cresunet.annotations import (
    ANNOTATION_SUFFIXES,
    Annotations,
    load_annotations,
)
from napari_cresunet.errors import InputError

IMAGE_SUFFIXES = TIFF_SUFFIXES + PICTURE_SUFFIXES
TRUTH_SUFFIXES = IMAGE_SUFFIXES + ANNOTATION_SUFFIXES
TRUTH_ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label")
"""What other programs put behind the name of an image; longer ones first."""
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

    def read(self, shape: tuple[int, int]) -> Labels:
        """Read the labels.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the image in px.

        Returns
        -------
        ndarray of int32, shape (Y, X)
            0 is background, 1..N are the cells.

        Raises
        ------
        InputError
            If the file cannot be read, or its size is another.
        """
        if self.path.suffix.lower() in ANNOTATION_SUFFIXES:
            annotations = self.annotations or load_annotations(self.path)
            return annotations.labels(self.image_name, shape=shape)
        labels = as_labels(read_image(self.path), name=str(self.path))
        if labels.shape != shape:
            raise InputError(
                f"{self.path} has {labels.shape[0]} x {labels.shape[1]} px, but its "
                f"image has {shape[0]} x {shape[1]} px: use the truth of this image."
            )
        return np.ascontiguousarray(labels)


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
    for ending in TRUTH_ENDINGS:
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
        Sorted by name, without hidden files and probabilities.

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
    )

"""What is read to measure cells: labels, image, regions and the size of a pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import hash_of
from napari_cresunet._images import read_pixel_size, without_colors
from napari_cresunet._label_images import MOST, planes_of
from napari_cresunet._labels import as_numbers, connected
from napari_cresunet._wording import list_names
from napari_cresunet.cli._terminal import tell
from napari_cresunet.cli._truth_pairs import read_labels, record_in
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet._typing import Image
    from napari_cresunet.annotations import AnnotatedImage
    from napari_cresunet.measurement import Region

_OUR_KEYS = {"weights_hash", "written_by"}
"""Of the records in label images of this program, which are no masks, even where they
hold a single cell."""
_SAME = 0.01
"""Sizes of a pixel that differ by less, in parts of one, are the same but rounded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureOptions:
    """What is known of the cells."""

    image: Path | None = None
    regions: Path | None = None
    probability: Path | None = None
    pixel_size: tuple[float, float] | None = None
    """Height and width in µm; None to take what the files say."""
    is_linked: bool = False
    """Whether cells are linked through the planes of a stack."""

    def told_files(self, labels: Path) -> dict[str, dict[str, str]]:
        """Return path and SHA-256 of all files that were read, ready for JSON."""
        files = {"labels": labels} | self.files
        return {
            name: {"path": str(path), "hash": hash_of(path)}
            for name, path in files.items()
        }

    @property
    def files(self) -> dict[str, Path]:
        """The files that were named, by what they are."""
        found = {
            "image": self.image,
            "regions": self.regions,
            "probability": self.probability,
        }
        return {name: path for name, path in found.items() if path is not None}


class Material(NamedTuple):
    """What is known of the place of cells."""

    image: "Image | None"
    """(..., Y, X), (..., Y, X, 3 or 4) or (C, ..., Y, X)."""
    probability: "Image | None"
    """(..., Y, X)."""
    regions: Sequence["Region"]


class PixelSize(NamedTuple):
    """How large a pixel is, and who says so."""

    sides: tuple[float, float] | None = None
    """Height and width in µm."""
    source: str | None = None
    """Such as the path of a file."""


def read_cells(path: Path, image_path: Path | None) -> NDArray[Any]:
    """Read the cells.

    Parameters
    ----------
    path : Path
        Label image, mask or annotation file.
    image_path : Path or None
        Their image.

    Returns
    -------
    ndarray of shape (..., Y, X), int
        0 is background. A label image keeps its numbers; the 8-connected parts of a
        mask are numbered, as the cells of an annotation file are.

    Raises
    ------
    InputError
        If the file cannot be read, or does not say how large the image is.
    """
    if not _is_annotation(path):
        array = read_labels(path)
        is_ours = array.dtype.kind in "iu" and record_in(path).keys() & _OUR_KEYS
        return array if is_ours else _numbered(array, str(path))
    from napari_cresunet.annotations import load_annotations

    annotations = load_annotations(path)
    name = _name_for(image_path, len(annotations.images))
    if image_path is not None:
        from napari_cresunet.inference import read_image

        shape = without_colors(read_image(image_path).shape)
        return annotations.labels(name, shape=shape)
    if annotations.find(name).shape is None:
        raise InputError(
            f"{path} does not say how large its image is: name the image with --image."
        )
    return annotations.labels(name)


def _is_annotation(path: Path) -> bool:
    from napari_cresunet.annotations import ANNOTATION_SUFFIXES

    return path.suffix.lower() in ANNOTATION_SUFFIXES


def _name_for(image_path: Path | None, n_images: int) -> str | None:
    """Return the name of the image in a file that describes several."""
    return image_path.name if image_path is not None and n_images > 1 else None


def _numbered(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return labels as they are, and the parts of a mask."""
    numbers = as_numbers(array, name=name)
    if numbers.dtype.kind != "b":
        return numbers
    flat = planes_of(numbers)
    labels = np.zeros(flat.shape, np.int32)
    total = 0
    for mask, plane in zip(flat, labels, strict=True):
        plane[:] = connected(mask)
        plane[mask] += total
        total = max(total, int(plane.max(initial=0)))
    if total == 1 and array.dtype.kind in "iu" and array.max() <= MOST:
        labels *= np.int32(array.max())  # one cell may have any number
    return labels.reshape(numbers.shape)


def read_material(
    labels_path: Path, shape: tuple[int, ...], options: MeasureOptions
) -> Material:
    """Read what was named beside the labels.

    Parameters
    ----------
    labels_path : Path
        The labels, for messages.
    shape : tuple of int
        Of the labels, (..., Y, X).
    options : MeasureOptions
        What was named.

    Returns
    -------
    Material
        All of it.

    Raises
    ------
    InputError
        If a file cannot be read, or is of another size.
    """
    image, probability, regions = options.image, options.probability, options.regions
    return Material(
        None if image is None else _image_of(image, labels_path, shape),
        None
        if probability is None
        else _probability_of(probability, labels_path, shape),
        () if regions is None else _regions_of(regions, shape, image),
    )


def _image_of(path: Path, labels_path: Path, shape: tuple[int, ...]) -> "Image":
    """Read the image, channels in front."""
    from napari_cresunet.inference import read_image

    image = read_image(path)
    is_color = image.shape[:-1] == shape and image.shape[-1] in (3, 4)
    if is_color or shape in (image.shape, image.shape[1:]):
        return image
    # ImageJ puts channels behind planes.
    if image.ndim > 3 and image.shape[:-3] + image.shape[-2:] == shape:
        return np.moveaxis(image, -3, 0)
    raise InputError(
        f"{path} has another size than {labels_path}: use the image of these labels."
    )


def _probability_of(path: Path, labels_path: Path, shape: tuple[int, ...]) -> "Image":
    from napari_cresunet.inference import read_image

    probability = read_image(path)
    if probability.shape != shape:
        raise InputError(
            f"{path} has another size than {labels_path}: use the probability of these "
            "labels."
        )
    return probability


def _regions_of(
    path: Path, shape: tuple[int, ...], image_path: Path | None
) -> list["Region"]:
    """Read regions, and tell on stderr what is special about them."""
    from napari_cresunet.measurement import overlapping_regions

    size = (shape[-2], shape[-1])
    if _is_annotation(path):
        regions = _annotated_regions(path, size, image_path)
    else:
        regions = _labeled_regions(path, size)
    pairs = overlapping_regions(regions, shape)
    if pairs:
        names = list_names([f"{one} and {other}" for one, other in pairs])
        tell(f"Regions overlap, and each counts the cells that they share: {names}.")
    return regions


def _labeled_regions(path: Path, size: tuple[int, int]) -> list["Region"]:
    from napari_cresunet.measurement import regions_from_labels

    labels = _numbered(read_labels(path), str(path))
    if labels.shape != size:
        raise InputError(
            f"{path} has the shape {labels.shape}, but {size} is needed: use the "
            "regions of this image, in one plane."
        )
    return regions_from_labels(labels)


def _annotated_regions(
    path: Path, size: tuple[int, int], image_path: Path | None
) -> list["Region"]:
    from napari_cresunet.annotations import extent_of, load_annotations
    from napari_cresunet.measurement import Region

    annotations = load_annotations(path)
    image = annotations.find(_name_for(image_path, len(annotations.images)))
    _check_regions(path, image, size)
    regions, beyond = [], []
    names = image.cell_names or [""] * len(image.cells)
    for number, (cell, name) in enumerate(zip(image.cells, names, strict=True), 1):
        mask = np.zeros(size, np.bool_)
        for part in cell:
            mask[part.pixels(size)] = True
        regions.append(Region(name=name or f"region {number}", mask=mask))
        top, left, bottom, right = extent_of(cell) or (0, 0, 0, 0)
        low, high = np.array([top, left]), np.array([bottom, right])
        if (low < -0.5).any() or (high > np.array(size) - 0.5).any():
            beyond.append(regions[-1].name)
    if beyond:
        tell(
            f"Regions reach beyond the image, where no area is counted: "
            f"{list_names(beyond)}."
        )
    return regions


def _check_regions(path: Path, image: "AnnotatedImage", size: tuple[int, int]) -> None:
    if image.shape not in (None, size):
        raise InputError(
            f"{path} has regions of an image of the shape {image.shape}, but {size} is "
            "needed: use the regions of this image."
        )
    if image.is_points:
        raise InputError(
            f"{path} has points, but regions are areas: draw outlines around them."
        )
    if len(image.said_planes) > 1:
        raise InputError(
            f"{path} has regions on several planes "
            f"({image.planes_said_by}: {list_names(image.said_planes)}): save those "
            "of one plane, they count on all planes."
        )


def find_pixel_size(path: Path, options: MeasureOptions) -> PixelSize:
    """Find out how large a pixel is, and tell on stderr if files do not agree.

    Parameters
    ----------
    path : Path
        The labels.
    options : MeasureOptions
        What was given.

    Returns
    -------
    PixelSize
        What was given, else what the labels say, else the image, else the image that
        the labels were made from, where it still is.
    """
    if options.pixel_size is not None:
        return PixelSize(options.pixel_size, "--pixel-size")
    made_from = record_in(path).get("image")
    if not isinstance(made_from, str) or not Path(made_from).is_file():
        made_from = None
    files = [path, options.image, Path(made_from) if made_from else None]
    found = [
        PixelSize(sides, str(file))
        for file in files
        if file is not None and (sides := read_pixel_size(file)) is not None
    ]
    for other in found[1:]:
        if not np.allclose(found[0].sides or 0, other.sides or 0, rtol=_SAME, atol=0):
            tell(
                f"{found[0].source} says that a pixel has {_in_words(found[0])}, "
                f"{other.source} {_in_words(other)}: the former is used; give "
                "--pixel-size to decide."
            )
            break
    return found[0] if found else PixelSize()


def _in_words(size: PixelSize) -> str:
    return " x ".join(f"{side:.4g}" for side in size.sides or ()) + " µm"

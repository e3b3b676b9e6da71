"""What an annotation file says, whatever its format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from napari_cresunet._typing import Labels
from napari_cresunet._wording import list_names
from napari_cresunet.annotations._shapes import Cell, Shape, draw_cells
from napari_cresunet.errors import InputError

_MOST_PIXELS = 2**32
"""A larger size in a file is a mistake, and would fill the memory."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, for messages."""

    path: Path
    words: str
    """Such as "object 3", counted from 1."""

    def fault(self, what: str) -> InputError:
        """Return the error that says what is wrong here."""
        return InputError(
            f"{self.path}, {self.words}: {what}; correct it or export the annotations "
            "again."
        )

    def number(self, value: object, name: str) -> float:
        """Return a finite number, or raise the error that names it."""
        if value is None:
            raise self.fault(f"`{name}` is missing")
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = np.nan
            if np.isfinite(number):
                return number
        raise self.fault(f"`{name}` is {_shortened(value)} instead of a number")

    def size(self, value: object, name: str) -> float:
        """Return a number that is not negative, or raise the error that names it."""
        number = self.number(value, name)
        if number < 0:
            raise self.fault(f"`{name}` is negative")
        return number


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """The cells of one image."""

    name: str
    """The file name of the image, as the file says it."""
    shape: Shape | None
    """Height and width in px; None where the file does not say them."""
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Annotations:
    """Everything that one annotation file says."""

    path: Path
    images: tuple[AnnotatedImage, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """File names of the images, in the order of the file."""
        return tuple(image.name for image in self.images)

    def labels(
        self, image_name: str | None = None, *, shape: Shape | None = None
    ) -> Labels:
        """Draw the cells of one image.

        Parameters
        ----------
        image_name : str, optional
            Its file name, with or without folders and ending. Needed where the file
            describes several images.
        shape : tuple of int, optional
            Height and width of the image in px. Needed where the file does not say it.

        Returns
        -------
        ndarray of int32, shape (Y, X)
            0 is background, 1..N are the cells in the order of the file; where two
            overlap, the first keeps the pixels.

        Raises
        ------
        InputError
            If the file does not describe this one image, or the size is unknown or
            another.
        """
        image = self._find(image_name)
        if shape is not None and image.shape not in (None, shape):
            raise InputError(
                f"{self.path} is for an image of {_in_words(image.shape)}, but "
                f"{image.name} has {_in_words(shape)}: use the annotations made for it."
            )
        shape = shape or image.shape
        if shape is None:
            raise InputError(
                f"{self.path} does not say how large {image.name} is: give `shape`."
            )
        return draw_cells(image.cells, shape)

    def _find(self, image_name: str | None) -> AnnotatedImage:
        if not self.images:
            raise InputError(
                f"{self.path} describes no image: export the annotations again."
            )
        if image_name is None:
            if len(self.images) > 1:
                raise InputError(
                    f"{self.path} describes {len(self.images)} images "
                    f"({list_names(self.names)}): say which one."
                )
            return self.images[0]
        for part in (str, base_name, stem_of):
            found = [i for i in self.images if part(i.name) == part(image_name)]
            if len(found) == 1:
                return found[0]
            if found:
                raise InputError(
                    f"{self.path} describes {image_name} {len(found)} times: "
                    "leave one of them."
                )
        raise InputError(
            f"{self.path} says nothing about {image_name}; it describes "
            f"{list_names(self.names)}."
        )


def base_name(name: str) -> str:
    """Return a file name without folders, from whatever system it came.

    Parameters
    ----------
    name : str
        A file name, such as "a/b.png".

    Returns
    -------
    str
        Such as "b.png".
    """
    return PurePosixPath(name.replace("\\", "/")).name


def stem_of(name: str) -> str:
    """Return a file name without folders and ending.

    Parameters
    ----------
    name : str
        A file name, such as "a/b.ome.tif".

    Returns
    -------
    str
        Such as "b".
    """
    stem = PurePosixPath(base_name(name)).stem
    return stem.removesuffix(".ome") or stem


def image_shape(place: Place, height: object, width: object) -> Shape | None:
    """Check the size of an image that a file says.

    Parameters
    ----------
    place : Place
        Where it says so.
    height, width : object
        What it says, in px.

    Returns
    -------
    tuple of int or None
        None where the size is missing, or 0 as some tools write.

    Raises
    ------
    InputError
        If it is no size of an image.
    """
    if height in (None, 0, "0") or width in (None, 0, "0"):
        return None
    sides = (place.number(height, "height"), place.number(width, "width"))
    if any(side != int(side) or side < 1 for side in sides) or (
        sides[0] * sides[1] > _MOST_PIXELS
    ):
        raise place.fault(f"{sides[0]:g} x {sides[1]:g} is no size of an image")
    return int(sides[0]), int(sides[1])


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 30 else f"{text[:27]}..."


def _in_words(shape: Shape | None) -> str:
    return f"{shape[0]} x {shape[1]} px" if shape else "unknown size"

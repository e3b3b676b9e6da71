"""Places in annotation files, and what is wrong there."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cresunet._wording import list_names
from napari_cresunet.annotations._shapes import Shape
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
        raise self.fault(f"`{name}` is {shortened(value)} instead of a number")

    def size(self, value: object, name: str) -> float:
        """Return a number that is not negative, or raise the error that names it."""
        number = self.number(value, name)
        if number < 0:
            raise self.fault(f"`{name}` is negative")
        return number


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


def one_plane(place: Place, planes: Collection[object]) -> None:
    """Refuse annotations that are on several planes.

    Parameters
    ----------
    place : Place
        What says the planes.
    planes : collection
        What it says, each once.

    Raises
    ------
    InputError
        If there is more than one.
    """
    if len(planes) > 1:
        listed = list_names([str(plane) for plane in planes])
        raise InputError(
            f"{place.path} has cells on several planes ({place.words}: {listed}): save "
            "those of one plane in a file of their own."
        )


def shortened(value: object) -> str:
    """Return a value as messages show it.

    Parameters
    ----------
    value : object
        Anything that a file may hold.

    Returns
    -------
    str
        At most 30 characters.
    """
    text = repr(value)
    return text if len(text) <= 30 else f"{text[:27]}..."

"""Brightness and probability of cells."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import surroundings_of

if TYPE_CHECKING:
    from napari_cresunet.measurement._cells import Piece

COLORS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """What there is of each pixel beside its label."""

    brightness: dict[str, NDArray[Any]]
    """(planes, Y, X) each, by the ending of its columns."""
    probability: NDArray[Any] | None
    """(planes, Y, X)."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in their order."""
        names = (
            [] if self.probability is None else ["mean_probability", "max_probability"]
        )
        for ending in self.brightness:
            names += [
                f"mean_intensity{ending}",
                f"background{ending}",
                f"integrated_intensity{ending}",
            ]
        return names

    def measure(
        self, pieces: Sequence["Piece"], planes: NDArray[Any]
    ) -> dict[str, float]:
        """Measure one cell.

        Parameters
        ----------
        pieces : sequence of Piece
            What each plane shows of it.
        planes : ndarray of shape (planes, Y, X)
            The labels.

        Returns
        -------
        dict of str to float
            Values of all columns.
        """
        found: dict[str, float] = {}
        if self.probability is not None:
            values = _inside(self.probability, pieces)
            found["mean_probability"] = values.mean()
            found["max_probability"] = values.max()
        for ending, channel in self.brightness.items():
            values = _inside(channel, pieces)
            around = _around(channel, pieces, planes)
            background = float(np.median(around)) if around.size else np.nan
            found[f"mean_intensity{ending}"] = values.mean()
            found[f"background{ending}"] = background
            found[f"integrated_intensity{ending}"] = (values - background).sum()
        return found


def _inside(channel: NDArray[Any], pieces: Sequence["Piece"]) -> NDArray[np.float64]:
    parts = []
    for piece in pieces:
        top, left, bottom, right = piece.box
        parts.append(channel[piece.plane, top:bottom, left:right][piece.mask])
    return np.concatenate(parts).astype(np.float64)


def _around(
    channel: NDArray[Any], pieces: Sequence["Piece"], planes: NDArray[Any]
) -> NDArray[Any]:
    height, width = planes.shape[1:]
    parts = []
    for piece in pieces:
        place = surroundings_of(piece.box, (height, width))
        is_free = planes[piece.plane][place] == 0
        parts.append(channel[piece.plane][place][is_free])
    return np.concatenate(parts)


def channels_of(
    shape: tuple[int, ...],
    image: ArrayLike | None,
    rgb: bool | None,
    names: Sequence[str] | None,
    probability: ArrayLike | None,
) -> Channels:
    """Take what is known of the pixels of labels.

    Parameters
    ----------
    shape : tuple of int
        Of the labels, (..., Y, X).
    image, rgb, names, probability
        As for `measure`, where names are its channels.

    Returns
    -------
    Channels
        By the ending of their columns.

    Raises
    ------
    InputError
        If a shape is another, or there is not one name for each channel.
    """
    known = None
    if probability is not None:
        known = np.asarray(probability)
        if known.shape != shape:
            raise InputError(_other_shape(shape, known.shape, "probability"))
    brightness = (
        {} if image is None else _brightness(shape, np.asarray(image), rgb, names)
    )
    flat = (math.prod(shape[:-2]), *shape[-2:])
    return Channels(
        {ending: channel.reshape(flat) for ending, channel in brightness.items()},
        None if known is None else known.reshape(flat),
    )


def _brightness(
    shape: tuple[int, ...],
    image: NDArray[Any],
    rgb: bool | None,
    names: Sequence[str] | None,
) -> dict[str, NDArray[Any]]:
    """Return each channel by the ending of its columns."""
    is_color = image.shape[:-1] == shape and image.shape[-1] in (3, 4)
    if is_color and rgb is not False:
        return {f"_{name}": image[..., i] for i, name in enumerate(names or COLORS)}
    if rgb:
        raise InputError(
            f"A color image has the shape {(*shape, 3)} here, got {image.shape}: take "
            "the image of these labels."
        )
    if image.shape == shape:
        return {f"_{names[0]}" if names else "": image}
    if image.shape[1:] != shape:
        raise InputError(_other_shape(shape, image.shape, "image"))
    names = names or [str(number) for number in range(1, len(image) + 1)]
    if len(names) != len(image):
        raise InputError(
            f"The image has {len(image)} channels, but {len(names)} names: give one "
            "name for each."
        )
    return {f"_{name}": channel for name, channel in zip(names, image, strict=True)}


def _other_shape(shape: tuple[int, ...], other: tuple[int, ...], name: str) -> str:
    return (
        f"Labels and {name} differ in shape: {shape} and {other}; take the {name} of "
        "these labels."
    )

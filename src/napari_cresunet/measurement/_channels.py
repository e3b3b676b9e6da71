"""Brightness and probability of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import as_planes, surroundings_of

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
    channels = (
        {} if image is None else _brightness(shape, np.asarray(image), rgb, names)
    )
    return Channels(
        {ending: as_planes(one, shape, "image") for ending, one in channels.items()},
        None if probability is None else as_planes(probability, shape, "probability"),
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
        channels = np.moveaxis(image[..., :3], -1, 0)
        names = names or COLORS
    elif rgb:
        raise InputError(
            f"A color image has the shape {(*shape, 3)} here, got {image.shape}: take "
            "the image of these labels."
        )
    elif image.shape[1:] == shape:
        channels = image
        names = names or [str(number) for number in range(1, len(image) + 1)]
    else:
        # Of another shape it is refused where it is cut into planes.
        channels = image[np.newaxis]
    if names and len(names) != len(channels):
        raise InputError(
            f"The image has {len(channels)} channels, but {len(names)} names: give one "
            "name for each."
        )
    endings = [f"_{name}" for name in names or ()] or [""]
    return dict(zip(endings, channels, strict=True))

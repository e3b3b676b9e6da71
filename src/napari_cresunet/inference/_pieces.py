"""A piece of an image on its way through a network, on the host or on a GPU."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._devices import import_torch
from napari_cresunet.inference._scaling import Scaling, apply_scaling, select_channels
from napari_cresunet.inference._tiling import Window, enter, leave

if TYPE_CHECKING:
    from torch import Tensor

_SENDABLE = ("u1", "i1", "u2", "i2", "f2", "f4")
"""Types that float32 holds exactly and a GPU knows."""


class Piece(NamedTuple):
    """What is read of an image for one tile, and its way into the network and back."""

    pixels: NDArray[Any]
    """(1 or 3, Y, X), as they are in the image."""
    rows: Window
    columns: Window


class Preparation(NamedTuple):
    """What is done to the pixels of an image before the network sees them."""

    scaling: Scaling
    channels: str
    """As in the model card."""


def entered(piece: Piece, preparation: Preparation) -> NDArray[np.float32]:
    """Return the network's input for a piece, prepared on the host.

    Parameters
    ----------
    piece : Piece
        What was read.
    preparation : Preparation
        Of the image.

    Returns
    -------
    ndarray of shape (1 or 3, Y, X)
        In [0, 1].
    """
    scaled = apply_scaling(piece.pixels, preparation.scaling)
    channels = select_channels(scaled, preparation.channels)
    return enter(channels, piece.rows, piece.columns)


def left(piece: Piece, probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring the network's output for a piece back to the image's grid."""
    return leave(probability, piece.rows, piece.columns)


def to_send(piece: Piece, preparation: Preparation) -> NDArray[Any]:
    """Return the pixels as a GPU can take them.

    Parameters
    ----------
    piece : Piece
        What was read.
    preparation : Preparation
        Of the image.

    Returns
    -------
    ndarray of shape (1 or 3, Y, X)
        As they are in the image, unsigned 16 bits as signed ones; what is wider than
        float32 is scaled.
    """
    pixels = piece.pixels
    if not _is_sendable(pixels.dtype):
        return apply_scaling(pixels, preparation.scaling)
    return pixels.view(np.int16) if pixels.dtype == np.uint16 else pixels


def scaled_there(
    sent: "Tensor", dtype: np.dtype[Any], preparation: Preparation
) -> "Tensor":
    """Scale what `to_send` returned, to the very numbers of `apply_scaling`.

    Parameters
    ----------
    sent : Tensor of shape (1 or 3, Y, X)
        On any device.
    dtype : dtype
        Of the pixels in the image.
    preparation : Preparation
        Of the image.

    Returns
    -------
    Tensor of float32, shape (1 or 3, Y, X)
        In [0, 1]; one channel for "brightest".
    """
    torch = import_torch()
    values = sent
    if _is_sendable(dtype):
        low, span = preparation.scaling.low, preparation.scaling.span
        if dtype == np.uint16:
            values = values.to(torch.int32) & 0xFFFF
        values = values.to(torch.float32)
        if span == 0:
            values = torch.zeros_like(values)
        else:
            if dtype.kind == "f":
                values = torch.where(torch.isfinite(values), values, -torch.inf)
            # By a number, torch would multiply with the inverse, which rounds twice.
            divisor = torch.full((1,), span, dtype=values.dtype, device=values.device)
            values = ((values - low) / divisor).clamp_(0, 1)
    if preparation.channels == "brightest":
        values = values.amax(0, keepdim=True)
    return values


def _is_sendable(dtype: np.dtype[Any]) -> bool:
    return dtype.isnative and dtype.str[1:] in _SENDABLE

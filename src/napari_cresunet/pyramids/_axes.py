"""From the axes of a file to (..., Y, X): which channel, which are colors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_cresunet._wording import list_names
from napari_cresunet.errors import InputError
from napari_cresunet.pyramids._level import Arrangement

CHANNEL = "c"


class ChannelError(InputError):
    """An image has several channels, and none is chosen, or one that it has not.

    Parameters
    ----------
    message : str
        What is wrong, and what to do.
    channels : sequence of str
        Names of those that there are.
    """

    def __init__(self, message: str, channels: Sequence[str]) -> None:
        super().__init__(message)
        self.channels = tuple(channels)


@dataclass(frozen=True, kw_only=True, slots=True)
class Axes:
    """What a file says of its axes."""

    names: tuple[str, ...]
    """One for each, in lower case; "c" is the one of channels or colors."""
    shape: tuple[int, ...]
    """How long they are at full resolution."""
    channels: tuple[str, ...] = ()
    """What the channels are called; empty if the file does not say it."""
    is_rgb: bool = False
    """Whether the file says that the channels are red, green and blue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """An image among the axes of a file."""

    arrangement: Arrangement
    leading: tuple[str, ...]
    """Names of the axes before Y, X."""
    channels: tuple[str, ...]
    """Names of all channels; empty if there is one, or if they are colors."""
    channel: int | None
    """Which of them was chosen."""


def check_axes(axes: Axes, path: Path) -> None:
    """Refuse axes that are those of no image.

    Parameters
    ----------
    axes : Axes
        What a file says.
    path : Path
        The file or folder, for messages.

    Raises
    ------
    InputError
        If they are not as many as those of the array, one is there twice, or Y or X is
        missing.
    """
    names = ", ".join(axes.names)
    if len(axes.names) != len(axes.shape):
        raise InputError(
            f"{path} names {len(axes.names)} axes ({names}) for an array of "
            f"{len(axes.shape)}: export it again."
        )
    if len(set(axes.names)) < len(axes.names):
        raise InputError(f"{path} names an axis twice ({names}): export it again.")
    if not {"y", "x"} <= set(axes.names):
        raise InputError(
            f"{path} has the axes {names}: an image needs y and x, so export it again."
        )
    if 0 in axes.shape:
        raise InputError(f"{path} has no pixels: its shape is {axes.shape}.")


def choose(axes: Axes, channel: int | str | None, path: Path) -> Chosen:
    """Find the image among the axes of a file.

    Parameters
    ----------
    axes : Axes
        What the file says.
    channel : int or str, optional
        Which channel, by number from 0 or by name.
    path : Path
        The file or folder, for messages.

    Returns
    -------
    Chosen
        Where it is.

    Notes
    -----
    Raises `InputError` as `check_axes`, or if a channel must be chosen, or there is
    none of that number or name.
    """
    check_axes(axes, path)
    at = axes.names.index(CHANNEL) if CHANNEL in axes.names else None
    n_channels = axes.shape[at] if at is not None else 1
    is_rgb = axes.is_rgb and channel is None
    number = 0
    names: tuple[str, ...] = ()
    if n_channels > 1 and not is_rgb:
        names = axes.channels or tuple(str(i) for i in range(n_channels))
        number = _number_of(channel, names, path)
    elif channel is not None:
        number = _number_of(channel, axes.channels or ("0",), path)
    leading = [
        i
        for i, (name, length) in enumerate(zip(axes.names, axes.shape, strict=True))
        if name not in ("y", "x", CHANNEL) and length > 1
    ]
    order = [*leading, axes.names.index("y"), axes.names.index("x")]
    if is_rgb and at is not None:
        order.append(at)
    fixed = {i: 0 for i in range(len(axes.names)) if i not in order}
    if at in fixed:
        fixed[at] = number
    return Chosen(
        arrangement=Arrangement(order=tuple(order), fixed=fixed, is_rgb=is_rgb),
        leading=tuple(axes.names[i] for i in leading),
        channels=names,
        channel=number if names else None,
    )


def _number_of(channel: int | str | None, names: Sequence[str], path: Path) -> int:
    """Return the number of the channel that is wanted."""
    titles = [f"{i} ({n})" if n != str(i) else n for i, n in enumerate(names)]
    known = list_names(titles, at_most=12)
    if channel is None:
        raise ChannelError(
            f"{path} has {len(names)} channels, {known}: choose a channel by its "
            "number or name.",
            names,
        )
    if isinstance(channel, str) and channel in names:
        return list(names).index(channel)
    is_number = isinstance(channel, int) or channel.isdecimal()
    if not is_number or not 0 <= int(channel) < len(names):
        raise ChannelError(
            f"{path} has no channel {channel!r}: choose from {known}.", names
        )
    return int(channel)

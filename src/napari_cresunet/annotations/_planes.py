"""On which planes of a stack the parts of cells are, as files say it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane of a stack, counted from 0; what is None is all along that axis."""

    words: str
    """How the file says it; empty where it says nothing."""
    index: int | None = None
    """Number through all leading axes, where the file says only this."""
    t: int | None = None
    z: int | None = None


EVERYWHERE = Plane("")
"""Where a file names no plane: on all of them."""


def plane_numbers(
    planes: Iterable[Plane], leading: tuple[int, ...]
) -> dict[Plane, list[int]]:
    """Tell which planes of a stack are meant.

    Parameters
    ----------
    planes : iterable of Plane
        All that a file says.
    leading : tuple of int
        Lengths of the leading axes of the stack: (T, Z), or one of them, whichever the
        file uses.

    Returns
    -------
    dict of Plane to list of int
        Numbers of planes, counted through all leading axes; none if the stack has no
        such plane.
    """
    # In the order of the file, so that the first one at fault is the same each time.
    known = list(dict.fromkeys(planes))
    is_time = any(one.t for one in known) and not any(one.z for one in known)
    n_planes = int(np.prod(leading))
    frames = {1: n_planes if is_time else 1, 2: leading[0]}.get(len(leading), 1)
    grid = np.arange(n_planes).reshape(frames, -1)
    found = {}
    for one in known:
        if one.index is not None:
            numbers = grid.ravel()[_part(one.index)]
        else:
            numbers = grid[_part(one.t), _part(one.z)].ravel()
        found[one] = [int(number) for number in numbers]
    return found


def _part(place: int | None) -> slice:
    return slice(None) if place is None else slice(place, place + 1)

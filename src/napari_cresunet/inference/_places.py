"""Where tiles are computed, their size, and where to go when memory runs out."""

from dataclasses import dataclass, replace
from math import isqrt

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.inference._devices import import_torch
from napari_cresunet.inference._runners import Runner

SMALLEST_TILE = 32
TILE = 1200
"""Side of an automatic tile in px of the network's grid: 1600×1200 takes two tiles,
which costs 14 % more than one piece, where 1024 would cost 35 %."""
WHOLE = 1_500_000
"""Up to so many px of the network's grid an image is predicted in one piece."""
LARGEST_TILE = 4096
"""Side in px: bounds the input and output of a tile where the zoom is strong."""
LAST_TILE = 128
"""Side in px of the network's grid under which a tile is not halved any more."""
BYTES_PER_PIXEL = {"full": 800, "half": 400}
"""Peak of the network with attention at 1200 px, measured on the CPU."""
BATCH = 8_000_000
"""px of the network's grid that keep any GPU busy; larger batches gain nothing."""
MOST = 64
"""Tiles in one batch at most, whatever a runner would take."""


@dataclass(frozen=True, slots=True)
class Place:
    """A network on its device, and the side of the tiles it gets."""

    runner: Runner
    tile: int
    """In px of the image."""
    zoom: float
    """px of the network's grid per px of the image."""
    batch: int = BATCH
    """px of the network's grid that one batch may have, if it is more than a tile."""
    most: int = MOST
    """Tiles that one batch may have; fewer when memory ran out."""

    @property
    def device(self) -> str:
        """Where the network is."""
        return self.runner.device


def check_tile(tile: int) -> int:
    """Refuse a tile that does not fit the network.

    Parameters
    ----------
    tile : int
        Side in px.

    Returns
    -------
    int
        The same.

    Raises
    ------
    InputError
        If it is no multiple of 8 or below 32; the nearest that are allowed are named.
    """
    if tile >= SMALLEST_TILE and tile % 8 == 0:
        return int(tile)
    if tile < SMALLEST_TILE:
        near = f"{SMALLEST_TILE} or more"
    else:
        near = f"{int(tile // 8) * 8} or {int(tile // 8) * 8 + 8}"
    raise InputError(
        f"`tile` must be a multiple of 8 and at least {SMALLEST_TILE}, got {tile}; "
        f"use {near}."
    )


def automatic_tile(
    extent: tuple[int, int], zoom: float, room: int | None = None
) -> int:
    """Choose the side of the tiles.

    Parameters
    ----------
    extent : tuple of int
        Height and width in px of what is predicted.
    zoom : float
        px of the network's grid per px of the image.
    room : int, optional
        px of the network's grid for which a GPU has memory; see `room_on`.

    Returns
    -------
    int
        In px of the image, a multiple of 8. The whole extent if it is small; on CUDA by
        the memory that is free.
    """
    longest = -(-max(extent) // 8) * 8
    side = TILE
    if room is not None:
        side = side_for_room(room)
    elif extent[0] * extent[1] * zoom**2 <= WHOLE and longest <= LARGEST_TILE:
        return longest
    return min(longest, _on_image(side, zoom))


def room_on(device: str, precision: str) -> int | None:
    """Return how many px half of the free memory of a GPU holds.

    Parameters
    ----------
    device : str
        A device.
    precision : str
        In which the network runs.

    Returns
    -------
    int or None
        In px of the network's grid; None where it is not CUDA.
    """
    if not device.startswith("cuda"):
        return None
    cuda = import_torch().cuda
    free, _ = cuda.mem_get_info(device)
    # What torch keeps for the next time is free, too.
    free += cuda.memory_reserved(device) - cuda.memory_allocated(device)
    return int(free) // 2 // BYTES_PER_PIXEL[precision]


def side_for_room(room: int) -> int:
    """Return the side of a tile that has room.

    Parameters
    ----------
    room : int
        In px of the network's grid.

    Returns
    -------
    int
        In px of the network's grid, without the surroundings that a tile needs.

    Examples
    --------
    >>> side_for_room(2312**2)
    2088
    """
    surroundings = 2 * 112
    side = isqrt(room) - surroundings
    return max(LAST_TILE, min(LARGEST_TILE, side // 8 * 8))


def _on_image(side: int, zoom: float) -> int:
    """Return a side of the network's grid in px of the image, a multiple of 8."""
    return max(8, min(LARGEST_TILE, round(side / zoom / 8) * 8))


def tiles_at_once(place: Place, shape: tuple[int, int]) -> int:
    """Return how many tiles are worth while, and have room, in one batch.

    Parameters
    ----------
    place : Place
        Where they are computed.
    shape : tuple of int
        Height and width of the network's input.

    Returns
    -------
    int
        At least 1.
    """
    room = place.batch // (shape[0] * shape[1])
    return max(1, min(place.runner.most, place.most, room))


def retreat(place: Place, n_tiles: int = 1) -> tuple[Place, str]:
    """Tell where to go on after memory ran out: fewer or smaller tiles, then the CPU.

    Parameters
    ----------
    place : Place
        Where it ran out.
    n_tiles : int, optional
        How many tiles the batch had.

    Returns
    -------
    place : Place
        Where to go on.
    message : str
        What the user should know.

    Raises
    ------
    EngineError
        If there is no way left.
    """
    torch = import_torch()
    torch.cuda.empty_cache()
    if n_tiles > 1:
        return replace(place, most=n_tiles // 2), (
            f"Not enough memory on {place.device} for {n_tiles} tiles of {place.tile} "
            f"px at once; went on with {n_tiles // 2}."
        )
    last = _on_image(LAST_TILE, place.zoom)
    if place.tile > last:
        tile = max(last, place.tile // 16 * 8)
        return replace(place, tile=tile), (
            f"Not enough memory on {place.device} for tiles of {place.tile} px; "
            f"went on with {tile} px."
        )
    if place.device == "cpu":
        raise EngineError(
            f"There is not enough memory even for tiles of {place.tile} px: close "
            "other programs and try again."
        )
    tile = _on_image(TILE, place.zoom)
    return Place(place.runner.on_cpu(), tile, place.zoom), (
        f"Not enough memory on {place.device} even for tiles of {place.tile} px; "
        "went on with the CPU."
    )


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error means that memory ran out.

    Parameters
    ----------
    error : Exception
        What NumPy, torch or OpenVINO raised.

    Returns
    -------
    bool
        True for the out-of-memory errors of CUDA, MPS and the CPU.
    """
    torch = import_torch()
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    phrases = (
        *("out of memory", "can't allocate memory", "not enough memory"),
        *("bad_alloc", "bad allocation", "failed to allocate"),  # OpenVINO
    )
    return isinstance(error, RuntimeError) and any(
        phrase in str(error).lower() for phrase in phrases
    )

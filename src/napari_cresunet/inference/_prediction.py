"""From an image to the probability of "cell" per pixel."""

import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.inference._pieces import Preparation
from napari_cresunet.inference._places import (
    BATCH,
    Place,
    automatic_tile,
    check_tile,
    room_on,
)
from napari_cresunet.inference._planes import as_image, plane_shape
from napari_cresunet.inference._run import Run, Source
from napari_cresunet.inference._scaling import Scaling, measure_scaling
from napari_cresunet.inference._tiling import Axis, Rectangle
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet._typing import Probability
    from napari_cresunet.inference._model import Model
    from napari_cresunet.weights import ModelCard

ZOOM_LIMIT = 16.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A probability image and how it came about."""

    probability: "Probability"
    """Shape (..., Y, X)."""
    record: dict[str, Any]
    """Ready for JSON: version, model, weights_hash, device, backend, precision,
    diameter (px or None), zoom, scaling, channels, tile (px, or None if each plane was
    predicted in one piece), region (rows and columns), time (UTC), seconds and
    messages."""


def predict(
    image: Any,
    model: "Model",
    *,
    diameter: float | None = None,
    tile: int | None = None,
    progress: Callable[[Step], object] | None = None,
) -> "Probability":
    """Predict the probability of "cell" for every pixel.

    Parameters
    ----------
    image : array-like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        Gray, RGB or RGBA image or stack of integers or floating-point numbers; memory
        maps, dask and zarr arrays are read tile by tile.
    model : Model
        From `load_model`.
    diameter : float, optional
        Diameter of a cell in px of this image. The network then sees the image
        resampled so that cells have the size it was trained on.
    tile : int, optional
        Side of the tiles in px, a multiple of 8; chosen automatically by default. The
        result does not depend on it.
    progress : callable, optional
        Called with a `Step` after every tile.

    Returns
    -------
    ndarray of float32, shape (..., Y, X)
        Probability in [0, 1].

    Notes
    -----
    An image or a parameter that cannot be used is an `InputError`; where even the
    smallest tile finds no memory, it is an `EngineError`.

    See Also
    --------
    iter_predict : The same step by step, for a part of the image, with a record.
    """
    steps = iter_predict(image, model, diameter=diameter, tile=tile)
    return drain(steps, progress).probability


def iter_predict(  # noqa: PLR0913  # what a caller may want to say
    image: Any,
    model: "Model",
    *,
    diameter: float | None = None,
    tile: int | None = None,
    region: tuple[slice, slice] | None = None,
    rgb: bool | None = None,
    scaling: Scaling | None = None,
) -> Generator[Step, None, Prediction]:
    """Predict tile by tile; may be closed after any step.

    Parameters
    ----------
    image, model, diameter, tile
        As for `predict`.
    region : tuple of slice, optional
        Rows and columns to predict. The result is the crop of the whole prediction: the
        rest of the image still gives scaling and surroundings.
    rgb : bool, optional
        Whether the last axis is color; see `plane_shape`.
    scaling : Scaling, optional
        From `measure_scaling`, where it is known; else it is measured over the image.

    Yields
    ------
    Step
        After every tile of every plane. Its message tells of a fall-back.

    Returns
    -------
    Prediction
        Probability and record.

    Notes
    -----
    Errors are those of `predict`, raised with the first step. When memory runs out,
    tiles are halved and then the CPU takes over; the next step's message says so.
    """
    started = time.monotonic()
    image = as_image(image)
    leading, extent, is_rgb = plane_shape(image, rgb=rgb)
    wanted = _rectangle(region, extent)
    size = (wanted.bottom - wanted.top, wanted.right - wanted.left)
    zoom = _zoom(diameter, model.card)
    room = room_on(model.device, model.precision)
    side = automatic_tile(size, zoom, room) if tile is None else check_tile(tile)
    if scaling is None:
        scaling = measure_scaling(image, model.card.scaling, rgb=is_rgb)
    rows, columns = (_plan(length, zoom, model) for length in extent)
    preparation = Preparation(scaling, model.card.channels)
    place = Place(model.runner, side, zoom, BATCH if room is None else min(BATCH, room))
    run = Run(
        Source(image, is_rgb, preparation, rows, columns),
        wanted,
        place,
        list(model.notes),
    )
    probability = _allocate((*leading, *size))
    planes = list(np.ndindex(leading))
    yield from run.fill(probability.reshape(-1, *size), planes)
    record = _record(run, model)
    record["diameter"] = None if diameter is None else float(diameter)
    if model.quantized is not None:
        record["quantized"] = asdict(model.quantized)
    record["seconds"] = round(time.monotonic() - started, 3)
    return Prediction(probability, record)


def _rectangle(
    region: tuple[slice, slice] | None, extent: tuple[int, int]
) -> Rectangle:
    """Return the part of the image to predict."""
    if region is None:
        return Rectangle(0, extent[0], 0, extent[1])
    ranges = []
    for part, length in zip(region, extent, strict=True):
        start, stop, step = part.indices(length)
        if step != 1:
            raise InputError("`region` must be slices without a step.")
        if stop <= start:
            raise InputError(
                f"`region` holds no pixel of the image, whose Y, X are {extent}: "
                "choose a part of it."
            )
        ranges += [start, stop]
    return Rectangle(*ranges)


def _zoom(diameter: float | None, card: "ModelCard") -> float:
    """Return the px of the network's grid per px of the image."""
    if diameter is None:
        return 1.0
    if not (isfinite(diameter) and diameter > 0):
        raise InputError(
            f"`diameter` must be a positive number of px, got {diameter:g}."
        )
    smallest, largest = card.diameters
    zoom = card.zoom_at(diameter)
    if not 1 / ZOOM_LIMIT <= zoom <= ZOOM_LIMIT:
        raise InputError(
            f"`diameter` must be between {smallest / ZOOM_LIMIT:.4g} and "
            f"{largest * ZOOM_LIMIT:.4g} px for this model, got {diameter:g}."
        )
    return zoom


def _plan(length: int, zoom: float, model: "Model") -> Axis:
    """Plan one axis of the image for the model's network."""
    network: Any = model.network
    return _planned(length, zoom, network.stride, network.receptive_radius)


@lru_cache(maxsize=8)
def _planned(length: int, zoom: float, stride: int, radius: int) -> Axis:
    """Plan an axis once for many images of one size."""
    return Axis.plan(length, zoom=zoom, stride=stride, radius=radius)


@cache
def _version() -> str:
    """Look up the version once; it takes as long as a GPU for an image."""
    return version("napari-cresunet")


def _allocate(shape: tuple[int, ...]) -> "Probability":
    """Return room for the result."""
    try:
        return np.empty(shape, np.float32)
    except MemoryError as error:
        gigabytes = 4 * prod(shape) / 1e9
        raise EngineError(
            f"The probability would need {gigabytes:.1f} GB, which are not free: "
            "predict a smaller region or fewer planes at a time."
        ) from error


def _record(run: Run, model: "Model") -> dict[str, Any]:
    """Return how the probability came about."""
    wanted, (scaling, channels) = run.wanted, run.source.preparation
    is_whole = run.place.tile >= wanted.side
    return {
        "version": _version(),
        "model": model.card.name,
        "weights_hash": model.card.weights_hash,
        "device": run.place.device,
        "backend": run.place.runner.backend,
        "precision": run.place.runner.precision,
        "zoom": run.place.zoom,
        "scaling": {
            "method": model.card.scaling,
            "low": scaling.low,
            "span": scaling.span,
        },
        "channels": channels if run.source.is_rgb else "gray",
        "tile": None if is_whole else run.place.tile,
        "region": [list(wanted[:2]), list(wanted[2:])],
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "messages": run.messages,
    }

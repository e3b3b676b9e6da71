"""Opening OME-Zarr 0.4 and 0.5."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._images import checked_pixel_size, micrometers
from napari_cresunet.errors import InputError
from napari_cresunet.pyramids._axes import CHANNEL, Axes, check_axes, choose
from napari_cresunet.pyramids._documents import (
    Document,
    first_multiscales,
    read_document,
)
from napari_cresunet.pyramids._level import Arrangement, Level
from napari_cresunet.pyramids._pyramid import Pyramid, name_of

if TYPE_CHECKING:
    import zarr

_TYPES = {"time": "t", "channel": CHANNEL}
_RGB = ("FF0000", "00FF00", "0000FF")
_RGB_NAMES = (("r", "g", "b"), ("red", "green", "blue"))


def open_ome(path: Path, channel: int | str | None) -> Pyramid:
    """Open a folder of OME-Zarr; see `open_pyramid`."""
    document = read_document(path)
    inner = _only_series(document, path)
    folder = path
    if inner is not None:
        folder, document = inner, read_document(inner)
    multiscales = first_multiscales(document, folder)
    paths = [str(dataset["path"]) for dataset in multiscales["datasets"]]
    arrays = [_open_array(folder, one) for one in paths]
    axes = _read_axes(multiscales, document, arrays[0], folder)
    chosen = choose(axes, channel, folder)
    check_levels(arrays, chosen.arrangement, folder)
    sizes = [_sizes(multiscales, i, axes.names) for i in range(len(arrays))]
    return Pyramid(
        name=name_of(path),
        path=path,
        levels=tuple(
            Level(
                array,
                chosen.arrangement,
                path=folder,
                reopen=(open_ome_level, (path, channel, number)),
            )
            for number, array in enumerate(arrays)
        ),
        is_rgb=chosen.arrangement.is_rgb,
        leading=chosen.leading,
        pixel_size=_pixel_size(multiscales, sizes[0]),
        factors=_factors(sizes, arrays, axes.names),
        channels=chosen.channels,
        channel=chosen.channel,
        is_labels="image-label" in document.ome,
    )


def open_ome_level(path: Path, channel: int | str | None, number: int) -> Level:
    """Open one level, in another process."""
    return open_ome(path, channel).levels[number]


def _only_series(document: Document, path: Path) -> Path | None:
    """Return the image of a folder of bioformats2raw that holds just one."""
    if "bioformats2raw.layout" not in document.ome or "plate" in document.ome:
        return None
    is_single = (path / "0").is_dir() and not (path / "1").is_dir()
    return path / "0" if is_single else None


def _open_array(folder: Path, name: str) -> "zarr.Array":
    import zarr

    try:
        array = zarr.open_array(folder / name, mode="r")
    except Exception as error:  # whatever zarr makes of damage
        raise InputError(
            f"{folder} is damaged: its level {name} is missing or cannot be read; copy "
            "or export it again."
        ) from error
    if array.dtype.kind not in "uif":
        raise InputError(f"{folder} holds {array.dtype}: an image must hold numbers.")
    return array


def check_levels(arrays: Sequence[Any], arrangement: Arrangement, path: Path) -> None:
    """Refuse levels that do not belong together.

    Parameters
    ----------
    arrays : sequence of array-like
        Full resolution first.
    arrangement : Arrangement
        Which of their axes are which.
    path : Path
        The file or folder, for messages.

    Raises
    ------
    InputError
        If one has other axes, or is larger than the one before.
    """
    for before, after in pairwise(arrays):
        is_smaller = len(before.shape) == len(after.shape) and all(
            0 < n <= m for n, m in zip(after.shape, before.shape, strict=True)
        )
        if not is_smaller or before.dtype != after.dtype:
            raise InputError(
                f"{path} has levels that do not belong together, of {before.shape} "
                f"{before.dtype} and {after.shape} {after.dtype}: export it again."
            )


def _read_axes(
    multiscales: dict[str, Any], document: Document, array: Any, path: Path
) -> Axes:
    said: Any = multiscales.get("axes")
    version = multiscales.get("version", document.ome.get("version", ""))
    try:
        names = tuple(_axis_name(axis) for axis in said)
    except (LookupError, TypeError, AttributeError) as error:
        of = f" {version}" if version else ""
        raise InputError(
            f"{path} is OME-Zarr{of} without the names of its axes: convert it to 0.4 "
            "or 0.5."
        ) from error
    shape = tuple(int(length) for length in array.shape)
    axes = Axes(names=names, shape=shape)
    check_axes(axes, path)
    if CHANNEL not in names:
        return axes
    at = names.index(CHANNEL)
    labels, colors = _channels(document.ome.get("omero"), shape[at])
    is_rgb = _is_rgb(labels, colors, array.dtype.name)
    is_last = at == len(names) - 1 and shape[at] in (3, 4)
    return Axes(
        names=names,
        shape=shape,
        channels=labels,
        is_rgb=is_rgb or (is_last and array.dtype.name == "uint8"),
    )


def _axis_name(axis: Any) -> str:
    """Return the name of an axis; up to version 0.3 it is a text alone."""
    if isinstance(axis, str):
        return axis.lower()
    kind = axis.get("type")
    return _TYPES.get(kind) or str(axis["name"]).lower()


def _channels(omero: Any, n_channels: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and colors of the channels; empty where they are not all known."""
    try:
        channels = omero["channels"]
        labels = [str(each.get("label") or i) for i, each in enumerate(channels)]
        colors = [str(each.get("color", "")).upper() for each in channels]
    except (LookupError, TypeError, AttributeError):
        return (), ()
    return (tuple(labels), tuple(colors)) if len(labels) == n_channels else ((), ())


def _is_rgb(labels: Sequence[str], colors: Sequence[str], dtype: str) -> bool:
    """Whether channels are colors; of more than 8 bits they are mostly not."""
    names = tuple(label.lower() for label in labels)
    return dtype == "uint8" and (tuple(colors) == _RGB or names in _RGB_NAMES)


def _sizes(
    multiscales: dict[str, Any], number: int, names: Sequence[str]
) -> tuple[float, float] | None:
    """Return height and width of a pixel of a level, in the unit of the file."""
    height, width = 1.0, 1.0
    found = False
    for part in (multiscales["datasets"][number], multiscales):
        try:
            for transformation in part.get("coordinateTransformations") or ():
                if transformation["type"] != "scale":
                    continue
                scale = [float(each) for each in transformation["scale"]]
                if len(scale) != len(names):
                    return None
                height *= scale[names.index("y")]
                width *= scale[names.index("x")]
                found = True
        except (LookupError, TypeError, ValueError, AttributeError):
            return None
    return (height, width) if found else None


def _pixel_size(
    multiscales: dict[str, Any], sizes: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Return how large a pixel is in µm, if the file says it."""
    if sizes is None:
        return None
    units = {
        _axis_name(axis): str(axis.get("unit", ""))
        for axis in multiscales["axes"]
        if not isinstance(axis, str)
    }
    in_micrometers = [
        size * micrometers(units.get(name, ""))
        for name, size in zip("yx", sizes, strict=True)
    ]
    return checked_pixel_size(in_micrometers)


def _factors(
    sizes: Sequence[tuple[float, float] | None],
    arrays: Sequence[Any],
    names: Sequence[str],
) -> tuple[tuple[float, float], ...]:
    """Return how many pixels of full resolution a pixel of each level covers."""
    rows, columns = names.index("y"), names.index("x")
    full = arrays[0].shape
    factors = []
    for size, array in zip(sizes, arrays, strict=True):
        if size and sizes[0] and checked_pixel_size([*size]) and all(sizes[0]):
            factors.append((size[0] / sizes[0][0], size[1] / sizes[0][1]))
        else:
            shape = array.shape
            factors.append((full[rows] / shape[rows], full[columns] / shape[columns]))
    return tuple(factors)

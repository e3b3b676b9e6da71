"""OME-Zarr as layers that read only what the canvas shows."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.pyramids import Pyramid

LazyTuple: TypeAlias = tuple[Any, dict[str, Any], str]


def get_pyramid_reader(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LazyTuple]] | None:
    """Return what reads these folders of OME-Zarr, as napari asks every plugin.

    Parameters
    ----------
    path : str or sequence of str
        A folder, or several.

    Returns
    -------
    callable or None
        Takes the path again and returns layers; see `read_pyramids`. None where one is
        no folder of zarr.
    """
    from napari_cresunet.pyramids import is_pyramid

    folders = [Path(one) for one in _each(path)]
    if all(folder.is_dir() and is_pyramid(folder) for folder in folders):
        return read_pyramids
    return None


def read_pyramids(path: str | Sequence[str]) -> list[LazyTuple]:
    """Open images larger than memory as layers with several levels.

    Parameters
    ----------
    path : str or sequence of str
        A folder of OME-Zarr, or several.

    Returns
    -------
    list of tuple
        An image for each channel, or labels; then the labels that are in the image. The
        data of each are as from `lazy_levels`: pixels are read when they are needed.

    Notes
    -----
    A folder that cannot be read is an `InputError`; labels inside an image that cannot
    be are left out with a warning.
    """
    from napari_cresunet.pyramids import labels_inside, open_channels

    layers = []
    for one in _each(path):
        images = open_channels(one)
        layers += [pyramid_layer(image) for image in images]
        for folder in labels_inside(one):
            try:
                layers += [pyramid_layer(labels) for labels in open_channels(folder)]
            except InputError as error:
                warnings.warn(str(error), stacklevel=2)
    return layers


def pyramid_layer(pyramid: "Pyramid") -> LazyTuple:
    """Return a pyramid as a layer.

    Parameters
    ----------
    pyramid : Pyramid
        An image, or labels.

    Returns
    -------
    tuple
        Data, options and type of the layer.
    """
    n_leading = len(pyramid.leading)
    levels = lazy_levels(pyramid)
    options: dict[str, Any] = {
        "name": _title(pyramid),
        "multiscale": isinstance(levels, list),
        "axis_labels": (*pyramid.leading, "y", "x"),
        "metadata": {"cresunet": {"pyramid": str(pyramid.path)}},
    }
    if pyramid.channel is not None:
        options["metadata"]["cresunet"]["channel"] = pyramid.channel
    if pyramid.pixel_size:
        options["scale"] = (*[1.0] * n_leading, *pyramid.pixel_size)
        options["units"] = (*["pixel"] * n_leading, "micrometer", "micrometer")
    if pyramid.is_labels:
        return levels, options, "labels"
    options["rgb"] = pyramid.is_rgb
    if pyramid.name.endswith("_probability"):
        options |= {"colormap": "magma", "contrast_limits": (0, 1)}
    elif pyramid.channel is not None:
        options["blending"] = "additive"
    return levels, options, "image"


def lazy_levels(pyramid: "Pyramid") -> Any:
    """Return what a layer shows of a pyramid.

    Parameters
    ----------
    pyramid : Pyramid
        An image, or labels.

    Returns
    -------
    dask.array.Array, or list of these
        The levels, full resolution first; the array itself if there is just one, which
        napari takes for no pyramid. Chunks are those of the file, but of a level in
        colors all three are in one.
    """
    from dask.array import from_array

    arrays = []
    for level in pyramid.levels:
        chunks = level.chunks
        if pyramid.is_rgb:
            chunks = (*chunks[:-1], 3)
        # Without a name, dask would read all of it to make one.
        arrays.append(from_array(level, chunks=chunks, name=False))
    return arrays if len(arrays) > 1 else arrays[0]


def _title(pyramid: "Pyramid") -> str:
    if pyramid.channel is None:
        return pyramid.name
    name = pyramid.channels[pyramid.channel]
    return f"{pyramid.name} {name}"


def _each(path: str | Sequence[str]) -> Sequence[str]:
    return [path] if isinstance(path, str) else path

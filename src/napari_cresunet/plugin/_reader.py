"""Annotation files as layers: outlines as labels, dots as points."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import NDArray

from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.annotations import AnnotatedImage, Annotations

LayerTuple: TypeAlias = tuple[NDArray[Any], dict[str, Any], str]


def get_reader(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LayerTuple]] | None:
    """Return what reads these annotation files, as napari asks every plugin.

    Parameters
    ----------
    path : str or sequence of str
        A file, or several.

    Returns
    -------
    callable or None
        Takes the path again and returns layers; see `read_layers`. None where a file is
        in no format of annotations that is known here.
    """
    from napari_cresunet.annotations import is_annotation_file

    if all(is_annotation_file(one) for one in _each(path)):
        return read_layers
    return None


def read_layers(path: str | Sequence[str]) -> list[LayerTuple]:
    """Read annotation files as layers.

    Parameters
    ----------
    path : str or sequence of str
        A file, or several.

    Returns
    -------
    list of tuple
        For each image that is described, labels or, where every cell is marked by a
        dot, points. Labels are of all planes of the image if the file names another
        plane than the first.

    Raises
    ------
    InputError
        If a file cannot be read, or a size is needed that neither the file says nor an
        image of that name beside it has.
    """
    from napari_cresunet.annotations import load_annotations

    layers = []
    for one in _each(path):
        annotations = load_annotations(one)
        layers += [_layer(annotations, image) for image in annotations.images]
    return layers


def _each(path: str | Sequence[str]) -> Sequence[str]:
    return [path] if isinstance(path, str) else path


def _layer(annotations: "Annotations", image: "AnnotatedImage") -> LayerTuple:
    path = annotations.path
    options = {
        "name": f"{Path(image.name).stem or path.stem} (truth)",
        "metadata": {"cresunet": {"truth": True, "file": path.name}},
    }
    if image.is_points:
        return annotations.points(image.name), options, "points"
    shape: tuple[int, ...] = image.shape or _shape_beside(path, image.name)
    if not image.is_of_stack:
        shape = shape[-2:]
    return annotations.labels(image.name, shape=shape), options, "labels"


def _shape_beside(path: Path, name: str) -> tuple[int, ...]:
    """Return the shape, without colors, of the image that lies beside a file."""
    from napari_cresunet._images import read_image, without_colors
    from napari_cresunet.datasets import image_beside

    found = image_beside(path, name)
    if found is None:
        raise InputError(
            f"{path} does not say how large {name or 'its image'} is: put the image "
            "beside it, or open it in the dock Evaluate."
        )
    return without_colors(read_image(found).shape)

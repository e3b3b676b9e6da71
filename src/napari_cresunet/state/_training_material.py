"""Reading what to learn from, and holding a part of it out for validation."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cresunet._typing import Labels
from napari_cresunet.errors import InputError
from napari_cresunet.state._run import Progress
from napari_cresunet.state._training_data import (
    Folders,
    LayerPair,
    Material,
    Origin,
    Summary,
    TrainingData,
    counted,
)

if TYPE_CHECKING:
    from napari_cresunet.datasets import Pair

CUT = 0.75
"""A single image is cut here along its longer axis, or as near as cells allow."""
FIRST_PART, LAST_PART = "first part", "last part"
"""What the two are called, behind the name of the image."""


def planes_of(pair: LayerPair) -> "Generator[tuple[Pair, Origin], None, None]":
    """Yield the planes of two layers; of a stack only those with cells.

    Parameters
    ----------
    pair : LayerPair
        A plane or a stack.

    Yields
    ------
    pair : Pair
        One plane; each of a stack has its own name.
    origin : Origin
        Where it is in the layer.
    """
    from napari_cresunet.datasets import pair_from_arrays

    leading = pair.labels.shape[:-2]
    for plane in np.ndindex(leading):
        labels = pair.labels[plane]
        # Whoever labels a stack by hand hardly ever labels all of it, so that an empty
        # plane says nothing of what is no cell.
        if leading and not labels.any():
            continue
        image = np.asarray(pair.image[plane])
        number = "".join(f" {index}" for index in plane)
        name = f"{pair.name}{number}"
        origin = Origin(name=name, identity=pair.identity, plane=plane)
        yield pair_from_arrays(name, image, labels), origin


def iter_pairs(
    data: TrainingData, *, split: str | None = None
) -> "Generator[Progress, None, list[Pair]]":
    """Read images with their cells.

    Parameters
    ----------
    data : tuple of LayerPair, or Folders
        Where it is.
    split : str, optional
        Only this split of a folder.

    Yields
    ------
    Progress
        Between two images, where it may be closed.

    Returns
    -------
    list of Pair
        In order.
    """
    from napari_cresunet.datasets import load_pairs, pair_folders

    source: Any
    if not isinstance(data, Folders):
        source = (plane for pair in data for plane, _ in planes_of(pair))
    elif data.masks is not None:
        source = pair_folders(data.images, data.masks)
    else:
        source = load_pairs(data.images, split=split)
    return (yield from _iter_all(source))


def _iter_all(source: Any) -> "Generator[Progress, None, list[Pair]]":
    pairs: list[Pair] = []
    yield Progress(text="Reading images…")
    for pair in source:
        pairs.append(pair)
        yield Progress(text=f"Reading images… {len(pairs)}")
    return pairs


def iter_material(
    data: TrainingData, *, validation: float, seed: int, diameter: float | None = None
) -> Generator[Progress, None, Material]:
    """Read what to learn from, and hold a part of it out.

    Parameters
    ----------
    data : tuple of LayerPair, or Folders
        Where it is. A folder that is divided into "train" and "val" says itself what is
        held out; its "test" is left alone.
    validation : float
        Share of the images that is held out otherwise.
    seed : int
        Of the choice of these images.
    diameter : float, optional
        Diameter of a cell in px of the images; measured for each if not given.

    Yields
    ------
    Progress
        Between two images, where it may be closed.

    Returns
    -------
    Material
        The same data, share and seed give the same.
    """
    from napari_cresunet.datasets import check_pairs, load_pairs, training_splits

    train = held_split = None
    if isinstance(data, Folders) and data.masks is None:
        train, held_split = training_splits(data.images)
    pairs = yield from iter_pairs(data, split=train)
    check_pairs(pairs)
    if held_split and isinstance(data, Folders):
        held_out = yield from _iter_all(load_pairs(data.images, split=held_split))
        made = Material(
            training=pairs,
            validation=held_out,
            n_images=len(pairs) + len(held_out),
            n_cells=_count_cells([*pairs, *held_out]),
        )
    else:
        made = hold_out(pairs, validation=validation, seed=seed)
    if diameter is None:
        return made
    return replace(
        made,
        training=[replace(pair, cell_diameter=diameter) for pair in made.training],
        validation=[replace(pair, cell_diameter=diameter) for pair in made.validation],
    )


def hold_out(pairs: "Sequence[Pair]", *, validation: float, seed: int) -> Material:
    """Hold images out for validation; a single one is cut.

    Parameters
    ----------
    pairs : sequence of Pair
        At least one with cells.
    validation : float
        Share of the images.
    seed : int
        Of the choice.

    Returns
    -------
    Material
        Both parts have cells. If only one image has any, the larger part of it, up to
        three quarters of its longer axis, is learned from with all others.

    Notes
    -----
    A single image whose cells cannot be parted is an `InputError`.
    """
    from napari_cresunet.datasets import split_pairs

    n_cells = _count_cells(pairs)
    with_cells = [pair for pair in pairs if pair.labels.any()]
    if len(with_cells) > 1:
        training, held = split_pairs(pairs, validation=validation, seed=seed)
        return Material(
            training=training, validation=held, n_images=len(pairs), n_cells=n_cells
        )
    only = with_cells[0]
    first, rest, corner = cut_pair(only)
    others = [pair for pair in pairs if pair is not only]
    return Material(
        training=[first, *others],
        validation=[rest],
        n_images=len(pairs),
        n_cells=n_cells,
        corner=corner,
    )


def cut_pair(pair: "Pair") -> "tuple[Pair, Pair, tuple[int, int]]":
    """Cut an image in two that both have cells.

    Parameters
    ----------
    pair : Pair
        The only image with cells.

    Returns
    -------
    first : Pair
        Left or upper part, to learn from.
    rest : Pair
        What is left, to validate on.
    corner : tuple of int
        Row and column where `rest` begins.

    Raises
    ------
    InputError
        If all cells lie on one spot.

    Notes
    -----
    The cut is at three quarters of the longer axis, or as near to that as leaves the
    center of a cell on both sides; if there is no such place, along the other axis. A
    cell that is cut through is in both.
    """
    shape = pair.labels.shape
    centers = _centers(pair.labels)
    for axis in sorted((0, 1), key=lambda axis: -shape[axis]):
        low, high = centers[:, axis].min(), centers[:, axis].max()
        # A cut at c has the pixels below c on its first side.
        first, last = int(np.floor(low)) + 1, int(np.floor(high))
        if first > last:
            continue
        place = int(np.clip(round(CUT * shape[axis]), first, last))
        parts = [
            tuple(part if side == axis else slice(None) for side in (0, 1))
            for part in (slice(None, place), slice(place, None))
        ]
        one, other = (
            replace(
                pair,
                name=f"{pair.name} ({end})",
                image=pair.image[part],
                labels=pair.labels[part],
            )
            for part, end in zip(parts, (FIRST_PART, LAST_PART), strict=True)
        )
        return one, other, (place, 0) if axis == 0 else (0, place)
    raise InputError(
        f"Only {pair.name} has cells, and they cannot be parted into some to learn "
        "from and some to validate on: add a second image, or mark more cells."
    )


def _centers(labels: Labels) -> Any:
    """Return the center of each cell, one row each."""
    from scipy import ndimage

    numbers = np.unique(labels[labels > 0])
    return np.array(ndimage.center_of_mass(labels > 0, labels, numbers))


def iter_summary(
    data: TrainingData, *, validation: float, seed: int
) -> Generator[Progress, None, Summary]:
    """Look what there is to learn from.

    Parameters
    ----------
    data : tuple of LayerPair, or Folders
        Where it is.
    validation : float
        Share of the images that is held out.
    seed : int
        Of the choice of these images.

    Yields
    ------
    Progress
        Between two images, where it may be closed.

    Returns
    -------
    Summary
        Of all images.
    """
    made = yield from iter_material(data, validation=validation, seed=seed)
    sizes = [size for pair in made.training if (size := _diameter(pair)) is not None]
    return Summary(
        n_images=made.n_images,
        n_cells=made.n_cells,
        n_held_out=len(made.validation),
        n_without_mask=_count_alone(data),
        is_cut=made.corner is not None,
        diameter=float(np.mean(sizes)),
    )


def _diameter(pair: "Pair") -> float | None:
    return pair.diameter if pair.cell_diameter is None else pair.cell_diameter


def _count_alone(data: TrainingData) -> int:
    """Count images of folders without truth, where they are paired by name."""
    from napari_cresunet.datasets import match_by_stem

    if not isinstance(data, Folders):
        return 0
    images, masks = data.images, data.masks
    if masks is None:
        beside = [images / name for name in ("masks", "labels", "annotations")]
        masks = next((path for path in beside if path.is_dir()), images)
        images = images / "images" if masks != images else images
    try:
        return len(match_by_stem(images, masks).images_alone)
    except InputError:  # another layout
        return 0


def describe_material(data: TrainingData, made: Material) -> str:
    """Return what a model's card says of its data.

    Parameters
    ----------
    data : tuple of LayerPair, or Folders
        Where it was.
    made : Material
        What it was.

    Returns
    -------
    str
        Such as "21 images with 228 cells from the folder slices".
    """
    where = f"the folder {data.title}" if isinstance(data, Folders) else "napari"
    cells = counted(made.n_cells, "cell")
    return f"{counted(made.n_images, 'image')} with {cells} from {where}"


def _count_cells(pairs: "Sequence[Pair]") -> int:
    return sum(np.unique(pair.labels[pair.labels > 0]).size for pair in pairs)

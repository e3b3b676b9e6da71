"""A cell split from seeds, given or found."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._label_images import checked_labels
from napari_cresunet._typing import Indices, Labels, Mask
from napari_cresunet.correction._edit import SPLIT, Edit, make_edit
from napari_cresunet.correction._patches import Patch, free_labels, patches_of
from napari_cresunet.correction._places import (
    as_points,
    check_landscape,
    is_inside,
    labels_of,
    nearest_pixels,
    plane_of,
)
from napari_cresunet.errors import InputError

_SIGMA = 1.0
"""Px; a peak of less is noise or a step of the pixel grid."""
_LEAST_DEPTH = 0.05
"""How far it must go down between two peaks, in parts of the height of the lower one:
in 8 % of single synthetic neurons and 96 % of pairs that touch, by the distance."""

_NEIGHBORS = (
    (np.s_[:, 1:], np.s_[:, :-1]),
    (np.s_[1:, :], np.s_[:-1, :]),
    (np.s_[1:, 1:], np.s_[:-1, :-1]),
    (np.s_[1:, :-1], np.s_[:-1, 1:]),
)
"""All pairs of neighbors, diagonal ones too, as two parts of an image."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Map:
    """Heights within a cell: peaks are in the middle of what may be cells."""

    heights: NDArray[np.float64]
    mask: Mask
    floor: float
    """Height of what is outside."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Basins:
    """What belongs to each peak of a map."""

    numbers: Labels
    """(H, W): 1 to N, 0 outside of the cell."""
    peaks: NDArray[np.float64]
    """(N,): heights above the floor."""
    passes: list[tuple[float, int, int]]
    """Height above the floor of the highest way from one basin to its neighbor, and the
    two, counted from 0; the highest first."""


def split_at_seeds(
    labels: ArrayLike, seeds: ArrayLike, landscape: ArrayLike | None = None
) -> Edit:
    """Split one cell so that each part holds a seed.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    seeds : array_like of shape (N, D)
        At least two points in different pixels of one cell, in one plane.
    landscape : array_like of shape (..., Y, X), optional
        Probability or brightness. By default the distance to the outside.

    Returns
    -------
    Edit
        Parts end where the map has its valleys. Where there is none between seeds, each
        pixel goes to the nearest one. The largest part keeps the label.

    Raises
    ------
    InputError
        If there are fewer than two seeds, they are outside of the image, on background,
        in several cells or planes, the landscape has another shape, no label is free,
        or the labels are not whole numbers from 0 to 2**31 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 4, 4, 4, 4, 4, 0]])
    >>> split_at_seeds(labels, [[0, 1], [0, 4]]).applied_to(labels)
    array([[0, 5, 5, 4, 4, 4, 0]])
    """
    image = checked_labels(labels)
    heights = None if landscape is None else check_landscape(landscape, image)
    pixels = _checked_seeds(image, seeds)
    (patch,) = patches_of(
        image, labels_of(image, pixels), plane=plane_of(pixels, image)
    )
    rows, columns = (pixels[:, -2:] - (patch.top, patch.left)).T
    surface = _distances(patch) if heights is None else _surface(patch, heights)
    parts = _flood(surface, rows, columns)
    return _split(image, patch, parts)


def _checked_seeds(image: NDArray[Any], seeds: ArrayLike) -> Indices:
    """Return the pixels of seeds, each once."""
    pixels = nearest_pixels(as_points(seeds, image), image)
    if not is_inside(pixels, image).all():
        raise InputError("A seed is outside of the image: click inside of the cell.")
    pixels = np.array(
        list(dict.fromkeys(map(tuple, pixels.tolist()))), np.intp
    ).reshape(-1, image.ndim)
    if len(pixels) < 2:
        raise InputError(
            "To split a cell takes two seeds or more: click once in each part of it."
        )
    cells = set(image[tuple(pixels.T)].tolist())
    if 0 in cells:
        raise InputError("A seed is on background: click inside of the cell.")
    if len(cells) > 1:
        raise InputError(
            f"The seeds are in {len(cells)} cells: click in one that is to be split."
        )
    if len(np.unique(pixels[:, :-2], axis=0)) > 1:
        raise InputError("The seeds are in several planes: click in one.")
    return pixels


def split_in_two(
    labels: ArrayLike,
    cell: int,
    landscape: ArrayLike | None = None,
    *,
    plane: int | None = None,
) -> Edit:
    """Split a cell where it looks like two.

    Parameters
    ----------
    labels : array_like of shape (..., Y, X), int
        0 is background.
    cell : int
        Label of the cell.
    landscape : array_like of shape (..., Y, X), optional
        Probability or brightness, which shows two cells as two peaks. Where it does
        not, and by default, it is the distance to the outside.
    plane : int, optional
        Number of the plane, counted through all leading axes; by default the one where
        the cell is largest.

    Returns
    -------
    Edit
        In this plane the cell ends in the deepest valley between two peaks. The larger
        part keeps the label.

    Raises
    ------
    InputError
        If there is no such valley, the cell does not exist, the landscape has another
        shape, no label is free, or the labels are not whole numbers from 0 to
        2**31 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skimage.draw import disk
    >>> labels = np.zeros((40, 60), int)
    >>> labels[disk((20, 20), 12)] = 1
    >>> labels[disk((20, 40), 10)] = 1
    >>> edit = split_in_two(labels, 1)
    >>> edit.before, edit.after
    ((1,), (1, 2))
    """
    image = checked_labels(labels)
    heights = None if landscape is None else check_landscape(landscape, image)
    patch = max(
        patches_of(image, [int(cell)], plane=plane),
        key=lambda patch: np.count_nonzero(patch.mask),
    )
    if heights is not None:
        surface = _surface(patch, heights)
        seeds = _two_peaks(surface)
    if heights is None or seeds is None:
        surface = _distances(patch)
        seeds = _two_peaks(surface)
    if seeds is None:
        raise InputError("It looks like one cell: cut it with a line.")
    return _split(image, patch, _flood_from(surface, *seeds))


def _split(image: NDArray[Any], patch: Patch, parts: Labels) -> Edit:
    """Give all parts of a cell but the largest a label of their own."""
    areas = np.bincount(parts.ravel())[1:]
    others = [n for n in range(1, len(areas) + 1) if n != np.argmax(areas) + 1]
    fresh = free_labels(image, len(others))
    changes = [
        (patch.places(parts == number), label)
        for number, label in zip(others, fresh, strict=True)
    ]
    return make_edit(SPLIT, image, changes, ([patch.label], [patch.label, *fresh]))


def _distances(patch: Patch) -> _Map:
    """Map the distance to the outside; what is beyond the image counts as cell."""
    from scipy import ndimage

    # Without any background there would be no distance.
    width = int(patch.mask.all())
    distances = ndimage.distance_transform_edt(np.pad(patch.mask, width))
    distances = distances[width : -width or None, width : -width or None]
    heights = ndimage.gaussian_filter(distances, _SIGMA, mode="nearest")
    return _Map(heights=heights, mask=patch.mask, floor=0.0)


def _surface(patch: Patch, landscape: NDArray[Any]) -> _Map:
    """Smooth what is in the landscape."""
    from scipy import ndimage

    values = patch.cut(landscape).astype(np.float64)
    is_known = np.isfinite(values)
    low = values[is_known].min() if is_known.any() else 0.0
    heights = ndimage.gaussian_filter(
        np.where(is_known, values, low), _SIGMA, mode="nearest"
    )
    floor = float(heights[patch.mask].min())
    return _Map(heights=heights, mask=patch.mask, floor=floor)


def _find_basins(surface: _Map) -> _Basins:
    from scipy import ndimage
    from skimage.segmentation import watershed

    heights = surface.heights - surface.floor
    # A brighter neighbor must not hide that there is a peak in the cell.
    surroundings = np.where(surface.mask, -heights, np.inf)
    numbers = watershed(surroundings, mask=surface.mask, connectivity=2)
    count = int(numbers.max())
    peaks = ndimage.maximum(heights, numbers, np.arange(1, count + 1))
    found: dict[tuple[int, int], float] = {}
    for here, there in _NEIGHBORS:
        one, other = numbers[here], numbers[there]
        is_edge = (one != other) & (one > 0) & (other > 0)
        pairs = np.sort([one[is_edge] - 1, other[is_edge] - 1], axis=0).T.tolist()
        levels = np.minimum(heights[here], heights[there])[is_edge].tolist()
        for (first, second), level in zip(pairs, levels, strict=True):
            pair = (first, second)
            found[pair] = max(found.get(pair, 0.0), level)
    return _Basins(
        numbers=numbers,
        peaks=np.array(peaks, np.float64),
        passes=sorted(
            ((level, *pair) for pair, level in found.items()),
            key=lambda found: -found[0],
        ),
    )


def _two_peaks(surface: _Map) -> tuple[Indices, Indices] | None:
    """Return rows and columns of the two peaks with the deepest valley between them."""
    basins = _find_basins(surface)
    # Which peak is the highest that has been reached from each so far.
    tops = list(range(len(basins.peaks)))
    best, pair = 0.0, None
    # Pieces that do not touch are joined at the floor.
    beyond = [(0.0, 0, other) for other in range(1, len(tops))]
    for level, one, other in basins.passes + beyond:
        high, low = sorted((tops[one], tops[other]), key=lambda n: -basins.peaks[n])
        if high == low:
            continue
        depth = basins.peaks[low] - level
        if depth > max(best, _LEAST_DEPTH * basins.peaks[low]):
            best, pair = depth, (high, low)
        tops = [high if top == low else top for top in tops]
    if pair is None:
        return None
    places = [
        np.argmax(np.where(basins.numbers == number + 1, surface.heights, -np.inf))
        for number in pair
    ]
    rows, columns = np.unravel_index(places, surface.mask.shape)
    return rows, columns


def _flood_from(surface: _Map, rows: Indices, columns: Indices) -> Labels:
    """Number what is reached from each seed going down, the highest pixels first."""
    from skimage.segmentation import watershed

    markers = np.zeros(surface.mask.shape, np.int32)
    markers[rows, columns] = np.arange(1, len(rows) + 1)
    parts = watershed(-surface.heights, markers, connectivity=2, mask=surface.mask)
    return _with_pieces(parts, surface.mask)


def _with_pieces(parts: Labels, mask: Mask) -> Labels:
    """Give pieces of a cell that hold no seed to the nearest part."""
    from scipy import ndimage

    if (parts[mask] > 0).all():
        return parts
    nearest = ndimage.distance_transform_edt(
        parts == 0, return_distances=False, return_indices=True
    )
    filled: Labels = np.where(mask, parts[tuple(nearest)], 0)
    return filled


def _flood(surface: _Map, rows: Indices, columns: Indices) -> Labels:
    """Number the parts of seeds, wherever they are: in the middle or on a slope."""
    from skimage.segmentation import watershed

    basins = _find_basins(surface)
    groups = _groups(basins)
    regions = np.append(0, groups + 1)[basins.numbers]
    of_seeds = regions[rows, columns]
    regions[~np.isin(regions, of_seeds)] = 0
    if len(np.unique(of_seeds)) > 1 or (regions[surface.mask] == 0).any():
        regions = watershed(
            -surface.heights, regions, connectivity=2, mask=surface.mask
        )
    seeds = np.zeros(surface.mask.shape, np.int32)
    seeds[rows, columns] = np.arange(1, len(rows) + 1)
    parts = np.zeros_like(seeds)
    for region in np.unique(of_seeds):
        is_region = regions == region
        # Nothing but the distance from the seed counts.
        parts += watershed(
            np.zeros(seeds.shape),
            np.where(is_region, seeds, 0),
            connectivity=2,
            mask=is_region,
            compactness=1,
        ).astype(np.int32)
    return _with_pieces(parts, surface.mask)


def _groups(basins: _Basins) -> Indices:
    """Number basins, those that no real valley parts with the same number."""
    groups = list(range(len(basins.peaks)))
    for level, one, other in basins.passes:
        high, low = sorted((groups[one], groups[other]), key=lambda n: -basins.peaks[n])
        if basins.peaks[low] - level <= _LEAST_DEPTH * basins.peaks[low]:
            groups = [high if group == low else group for group in groups]
    return np.array(groups, np.intp)

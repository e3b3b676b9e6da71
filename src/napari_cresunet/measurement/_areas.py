"""The pixels of regions."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Mask
from napari_cresunet.errors import InputError
from napari_cresunet.measurement._region import Region

Shape = tuple[int, ...]
"""Of an image, (..., Y, X); only the last two count here."""


class Area(NamedTuple):
    """The pixels of a region within the box that holds them."""

    top: int
    left: int
    mask: Mask
    """(rows, columns) of the box."""

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the plane."""
        height, width = self.mask.shape
        return (
            slice(self.top, self.top + height),
            slice(self.left, self.left + width),
        )


def region_mask(region: Region, shape: Shape) -> Mask:
    """Return the pixels of a region.

    Parameters
    ----------
    region : Region
        The region.
    shape : tuple of int
        Of the image, (..., Y, X).

    Returns
    -------
    ndarray of bool, shape (Y, X)
        Pixels whose center is inside of any of the outlines, as far as the image
        reaches. Of an outline that crosses itself, inside is what it goes around an odd
        number of times.

    Raises
    ------
    InputError
        If the region has a mask of another size.

    Notes
    -----
    A center on the line between two regions belongs to the lower or right one: regions
    side by side have every pixel once.

    Examples
    --------
    >>> import numpy as np
    >>> corners = np.array([[0.5, 0.5], [0.5, 3.5], [2.5, 3.5], [2.5, 0.5]])
    >>> region = Region(name="CA1", polygons=(corners,))
    >>> region_mask(region, (4, 5)).astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 0, 0, 0]])
    """
    mask = np.zeros(shape[-2:], np.bool_)
    area = area_of(region, shape)
    mask[area.box] = area.mask
    return mask


def area_of(region: Region, shape: Shape) -> Area:
    """Return the pixels of a region, as `region_mask`, but only their box."""
    height, width = shape[-2:]
    if region.mask is not None:
        if region.mask.shape != (height, width):
            raise InputError(
                f"The region {region.name} has {_in_words(region.mask.shape)}, but the "
                f"image has {_in_words((height, width))}: use the regions of this "
                "image."
            )
        return Area(0, 0, region.mask)
    drawn = [_inside(polygon, (height, width)) for polygon in region.polygons]
    drawn = [one for one in drawn if one.mask.any()]
    if len(drawn) == 1:
        return drawn[0]
    if not drawn:
        return Area(0, 0, np.zeros((0, 0), np.bool_))
    top = min(one.top for one in drawn)
    left = min(one.left for one in drawn)
    bottom = max(one.box[0].stop for one in drawn)
    right = max(one.box[1].stop for one in drawn)
    mask = np.zeros((bottom - top, right - left), np.bool_)
    for one in drawn:
        here = Area(one.top - top, one.left - left, one.mask)
        mask[here.box] |= one.mask
    return Area(top, left, mask)


def _inside(polygon: NDArray[np.float64], shape: tuple[int, int]) -> Area:
    """Return the pixels whose center is inside of an outline."""
    # Row by row, cut where the outline crosses it. scikit-image and matplotlib compare
    # every pixel with every corner: minutes for a line drawn by hand around half of a
    # large image.
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    low = np.clip(np.ceil(points.min(axis=0, initial=np.inf)), 0, shape)
    high = np.clip(np.ceil(points.max(axis=0, initial=-np.inf)), low, shape)
    (top, left), (bottom, right) = low.astype(int).tolist(), high.astype(int).tolist()
    turns = np.zeros((bottom - top, right - left + 1), np.bool_)
    for here, there in zip(points, np.roll(points, -1, axis=0), strict=True):
        # From above to below: two regions compute their common side alike.
        (y0, x0), (y1, x1) = sorted((here.tolist(), there.tolist()))
        first = int(min(max(np.ceil(y0), top), bottom))
        last = int(min(max(np.ceil(y1), first), bottom))
        rows = np.arange(first, last)
        crossings = x0 + (rows - y0) * ((x1 - x0) / (y1 - y0 or 1.0))
        columns = np.clip(np.ceil(crossings), left, right).astype(int)
        turns[rows - top, columns - left] ^= True
    return Area(top, left, np.logical_xor.accumulate(turns, axis=1)[:, :-1])


def overlapping_regions(
    regions: Sequence[Region], shape: Shape
) -> list[tuple[str, str]]:
    """Find regions that share pixels of the image.

    Parameters
    ----------
    regions : sequence of Region
        The regions.
    shape : tuple of int
        Of the image, (..., Y, X).

    Returns
    -------
    list of tuple of str
        The two names of each such pair, in the order of the regions.

    Raises
    ------
    InputError
        As `region_mask`.
    """
    pairs = overlaps_of(regions, [area_of(region, shape) for region in regions])
    return [(regions[i].name, regions[j].name) for i, j in pairs]


def overlaps_of(
    regions: Sequence[Region], areas: Sequence[Area]
) -> list[tuple[int, int]]:
    """Return which regions share pixels, by their places in the sequence."""
    return [
        (i, j)
        for i, j in combinations(range(len(regions)), 2)
        if _share_planes(regions[i], regions[j]) and _share_pixels(areas[i], areas[j])
    ]


def _share_planes(one: Region, other: Region) -> bool:
    return one.plane is None or other.plane is None or one.plane == other.plane


def _share_pixels(one: Area, other: Area) -> bool:
    top, left = max(one.top, other.top), max(one.left, other.left)
    ends = zip(one.box, other.box, strict=True)
    bottom, right = (min(a.stop, b.stop) for a, b in ends)
    if top >= bottom or left >= right:
        return False
    parts = [
        area.mask[
            top - area.top : bottom - area.top, left - area.left : right - area.left
        ]
        for area in (one, other)
    ]
    return bool((parts[0] & parts[1]).any())


def regions_beyond(regions: Sequence[Region], shape: Shape) -> list[str]:
    """Find regions that reach beyond the image.

    Parameters
    ----------
    regions : sequence of Region
        The regions.
    shape : tuple of int
        Of the image, (..., Y, X).

    Returns
    -------
    list of str
        Their names, in the order of the regions.
    """
    ends = np.array(shape[-2:]) - 0.5

    def is_beyond(polygon: NDArray[np.float64]) -> bool:
        return bool(((polygon < -0.5) | (polygon > ends)).any())

    return [
        region.name
        for region in regions
        if region.mask is None and any(map(is_beyond, region.polygons))
    ]


def regions_from_labels(
    labels: ArrayLike, names: Mapping[int, str] | Sequence[str] | None = None
) -> list[Region]:
    """Make regions of a label image.

    Parameters
    ----------
    labels : array_like of shape (Y, X), int
        0 is outside of all regions, every other number is a region.
    names : mapping of int to str, or sequence of str, optional
        Name by number, or one name for each number in ascending order. What has no
        name is "region N".

    Returns
    -------
    list of Region
        By ascending number.

    Raises
    ------
    InputError
        If it is no plane of whole numbers from 0.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.dtype.kind not in "iu" or array.min(initial=0) < 0:
        raise InputError(
            "Regions must be one plane (Y, X) of whole numbers from 0, got "
            f"{array.dtype} of shape {array.shape}."
        )
    numbers = [int(number) for number in np.unique(array) if number]
    return [
        Region(name=name, mask=array == number)
        for number, name in zip(numbers, _names(numbers, names), strict=True)
    ]


def _names(
    numbers: Sequence[int], names: Mapping[int, str] | Sequence[str] | None
) -> Iterator[str]:
    if not isinstance(names, Mapping):
        names = dict(zip(numbers, names or (), strict=False))
    for number in numbers:
        yield names.get(number) or f"region {number}"


def _in_words(shape: tuple[Any, ...]) -> str:
    return " x ".join(map(str, shape)) + " px"

"""How many cells there are in regions, and how many per mm²."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Mask
from napari_cresunet.measurement._areas import Area, Shape, area_of, overlaps_of
from napari_cresunet.measurement._checks import PixelSize, check_pixel_size
from napari_cresunet.measurement._region import Region

WHOLE_IMAGE = "whole image"
"""What the row of the whole image is called."""
SEPARATOR = "; "
"""Between several names in one field."""


def measure_regions(
    cells: Mapping[str, NDArray[Any]],
    shape: Shape,
    regions: Sequence[Region],
    *,
    pixel_size: PixelSize | None = None,
    n_planes: int = 1,
) -> list[dict[str, Any]]:
    """Count the cells of each region.

    Parameters
    ----------
    cells : mapping of str to ndarray
        The table of `measure`, or a part of its rows.
    shape : tuple of int
        Of the image, (..., Y, X); the leading axes do not count.
    regions : sequence of Region
        The regions; may be empty, overlap, and reach beyond the image.
    pixel_size : tuple of float, optional
        Height and width of a pixel in µm.
    n_planes : int, optional
        How many planes a region without a plane covers: see `counted_planes`.

    Returns
    -------
    list of dict
        One for each region, in their order, and last one for the whole image, whose
        name is `WHOLE_IMAGE`:

        - region: its name
        - count: its cells
        - area_px: pixels of the image in it, over all its planes
        - area_mm2: the same in mm²
        - density_per_mm2: count / area_mm2
        - planes: on how many planes it is
        - overlaps: names of the regions that it shares pixels with, joined by "; "

        Areas in mm² and densities are None without a pixel size (`why_no_density`), and
        the density is None where the area is 0.

    Raises
    ------
    InputError
        If a region has a mask of another size, or the pixel size is none.

    Notes
    -----
    A cell belongs to a region if its centroid does, that is the pixel nearest to it;
    with a plane, the cell's plane must be the region's, too. So regions side by side
    count each cell once, wherever their border cuts it, and regions that overlap count
    the cells that they share each.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_cresunet.measurement import measure
    >>> labels = np.zeros((100, 200), int)
    >>> labels[10:20, 10:20], labels[40:50, 95:103] = 1, 2
    >>> left = Region(name="left", mask=np.arange(200)[None].repeat(100, 0) < 100)
    >>> for row in measure_regions(
    ...     measure(labels), labels.shape, [left], pixel_size=(0.5, 0.5)
    ... ):
    ...     print(row["region"], row["count"], row["area_mm2"], row["density_per_mm2"])
    left 2 0.0025 800.0
    whole image 2 0.005 400.0
    """
    size = check_pixel_size(pixel_size)
    areas = [area_of(region, shape) for region in regions]
    overlaps = overlaps_of(regions, areas)
    rows = []
    for number, (region, area) in enumerate(zip(regions, areas, strict=True)):
        others = [j if i == number else i for i, j in overlaps if number in (i, j)]
        planes = n_planes if region.plane is None else 1
        n_pixels = int(np.count_nonzero(area.mask)) * planes
        count = int(np.count_nonzero(lies_in(cells, region, area, shape)))
        names = SEPARATOR.join(regions[other].name for other in others)
        rows.append(
            _row(region.name, count, n_pixels, planes, size) | {"overlaps": names}
        )
    n_pixels = int(np.prod(shape[-2:])) * n_planes
    whole = _row(WHOLE_IMAGE, len(cells["label"]), n_pixels, n_planes, size)
    return [*rows, whole | {"overlaps": ""}]


def goes_through_planes(cells: Mapping[str, NDArray[Any]]) -> bool:
    """Tell from the table of `measure` whether a cell is on several planes."""
    return bool((np.asarray(cells.get("planes", ())) > 1).any())


def counted_planes(
    cells: Mapping[str, NDArray[Any]], shape: Shape, *, is_linked: bool = False
) -> int:
    """Return over how many planes the area of an image counts, for `measure_regions`.

    Parameters
    ----------
    cells : mapping of str to ndarray
        The table of `measure`.
    shape : tuple of int
        Of the image, (..., Y, X).
    is_linked : bool, optional
        Whether cells could go through planes, even if none does.

    Returns
    -------
    int
        All planes; for cells that go through planes one for each point in time, as
        they are seen from above, along the last leading axis.
    """
    is_from_above = is_linked or goes_through_planes(cells)
    return math.prod(shape[: -3 if is_from_above else -2])


def _row(
    name: str, count: int, n_pixels: int, planes: int, size: PixelSize | None
) -> dict[str, Any]:
    area = None if size is None else n_pixels * size[0] * size[1] / 1e6
    return {
        "region": name,
        "count": count,
        "area_px": n_pixels,
        "area_mm2": area,
        "density_per_mm2": count / area if area else None,
        "planes": planes,
    }


def lies_in(
    cells: Mapping[str, NDArray[Any]], region: Region, area: Area, shape: Shape
) -> Mask:
    """Return which cells have their centroid in a region.

    Parameters
    ----------
    cells : mapping of str to ndarray
        With centroid_y_px, centroid_x_px and, of stacks, plane.
    region : Region
        The region.
    area : Area
        Its pixels.
    shape : tuple of int
        Of the image, (..., Y, X).

    Returns
    -------
    ndarray of bool, shape (N,)
        True where a cell does.
    """
    edges = (np.array(shape[-2:]) - 1)[:, None]
    centroids = np.stack([cells["centroid_y_px"], cells["centroid_x_px"]])
    # Halves up, whereas numpy would round them to even ones.
    rows, columns = np.clip(np.floor(centroids + 0.5), 0, edges).astype(np.intp)
    rows, columns = rows - area.top, columns - area.left
    height, width = area.mask.shape
    is_near = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    if region.plane is not None:
        is_near &= cells.get("plane", np.zeros(len(rows), np.intp)) == region.plane
    found = np.zeros(len(rows), np.bool_)
    found[is_near] = area.mask[rows[is_near], columns[is_near]]
    return found


def names_of_regions(
    cells: Mapping[str, NDArray[Any]], shape: Shape, regions: Sequence[Region]
) -> list[str]:
    """Return for each cell the names of its regions.

    Parameters
    ----------
    cells : mapping of str to ndarray
        As for `lies_in`.
    shape : tuple of int
        Of the image, (..., Y, X).
    regions : sequence of Region
        The regions.

    Returns
    -------
    list of str
        Each name once, joined by "; ".
    """
    names: list[list[str]] = [[] for _ in cells["centroid_y_px"]]
    for region in regions:
        found = lies_in(cells, region, area_of(region, shape), shape)
        for row in np.flatnonzero(found):
            if region.name not in names[row]:
                names[row].append(region.name)
    return [SEPARATOR.join(one) for one in names]


def why_no_density(pixel_size: PixelSize | None) -> str:
    """Return why densities are unknown.

    Parameters
    ----------
    pixel_size : tuple of float or None
        Height and width of a pixel in µm.

    Returns
    -------
    str
        A sentence; empty if they are known.
    """
    if pixel_size is not None:
        return ""
    return (
        "There are no densities because no pixel size is known: set scale and unit of "
        "the layer, or give --pixel-size."
    )

"""One plane, segmented again and again: find regions, split the new, number cells."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._connect import connect_boxes
from napari_cresunet.segmentation._presets import Preset
from napari_cresunet.segmentation._runs import (
    Clusters,
    Regions,
    expand,
    find_regions,
    offsets_of,
)
from napari_cresunet.segmentation._split import split

CACHE_BYTES = 32_000_000
"""How much is remembered of clusters and their cells, for all planes together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cells:
    """The cells of a plane, pixel by pixel."""

    pixels: Indices
    """Flat index of each foreground pixel."""
    numbers: NDArray[np.int32]
    """Cell of each of these, 1 to `count` by first pixel, or 0."""
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Split:
    """How a cluster was split."""

    count: int
    numbers: NDArray[np.int32] | None
    """Cell of each pixel, 1 to `count`, or 0; None where all of it is one cell."""
    firsts: Indices
    """Place of each cell's first pixel."""


_WHOLE = _Split(count=1, numbers=None, firsts=np.zeros(1, dtype=np.intp))


class SplitCache:
    """Remembers how clusters were split, the oldest forgotten first."""

    def __init__(self) -> None:
        # Taking the oldest from a plain dict gets slower and slower.
        self._splits: OrderedDict[bytes, _Split] = OrderedDict()
        self._bytes = 0

    def get(self, key: bytes) -> _Split | None:
        """Return how the cluster was split, if that is still known."""
        return self._splits.get(key)

    def put(self, key: bytes, made: _Split) -> None:
        """Remember how a cluster was split."""
        if key in self._splits:
            return
        self._splits[key] = made
        self._bytes += _size(key, made)
        while self._bytes > CACHE_BYTES and len(self._splits) > 1:
            self._bytes -= _size(*self._splits.popitem(last=False))


def _size(key: bytes, made: _Split) -> int:
    return len(key) + (0 if made.numbers is None else made.numbers.nbytes)


class PlaneSegmenter:
    """Segments one plane again and again.

    Parameters
    ----------
    plane : ndarray of shape (Y, X)
        Probability, without NaN.
    preset : Preset
        The recipe.
    min_distance : int
        Px between the centers of touching cells, for presets without windows.
    cache : SplitCache
        May be shared between planes of the same preset and distance.
    """

    def __init__(
        self,
        plane: NDArray[Any],
        preset: Preset,
        min_distance: int,
        cache: SplitCache,
    ) -> None:
        self._plane = plane
        self._preset = preset
        self._min_distance = min_distance
        self._cache = cache
        self._latest: tuple[float, Regions | None] | None = None

    def cells(self, threshold: float, min_size: int) -> Cells:
        """Find the cells.

        Parameters
        ----------
        threshold : float
            Foreground is strictly above this.
        min_size : int
            Regions of fewer px are left out.

        Returns
        -------
        Cells
            In order of their first pixel.
        """
        regions = self._regions(threshold)
        if regions is None or not (regions.areas >= min_size).any():
            return _no_cells()
        regions = regions.take(np.flatnonzero(regions.areas >= min_size))
        clusters = _cluster(regions, self._preset.windows, self._plane.shape)
        return _number(
            clusters.regions.flat_pixels(self._plane.shape[1]),
            offsets_of(np.add.reduceat(clusters.regions.areas, clusters.offsets[:-1])),
            self._splits(clusters),
        )

    def _regions(self, threshold: float) -> Regions | None:
        if self._latest is None or self._latest[0] != threshold:
            found = find_regions(self._plane, threshold, self._preset.hole_size)
            self._latest = threshold, found
        return self._latest[1]

    def _splits(self, clusters: Clusters) -> Sequence[_Split]:
        if clusters.regions.areas[0] == self._plane.size:
            # No background, so no distance to it: one cell.
            return [_WHOLE]
        keys = _keys(clusters)
        splits = {key: self._cache.get(key) for key in keys}
        new = [i for i, key in enumerate(keys) if splits[key] is None]
        if new:
            fresh = _take(clusters, np.array(new))
            numbers = split(fresh, self._preset, self._min_distance)
            for i, made in zip(new, _per_cluster(fresh, numbers), strict=True):
                splits[keys[i]] = made
                self._cache.put(keys[i], made)
        return [made for made in map(splits.get, keys) if made is not None]


def _no_cells() -> Cells:
    return Cells(
        pixels=np.zeros(0, dtype=np.intp), numbers=np.zeros(0, dtype=np.int32), count=0
    )


def _cluster(
    regions: Regions, windows: tuple[int, int] | None, shape: tuple[int, ...]
) -> Clusters:
    """Bring regions together whose windows reach into each other."""
    if windows is None or len(regions) == 1:
        offsets = np.arange(len(regions) + 1)
    else:
        labels = connect_boxes(regions.boxes, max(windows) // 2)
        regions = regions.take(np.argsort(labels, kind="stable"))
        offsets = offsets_of(np.bincount(labels))
    first = offsets[:-1]
    return Clusters(
        regions=regions,
        offsets=offsets,
        boxes=np.column_stack(
            (
                np.minimum.reduceat(regions.boxes[:, :2], first),
                np.maximum.reduceat(regions.boxes[:, 2:], first),
            )
        ),
        shape=(shape[0], shape[1]),
    )


def _take(clusters: Clusters, which: Indices) -> Clusters:
    counts = np.diff(clusters.offsets)[which]
    return Clusters(
        regions=clusters.regions.take(expand(clusters.offsets[which], counts)),
        offsets=offsets_of(counts),
        boxes=clusters.boxes[which],
        shape=clusters.shape,
    )


def _keys(clusters: Clusters) -> list[bytes]:
    """Return what tells clusters apart: runs, and sides without background."""
    regions, boxes = clusters.regions, clusters.boxes
    bounds = regions.offsets[clusters.offsets]
    counts = np.diff(bounds)
    runs = np.column_stack(regions.runs)
    runs[:, :2] -= np.repeat(boxes[:, :2], counts, axis=0)
    content = runs.astype(np.int32).tobytes()
    sides = (boxes == (0, 0, *clusters.shape)).tobytes()
    ends = (bounds * 12).tolist()
    return [
        content[ends[i] : ends[i + 1]] + sides[4 * i : 4 * i + 4]
        for i in range(len(boxes))
    ]


def _per_cluster(clusters: Clusters, numbers: NDArray[np.int32]) -> list[_Split]:
    """Cut the numbers into clusters, and count on through their regions."""
    areas, first = clusters.regions.areas, clusters.offsets[:-1]
    starts = offsets_of(areas)
    counts = np.maximum.reduceat(numbers, starts[:-1])
    before = offsets_of(counts)
    bases = before[:-1] - np.repeat(before[first], np.diff(clusters.offsets))
    totals = np.diff(before[clusters.offsets]).tolist()
    bounds = starts[clusters.offsets].tolist()
    regions = clusters.offsets.tolist()
    splits = []
    for i, total in enumerate(totals):
        low, high = bounds[i], bounds[i + 1]
        one, end = regions[i], regions[i + 1]
        if total == 1 and end == one + 1:
            splits.append(_WHOLE)
            continue
        cells = numbers[low:high].copy()
        if end > one + 1:
            cells += np.repeat(bases[one:end], areas[one:end]).astype(np.int32)
            cells[numbers[low:high] == 0] = 0
        # Of equal indices the last one is kept, which backwards is the first pixel.
        firsts = np.empty(total + 1, dtype=np.intp)
        firsts[cells[::-1]] = np.arange(len(cells) - 1, -1, -1)
        splits.append(_Split(count=total, numbers=cells, firsts=firsts[1:]))
    return splits


def _number(pixels: Indices, bounds: Indices, splits: Sequence[_Split]) -> Cells:
    """Number the cells of all clusters by first pixel."""
    counts = np.array([made.count for made in splits])
    before = offsets_of(counts)
    numbers = np.repeat(before[:-1] + 1, np.diff(bounds))
    firsts = np.concatenate([made.firsts for made in splits])
    firsts += np.repeat(bounds[:-1], counts)
    for i, made in enumerate(splits):
        if made.numbers is not None:
            part = numbers[bounds[i] : bounds[i + 1]]
            part += made.numbers - 1
            part[made.numbers == 0] = 0
    total = int(before[-1])
    ranks = np.zeros(total + 1, dtype=np.int32)
    ranks[1 + np.argsort(pixels[firsts])] = np.arange(1, total + 1)
    return Cells(pixels=pixels, numbers=ranks[numbers], count=total)

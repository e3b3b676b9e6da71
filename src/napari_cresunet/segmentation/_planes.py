"""One plane, segmented again and again: find regions, split the new, number cells."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.segmentation._cells import Cells, Splits, merge_splits
from napari_cresunet.segmentation._connect import connect_boxes
from napari_cresunet.segmentation._levels import Levels
from napari_cresunet.segmentation._presets import Preset
from napari_cresunet.segmentation._runs import (
    Clusters,
    Regions,
    offsets_of,
    regions_of_runs,
)
from napari_cresunet.segmentation._same import same_clusters
from napari_cresunet.segmentation._split import split


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What was found the last time."""

    clusters: Clusters
    splits: Splits


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

    Notes
    -----
    Remembers the regions of the last threshold, how they were split, and a byte for
    each pixel (see `Levels`).
    """

    def __init__(self, plane: NDArray[Any], preset: Preset, min_distance: int) -> None:
        self._shape = plane.shape
        self._preset = preset
        self._min_distance = min_distance
        self._levels = Levels(plane)
        self._latest: tuple[float, Regions | None] | None = None
        self._known: _Known | None = None

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
            return Cells.none(self._shape)
        regions = regions.take(np.flatnonzero(regions.areas >= min_size))
        clusters = _cluster(regions, self._preset.windows, self._shape)
        splits = self._splits(clusters)
        self._known = _Known(clusters=clusters, splits=splits)
        return Cells.of(clusters, splits)

    def _regions(self, threshold: float) -> Regions | None:
        if self._latest is None or self._latest[0] != threshold:
            runs = self._levels.runs(threshold)
            found = regions_of_runs(*runs, self._shape, self._preset.hole_size)
            self._latest = threshold, found
        return self._latest[1]

    def _splits(self, clusters: Clusters) -> Splits:
        if clusters.regions.areas[0] == self._shape[0] * self._shape[1]:
            # No background, so no distance to it: one cell.
            return Splits.whole(1)
        known = self._known
        if known is None:
            return split(clusters, self._preset, self._min_distance)
        same = same_clusters(clusters, known.clusters)
        new = np.flatnonzero(same < 0)
        if not len(new):
            return known.splits.take(same)
        if len(new) == len(same):
            return split(clusters, self._preset, self._min_distance)
        fresh = split(clusters.take(new), self._preset, self._min_distance)
        return merge_splits(same, known.splits, fresh)


def _cluster(
    regions: Regions, windows: tuple[int, int] | None, shape: tuple[int, ...]
) -> Clusters:
    """Bring regions together whose windows reach into each other."""
    if windows is None or len(regions) == 1:
        return Clusters(
            regions=regions,
            offsets=np.arange(len(regions) + 1),
            boxes=regions.boxes,
            shape=(shape[0], shape[1]),
        )
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

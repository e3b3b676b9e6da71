"""Which clusters are those of the last time."""

import numpy as np

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._runs import Clusters


def same_clusters(clusters: Clusters, others: Clusters) -> Indices:
    """Find clusters of the same pixels at the same place.

    Parameters
    ----------
    clusters, others : Clusters
        Of the same plane and preset, by their first pixels.

    Returns
    -------
    ndarray of intp
        For each of `clusters` its index into `others`, or -1.
    """
    return _same(
        clusters.regions.runs,
        clusters.regions.offsets[clusters.offsets],
        others.regions.runs,
        others.regions.offsets[others.offsets],
    )


@compiled
def _same(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    other_runs: tuple[Indices, Indices, Indices],
    other_offsets: Indices,
) -> Indices:
    same = np.full(len(offsets) - 1, -1, dtype=np.intp)
    other = 0
    for cluster in range(len(same)):
        run = offsets[cluster]
        row, column = runs[0][run], runs[1][run]
        while other < len(other_offsets) - 1:
            first = other_offsets[other]
            down = other_runs[0][first] - row
            if down > 0 or (down == 0 and other_runs[1][first] >= column):
                break
            other += 1
        if other == len(other_offsets) - 1:
            break
        count = offsets[cluster + 1] - run
        first = other_offsets[other]
        if other_offsets[other + 1] - first == count and _are_equal(
            runs, run, other_runs, first, count
        ):
            same[cluster] = other
    return same


@compiled
def _are_equal(
    runs: tuple[Indices, Indices, Indices],
    first: int,
    others: tuple[Indices, Indices, Indices],
    other: int,
    count: int,
) -> bool:
    for i in range(count):
        if (
            runs[0][first + i] != others[0][other + i]
            or runs[1][first + i] != others[1][other + i]
            or runs[2][first + i] != others[2][other + i]
        ):
            return False
    return True

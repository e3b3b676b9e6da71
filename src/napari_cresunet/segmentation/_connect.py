"""Which runs, and which boxes, belong together."""

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices


@compiled
def _root(parents: Indices, node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def _join(parents: Indices, one: int, other: int) -> None:
    # The lower node stays root, so that components are in order of their first node.
    one, other = _root(parents, one), _root(parents, other)
    parents[max(one, other)] = min(one, other)


@compiled
def _components(parents: Indices) -> NDArray[np.int32]:
    labels = np.empty(len(parents), dtype=np.int32)
    count = 0
    for node in range(len(parents)):
        if parents[node] == node:
            labels[node] = count
            count += 1
        else:
            labels[node] = labels[parents[node]]
    return labels


@compiled
def connect(starts: Indices, stops: Indices, stride: int) -> NDArray[np.int32]:
    """Label runs that overlap with runs of the next row.

    Parameters
    ----------
    starts, stops : ndarray of intp
        Ascending flat indices of each run's first pixel, and of the one after its last.
    stride : int
        Px of a row; the last one is in no run.

    Returns
    -------
    ndarray of int32
        Region of each run, numbered from 0 in order of the first run.
    """
    parents = np.arange(len(starts))
    above = 0
    for run in range(len(starts)):
        while stops[above] <= starts[run] - stride:
            above += 1
        other = above
        while starts[other] < stops[run] - stride:
            _join(parents, other, run)
            other += 1
    return _components(parents)


@compiled
def connect_boxes(boxes: Indices, reach: int) -> NDArray[np.int32]:
    """Label boxes that have pixels within `reach` rows and columns of each other.

    Parameters
    ----------
    boxes : ndarray of shape (N, 4)
        Top, left, bottom and right, the last two exclusive, in order of the top.
    reach : int
        Px, at least 1.

    Returns
    -------
    ndarray of int32
        Cluster of each box, numbered from 0 in order of the first box.
    """
    parents = np.arange(len(boxes))
    for one in range(len(boxes)):
        _, left, bottom, right = boxes[one]
        for other in range(one + 1, len(boxes)):
            if boxes[other, 0] >= bottom + reach:
                break
            if left - boxes[other, 3] < reach and boxes[other, 1] - right < reach:
                _join(parents, one, other)
    return _components(parents)

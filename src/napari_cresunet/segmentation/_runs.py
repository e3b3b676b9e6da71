"""Connected regions of a plane as runs of pixels.

Foreground is sparse: a plane of two million pixels holds a few thousand runs, so whole
planes are labeled, filled and cleaned exactly at the price of their runs.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices
from napari_cresunet.segmentation._connect import connect


@dataclass(frozen=True, kw_only=True, slots=True)
class Regions:
    """Connected regions, each a slice of the runs.

    Regions are ordered by their first pixel, the runs of a region by row and column.
    """

    rows: Indices
    """Row of each run."""
    columns: Indices
    """First column of each run."""
    lengths: Indices
    """Pixels of each run."""
    offsets: Indices
    """Region i owns the runs from offsets[i] up to offsets[i + 1]."""
    areas: Indices
    """Pixels of each region."""
    boxes: Indices
    """Top, left, bottom and right of each region, the last two exclusive."""

    def __len__(self) -> int:
        return len(self.areas)

    def take(self, which: Indices) -> Self:
        """Return some of the regions, in the order given."""
        if len(which) == len(self) and np.array_equal(which, np.arange(len(self))):
            return self
        counts = self.offsets[which + 1] - self.offsets[which]
        offsets = offsets_of(counts)
        rows, columns, lengths = _taken(self.runs, self.offsets[which], offsets)
        return type(self)(
            rows=rows,
            columns=columns,
            lengths=lengths,
            offsets=offsets,
            areas=self.areas[which],
            boxes=self.boxes[which],
        )

    @property
    def runs(self) -> tuple[Indices, Indices, Indices]:
        """Row, first column and pixels of each run."""
        return self.rows, self.columns, self.lengths

    def flat_pixels(self, width: int) -> Indices:
        """Return the flat index of every pixel, run by run.

        Parameters
        ----------
        width : int
            Px of a row of the image that is indexed.

        Returns
        -------
        ndarray of intp
            One index for each pixel.
        """
        return expand(self.rows * width + self.columns, self.lengths)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clusters:
    """Regions and the clusters that are worked on as one.

    A cluster is a range of regions that can influence each other.
    """

    regions: Regions
    offsets: Indices
    """Cluster i owns the regions from offsets[i] up to offsets[i + 1]."""
    boxes: Indices
    """Top, left, bottom and right of each cluster, the last two exclusive."""
    shape: tuple[int, int]
    """Size of the plane: beyond its edge there is no background."""

    def take(self, which: Indices) -> Self:
        """Return some of the clusters, in the order given."""
        counts = np.diff(self.offsets)[which]
        return type(self)(
            regions=self.regions.take(expand(self.offsets[which], counts)),
            offsets=offsets_of(counts),
            boxes=self.boxes[which],
            shape=self.shape,
        )


def offsets_of(counts: Indices) -> Indices:
    """Return where each of consecutive slices starts, and where the last one ends."""
    offsets = np.zeros(len(counts) + 1, dtype=np.intp)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def expand(starts: Indices, counts: Indices) -> Indices:
    """Return all integers of consecutive ranges, start and count of each given."""
    ends = np.cumsum(counts)
    integers = np.repeat(starts - (ends - counts), counts)
    integers += np.arange(len(integers))
    return integers


@compiled
def _taken(
    runs: tuple[Indices, Indices, Indices], firsts: Indices, offsets: Indices
) -> tuple[Indices, Indices, Indices]:
    """Return the runs of some regions, whose first ones are given."""
    rows = np.empty(offsets[-1], dtype=np.intp)
    columns = np.empty(offsets[-1], dtype=np.intp)
    lengths = np.empty(offsets[-1], dtype=np.intp)
    for region in range(len(firsts)):
        before = firsts[region] - offsets[region]
        for run in range(offsets[region], offsets[region + 1]):
            rows[run] = runs[0][run + before]
            columns[run] = runs[1][run + before]
            lengths[run] = runs[2][run + before]
    return rows, columns, lengths


def find_regions(
    plane: NDArray[Any], threshold: float, hole_size: int
) -> Regions | None:
    """Find the 4-connected regions above a threshold, with small holes filled.

    Parameters
    ----------
    plane : ndarray of shape (Y, X)
        Probability.
    threshold : float
        Foreground is strictly above this.
    hole_size : int
        4-connected background regions of fewer px are filled, those at the edge of the
        plane as well.

    Returns
    -------
    Regions or None
        None where nothing is above the threshold: holes need something around them.
    """
    return regions_of_runs(*find_runs(plane, threshold), plane.shape, hole_size)


def regions_of_runs(
    starts: Indices, stops: Indices, shape: tuple[int, ...], hole_size: int
) -> Regions | None:
    """Find the 4-connected regions that runs make, with small holes filled.

    Parameters
    ----------
    starts, stops : ndarray of intp
        As of `find_runs`, ascending.
    shape : tuple of int
        Size of the plane.
    hole_size : int
        As for `find_regions`.

    Returns
    -------
    Regions or None
        None where there is no run.
    """
    if not len(starts):
        return None
    hole_starts, hole_stops = _background(
        starts, stops, (shape[0], shape[1]), stride_of(shape[1])
    )
    # One look at both: the background is put below the plane, an empty row between.
    stride = stride_of(shape[1])
    down = (shape[0] + 1) * stride
    labels = connect(
        np.concatenate((starts, hole_starts + down)),
        np.concatenate((stops, hole_stops + down)),
        stride,
    )
    labels, hole_labels = labels[: len(starts)], labels[len(starts) :]
    is_filled = _are_in_small(hole_labels, hole_stops - hole_starts, hole_size)
    if is_filled.any():
        starts, stops = _join(
            starts, stops, hole_starts[is_filled], hole_stops[is_filled]
        )
        labels = connect(starts, stops, stride)
    return _group(starts, stops, labels, stride)


def stride_of(width: int) -> int:
    """Return the px of a row that flat indices of runs count in."""
    # At least one column of background ends every row, so runs never cross rows, and
    # eight pixels can be looked at as one word.
    return width + 8 - width % 8


def find_runs(plane: NDArray[Any], threshold: float) -> tuple[Indices, Indices]:
    """Return the runs of pixels above a threshold.

    Parameters
    ----------
    plane : ndarray of shape (Y, X)
        Probability.
    threshold : float
        Foreground is strictly above this.

    Returns
    -------
    starts, stops : ndarray of intp
        Flat indices of first pixels, and of those after the last ones, in rows of
        `stride_of(X)` px.

    Notes
    -----
    Skipping empty words of eight pixels made this five times as fast as comparing each
    pixel with the next.
    """
    height, width = plane.shape
    padded = np.zeros((height, stride_of(width)), dtype=bool)
    np.greater(plane, threshold, out=padded[:, :width])
    # Eight pixels make a word, the first one its lowest byte.
    words = padded.view("<u8").ravel()
    filled = np.flatnonzero(words != 0)
    words = words[filled]
    is_next = np.diff(filled) == 1
    before, after = words << 8, words >> 8
    before[1:] |= (words[:-1] >> 56) * is_next
    after[:-1] |= (words[1:] << 56) * is_next
    firsts = np.flatnonzero((words & ~before).astype("<u8", copy=False).view(bool))
    lasts = np.flatnonzero((words & ~after).astype("<u8", copy=False).view(bool))
    return (
        filled[firsts >> 3] * 8 + (firsts & 7),
        filled[lasts >> 3] * 8 + (lasts & 7) + 1,
    )


@compiled
def _background(
    starts: Indices, stops: Indices, shape: tuple[int, int], stride: int
) -> tuple[Indices, Indices]:
    """Return the runs between runs."""
    height, width = shape
    hole_starts = np.empty(len(starts) + height, dtype=np.intp)
    hole_stops = np.empty(len(starts) + height, dtype=np.intp)
    count = run = 0
    for row in range(height):
        place, end = row * stride, row * stride + width
        while run < len(starts) and starts[run] < end:
            hole_starts[count], hole_stops[count] = place, starts[run]
            count += starts[run] > place
            place = stops[run]
            run += 1
        if place < end:
            hole_starts[count], hole_stops[count] = place, end
            count += 1
    return hole_starts[:count], hole_stops[:count]


@compiled
def _are_in_small(
    labels: NDArray[np.int32], lengths: Indices, size: int
) -> NDArray[np.bool_]:
    """Tell which runs are in regions of fewer px than a size."""
    if not len(labels):
        return np.zeros(0, dtype=np.bool_)
    areas = np.zeros(np.max(labels) + 1, dtype=np.intp)
    for run in range(len(labels)):
        areas[labels[run]] += lengths[run]
    is_small = np.empty(len(labels), dtype=np.bool_)
    for run in range(len(labels)):
        is_small[run] = areas[labels[run]] < size
    return is_small


@compiled
def _join(
    starts: Indices, stops: Indices, hole_starts: Indices, hole_stops: Indices
) -> tuple[Indices, Indices]:
    """Return the runs that runs and the holes between them make together."""
    joined_starts = np.empty(len(starts) + len(hole_starts), dtype=np.intp)
    joined_stops = np.empty(len(joined_starts), dtype=np.intp)
    count = run = hole = 0
    while run < len(starts) or hole < len(hole_starts):
        is_hole = run == len(starts) or (
            hole < len(hole_starts) and hole_starts[hole] < starts[run]
        )
        if is_hole:
            start, stop = hole_starts[hole], hole_stops[hole]
            hole += 1
        else:
            start, stop = starts[run], stops[run]
            run += 1
        if count and joined_stops[count - 1] == start:
            joined_stops[count - 1] = stop
        else:
            joined_starts[count], joined_stops[count] = start, stop
            count += 1
    return joined_starts[:count], joined_stops[:count]


def _group(
    starts: Indices, stops: Indices, labels: NDArray[np.int32], stride: int
) -> Regions:
    rows, columns, lengths, offsets, areas, boxes = _grouped(
        starts, stops, labels, int(labels.max()) + 1, stride
    )
    return Regions(
        rows=rows,
        columns=columns,
        lengths=lengths,
        offsets=offsets,
        areas=areas,
        boxes=boxes,
    )


@compiled
def _grouped(
    starts: Indices, stops: Indices, labels: NDArray[np.int32], count: int, stride: int
) -> tuple[Indices, Indices, Indices, Indices, Indices, Indices]:
    """Return the columns of `Regions`."""
    offsets = np.zeros(count + 1, dtype=np.intp)
    for label in labels:
        offsets[label + 1] += 1
    for label in range(count):
        offsets[label + 1] += offsets[label]
    areas = np.zeros(count, dtype=np.intp)
    boxes = np.zeros((count, 4), dtype=np.intp)
    following = offsets[:-1].copy()
    rows = np.empty(len(starts), dtype=np.intp)
    columns = np.empty(len(starts), dtype=np.intp)
    lengths = np.empty(len(starts), dtype=np.intp)
    row = 0
    for run in range(len(starts)):
        # Runs are in order, so rows are counted and not divided for.
        while starts[run] >= (row + 1) * stride:
            row += 1
        label = labels[run]
        place = following[label]
        following[label] += 1
        column, length = starts[run] - row * stride, stops[run] - starts[run]
        rows[place], columns[place], lengths[place] = row, column, length
        box = boxes[label]
        if not areas[label]:
            box[0], box[1] = row, column
        areas[label] += length
        box[1] = min(box[1], column)
        box[2] = row + 1
        box[3] = max(box[3], column + length)
    return rows, columns, lengths, offsets, areas, boxes

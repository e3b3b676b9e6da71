"""The cells of a plane as runs of pixels: numbered, painted and measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._compiled import compiled
from napari_cresunet._typing import Indices, Labels
from napari_cresunet.segmentation._runs import Clusters, offsets_of
from napari_cresunet.segmentation._side_by_side import side_by_side


@dataclass(frozen=True, kw_only=True, slots=True)
class Splits:
    """How clusters were split."""

    counts: Indices
    """Cells of each cluster."""
    offsets: Indices
    """Cluster i owns the numbers from offsets[i] up to offsets[i + 1]."""
    numbers: NDArray[np.int32]
    """Cell of each pixel of a cluster, 1 to its count, or 0. A cluster of which all is
    one cell has none."""

    @classmethod
    def whole(cls, count: int) -> Self:
        """Return clusters that are one cell each."""
        return cls(
            counts=np.ones(count, np.intp),
            offsets=np.zeros(count + 1, np.intp),
            numbers=np.zeros(0, np.int32),
        )

    @classmethod
    def from_numbers(cls, clusters: Clusters, numbers: NDArray[np.int32]) -> Self:
        """Return clusters whose pixels' cells are counted anew in each region."""
        areas = clusters.regions.areas
        starts = offsets_of(areas)
        counts = np.maximum.reduceat(numbers, starts[:-1])
        before = offsets_of(counts)
        totals = np.diff(before[clusters.offsets])
        sizes = np.diff(starts[clusters.offsets])
        is_whole = (totals == 1) & (np.diff(clusters.offsets) == 1)
        kept = offsets_of(np.where(is_whole, 0, sizes))
        return cls(
            counts=totals,
            offsets=kept,
            numbers=_counted_on(numbers, starts, before, (clusters.offsets, kept)),
        )

    def take(self, which: Indices) -> "Splits":
        """Return some of them, in the order given."""
        return merge_splits(which, self, self)

    def of_pixels(self, clusters: Clusters) -> NDArray[np.int32]:
        """Return the cell of each pixel of these clusters, run by run."""
        ends = offsets_of(clusters.regions.areas)[clusters.offsets]
        numbers = np.ones(ends[-1], dtype=np.int32)
        has_own = np.diff(self.offsets) > 0
        numbers[np.repeat(has_own, np.diff(ends))] = self.numbers
        return numbers

    @property
    def parts(self) -> tuple[Indices, Indices, NDArray[np.int32]]:
        """The fields, for compiled functions."""
        return self.counts, self.offsets, self.numbers


def joined_splits(splits: Sequence[Splits]) -> Splits:
    """Return some splits and those that follow as one."""
    numbers = [np.zeros(0, np.int32), *(one.numbers for one in splits)]
    sizes = [np.zeros(0, np.intp), *(np.diff(one.offsets) for one in splits)]
    counts = [np.zeros(0, np.intp), *(one.counts for one in splits)]
    return Splits(
        counts=np.concatenate(counts),
        offsets=offsets_of(np.concatenate(sizes)),
        numbers=np.concatenate(numbers),
    )


def merge_splits(which: Indices, known: Splits, fresh: Splits) -> Splits:
    """Put known and fresh ones into one order.

    Parameters
    ----------
    which : ndarray of intp
        For each cluster its index into `known`, or -1 for the next one of `fresh`.
    known, fresh : Splits
        What is put together.

    Returns
    -------
    Splits
        One for each of `which`.
    """
    counts, offsets, numbers = _merged(which, known.parts, fresh.parts)
    return Splits(counts=counts, offsets=offsets, numbers=numbers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cells:
    """The cells of a plane."""

    clusters: Clusters | None
    """None where there are no cells."""
    splits: Splits
    ranks: NDArray[np.int32]
    """Number of each cell, cluster by cluster: 1 to `count` by first pixel."""
    sizes: Indices
    """Pixels of each cell, cluster by cluster."""
    shape: tuple[int, ...]
    """Size of the plane."""

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> Self:
        """Return no cells."""
        return cls(
            clusters=None,
            splits=Splits.whole(0),
            ranks=np.zeros(0, np.int32),
            sizes=np.zeros(0, np.intp),
            shape=shape,
        )

    @classmethod
    def of(cls, clusters: Clusters, splits: Splits) -> Self:
        """Number the cells of clusters."""
        before = offsets_of(splits.counts)
        firsts, sizes = _firsts_and_sizes(
            clusters.regions.runs,
            clusters.regions.offsets[clusters.offsets],
            (before, splits.offsets, splits.numbers),
            clusters.shape[1],
        )
        ranks = np.empty(len(firsts), dtype=np.int32)
        ranks[np.argsort(firsts)] = np.arange(1, len(firsts) + 1)
        return cls(
            clusters=clusters,
            splits=splits,
            ranks=ranks,
            sizes=sizes,
            shape=clusters.shape,
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.ranks)

    def paint(self, labels: Labels, before: int = 0) -> None:
        """Write the cells' numbers.

        Parameters
        ----------
        labels : ndarray of shape (Y, X), int32
            Where to; background stays as it is.
        before : int, optional
            Added to each number.
        """
        if self.clusters is None:
            return
        ranks, parts = self.ranks + np.int32(before), self._parts()
        pixels = offsets_of(self.clusters.regions.areas)[self.clusters.offsets]
        side_by_side(
            lambda first, last: _paint(labels, *parts, ranks, (first, last)), pixels
        )

    def areas(self) -> Indices:
        """Return how many px each cell has, by number."""
        areas = np.empty(self.count, dtype=np.intp)
        areas[self.ranks - 1] = self.sizes
        return areas

    def centers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean row and mean column of each cell, by number."""
        if self.clusters is None:
            return np.zeros(0), np.zeros(0)
        rows, columns = _sums(*self._parts(), self.ranks)
        areas = self.areas()
        return rows / areas, columns / areas

    def _parts(
        self,
    ) -> tuple[
        tuple[Indices, Indices, Indices],
        Indices,
        tuple[Indices, Indices, NDArray[np.int32]],
    ]:
        clusters, splits = self.clusters, self.splits
        assert clusters is not None
        return (
            clusters.regions.runs,
            clusters.regions.offsets[clusters.offsets],
            (offsets_of(splits.counts), splits.offsets, splits.numbers),
        )


@compiled
def _counted_on(
    numbers: NDArray[np.int32],
    starts: Indices,
    before: Indices,
    clusters: tuple[Indices, Indices],
) -> NDArray[np.int32]:
    """Count on through the regions of each cluster, and leave whole ones out."""
    offsets, kept = clusters
    counted = np.empty(kept[-1], dtype=np.int32)
    for cluster in range(len(kept) - 1):
        if kept[cluster] == kept[cluster + 1]:
            continue
        one, end = offsets[cluster], offsets[cluster + 1]
        move = kept[cluster] - starts[one]
        for region in range(one, end):
            more = before[region] - before[one]
            for pixel in range(starts[region], starts[region + 1]):
                number = numbers[pixel]
                counted[pixel + move] = number + more if number else 0
    return counted


@compiled
def _merged(
    which: Indices,
    known: tuple[Indices, Indices, NDArray[np.int32]],
    fresh: tuple[Indices, Indices, NDArray[np.int32]],
) -> tuple[Indices, Indices, NDArray[np.int32]]:
    counts = np.empty(len(which), dtype=np.intp)
    offsets = np.zeros(len(which) + 1, dtype=np.intp)
    following = 0
    for i in range(len(which)):
        one = which[i]
        if one >= 0:
            counts[i] = known[0][one]
            size = known[1][one + 1] - known[1][one]
        else:
            counts[i] = fresh[0][following]
            size = fresh[1][following + 1] - fresh[1][following]
            following += 1
        offsets[i + 1] = offsets[i] + size
    numbers = np.empty(offsets[-1], dtype=np.int32)
    following = 0
    for i in range(len(which)):
        one = which[i]
        own = numbers[offsets[i] : offsets[i + 1]]
        if one >= 0:
            _copy(own, known[2][known[1][one] : known[1][one + 1]])
        else:
            _copy(own, fresh[2][fresh[1][following] : fresh[1][following + 1]])
            following += 1
    return counts, offsets, numbers


@compiled
def _copy(values: NDArray[np.int32], others: NDArray[np.int32]) -> None:
    for i in range(len(values)):
        values[i] = others[i]


@compiled
def _firsts_and_sizes(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    splits: tuple[Indices, Indices, NDArray[np.int32]],
    width: int,
) -> tuple[Indices, Indices]:
    """Return each cell's flat index of its first pixel, and pixels, by cluster."""
    before, starts, numbers = splits
    firsts = np.full(before[-1], -1, dtype=np.intp)
    sizes = np.zeros(before[-1], dtype=np.intp)
    for cluster in range(len(before) - 1):
        pixel, base = starts[cluster], before[cluster] - 1
        if before[cluster] == before[cluster + 1]:
            continue
        is_whole = starts[cluster] == starts[cluster + 1]
        for run in range(offsets[cluster], offsets[cluster + 1]):
            place, length = runs[0][run] * width + runs[1][run], runs[2][run]
            if is_whole:
                sizes[base + 1] += length
                if firsts[base + 1] < 0:
                    firsts[base + 1] = place
                continue
            for i in range(length):
                number = numbers[pixel + i]
                if number:
                    sizes[base + number] += 1
                    if firsts[base + number] < 0:
                        firsts[base + number] = place + i
            pixel += length
    return firsts, sizes


@compiled
def _paint(
    labels: NDArray[np.int32],
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    splits: tuple[Indices, Indices, NDArray[np.int32]],
    ranks: NDArray[np.int32],
    part: tuple[int, int],
) -> None:
    before, starts, numbers = splits
    for cluster in range(part[0], part[1]):
        pixel, base = starts[cluster], before[cluster] - 1
        if before[cluster] == before[cluster + 1]:
            continue
        is_whole = starts[cluster] == starts[cluster + 1]
        for run in range(offsets[cluster], offsets[cluster + 1]):
            column, length = runs[1][run], runs[2][run]
            line = labels[runs[0][run], column : column + length]
            if is_whole:
                _fill(line, ranks[base + 1])
                continue
            for i in range(length):
                number = numbers[pixel + i]
                if number:
                    line[i] = ranks[base + number]
            pixel += length


@compiled
def _fill(line: NDArray[np.int32], number: int) -> None:
    for i in range(len(line)):
        line[i] = number


@compiled
def _sums(
    runs: tuple[Indices, Indices, Indices],
    offsets: Indices,
    splits: tuple[Indices, Indices, NDArray[np.int32]],
    ranks: NDArray[np.int32],
) -> tuple[Indices, Indices]:
    """Return the sums of rows and of columns of each cell by number."""
    before, starts, numbers = splits
    row_sums = np.zeros(len(ranks), dtype=np.intp)
    column_sums = np.zeros(len(ranks), dtype=np.intp)
    for cluster in range(len(before) - 1):
        pixel, base = starts[cluster], before[cluster] - 1
        if before[cluster] == before[cluster + 1]:
            continue
        is_whole = starts[cluster] == starts[cluster + 1]
        for run in range(offsets[cluster], offsets[cluster + 1]):
            row, column, length = runs[0][run], runs[1][run], runs[2][run]
            if is_whole:
                cell = ranks[base + 1] - 1
                row_sums[cell] += row * length
                column_sums[cell] += length * (2 * column + length - 1) // 2
                continue
            for i in range(length):
                if numbers[pixel + i]:
                    cell = ranks[base + numbers[pixel + i]] - 1
                    row_sums[cell] += row
                    column_sums[cell] += column + i
            pixel += length
    return row_sums, column_sums

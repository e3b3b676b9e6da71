"""The cells of a plane that is never in memory: its runs, collected block by block.

What is above the threshold takes little room as runs. Joined over the borders of blocks
they are the runs of the whole plane, from which the functions of the other modules make
the regions and split them as if they had seen all of it.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_cresunet._label_images import MOST
from napari_cresunet._typing import Indices
from napari_cresunet.config import check_bounds
from napari_cresunet.segmentation._cells import Splits
from napari_cresunet.segmentation._live import as_probability, check_whole
from napari_cresunet.segmentation._presets import Preset, get_preset
from napari_cresunet.segmentation._runs import (
    Clusters,
    Regions,
    expand,
    find_runs,
    offsets_of,
    regions_of_runs,
    stride_of,
)
from napari_cresunet.segmentation._split import split
from napari_cresunet.steps import Step

WORK_SIDE = 2048
"""Squares of 4 million px take some 150 MB while their regions are split."""


class Runs(NamedTuple):
    """Horizontal runs of pixels, in coordinates of the whole plane."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    """First column of each."""
    lengths: NDArray[np.int32]
    """Pixels of each."""


class _Pieces(NamedTuple):
    """Runs and the cells that they are of."""

    runs: Runs
    cells: NDArray[np.int64]
    """From 0, in any order."""
    n_cells: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinedCells:
    """The cells of a plane as runs, by row and column."""

    runs: Runs
    numbers: NDArray[np.integer[Any]]
    """Cell of each run, 1 to `count` by first pixel in raster order."""
    count: int
    shape: tuple[int, int]
    """Size of the plane."""

    def part(self, top: int, bottom: int, left: int, right: int) -> "JoinedCells":
        """Cut a rectangle out.

        Parameters
        ----------
        top, bottom, left, right : int
            The rectangle; bottom and right are exclusive.

        Returns
        -------
        JoinedCells
            In coordinates of the rectangle; the numbers stay.
        """
        low, high = np.searchsorted(self.runs.rows, (top, bottom))
        rows, columns, lengths = (values[low:high] for values in self.runs)
        starts = np.maximum(columns, left)
        stops = np.minimum(columns + lengths, right)
        is_inside = starts < stops
        return JoinedCells(
            runs=Runs(
                rows[is_inside] - np.int32(top),
                starts[is_inside] - np.int32(left),
                (stops - starts)[is_inside],
            ),
            numbers=self.numbers[low:high][is_inside],
            count=self.count,
            shape=(bottom - top, right - left),
        )

    def paint(self, dtype: DTypeLike = np.int32, *, before: int = 0) -> NDArray[Any]:
        """Return the plane as labels.

        Parameters
        ----------
        dtype : dtype-like, optional
            Of the labels.
        before : int, optional
            Added to each number: how many cells there are in the planes before.

        Returns
        -------
        ndarray of shape (Y, X)
            0 is background.
        """
        labels = np.zeros(self.shape, dtype)
        numbers = self.numbers.astype(labels.dtype) + labels.dtype.type(before)
        labels.ravel()[self.pixels()] = np.repeat(numbers, self.runs.lengths)
        return labels

    def pixels(self) -> Indices:
        """Return the flat index of every pixel, run by run."""
        rows, columns, lengths = (values.astype(np.intp) for values in self.runs)
        return expand(rows * self.shape[1] + columns, lengths)


def block_runs(
    probability: ArrayLike, threshold: float, *, top: int = 0, left: int = 0
) -> Runs:
    """Find the runs above a threshold in a block of a plane.

    Parameters
    ----------
    probability : array_like of shape (Y, X), float
        The block.
    threshold : float
        Foreground is strictly above this, in [0, 1].
    top, left : int, optional
        Where in the plane the block begins.

    Returns
    -------
    Runs
        By row and column.

    Raises
    ------
    InputError
        As from `segment`.
    """
    threshold = float(threshold)
    check_bounds("threshold", threshold, 0, 1)
    block = as_probability(probability)
    starts, stops = find_runs(block, threshold)
    rows, columns = np.divmod(starts, stride_of(block.shape[1]))
    return Runs(
        (rows + top).astype(np.int32),
        (columns + left).astype(np.int32),
        (stops - starts).astype(np.int32),
    )


def iter_join_cells(
    blocks: Sequence[Runs],
    shape: tuple[int, int],
    *,
    min_size: int | None = None,
    preset: str | None = None,
    min_distance: int | None = None,
    work_side: int = WORK_SIDE,
) -> Generator[Step, None, JoinedCells]:
    """Find the cells of a plane from the runs of its blocks.

    Parameters
    ----------
    blocks : sequence of Runs
        From `block_runs`, in any order; together they cover the plane once.
    shape : tuple of int
        Size of the plane.
    min_size, preset, min_distance : optional
        As for `segment`.
    work_side : int, optional
        Side in px of the squares whose regions are split at a time: bounds the memory,
        and nothing else depends on it.

    Yields
    ------
    Step
        After each square.

    Returns
    -------
    JoinedCells
        Painted, they equal what `segment` makes of the whole plane.

    Raises
    ------
    InputError
        As from `segment`.
    """
    recipe = get_preset(preset)
    size = recipe.min_size if min_size is None else min_size
    check_whole("min_size", size, 0)
    distance = recipe.min_distance or 1 if min_distance is None else min_distance
    check_whole("min_distance", distance, 1)
    regions = regions_of_runs(*_joined(blocks, shape), shape, recipe.hole_size)
    if regions is not None:
        regions = regions.take(np.flatnonzero(regions.areas >= size))
    if regions is None or not len(regions):
        yield Step(done=1, total=1)
        return _numbered([], shape)
    pieces = []
    works = _works(regions, recipe, work_side)
    for done, (own, context) in enumerate(works, start=1):
        pieces.append(_split(regions, own, context, (recipe, int(distance), shape)))
        yield Step(done=done, total=len(works))
    return _numbered(pieces, shape)


def _joined(blocks: Sequence[Runs], shape: tuple[int, int]) -> tuple[Indices, Indices]:
    """Return the runs of the plane, those that meet at borders of blocks as one."""
    stride = stride_of(shape[1])
    empty: list[Indices] = [np.zeros(0, np.intp)]
    starts = np.concatenate(
        empty + [rows.astype(np.intp) * stride + columns for rows, columns, _ in blocks]
    )
    lengths = np.concatenate(
        [np.zeros(0, np.int32), *(runs.lengths for runs in blocks)]
    )
    order = np.argsort(starts, kind="stable")
    starts = starts[order]
    stops = starts + lengths[order]
    # Rows of the plane end in a column that is in no run, so they never meet.
    is_apart = starts[1:] != stops[:-1]
    first, last = np.append(True, is_apart), np.append(is_apart, True)
    return starts[first[: len(starts)]], stops[last[: len(stops)]]


def _works(
    regions: Regions, preset: Preset, side: int
) -> list[tuple[Indices, Indices]]:
    """Return which regions are split together, and which others these depend on."""
    rows, columns = regions.boxes[:, 0] // side, regions.boxes[:, 1] // side
    squares = rows * (columns.max() + 1) + columns
    order = np.argsort(squares, kind="stable")
    bounds = np.flatnonzero(np.diff(squares[order], prepend=-1, append=-1))
    owns = [order[one:end] for one, end in pairwise(bounds)]
    if preset.windows is None:
        nothing = np.zeros(0, np.intp)
        return [(own, nothing) for own in owns]
    return list(_with_context(regions.boxes, owns, sum(preset.windows)))


def _with_context(
    boxes: Indices, owns: Sequence[Indices], windows: int
) -> Iterator[tuple[Indices, Indices]]:
    # A pixel is compared with those in one window, each of which is the highest of
    # another window: half of both is how far away a region can matter.
    reach = windows // 2 + 1
    tallest = int((boxes[:, 2] - boxes[:, 0]).max())
    for own in owns:
        top, left = boxes[own, :2].min(axis=0) - reach
        bottom, right = boxes[own, 2:].max(axis=0) + reach
        # Regions are in order of their tops.
        low, high = np.searchsorted(boxes[:, 0], (top - tallest, bottom))
        near = boxes[low:high]
        is_near = (near[:, 2] > top) & (near[:, 3] > left) & (near[:, 1] < right)
        found = low + np.flatnonzero(is_near)
        yield own, np.setdiff1d(found, own, assume_unique=True)


def _split(
    regions: Regions,
    own: Indices,
    context: Indices,
    recipe: tuple[Preset, int, tuple[int, int]],
) -> _Pieces:
    """Split some regions, and forget the others that were looked at."""
    preset, distance, shape = recipe
    seen = regions.take(np.concatenate((own, context)))
    clusters = _clusters(seen, preset, shape)
    if seen.areas[0] == shape[0] * shape[1]:
        # No background, so no distance to it: one cell.
        splits = Splits.whole(1)
    else:
        splits = split(clusters, preset, distance)
    mine = seen.take(np.arange(len(own)))
    numbers = splits.of_pixels(clusters)[: mine.areas.sum()]
    return _pieces(_clusters(mine, preset, shape), numbers)


def _clusters(regions: Regions, preset: Preset, shape: tuple[int, int]) -> Clusters:
    """Return every region by itself, or where there are windows all as one."""
    boxes, offsets = regions.boxes, np.arange(len(regions) + 1)
    if preset.windows is not None:
        offsets = offsets[[0, -1]]
        boxes = np.hstack((boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)))[None]
    return Clusters(regions=regions, offsets=offsets, boxes=boxes, shape=shape)


def _pieces(clusters: Clusters, numbers: NDArray[np.int32]) -> _Pieces:
    """Cut the runs of clusters where one cell ends and another begins."""
    regions = clusters.regions
    run_starts = offsets_of(regions.lengths)
    is_first = np.zeros(len(numbers), bool)
    is_first[run_starts[:-1]] = True
    is_first[1:] |= numbers[1:] != numbers[:-1]
    firsts = np.flatnonzero(is_first)
    lengths = np.diff(firsts, append=len(numbers))
    # Regions without a marker hold no cell.
    is_cell = numbers[firsts] > 0
    firsts, lengths = firsts[is_cell], lengths[is_cell]
    runs = np.searchsorted(run_starts, firsts, side="right") - 1
    run_offsets = regions.offsets[clusters.offsets]
    owners = np.searchsorted(run_offsets, runs, side="right") - 1
    pixel_offsets = offsets_of(regions.areas)[clusters.offsets]
    counts = np.maximum.reduceat(numbers, pixel_offsets[:-1])
    before = offsets_of(counts)
    found = Runs(
        regions.rows[runs].astype(np.int32),
        (regions.columns[runs] + firsts - run_starts[runs]).astype(np.int32),
        lengths.astype(np.int32),
    )
    return _Pieces(found, before[owners] + numbers[firsts] - 1, int(before[-1]))


def _numbered(pieces: Sequence[_Pieces], shape: tuple[int, int]) -> JoinedCells:
    """Put all runs in order and number the cells by their first pixel."""
    count = sum(piece.n_cells for piece in pieces)
    nothing = np.zeros(0, np.int32)
    rows, columns, lengths = (
        np.concatenate([nothing, *(piece.runs[field] for piece in pieces)])
        for field in range(3)
    )
    before = offsets_of(np.array([piece.n_cells for piece in pieces], np.intp))
    cells = np.concatenate(
        [np.zeros(0, np.int64)]
        + [piece.cells + before[i] for i, piece in enumerate(pieces)]
    )
    order = np.lexsort((columns, rows))
    cells = cells[order]
    # Of equal indices the last one is kept, which backwards is the first run.
    firsts = np.empty(count, np.intp)
    firsts[cells[::-1]] = np.arange(len(cells) - 1, -1, -1)
    ranks = np.empty(count, np.int32 if count <= MOST else np.int64)
    ranks[np.argsort(firsts)] = np.arange(1, count + 1, dtype=ranks.dtype)
    return JoinedCells(
        runs=Runs(rows[order], columns[order], lengths[order]),
        numbers=ranks[cells],
        count=count,
        shape=shape,
    )

"""From the runs of all blocks to cells: labels, their table and their number."""

import csv
import io
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import written_whole
from napari_cresunet._writing import told_why
from napari_cresunet.batch._slides_blocks import Progress, ahead
from napari_cresunet.batch._slides_journal import SlideJournal
from napari_cresunet.batch._slides_plan import Block, SlidePlan
from napari_cresunet.errors import EngineError
from napari_cresunet.pyramids import PyramidWriter
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.segmentation import JoinedCells, Runs

PAINTED = 2048
"""Side in px of what is painted at a time: a whole number of chunks of the labels."""
_THREADS = 2
_ROWS_A_TIME = 10_000

Table = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class CellsJob:
    """All that making cells of runs needs."""

    plan: SlidePlan
    journal: SlideJournal
    probability: PyramidWriter
    parameters: Mapping[str, Any]
    """Arguments for `segment`."""
    started: float = field(default_factory=time.monotonic)


class _Values(NamedTuple):
    """The probability of the cells in a part of a plane."""

    numbers: NDArray[np.integer[Any]]
    """Cell of each run."""
    sums: NDArray[np.float64]
    peaks: NDArray[np.float32]


def iter_find_cells(
    job: CellsJob, progress: Progress
) -> Generator[Step, None, list[int]]:
    """Find the cells of all planes and put them aside.

    Parameters
    ----------
    job : CellsJob
        What is done.
    progress : Progress
        Counts planes.

    Yields
    ------
    Step
        After each plane, and within planes.

    Returns
    -------
    list of int
        Cells of each plane.

    Raises
    ------
    EngineError
        If memory runs out.
    """
    from napari_cresunet.segmentation import iter_join_cells

    parameters = {
        name: job.parameters[name] for name in ("min_size", "preset", "min_distance")
    }
    blocks = job.plan.blocks()
    counts = []
    for plane in range(job.plan.n_planes):
        here = [block for block in blocks if block.plane == plane]
        try:
            runs = [_runs(job, block) for block in here]
            steps = iter_join_cells(runs, job.plan.extent, **parameters)
            cells = yield from progress.follow(steps, 1)
        except MemoryError as error:
            raise EngineError(
                f"There is not enough memory to join the cells of {job.plan.name} at "
                f"threshold {job.parameters['threshold']:g}: choose a higher one, or "
                "close other programs."
            ) from error
        counts.append(cells.count)
        job.journal.save_cells(plane, cells)
    return counts


def _runs(job: CellsJob, block: Block) -> "Runs":
    """Return the runs of a block at the threshold, found anew if it is another."""
    from napari_cresunet.segmentation import block_runs

    threshold = job.parameters["threshold"]
    done = job.journal.read_block(block)
    if done is None:
        raise EngineError(
            f"What was noted of a block of {job.plan.name} is gone: count it again."
        )
    if done.threshold != threshold:
        runs = block_runs(_read(job, block), threshold, top=block.top, left=block.left)
        done = replace(done, runs=runs, threshold=threshold)
        job.journal.save_block(block, done)
    return done.runs


def _read(job: CellsJob, block: Block) -> NDArray[np.float32]:
    """Read the probability of a block."""
    where = block.place(job.plan.leading)
    values: NDArray[np.float32] = np.asarray(job.probability.array[where])
    return values


def iter_write_cells(
    job: CellsJob,
    counts: Sequence[int],
    labels: PyramidWriter,
    table: Path,
    progress: Progress,
) -> Generator[Step, None, None]:
    """Paint the labels and write a table of the cells that were found.

    Parameters
    ----------
    job : CellsJob
        What is done.
    counts : sequence of int
        Cells of each plane.
    labels : PyramidWriter
        Where labels go, at full resolution only.
    table : Path
        Where the table goes.
    progress : Progress
        Counts the parts that are painted.

    Yields
    ------
    Step
        After each part.

    Raises
    ------
    EngineError
        If something cannot be written.
    """
    side = max(1, PAINTED // labels.chunk) * labels.chunk
    parts = list(job.plan.cut(side))
    columns: list[Table] = []
    for plane, count in enumerate(counts):
        cells = job.journal.read_cells(plane, job.plan.extent)
        before = sum(counts[:plane])
        sums, peaks = np.zeros(count), np.zeros(count, np.float32)
        paint = partial(_paint, job, cells, labels, before)
        here = [part for part in parts if part.plane == plane]
        with closing(ahead(paint, here, workers=_THREADS)) as painted:
            for values in painted:
                np.add.at(sums, values.numbers - 1, values.sums)
                np.maximum.at(peaks, values.numbers - 1, values.peaks)
                yield progress.step(1)
        columns.append(_measured(job.plan, plane, cells, before, (sums, peaks)))
    _write_table(table, columns)


def _paint(
    job: CellsJob, cells: "JoinedCells", labels: PyramidWriter, before: int, part: Block
) -> _Values:
    """Paint a part of a plane, and look at the probability of its cells."""
    inside = cells.part(part.top, part.bottom, part.left, part.right)
    if not len(inside.numbers):
        nothing = np.zeros(0)
        return _Values(inside.numbers, nothing, nothing.astype(np.float32))
    where = part.place(job.plan.leading)
    labels.write(where, inside.paint(labels.array.dtype, before=before))
    values = _read(job, part).ravel()[inside.pixels()]
    starts = np.cumsum(inside.runs.lengths) - inside.runs.lengths
    return _Values(
        inside.numbers,
        np.add.reduceat(values, starts, dtype=np.float64),
        np.maximum.reduceat(values, starts),
    )


def _measured(
    plan: SlidePlan,
    plane: int,
    cells: "JoinedCells",
    before: int,
    values: tuple[NDArray[np.float64], NDArray[np.float32]],
) -> Table:
    """Return the columns of `measure` that can be had without looking at a cell."""
    rows, columns, lengths = (field.astype(np.int64) for field in cells.runs)
    owners = cells.numbers - 1

    def total(weights: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(owners, weights, cells.count).astype(np.float64, copy=False)

    areas = total(lengths)
    y = total(rows * lengths) / areas
    x = total((2 * columns + lengths - 1) * lengths) / (2 * areas)
    height, width = plan.extent
    at_edge = (rows == 0) | (rows == height - 1)
    at_edge |= (columns == 0) | (columns + lengths == width)
    found: Table = {"label": np.arange(1, cells.count + 1) + before}
    if plan.leading:
        found["plane"] = np.full(cells.count, plane)
    found |= _in_units(plan.pixel_size, areas, y, x)
    sums, peaks = values
    return found | {
        "touches_border": total(at_edge) > 0,
        "mean_probability": sums / areas,
        "max_probability": peaks.astype(np.float64),
    }


def _in_units(
    size: tuple[float, float] | None,
    areas: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> Table:
    diameters = 2 * np.sqrt(areas / np.pi)
    in_px = areas.astype(np.int64)
    if size is None:
        return {
            "area_px": in_px,
            "equivalent_diameter_px": diameters,
            "centroid_y_px": y,
            "centroid_x_px": x,
        }
    height, width = size
    return {
        "area_px": in_px,
        "area_um2": areas * height * width,
        "equivalent_diameter_px": diameters,
        "equivalent_diameter_um": diameters * np.sqrt(height * width),
        "centroid_y_px": y,
        "centroid_x_px": x,
        "centroid_y_um": y * height,
        "centroid_x_um": x * width,
    }


def _write_table(path: Path, tables: Sequence[Table]) -> None:
    """Write a table of many rows with few of them in memory as text."""
    with told_why(path), written_whole(path) as file:
        file.write(_as_csv([list(tables[0])]))
        for table in tables:
            for rows in _rows(table):
                file.write(_as_csv(rows))


def _rows(table: Table) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(0, len(table["label"]), _ROWS_A_TIME):
        part = slice(start, start + _ROWS_A_TIME)
        columns = (values[part].tolist() for values in table.values())
        yield list(zip(*columns, strict=True))


def _as_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()

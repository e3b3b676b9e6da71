"""The files of an image larger than memory, and the last steps towards them."""

import hashlib
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_cresunet._writing import as_plain, json_bytes
from napari_cresunet.batch._slides_blocks import Progress
from napari_cresunet.batch._slides_cells import (
    PAINTED,
    CellsJob,
    iter_find_cells,
    iter_write_cells,
)
from napari_cresunet.batch._slides_journal import SlideJournal
from napari_cresunet.batch._slides_plan import SlidePlan
from napari_cresunet.pyramids import (
    PyramidWriter,
    WriteOptions,
    create_pyramid,
    labels_dtype,
    open_writer,
)
from napari_cresunet.steps import Step

LABELS_CHUNK = 1024
FINISHING = 2
"""Tiles of the network that take as long as making the lower levels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlideCount:
    """The cells of an image larger than memory: where they are written."""

    name: str
    """First part of the names of the files."""
    count: int
    """Cells of all planes; in a stack each plane is counted by itself."""
    labels: Path
    """OME-Zarr: 0 is background, 1 to N the cells by first pixel in raster order."""
    probability: Path | None
    """OME-Zarr, or None if it was not to be kept."""
    cells: Path
    """CSV with a row for each cell; its columns are those of `measure`."""
    record: dict[str, Any]
    """Ready for JSON: what `iter_count` records, and tile, block and image_identity;
    image_hash is a hash of the latter."""


@dataclass(frozen=True, slots=True)
class SlideFiles:
    """Where the results of one image are."""

    output: Path
    name: str

    @property
    def labels(self) -> Path:
        """The labels."""
        return self.output / f"{self.name}_labels.ome.zarr"

    @property
    def probability(self) -> Path:
        """The probability, if it is kept."""
        return self.output / f"{self.name}_probability.ome.zarr"

    @property
    def cells(self) -> Path:
        """The table of cells."""
        return self.output / f"{self.name}_cells.csv"


def earlier_result(
    journal: SlideJournal,
    files: SlideFiles,
    parameters: Mapping[str, Any],
    *,
    kept: bool,
) -> SlideCount | None:
    """Return what an earlier run found with the same parameters, if all is there."""
    record = journal.read_result()
    wanted = [files.labels, files.cells, *([files.probability] if kept else [])]
    if record is None or not all(path.exists() for path in wanted):
        return None
    if any(record.get(name) != value for name, value in parameters.items()):
        return None
    return _result(files, record)


def _result(files: SlideFiles, record: dict[str, Any]) -> SlideCount:
    return SlideCount(
        name=files.name,
        count=record["count"],
        labels=files.labels,
        probability=files.probability if record["probability"] else None,
        cells=files.cells,
        record=record,
    )


def open_probability(
    journal: SlideJournal,
    plan: SlidePlan,
    files: SlideFiles,
    *,
    kept: bool,
    goes_on: bool,
) -> PyramidWriter:
    """Open the probability of an earlier run, or begin anew.

    Parameters
    ----------
    journal : SlideJournal
        Forgets what was done if the probability is gone.
    plan : SlidePlan
        What is counted; noted when there is room for the probability.
    files : SlideFiles
        Where results are.
    kept : bool
        Whether the probability is one of the results. One that was kept before stays.
    goes_on : bool
        Whether an earlier run did the same.

    Returns
    -------
    PyramidWriter
        Where blocks are written to.
    """
    hidden = journal.hidden_probability
    if kept and hidden.exists() and not files.probability.exists():
        hidden.rename(files.probability)
    path = files.probability if kept or files.probability.exists() else hidden
    if goes_on and path.exists():
        return open_writer(path)
    journal.forget()
    shape = (*plan.leading, *plan.extent)
    options = _options(plan, plan.chunk)
    writer = create_pyramid(path, shape, "float32", kind="image", **options)
    journal.note(plan)
    return writer


def _options(plan: SlidePlan, chunk: int) -> WriteOptions:
    options: WriteOptions = {
        "chunk": chunk,
        "pixel_size": plan.pixel_size,
        "name": plan.name,
        "replace": True,
    }
    if plan.axes:
        options["leading"] = plan.axes
    return options


def progress_of(plan: SlidePlan) -> Progress:
    """Return how much there is to do, in tiles of the network and what takes as long.

    Parameters
    ----------
    plan : SlidePlan
        What is counted.

    Returns
    -------
    Progress
        Nothing is done yet.
    """
    n_tiles = sum(plan.n_tiles(block) for block in plan.blocks())
    return Progress(total=n_tiles + plan.n_planes + _n_painted(plan) + 2 * FINISHING)


def _n_painted(plan: SlidePlan) -> int:
    return sum(1 for _ in plan.cut(PAINTED))


def iter_finish(
    job: CellsJob, files: SlideFiles, progress: Progress
) -> Generator[Step, None, SlideCount]:
    """Make all results of the probability and the runs of all blocks.

    Parameters
    ----------
    job : CellsJob
        What is done.
    files : SlideFiles
        Where results go.
    progress : Progress
        Goes to its end.

    Yields
    ------
    Step
        After each part.

    Returns
    -------
    SlideCount
        The results.

    Raises
    ------
    EngineError
        If memory runs out or something cannot be written.
    """
    plan, journal = job.plan, job.journal
    journal.forget_result()
    counts = yield from iter_find_cells(job, progress)
    shape = (*plan.leading, *plan.extent)
    labels = create_pyramid(
        files.labels,
        shape,
        labels_dtype(sum(counts)),
        kind="labels",
        **_options(plan, LABELS_CHUNK),
    )
    yield from iter_write_cells(job, counts, labels, files.cells, progress)
    is_kept = job.probability.path == files.probability
    record = _record(job, counts, files, is_kept=is_kept)
    yield from _iter_levels(labels, record, progress)
    if not is_kept:
        journal.drop_blocks()
    elif not job.probability.is_finished:
        yield from _iter_levels(job.probability, record, progress)
    journal.drop_cells()
    journal.save_result(record)
    yield progress.step(progress.total - progress.done)
    return _result(files, record)


def _iter_levels(
    writer: PyramidWriter, record: dict[str, Any], progress: Progress
) -> Generator[Step, None, None]:
    writer.update_record(record)
    yield from progress.follow(writer.finish(), FINISHING)


def _record(
    job: CellsJob, counts: list[int], files: SlideFiles, *, is_kept: bool
) -> dict[str, Any]:
    """Return how the results came about."""
    plan = job.plan
    done = [job.journal.read_block(block) for block in plan.blocks()]
    records = [one.record for one in done if one is not None]
    height, width = plan.extent
    record: dict[str, Any] = records[0] | {
        name: ", ".join(sorted({one[name] for one in records}))
        for name in ("device", "backend", "precision")
    }
    messages = [message for one in records for message in one["messages"]]
    identity = json_bytes(as_plain(plan.identity))
    return (
        record
        | {
            "tile": plan.tile,
            "block": plan.block,
            "region": [[0, height], [0, width]],
            "messages": list(dict.fromkeys(messages)),
            "seconds": round(time.monotonic() - job.started, 3),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "image_identity": plan.identity,
            "image_hash": hashlib.blake2b(identity, digest_size=16).hexdigest(),
        }
        | dict(job.parameters)
        | {
            "count": sum(counts),
            "plane_counts": counts,
            "planes": plan.n_planes,
            "labels": files.labels.name,
            "probability": files.probability.name if is_kept else None,
            "cells": files.cells.name,
        }
    )

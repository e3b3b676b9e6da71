"""The benchmark: ways beside the reference, and how their time grows."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.benchmarking._machine import describe_machine, free_memory
from napari_cresunet.benchmarking._memory import peak_of
from napari_cresunet.benchmarking._report import Comparison, Growth, Measured, Report
from napari_cresunet.benchmarking._scenes import ROOM, draw_image, draw_probability
from napari_cresunet.benchmarking._timing import Timed, iter_times
from napari_cresunet.benchmarking._ways import (
    Way,
    counting_ways,
    loaded,
    prediction_ways,
    segmentation_ways,
)
from napari_cresunet.config import Options, option
from napari_cresunet.steps import Step

BYTES_PER_PIXEL = 1000
"""What plain torch needs for a whole image, rounded up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchmarkOptions(Options):
    """How large the benchmark is; the defaults take minutes on two cores."""

    device: str = option("auto", "Where networks run.")
    height: int = option(1200, "Height of the image.", unit="px", low=64)
    width: int = option(1600, "Width of the image.", unit="px", low=64)
    n_cells: int = option(100, "Cells of the image.", low=1)
    rounds: int = option(3, "Turns of each way.", low=1)
    memory: bool = option(True, "Whether peak memory is measured.")
    scales: tuple[float, ...] = option(
        (0.25, 1.0, 4.0), "Sizes of images, in parts of height times width."
    )
    cell_counts: tuple[int, ...] = option(
        (50, 500, 5000), "How many cells the square field holds."
    )
    field: int = option(4000, "Side of the square field.", unit="px", low=64)


QUICK = BenchmarkOptions(
    height=480,
    width=640,
    n_cells=20,
    rounds=2,
    scales=(0.25, 1.0, 2.25),
    cell_counts=(20, 60, 200),
    field=1000,
    memory=False,
)
"""The same in less than a minute; each peak of memory takes a process of seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """Ways that are measured on the same pixels, at one size or at several."""

    title: str
    ways: tuple[Way, ...]
    draw: Callable[[int, int, int], NDArray[Any]]
    """From height, width and number of cells to an image or a probability."""
    sizes: tuple[tuple[int, int, int], ...]
    rounds: int
    memory: bool = False
    remarks: tuple[str, ...] = ()
    of: str = ""
    """What grows; nothing in a comparison."""

    @property
    def total(self) -> int:
        """Number of steps."""
        turns = len(self.sizes) * (self.rounds + 1) + self.memory
        return turns * len(self.ways)


def iter_benchmark(options: BenchmarkOptions) -> Generator[Step, None, Report]:
    """Measure what this computer can do; may be closed after any step.

    Parameters
    ----------
    options : BenchmarkOptions
        How large it is.

    Yields
    ------
    Step
        After every turn of every way; its message says what was measured.

    Returns
    -------
    Report
        Tables in which the reference is 1.

    Notes
    -----
    A device that is not there is an `InputError`.
    """
    from napari_cresunet.inference import resolve_device

    device = resolve_device(options.device)
    parts = _parts(options, device)
    total = sum(part.total for part in parts)
    done = 0
    comparisons: list[Comparison] = []
    growths: list[Growth] = []
    for part in parts:
        work = _growth(part) if part.of else _comparison(part)
        while True:
            try:
                message = next(work)
            except StopIteration as stop:
                found = stop.value
                break
            done += 1
            yield Step(done=done, total=total, message=message)
        if isinstance(found, Growth):
            growths.append(found)
        else:
            comparisons.append(found)
    machine = describe_machine() | {"device": device}
    return Report(
        machine=machine, comparisons=tuple(comparisons), growths=tuple(growths)
    )


def _parts(options: BenchmarkOptions, device: str) -> list[_Part]:
    """Return what is measured, in the order in which it is told."""
    predicting, missing = prediction_ways(device)
    return [
        *_compared(options, predicting, tuple(missing), device),
        *_growing(options, _two_of(predicting, device)),
    ]


def _compared(
    options: BenchmarkOptions,
    predicting: list[Way],
    missing: tuple[str, ...],
    device: str,
) -> list[_Part]:
    """Return the ways that are measured at one size."""
    shown = f"{options.width}×{options.height} px"
    once = partial(
        _Part,
        sizes=((options.height, options.width, options.n_cells),),
        rounds=options.rounds,
        memory=options.memory,
    )
    return [
        once(
            title=f"Prediction, {shown} RGB",
            ways=tuple(predicting),
            draw=draw_image,
            remarks=missing,
        ),
        once(
            title=f"Segmentation, {shown}, {options.n_cells} cells",
            ways=tuple(segmentation_ways()),
            draw=_drawn_probability,
        ),
        once(
            title=f"From image to counted cells, {shown} RGB",
            ways=tuple(counting_ways(device)),
            draw=draw_image,
        ),
    ]


def _growing(options: BenchmarkOptions, predicting: tuple[Way, ...]) -> list[_Part]:
    """Return the ways that are measured at several sizes."""
    size = (options.height, options.width, options.n_cells)
    scaled = tuple(_scaled(size, scale) for scale in options.scales)
    side = options.field
    segmenting = tuple(segmentation_ways())
    drawn = partial(_Part, ways=segmenting, draw=_drawn_probability, rounds=1)
    return [
        _Part(
            title="How the time of prediction grows with the pixels",
            ways=predicting,
            draw=draw_image,
            sizes=scaled,
            rounds=1,
            of="Mpx",
        ),
        drawn(
            title=f"How segmentation grows with the pixels, {options.n_cells} cells",
            sizes=scaled,
            of="Mpx",
        ),
        drawn(
            title=f"How segmentation grows with the cells, {side}×{side} px",
            sizes=tuple((side, side, n) for n in options.cell_counts),
            of="cells",
        ),
    ]


def _scaled(size: tuple[int, int, int], scale: float) -> tuple[int, int, int]:
    """Return a size with so many times the pixels, and as many cells."""
    height, width, n_cells = size
    side = sqrt(scale)
    return max(64, round(height * side)), max(64, round(width * side)), n_cells


def _drawn_probability(height: int, width: int, n_cells: int) -> NDArray[np.float32]:
    """Draw so many cells, or as many as have room."""
    return draw_probability(height, width, min(n_cells, height * width // ROOM))


def _two_of(predicting: list[Way], device: str) -> tuple[Way, ...]:
    """Return the reference and what is chosen by default."""
    title = f"predict: {loaded(device).title}"
    return predicting[0], Way(title=title, kind="predict", device=device)


def _comparison(part: _Part) -> Generator[str, None, Comparison]:
    """Measure ways at one size."""
    pixels = part.draw(*part.sizes[0])
    timed = yield from iter_times(part.ways, pixels, part.rounds)
    peaks: list[float | None] = []
    for way in part.ways:
        if part.memory:
            peaks.append(peak_of(way, pixels))
            yield f"{way.title}, memory"
        else:
            peaks.append(None)
    first = timed[0]
    rows = tuple(
        _row(one, first, megabytes) for one, megabytes in zip(timed, peaks, strict=True)
    )
    return Comparison(title=part.title, rows=rows, remarks=part.remarks)


def _row(timed: Timed, first: Timed, megabytes: float | None) -> Measured:
    """Return what is told of one way."""
    result = timed.result
    difference = cells = None
    if result is not None and result.dtype.kind == "i":
        cells = int(result.max())
    elif result is not None and first.result is not None and timed is not first:
        difference = float(np.abs(result - first.result).max())
    return Measured(
        title=timed.way.title,
        seconds=timed.seconds,
        times_faster=_times_faster(first.seconds, timed.seconds),
        megabytes=megabytes,
        difference=difference,
        cells=cells,
    )


def _times_faster(reference: float | None, seconds: float | None) -> float | None:
    if reference is None or seconds is None:
        return None
    return reference / seconds


def _growth(part: _Part) -> Generator[str, None, Growth]:
    """Measure ways at several sizes."""
    seconds: dict[str, list[float | None]] = {way.title: [] for way in part.ways}
    for size in part.sizes:
        pixels = part.draw(*size)
        fitting = [way for way in part.ways if _fits(way, size)]
        timed = yield from iter_times(fitting, pixels, part.rounds)
        found = {one.way.title: one.seconds for one in timed}
        for title, times in seconds.items():
            times.append(found.get(title))
        for _ in range((len(part.ways) - len(fitting)) * (part.rounds + 1)):
            yield part.title
    sizes = [n if part.of == "cells" else y * x / 1e6 for y, x, n in part.sizes]
    return Growth(
        title=part.title,
        of=part.of,
        sizes=tuple(float(size) for size in sizes),
        seconds={title: tuple(times) for title, times in seconds.items()},
    )


def _fits(way: Way, size: tuple[int, int, int]) -> bool:
    """Tell whether the whole image at once leaves memory for other programs."""
    if way.kind != "plain network":
        return True
    free = free_memory(way.device)
    return free is None or size[0] * size[1] * BYTES_PER_PIXEL < free / 2

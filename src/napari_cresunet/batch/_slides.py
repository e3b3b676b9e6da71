"""Counting the cells of an image larger than memory, block by block.

Cells on the seams of blocks are counted once, and the result is that of the whole image
whatever the blocks: tiles of the network lie on one grid of the whole image, and what
is above the threshold is joined over all blocks before anything is made of it.
"""

import time
from collections.abc import Generator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.batch._counting import CountOptions, segmentation_parameters
from napari_cresunet.batch._slides_blocks import (
    Progress,
    SlideJob,
    iter_predict_blocks,
)
from napari_cresunet.batch._slides_cells import CellsJob
from napari_cresunet.batch._slides_journal import (
    SlideJournal,
    journal_folder,
    open_journal,
)
from napari_cresunet.batch._slides_plan import (
    SlidePlan,
    check_tile,
    slide_block,
    slide_tile,
)
from napari_cresunet.batch._slides_results import (
    SlideCount,
    SlideFiles,
    earlier_result,
    iter_finish,
    open_probability,
    progress_of,
)
from napari_cresunet.batch._slides_source import (
    SlideSource,
    identity,
    is_slide,
    open_source,
)
from napari_cresunet.batch._specs import ModelSpec
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.pyramids import open_writer
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.batch._pools import Pool
    from napari_cresunet.inference import Model
    from napari_cresunet.pyramids import Pyramid

__all__ = ["SlideCount", "is_slide", "iter_count_slide", "iter_resegment_slide"]


def iter_count_slide(  # noqa: PLR0913  # what a caller may want to say
    image: "Pyramid | Any",
    model: "ModelSpec | Model",
    options: CountOptions,
    output: str | Path,
    *,
    name: str | None = None,
    probability: bool = True,
    tile: int | None = None,
    block: int | None = None,
    again: bool = False,
    pool: "Pool | None" = None,
) -> Generator[Step, None, SlideCount]:
    """Count the cells of an image larger than memory.

    Parameters
    ----------
    image : Pyramid, str, Path or array-like
        From `open_pyramid`, or its path; or a lazy array of shape (..., Y, X) or
        (..., Y, X, 3 or 4), of which only parts are read.
    model : ModelSpec or Model
        What predicts. A pool needs a ModelSpec.
    options : CountOptions
        How cells are counted.
    output : str or Path
        Folder for NAME_labels.ome.zarr, NAME_probability.ome.zarr and NAME_cells.csv;
        made if missing. What is done so far is kept in its .batch/slides/NAME: the same
        call goes on there.
    name : str, optional
        NAME; by default that of the pyramid.
    probability : bool, optional
        Whether the probability is kept, so that another threshold needs no network.
    tile : int, optional
        Side in px of the tiles that the network gets, a multiple of 8; chosen by the
        diameter by default.
    block : int, optional
        Side in px of the blocks that are worked on at a time; made a whole number of
        tiles. The result does not depend on it.
    again : bool, optional
        Whether to begin anew instead of going on with what is done.
    pool : Pool, optional
        Where blocks are predicted; by default in this process, where blocks are read
        and written beside the prediction of others. Other processes open the image by
        its path and share the file system with this one.

    Yields
    ------
    Step
        After every tile or block. May be closed at any step.

    Returns
    -------
    SlideCount
        Count, record and files. The labels equal
        `segment(predict(image, model, diameter=..., tile=tile), ...)`.

    Raises
    ------
    InputError
        If image, model or options cannot be used, or another run is at work on it.
    EngineError
        If nothing can be written any more, the image changes meanwhile, or memory runs
        out.
    """
    started = time.monotonic()
    output = Path(output).absolute()
    source = open_source(image, name)
    files = SlideFiles(output, source.name)
    _check(source, model, files, pool)
    wanted = _wanted(source, model, options, (tile, block))
    parameters = segmentation_parameters(wanted.model, options)
    with open_journal(output, source.name) as journal:
        known = journal.read_plan()
        goes_on = not again and known is not None and known.is_same_work(wanted)
        if goes_on:
            found = earlier_result(journal, files, parameters, kept=probability)
            if found is not None:
                yield Step(done=1, total=1)
                return found
        plan = known if goes_on and known else _measured(wanted, source)
        writer = open_probability(
            journal, plan, files, kept=probability, goes_on=goes_on
        )
        job = SlideJob(
            source=source,
            model=model,
            plan=plan,
            journal=journal,
            writer=writer,
            threshold=parameters["threshold"],
        )
        progress = progress_of(plan)
        yield from _iter_predict_rest(job, progress, pool)
        cells = CellsJob(
            plan=plan,
            journal=journal,
            probability=writer,
            parameters=parameters,
            started=started,
        )
        return (yield from iter_finish(cells, files, progress))


def _check(
    source: SlideSource,
    model: "ModelSpec | Model",
    files: SlideFiles,
    pool: "Pool | None",
) -> None:
    """Refuse what cannot be."""
    for path in (files.labels, files.probability):
        if source.path is not None and source.path.resolve() == path.resolve():
            raise InputError(
                f"The results would overwrite the image {path}; choose another folder."
            )
    if pool is None or pool.is_local:
        return
    if source.path is None:
        raise InputError(
            "Other processes cannot see an array: save the image and name its file."
        )
    if not isinstance(model, ModelSpec):
        raise InputError("Other processes cannot see a loaded model: pass a ModelSpec.")
    files.output.mkdir(parents=True, exist_ok=True)
    pool.check_files(files.output, [source.path])


def _wanted(
    source: SlideSource,
    model: "ModelSpec | Model",
    options: CountOptions,
    sides: tuple[int | None, int | None],
) -> SlidePlan:
    """Return what is to be counted and how, the scaling not yet measured."""
    card = model.card() if isinstance(model, ModelSpec) else model.card
    tile, block = sides
    side = slide_tile(card, options.diameter) if tile is None else check_tile(tile)
    return SlidePlan(
        name=source.name,
        identity=identity(source),
        card=card.to_dict(),
        backend=model.backend,
        precision=model.precision,
        diameter=options.diameter,
        leading=source.leading,
        extent=source.extent,
        axes=source.axes,
        pixel_size=source.pixel_size,
        tile=side,
        block=slide_block(block, side),
        scaling=(0.0, 0.0),
        version=version("napari-cresunet"),
    )


def _measured(plan: SlidePlan, source: SlideSource) -> SlidePlan:
    """Measure the scaling, once for all blocks."""
    from napari_cresunet.inference import measure_scaling

    scaling = measure_scaling(source.image, plan.model.scaling, rgb=source.is_rgb)
    return replace(plan, scaling=(scaling.low, scaling.span))


def _iter_predict_rest(
    job: SlideJob, progress: Progress, pool: "Pool | None"
) -> Generator[Step, None, None]:
    """Predict what no earlier run did; make sure that it was one image all the time."""
    blocks = job.plan.blocks()
    rest = [block for block in blocks if job.journal.read_block(block) is None]
    progress.done = sum(map(job.plan.n_tiles, blocks)) - sum(
        map(job.plan.n_tiles, rest)
    )
    yield from iter_predict_blocks(job, rest, progress, pool)
    if rest and identity(job.source) != job.plan.identity:
        job.journal.forget()
        raise EngineError(
            f"{job.plan.name} was changed while it was counted: count it again."
        )


def iter_resegment_slide(
    output: str | Path, name: str, options: CountOptions
) -> Generator[Step, None, SlideCount]:
    """Count the cells of an image again at another threshold, without the network.

    Parameters
    ----------
    output : str or Path
        The folder that `iter_count_slide` wrote to.
    name : str
        First part of the names of its files.
    options : CountOptions
        How cells are counted; the diameter must be that of the probability.

    Yields
    ------
    Step
        After every block.

    Returns
    -------
    SlideCount
        As from `iter_count_slide`; labels and table of cells are replaced.

    Raises
    ------
    InputError
        If the probability was not kept or is not whole, or the diameter is another.
    EngineError
        If nothing can be written any more.
    """
    started = time.monotonic()
    output = Path(output).absolute()
    files = SlideFiles(output, name)
    if not journal_folder(output, name).is_dir():
        raise InputError(f"There is no count of {name} in {output}: count it first.")
    with open_journal(output, name) as journal:
        plan = _whole_plan(journal, files, options)
        parameters = segmentation_parameters(plan.model, options)
        found = earlier_result(journal, files, parameters, kept=True)
        if found is not None:
            yield Step(done=1, total=1)
            return found
        cells = CellsJob(
            plan=plan,
            journal=journal,
            probability=open_writer(files.probability),
            parameters=parameters,
            started=started,
        )
        progress = progress_of(plan)
        progress.done = sum(map(plan.n_tiles, plan.blocks()))
        return (yield from iter_finish(cells, files, progress))


def _whole_plan(
    journal: SlideJournal, files: SlideFiles, options: CountOptions
) -> SlidePlan:
    """Return the plan of a count whose probability is there."""
    plan = journal.read_plan()
    if (
        plan is None
        or not files.probability.exists()
        or any(journal.read_block(block) is None for block in plan.blocks())
    ):
        raise InputError(
            f"The probability of {files.name} was not kept, or not all of it is there: "
            "count the image again."
        )
    if options.diameter != plan.diameter:
        raise InputError(
            f"The probability of {files.name} is for cells of {_px(plan.diameter)}, "
            f"not {_px(options.diameter)}: count the image again."
        )
    return plan


def _px(diameter: float | None) -> str:
    return "the model's diameter" if diameter is None else f"{diameter:g} px"

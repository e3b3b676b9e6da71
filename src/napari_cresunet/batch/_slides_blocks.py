"""Predicting the blocks of an image larger than memory, here or on a cluster."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

from napari_cresunet.batch._slides_journal import DoneBlock, SlideJournal
from napari_cresunet.batch._slides_plan import Block, SlidePlan
from napari_cresunet.batch._slides_source import (
    PlaneView,
    SlideSource,
    still_there,
)
from napari_cresunet.errors import CResUNetError, EngineError
from napari_cresunet.pyramids import PyramidWriter
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.batch._pools import Pool
    from napari_cresunet.batch._specs import ModelSpec
    from napari_cresunet.inference import Model, Prediction

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class SlideJob:
    """All that predicting a block needs; can be sent to another process."""

    source: SlideSource
    model: "ModelSpec | Model"
    plan: SlidePlan
    journal: SlideJournal
    writer: PyramidWriter
    """Of the probability."""
    threshold: float


@dataclass(slots=True)
class Progress:
    """How far a count is, and what was told of it."""

    total: int
    done: int = 0
    told: set[str] = field(default_factory=set)

    def step(self, pieces: int, message: str = "") -> Step:
        """Count finished pieces; say nothing twice."""
        self.done += pieces
        news = "" if message in self.told else message
        self.told.add(message)
        done = max(1, self.done)
        return Step(done=done, total=max(self.total, done), message=news)

    def follow(
        self, steps: Generator[Step, None, Result], pieces: int
    ) -> Generator[Step, None, Result]:
        """Pass on the steps of work that counts for so many pieces."""
        before = self.done
        with closing(steps):
            while True:
                try:
                    step = next(steps)
                except StopIteration as stop:
                    self.done = before + pieces
                    result: Result = stop.value
                    return result
                self.done = before + pieces * step.done // max(step.total, 1)
                yield self.step(0, step.message)


def iter_predict_blocks(
    job: SlideJob, blocks: Sequence[Block], progress: Progress, pool: "Pool | None"
) -> Generator[Step, None, None]:
    """Predict blocks, write their probability and note their runs.

    Parameters
    ----------
    job : SlideJob
        What is predicted.
    blocks : sequence of Block
        Those that are to be done.
    progress : Progress
        Counts tiles.
    pool : Pool or None
        Where; None for this process.

    Yields
    ------
    Step
        After every tile, with a pool after every block and now and then.

    Raises
    ------
    InputError
        If image or model cannot be used.
    EngineError
        If memory runs out or something cannot be written.
    """
    if not blocks:
        return
    if pool is None or pool.is_local:
        yield from _predict_here(job, blocks, progress)
    else:
        yield from _predict_there(job, blocks, progress, pool)


def _predict_here(
    job: SlideJob, blocks: Sequence[Block], progress: Progress
) -> Generator[Step, None, None]:
    """Predict in this thread; read the next block and write the last one beside."""
    writing: deque[Future[None]] = deque()
    tile = job.plan.tile
    with (
        _released(job.model) as model,
        closing(ahead(partial(_read, job, model), blocks)) as views,
        ThreadPoolExecutor(1) as writer,
    ):
        for block, view in zip(blocks, views, strict=True):
            steps = _iter_predict(job, model, block, view, tile)
            prediction = yield from progress.follow(steps, job.plan.n_tiles(block))
            # Where memory ran out once, it would run out again.
            tile = min(tile, prediction.record["tile"] or tile)
            writing.append(writer.submit(_keep, job, block, prediction))
            while len(writing) > 1:
                writing.popleft().result()
        for last in writing:
            last.result()


def _predict_there(
    job: SlideJob, blocks: Sequence[Block], progress: Progress, pool: "Pool"
) -> Generator[Step, None, None]:
    """Let the workers of a pool predict."""
    outcomes = pool.map_unordered(partial(predict_block, job), blocks)
    with closing(outcomes):  # type: ignore[type-var]  # a generator, as pools make them
        for outcome in outcomes:
            news = " ".join(pool.news())
            if outcome is None:
                # Nothing is new, but whoever waits may want to stop.
                yield progress.step(0, news)
                continue
            block, messages = outcome
            if isinstance(messages, CResUNetError):
                raise messages
            if isinstance(messages, Exception):
                raise EngineError(
                    f"A block of {job.plan.name} could not be predicted ({messages}): "
                    "what is done stays, start the same again."
                ) from messages
            message = " ".join([*messages, news]).strip()
            yield progress.step(job.plan.n_tiles(block), message)


def predict_block(job: SlideJob, block: Block) -> list[str]:
    """Predict one block, write its probability and note its runs.

    Parameters
    ----------
    job : SlideJob
        What is predicted.
    block : Block
        Which part.

    Returns
    -------
    list of str
        What the user should know. May be called twice on a block.
    """
    from napari_cresunet.steps import drain

    model = _loaded(job.model)
    view = _read(job, model, block)
    prediction = drain(_iter_predict(job, model, block, view, job.plan.tile))
    _keep(job, block, prediction)
    messages: list[str] = prediction.record["messages"]
    return messages


def _loaded(model: "ModelSpec | Model") -> "Model":
    from napari_cresunet.batch._specs import ModelSpec

    return model.load() if isinstance(model, ModelSpec) else model


@contextmanager
def _released(model: "ModelSpec | Model") -> Iterator["Model"]:
    """Load a model, and free its memory at the end: what comes next needs some, too."""
    loaded = _loaded(model)
    try:
        yield loaded
    finally:
        loaded.release()


def _read(job: SlideJob, model: "Model", block: Block) -> PlaneView:
    """Read what the network needs of a block and around it."""
    network: Any = model.network
    plan = job.plan
    zoom = 1.0 if plan.diameter is None else plan.model.zoom_at(plan.diameter)
    # Were it too little, the rest would be read when it is needed.
    reach = ceil((network.receptive_radius + 2 * network.stride + 2) / min(zoom, 1))
    height, width = plan.extent
    with still_there(job.source):
        return PlaneView(job.source, block.plane).load(
            slice(max(0, block.top - reach), min(height, block.bottom + reach)),
            slice(max(0, block.left - reach), min(width, block.right + reach)),
        )


def _iter_predict(
    job: SlideJob, model: "Model", block: Block, view: PlaneView, tile: int
) -> Generator[Step, None, "Prediction"]:
    from napari_cresunet.inference import Scaling, iter_predict

    low, span = job.plan.scaling
    return iter_predict(
        view,
        model,
        diameter=job.plan.diameter,
        tile=tile,
        region=(block.rows, block.columns),
        rgb=job.source.is_rgb,
        scaling=Scaling(low=low, span=span),
    )


def _keep(job: SlideJob, block: Block, prediction: "Prediction") -> None:
    """Write the probability, and only then note that the block is done."""
    from napari_cresunet.segmentation import block_runs

    where = block.place(job.source.leading)
    job.writer.write(where, prediction.probability)
    runs = block_runs(
        prediction.probability, job.threshold, top=block.top, left=block.left
    )
    done = DoneBlock(runs=runs, threshold=job.threshold, record=prediction.record)
    job.journal.save_block(block, done)


def ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = 1,
) -> Generator[Result, None, None]:
    """Call a function on one item after the other, in threads and ahead of its use.

    Parameters
    ----------
    function : callable
        Called with each item.
    items : iterable
        Taken lazily, one more than there are threads.
    workers : int, optional
        How many threads.

    Yields
    ------
    object
        What it returned, in the order of the items.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as executor:
        try:
            for item in items:
                waiting.append(executor.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

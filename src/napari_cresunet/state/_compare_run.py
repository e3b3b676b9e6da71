"""The long work of a comparison: one model after the other."""

import logging
from collections.abc import Generator
from dataclasses import dataclass

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state._compare_entries import CompareEntry, CompareRequest
from napari_cresunet.state._errors import describe_error
from napari_cresunet.state._run import (
    ModelCache,
    Progress,
    Request,
    Result,
    iter_run,
)
from napari_cresunet.weights import ModelCard

logger = logging.getLogger(__name__)

_SCALE = 1000  # steps of the bar, for all models together


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CompareProgress(Progress):
    """How far one model is; `done` and `total` are its own."""

    number: int
    """Of the model, from 1."""
    n_models: int
    part: float = 0.0
    """How much of the model's tiles are done, from 0 to 1."""
    entry: CompareEntry | None = None
    """A model that has just ended. Such a step counts nothing, so it is always told."""

    @property
    def overall(self) -> Progress:
        """How far all models together are, each taken for as long as the others."""
        ended = self.number - 1 + self.part
        return Progress(
            text=self.text, done=round(_SCALE * ended / self.n_models), total=_SCALE
        )


def iter_compare(
    request: CompareRequest, models: ModelCache
) -> Generator[CompareProgress, None, int]:
    """Run one model after the other; one that fails does not stop the others.

    Parameters
    ----------
    request : CompareRequest
        What to run.
    models : ModelCache
        Where the last model stays.

    Yields
    ------
    CompareProgress
        Between tiles, and with an entry after each model, where it may be closed.

    Returns
    -------
    int
        How many models failed.

    Notes
    -----
    The probability of every model stays in memory, 4 bytes a pixel, and its labels, 4
    more: 5 models of an image of 100 megapixels need 4 GB.
    """
    n_models, n_failed = len(request.cards), 0
    for number, card in enumerate(request.cards, start=1):
        entry = CompareEntry(request=request, card=card)
        try:
            entry.result = yield from _iter_one(request, card, models, number)
        except Exception as error:
            entry.problem = describe_error(error)
            trace = None if isinstance(error, CResUNetError) else error
            logger.warning("%s: %s", card.name, entry.problem, exc_info=trace)
            n_failed += 1
        yield CompareProgress(
            text=f"{number} of {n_models}, {card.name}: done",
            number=number,
            n_models=n_models,
            part=1.0,
            entry=entry,
        )
    return n_failed


def _iter_one(
    request: CompareRequest, card: ModelCard, models: ModelCache, number: int
) -> Generator[CompareProgress, None, Result]:
    choices, n_models = request.choices.for_model(card), len(request.cards)
    steps = iter_run(
        Request(
            source=request.source,
            card=card,
            choices=choices,
            settings=request.choices.settings_of(card, choices.diameter),
        ),
        models,
    )
    part = 0.0
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        part = step.done / step.total if step.total else part
        yield CompareProgress(
            text=f"{number} of {n_models}, {card.name}: {step.text}",
            done=step.done,
            total=step.total,
            message=step.message and f"{card.name}: {step.message}",
            number=number,
            n_models=n_models,
            part=part,
        )

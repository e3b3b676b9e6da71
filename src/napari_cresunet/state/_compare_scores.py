"""What follows the runs at leisure: labels, scores, disagreement."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    Comparison,
    MatchRule,
    Objects,
    compare,
    disagreement,
    strongest_places,
    true_objects,
)
from napari_cresunet.state._choices import Settings
from napari_cresunet.state._compare_entries import CompareEntry, Truth
from napari_cresunet.state._run import FINDING, Progress, Result

N_PLACES = 50
"""Places of the strongest disagreement that are listed."""
LEAST_DISAGREEMENT = 0.1
"""Standard deviation below which nobody need look."""

SCORING = "Comparing with the truth…"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScoreWork:
    """Models whose labels or scores are not those of the choices."""

    todo: tuple[tuple[CompareEntry, Result, Settings], ...]
    truth: Truth | None
    rule: MatchRule


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scored:
    """What came of it."""

    work: ScoreWork
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    """By name of the model; empty without a truth that fits."""
    problem: str = ""
    """Why the truth does not fit, as a sentence."""


def iter_scores(work: ScoreWork) -> Generator[Progress, None, Scored]:
    """Make labels anew where that is needed, and compare them with the truth.

    Parameters
    ----------
    work : ScoreWork
        Nobody else may relabel its results meanwhile.

    Yields
    ------
    Progress
        Before each part of the work, where it may be closed.

    Returns
    -------
    Scored
        The comparisons; labels are in the results.
    """
    comparisons: dict[str, Comparison] = {}
    true, problem = _true_objects(work)
    for entry, result, settings in work.todo:
        if result.settings != settings:
            yield Progress(text=FINDING)
            result.relabel(settings)
        if true is not None:
            yield Progress(text=SCORING)
            comparisons[entry.card.name] = compare(result.labels, true, work.rule)
    return Scored(work=work, comparisons=comparisons, problem=problem)


def _true_objects(work: ScoreWork) -> tuple[Objects | None, str]:
    """Return the true cells, or why there are none."""
    if work.truth is None or not work.todo:
        return None, ""
    _, result, _ = work.todo[0]
    try:
        return true_objects(work.truth.cells, result.probability.shape), ""
    except InputError as error:
        return None, f"{work.truth.name!r}: {error}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Disagreement:
    """How much models disagree about each pixel."""

    results: tuple[Result, ...]
    """Of whom."""
    values: NDArray[np.float32]
    """(..., Y, X): standard deviation between the probabilities."""
    places: Indices
    """(N, 3): plane, row and column of the strongest, the strongest first."""


def iter_disagreement(
    results: Sequence[Result], size: float
) -> Generator[Progress, None, Disagreement]:
    """Find out where models disagree.

    Parameters
    ----------
    results : sequence of Result
        Of one image, two or more.
    size : float
        Of a cell in px; places are at least half of it apart.

    Yields
    ------
    Progress
        Before each part of the work, where it may be closed.

    Returns
    -------
    Disagreement
        Map and places.
    """
    yield Progress(text="Looking where models disagree…")
    values = disagreement([result.probability for result in results])
    yield Progress(text="Looking where models disagree…")
    places = strongest_places(
        values, N_PLACES, min_distance=max(1, round(size / 2)), least=LEAST_DISAGREEMENT
    )
    return Disagreement(results=tuple(results), values=values, places=places)

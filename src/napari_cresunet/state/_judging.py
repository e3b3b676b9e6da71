"""The work of the dock Evaluate: matching, drawing, and what takes longer."""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Indices, Labels
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    BORDER,
    KINDS,
    MERGED,
    MISSED,
    Case,
    CaseTable,
    Comparison,
    MatchRule,
    Objects,
    Scores,
    SweepRow,
    Trait,
    case_places,
    compare,
    find_traits,
    group_cases,
    iter_sweep,
    list_cases,
    objects_of,
    score_pairs,
    true_objects,
)
from napari_cresunet.state._choices import Settings
from napari_cresunet.state._run import FINDING, Progress, as_progress

STUDY_THRESHOLDS = tuple(round(0.02 * k, 2) for k in range(1, 50))
"""Where F1, precision and recall are looked up for the curve."""
_SMALL_AREA = 300
"""Px; in smaller cells a thick outline would leave nothing to see."""
_DISTANCES = tuple(round(0.1 * k, 1) for k in range(1, 21))
"""Where F1 is looked up against the distance, in parts of the chosen one."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TruthPair:
    """Predicted cells and their truth, as they are at one moment."""

    identity: str
    """Tells the predicted labels from all others."""
    name: str
    truth_identity: str
    truth_name: str
    labels: NDArray[Any]
    """(..., Y, X); nobody paints in it."""
    truth: NDArray[Any] | Objects
    """Labels or mask of that shape, points (N, D), or what was made of it before."""
    image: Any = None
    """(..., Y, X) or (..., Y, X, 3 or 4): what was counted, if it is known."""
    probability: NDArray[Any] | None = None
    """Of the shape of the labels, if it is known."""
    settings: Settings | None = None
    """What made the labels from the probability, if it is known."""
    pixel_um: tuple[float, float] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the labels came about, as far as it is known."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judgment:
    """What was found out about a pair at once."""

    pair: TruthPair
    comparison: Comparison
    cases: list[Case]
    planes: Indices
    places: NDArray[np.float64]
    scores: tuple[Scores, ...]
    """Of each plane."""
    drawing: NDArray[np.uint16] | NDArray[np.int32]
    """(..., Y, X): outlines of cells, each a number n of kind `KINDS[(n - 1) % 7]`."""


def iter_judgment(
    pair: TruthPair, rule: MatchRule
) -> Generator[Progress, None, Judgment]:
    """Match predicted cells with their truth.

    Parameters
    ----------
    pair : TruthPair
        The two.
    rule : MatchRule
        When two cells are a pair.

    Yields
    ------
    Progress
        Before each part of the work, where it may be closed.

    Returns
    -------
    Judgment
        Scores, cases, and a picture of them.
    """
    yield Progress(text="Comparing with the truth…")
    pred = objects_of(pair.labels, name=f"{pair.name!r}")
    true = true_objects(pair.truth, pred.shape)
    comparison = compare(pred, true, rule)
    yield Progress(text="Comparing with the truth…")
    cases = group_cases(comparison)
    planes, places = case_places(comparison, cases)
    return Judgment(
        pair=replace(pair, truth=true),
        comparison=comparison,
        cases=cases,
        planes=planes,
        places=places,
        scores=tuple(comparison.plane_scores()),
        drawing=_draw(comparison),
    )


def _draw(comparison: Comparison) -> Any:
    """Draw outlines of predictions and, where they tell more, of true cells."""
    pred, true = comparison.pred, comparison.true
    is_few = len(KINDS) * (len(pred) + len(true) + 1) < 2**16
    dtype = np.uint16 if is_few else np.int32  # napari draws 16 bits fastest
    drawing: Any = np.zeros((math.prod(pred.shape[:-2]), *pred.shape[-2:]), dtype)
    if pred.index is not None:
        np.take(_numbers(comparison.pred_kinds, 0, dtype), pred.index, out=drawing)
    # A merged cell shows which true ones it holds; what is missed has no other outline.
    told = np.isin(comparison.true_kinds, (MISSED, MERGED, BORDER))
    if true.index is not None and told.any():
        kinds = np.where(told, comparison.true_kinds, "")
        over = _numbers(kinds, len(pred), dtype)[true.index]
        np.copyto(drawing, over, where=over > 0)
    areas = pred.areas if pred.areas.size else true.areas
    is_small = bool(areas.size) and np.median(areas) < _SMALL_AREA
    return _outlines(drawing, 1 if is_small else 2).reshape(pred.shape)


def _numbers(kinds: NDArray[np.str_], first: int, dtype: Any) -> NDArray[Any]:
    """Return the number of each cell after that of the background, 0 without a kind."""
    order = {kind: number for number, kind in enumerate(KINDS)}
    numbers = [
        1 + order[kind] + len(KINDS) * (first + row) if kind else 0
        for row, kind in enumerate(kinds.tolist())
    ]
    return np.array([0, *numbers], dtype)


def _outlines(numbers: Any, thickness: int) -> Any:
    """Keep only the pixels near the edge of each cell; napari takes far longer."""
    # A pixel is inside if it and its four neighbors are of one cell.
    is_inside = np.zeros(numbers.shape, np.bool_)
    middle = numbers[:, 1:-1, 1:-1]
    inside = is_inside[:, 1:-1, 1:-1]
    np.equal(middle, numbers[:, :-2, 1:-1], out=inside)
    for other in (numbers[:, 2:, 1:-1], numbers[:, 1:-1, :-2], numbers[:, 1:-1, 2:]):
        inside &= middle == other
    for _ in range(thickness - 1):
        before = is_inside.copy()
        is_inside[:, 1:] &= before[:, :-1]
        is_inside[:, :-1] &= before[:, 1:]
        is_inside[:, :, 1:] &= before[:, :, :-1]
        is_inside[:, :, :-1] &= before[:, :, 1:]
    numbers[is_inside] = 0
    return numbers


def iter_new_labels(
    pair: TruthPair, threshold: float
) -> Generator[Progress, None, Labels]:
    """Make the labels of a pair at another threshold.

    Parameters
    ----------
    pair : TruthPair
        With probability and settings.
    threshold : float
        Cell where the probability is greater.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    ndarray of int32
        The labels.

    Raises
    ------
    InputError
        If the probability or the settings are not known.
    """
    from napari_cresunet.segmentation import segment

    yield Progress(text=FINDING)
    settings = pair.settings
    if settings is None or pair.probability is None:
        raise InputError(
            f"The probability that {pair.name!r} was made of is gone: run Segment and "
            "count again."
        )
    return segment(
        pair.probability,
        threshold=threshold,
        min_size=settings.min_size,
        preset=settings.preset,
        min_distance=settings.min_distance,
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study:
    """What was found out about a judgment at leisure."""

    cases: CaseTable
    traits: list[Trait]
    distances: list[SweepRow]
    """Scores of the labels at several matching distances."""
    sweep: list[SweepRow]
    """Scores at many thresholds; empty without a probability."""
    key: tuple[Any, ...]
    """What the sweep holds for."""


def iter_study(
    judgment: Judgment, known: Study | None = None
) -> Generator[Progress, None, Study]:
    """Measure the cases, and score other thresholds and distances.

    Parameters
    ----------
    judgment : Judgment
        What is known.
    known : Study, optional
        An earlier one, whose sweep is taken where it still holds.

    Yields
    ------
    Progress
        Between the parts of the work, where it may be closed.

    Returns
    -------
    Study
        Table of cases, what failures have in common, and curves.
    """
    pair, comparison = judgment.pair, judgment.comparison
    yield Progress(text="Measuring the cells…")
    table = list_cases(comparison, image=pair.image, probability=pair.probability)
    traits = find_traits(table)
    yield Progress(text="Trying distances…")
    distances = _at_distances(judgment)
    key = _sweep_key(judgment)
    if known is not None and known.key == key:
        sweep = known.sweep
    else:
        sweep = yield from _iter_thresholds(judgment)
    return Study(cases=table, traits=traits, distances=distances, sweep=sweep, key=key)


def _at_distances(judgment: Judgment) -> list[SweepRow]:
    comparison, settings = judgment.comparison, judgment.pair.settings
    pred, true = comparison.pred, comparison.true
    rows = []
    for part in _DISTANCES:
        rule = comparison.rule
        rule = replace(rule, max_distance=rule.max_distance * part)
        # Only the pairs become others: what overlaps stays.
        matches = rule.match(pred, true)
        rows.append(
            SweepRow(
                # Labels are, so to say, a probability of 0 and 1.
                threshold=0.0 if settings is None else settings.threshold,
                min_size=None if settings is None else settings.min_size,
                max_distance=rule.max_distance,
                scores=score_pairs(pred, true, matches),
                images=tuple(replace(comparison, matches=matches).plane_scores()),
            )
        )
    return rows


def _sweep_key(judgment: Judgment) -> tuple[Any, ...]:
    pair, comparison = judgment.pair, judgment.comparison
    settings = pair.settings
    recipe = settings and (settings.min_size, settings.preset, settings.min_distance)
    return (
        id(pair.probability),
        hash(comparison.true.centers.tobytes()),
        comparison.rule,
        recipe,
    )


def _iter_thresholds(judgment: Judgment) -> Generator[Progress, None, list[SweepRow]]:
    pair, settings = judgment.pair, judgment.pair.settings
    if pair.probability is None or settings is None:
        return []
    steps = iter_sweep(
        [pair.probability],
        [judgment.comparison.true],
        thresholds=STUDY_THRESHOLDS,
        min_sizes=(settings.min_size,),
        rule=judgment.comparison.rule,
        segmentation={
            "preset": settings.preset,
            "min_distance": settings.min_distance,
        },
    )
    return (yield from as_progress(steps, "Trying thresholds…"))

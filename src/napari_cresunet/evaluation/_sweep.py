"""Scores at many thresholds, smallest sizes and matching distances."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._objects import Objects, objects_of, true_objects
from napari_cresunet.evaluation._rule import MatchRule
from napari_cresunet.evaluation._scores import Scores, aggregate, score_pairs
from napari_cresunet.steps import Step, drain

SWEEP_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""0.05, 0.1, ... 0.95."""

_HIGHER_IS_BETTER = ("f1", "precision", "recall", "accuracy")
_NEARER_TO_0_IS_BETTER = ("mae", "medae", "mpe")


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepRow:
    """The scores at one setting."""

    threshold: float
    min_size: int | None
    max_distance: float
    scores: Scores
    """Pooled over all images."""
    images: tuple[Scores, ...]
    """Of each image."""

    def to_dict(self) -> dict[str, Any]:
        """Return setting and pooled scores as a flat dict."""
        return {
            "threshold": self.threshold,
            "min_size": self.min_size,
            "max_distance": self.max_distance,
        } | self.scores.to_dict()


def sweep(  # noqa: PLR0913  # the names are a contract
    probabilities: Sequence[ArrayLike],
    truths: Sequence[ArrayLike | Objects],
    *,
    thresholds: Sequence[float] = SWEEP_THRESHOLDS,
    distances: Sequence[float] | None = None,
    min_sizes: Sequence[int | None] = (None,),
    rule: MatchRule | None = None,
    segmentation: Mapping[str, Any] | None = None,
) -> list[SweepRow]:
    """Score all combinations of threshold, smallest size and matching distance.

    Parameters
    ----------
    probabilities : sequence of ndarray of float, shape (..., Y, X)
        Probability of "cell", one for each image.
    truths : sequence of array_like or Objects
        Truth of each, as for `evaluate`.
    thresholds : sequence of float, optional
        Cell where the probability is greater; 0.05, 0.1, ... 0.95 by default.
    distances : sequence of float, optional
        Largest distances of two matching centers; that of `rule` by default.
    min_sizes : sequence of int, optional
        Smallest cells in px; None is the preset's own.
    rule : MatchRule, optional
        All else of the matching.
    segmentation : mapping, optional
        Further arguments of `segment`: preset and min_distance.

    Returns
    -------
    list of SweepRow
        By threshold, then smallest size, then distance, in the orders given.

    Raises
    ------
    InputError
        If there is no image, or not one truth for each; or as `segment` and
        `evaluate`.

    See Also
    --------
    best_row : The best of them.

    Examples
    --------
    >>> import numpy as np
    >>> probability = np.zeros((9, 40))
    >>> probability[2:7, 2:7], probability[2:7, 30:35] = 0.9, 0.4
    >>> truth = np.zeros((9, 40), int)
    >>> truth[2:7, 2:7] = 1
    >>> for row in sweep(
    ...     [probability], [truth], thresholds=[0.3, 0.5], min_sizes=[9], distances=[4]
    ... ):
    ...     print(row.threshold, row.scores.precision)
    0.3 0.5
    0.5 1.0
    """
    return drain(
        iter_sweep(
            probabilities,
            truths,
            thresholds=thresholds,
            distances=distances,
            min_sizes=min_sizes,
            rule=rule,
            segmentation=segmentation,
        )
    )


def iter_sweep(  # noqa: PLR0913  # as above
    probabilities: Sequence[ArrayLike],
    truths: Sequence[ArrayLike | Objects],
    *,
    thresholds: Sequence[float] = SWEEP_THRESHOLDS,
    distances: Sequence[float] | None = None,
    min_sizes: Sequence[int | None] = (None,),
    rule: MatchRule | None = None,
    segmentation: Mapping[str, Any] | None = None,
) -> Generator[Step, None, list[SweepRow]]:
    """Do what `sweep` does, step by step.

    Parameters
    ----------
    probabilities, truths, thresholds, distances, min_sizes, rule, segmentation
        As for `sweep`.

    Yields
    ------
    Step
        After each threshold and smallest size of each image.

    Returns
    -------
    list of SweepRow
        As from `sweep`.

    Raises
    ------
    InputError
        As from `sweep`.
    """
    from napari_cresunet.segmentation import LiveSegmenter

    if len(probabilities) != len(truths) or not len(truths):  # may be arrays
        raise InputError(
            "A sweep needs at least one image and one truth for each, got "
            f"{len(probabilities)} probabilities and {len(truths)} truths."
        )
    rule = rule or MatchRule()
    reaches = (rule.max_distance,) if distances is None else tuple(distances)
    rules = [replace(rule, max_distance=reach) for reach in reaches]
    settings = [(value, size) for value in thresholds for size in min_sizes]
    found: list[list[list[Scores]]] = [[[] for _ in rules] for _ in settings]
    done = 0
    for probability, truth in zip(probabilities, truths, strict=True):
        live = LiveSegmenter(probability, **(segmentation or {}))
        true = true_objects(truth, live.shape)
        for setting, columns in zip(settings, found, strict=True):
            pred = objects_of(live.update(*setting))
            for one, column in zip(rules, columns, strict=True):
                column.append(score_pairs(pred, true, one.match(pred, true)))
            done += 1
            yield Step(done=done, total=len(truths) * len(settings))
    return [
        SweepRow(
            threshold=threshold,
            min_size=size,
            max_distance=one.max_distance,
            scores=aggregate(column),
            images=tuple(column),
        )
        for (threshold, size), columns in zip(settings, found, strict=True)
        for one, column in zip(rules, columns, strict=True)
    ]


def best_row(rows: Sequence[SweepRow], by: str = "f1") -> SweepRow:
    """Return the best setting of a sweep.

    Parameters
    ----------
    rows : sequence of SweepRow
        From `sweep`.
    by : {"f1", "precision", "recall", "accuracy", "mae", "medae", "mpe"}, optional
        The score that decides; of "mpe" the size counts, not the sign.

    Returns
    -------
    SweepRow
        Of equal ones that with the higher F1, then with the threshold nearest to 0.5,
        then the first.

    Raises
    ------
    InputError
        If there is no row, the score is unknown, or undefined everywhere.

    Notes
    -----
    A setting chosen on the images that it is then scored on looks better than it is:
    choose on some images, and report the scores of others.
    """
    if by not in (*_HIGHER_IS_BETTER, *_NEARER_TO_0_IS_BETTER):
        known = ", ".join((*_HIGHER_IS_BETTER, *_NEARER_TO_0_IS_BETTER))
        raise InputError(f"Unknown score {by!r}; choose from {known}.")
    known_rows = [row for row in rows if not isnan(getattr(row.scores, by))]
    if not known_rows:
        raise InputError(
            f"The score {by} is undefined at all settings: the truth needs at least "
            "one cell, or the probability must give one."
        )
    sign = 1 if by in _HIGHER_IS_BETTER else -1
    return max(
        known_rows,
        key=lambda row: (
            sign * abs(getattr(row.scores, by)),
            np.nan_to_num(row.scores.f1),
            -round(abs(row.threshold - 0.5), 9),  # 0.45 is as near as 0.55
        ),
    )

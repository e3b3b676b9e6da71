"""The state of the dock "Evaluate"."""

from dataclasses import dataclass, replace
from math import isnan, nan, sqrt
from typing import Any

import numpy as np
from psygnal import Signal

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    HIT,
    KINDS,
    SPLIT,
    Case,
    MatchRule,
    Scores,
    SweepRow,
    aggregate,
    best_row,
    bootstrap_intervals,
    usual_distance,
)
from napari_cresunet.export import KIND_COLORS
from napari_cresunet.state._judging import Judgment, Study
from napari_cresunet.state._spots import Spot
from napari_cresunet.state._working import Working

METRICS = {
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "accuracy": "Accuracy",
    "mae": "MAE",
    "medae": "MedAE",
    "mpe": "MPE",
}
"""Scores in the order of the table."""
_NO_PAIR = (
    "Choose the cells to evaluate (press Run in Segment and count to find some), and "
    "the truth: labels, a mask, or points that mark the cells."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRow:
    """One line of the table of scores."""

    name: str
    here: str
    """Of the chosen pair."""
    everywhere: str = ""
    """Of all pairs so far; empty while there is one."""


class EvaluateState(Working):
    """Everything the dock shows, and what it may do.

    A view forwards what the user wants, renders on the signals, and runs the generators
    of this package in a worker thread.
    """

    pair_changed = Signal()
    """Another pair was chosen, or none."""
    rule_changed = Signal()
    judgment_changed = Signal()
    study_changed = Signal()
    kinds_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.pair: tuple[str, str] = ("", "")
        """Identities of predicted labels and truth; empty if there is none."""
        self.rule = MatchRule()
        self.shown: frozenset[str] = frozenset(KINDS)
        """The kinds of cases that are drawn and listed."""
        self.study: Study | None = None
        self._is_own_distance = False
        self._judgments: dict[str, Judgment] = {}
        self._before: float = nan
        self._is_settled = True

    # What is known

    @property
    def judgment(self) -> Judgment | None:
        """What was found out about the chosen pair."""
        return self._judgments.get(self.pair[0])

    @property
    def judgments(self) -> tuple[Judgment, ...]:
        """Of all pairs so far, the chosen one first."""
        here = self.judgment
        others = [one for one in self._judgments.values() if one is not here]
        return tuple(([] if here is None else [here]) + others)

    @property
    def scores(self) -> Scores | None:
        """The scores of the chosen pair; each plane of a stack is an image."""
        return None if self.judgment is None else aggregate(self.judgment.scores)

    @property
    def image_scores(self) -> tuple[Scores, ...]:
        """The scores of every plane of every pair so far."""
        return tuple(one for known in self.judgments for one in known.scores)

    @property
    def failures(self) -> list[Case]:
        """The cases that are listed."""
        judgment = self.judgment
        if judgment is None:
            return []
        return [judgment.cases[number] for number in self._failure_numbers(judgment)]

    def _failure_numbers(self, judgment: Judgment) -> list[int]:
        wanted = self.shown - {HIT}
        return [k for k, case in enumerate(judgment.cases) if case.kind in wanted]

    @property
    def spots(self) -> list[Spot]:
        """Where the failures are that are listed."""
        judgment = self.judgment
        if judgment is None:
            return []
        return [self.spot(number) for number in self._failure_numbers(judgment)]

    def spot(self, number: int) -> Spot:
        """Return where a case of the chosen pair is.

        Parameters
        ----------
        number : int
            Of its cases.

        Returns
        -------
        Spot
            The place.

        Raises
        ------
        InputError
            If no pair was compared.
        """
        judgment = self.judgment
        if judgment is None:
            raise InputError(_NO_PAIR)
        case, (row, column) = judgment.cases[number], judgment.places[number]
        return Spot(
            text=_case_text(judgment, case),
            plane=int(judgment.planes[number]),
            row=float(row),
            column=float(column),
            size=_case_width(judgment, case),
            color=KIND_COLORS[case.kind],
        )

    @property
    def counts_of_kinds(self) -> dict[str, int]:
        """How many cases there are of each kind."""
        counts = dict.fromkeys(KINDS, 0)
        for case in [] if self.judgment is None else self.judgment.cases:
            counts[case.kind] += 1
        return counts

    @property
    def threshold(self) -> float | None:
        """The threshold that made the labels, if it is known."""
        judgment = self.judgment
        if judgment is None or judgment.pair.settings is None:
            return None
        return judgment.pair.settings.threshold

    @property
    def best(self) -> SweepRow | None:
        """The best threshold by F1, if there is one to choose."""
        rows = [] if self.study is None else self.study.sweep
        if not any(row.scores.f1 > 0 for row in rows):
            return None
        return best_row(rows)

    # In words

    @property
    def headline(self) -> str:
        """The F1 as it is shown large."""
        scores = self.scores
        if scores is None:
            return "No scores yet"
        if isnan(scores.f1):
            return "No cells, as it should be"
        return f"F1 {scores.f1:.3f}"

    @property
    def change(self) -> str:
        """How the F1 changed since the user let go; empty for not at all."""
        scores = self.scores
        if scores is None or isnan(self._before) or isnan(scores.f1):
            return ""
        change = round(scores.f1 - self._before, 3)
        return f"{change:+.3f}".replace("-", "\N{MINUS SIGN}") if change else "±0"

    @property
    def detail(self) -> str:
        """The counts behind it."""
        scores = self.scores
        if scores is None:
            return _NO_PAIR
        error = scores.predicted_count - scores.true_count
        sign = f"{error:+,}".replace("-", "\N{MINUS SIGN}") if error else "±0"
        return (
            f"{scores.tp:,} of {scores.true_count:,} true cells have a match, "
            f"{scores.fp:,} of {scores.predicted_count:,} predictions have none. "
            f"Count {sign}."
        )

    @property
    def warning(self) -> str:
        """What makes the truth doubtful; empty if nothing does."""
        judgment = self.judgment
        if judgment is None:
            return ""
        if not len(judgment.comparison.true):
            return f"The truth {judgment.pair.truth_name!r} has no cells."
        if not judgment.comparison.true.is_mask:
            return ""
        n_split = sum(case.kind == SPLIT for case in judgment.cases)
        several = f" {n_split:,} of them hold several predictions." if n_split else ""
        return (
            "The truth is a mask: cells that touch are one object, so there may be "
            f"more true cells than counted.{several}"
        )

    @property
    def mpe(self) -> str:
        """The mean percentage error over all pairs so far; empty if there is none."""
        images = self.image_scores
        value = aggregate(images).mpe if images else nan
        return "" if isnan(value) else f"MPE {_number('mpe', value)}"

    @property
    def table(self) -> list[ScoreRow]:
        """All scores; the last ones by shared pixels, where outlines are known."""
        scores, judgment = self.scores, self.judgment
        if scores is None or judgment is None:
            return []
        images = self.image_scores
        many = aggregate(images) if len(images) > 1 else None
        intervals = bootstrap_intervals(images) if many is not None else {}
        rows = [
            ScoreRow(
                name=title,
                here=_number(name, getattr(scores, name)),
                everywhere=""
                if many is None
                else _with_interval(name, getattr(many, name), intervals[name]),
            )
            for name, title in METRICS.items()
        ]
        overlaps = judgment.comparison.overlap_scores()
        if overlaps is not None:
            known = overlaps.to_dict()
            rows += [
                ScoreRow(name=title, here=_number(key, known[key]))
                for key, title in (
                    ("dice", "Dice"),
                    ("ap_0.5", "AP at IoU 0.5"),
                    ("map", "AP, mean of 0.5–0.95"),
                    ("pq_0.5", "Panoptic quality"),
                )
            ]
        return rows

    # What the user wants

    def choose_pair(self, identity: str, truth: str, diameter: float | None) -> None:
        """Take other layers.

        Parameters
        ----------
        identity, truth : str
            Of predicted labels and truth; empty if there is none.
        diameter : float or None
            Of a usual cell in px, which gives the matching distance unless the user
            has set it.
        """
        if (identity, truth) == self.pair:
            return
        self.pair = (identity, truth)
        self.study, self._before, self._is_settled = None, nan, True
        self._judgments.pop(identity, None)  # of another truth
        self.tell("")
        if diameter is not None and not self._is_own_distance:
            self._set_rule(max_distance=usual_distance(diameter))
        self.pair_changed.emit()
        self.judgment_changed.emit()
        self.study_changed.emit()

    def choose_rule(self, **changes: Any) -> None:
        """Change how cells are matched.

        Parameters
        ----------
        **changes
            Fields of `MatchRule`; a value out of its bounds is an `InputError` and
            changes nothing.
        """
        self._is_own_distance |= "max_distance" in changes
        self._set_rule(**changes)

    def _set_rule(self, **changes: Any) -> None:
        rule = replace(self.rule, **changes)
        if rule != self.rule:
            self.rule = rule
            self.rule_changed.emit()

    def show_kind(self, kind: str, is_shown: bool) -> None:
        """Draw and list a kind of cases, or do not.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        is_shown : bool
            Whether it is.
        """
        shown = self.shown | {kind} if is_shown else self.shown - {kind}
        if shown != self.shown:
            self.shown = shown
            self.kinds_changed.emit()

    # What was found out

    def judge(self, judgment: Judgment) -> None:
        """Take what was found out about a pair.

        Parameters
        ----------
        judgment : Judgment
            Replaces the one of the same labels.
        """
        if judgment.pair.identity == self.pair[0]:
            if self._is_settled:
                self._before = nan if self.scores is None else self.scores.f1
                self._is_settled = False
            self.tell("")
        # Of several predictions with one truth, pooled scores count the last one.
        for key, other in list(self._judgments.items()):
            if other.pair.truth_identity == judgment.pair.truth_identity:
                del self._judgments[key]
        self._judgments[judgment.pair.identity] = judgment
        self.judgment_changed.emit()

    def refuse(self, sentence: str) -> None:
        """The chosen pair cannot be compared.

        Parameters
        ----------
        sentence : str
            Why, and what to do.
        """
        self._judgments.pop(self.pair[0], None)
        self.study = None
        self.tell(sentence, is_failure=True)
        self.judgment_changed.emit()
        self.study_changed.emit()

    def settle(self) -> None:
        """The user let go of slider or brush: the next change is told from here."""
        self._is_settled = True

    def learn(self, judgment: Judgment, study: Study) -> None:
        """Take what was found out at leisure.

        Parameters
        ----------
        judgment : Judgment
            What was looked at.
        study : Study
            What was found.
        """
        if self.judgment is judgment:
            self.study = study
            self.study_changed.emit()

    def forget(self, identity: str) -> None:
        """Drop what is known of labels that are gone.

        Parameters
        ----------
        identity : str
            Of the labels.
        """
        if self._judgments.pop(identity, None) is not None:
            self.judgment_changed.emit()


def _case_text(judgment: Judgment, case: Case) -> str:
    """Say what a failure is, such as "Merged: 3 cells in one, 812 px"."""
    comparison = judgment.comparison
    words = [case.kind.capitalize()]
    if len(case.true) > 1:
        words.append(f"{len(case.true)} cells in one")
    if len(case.pred) > 1:
        words.append(f"one cell in {len(case.pred)}")
    if case.pred:
        words.append(f"label {comparison.pred.ids[case.pred[0]]}")
    area = _case_area(judgment, case)
    if area:
        words.append(f"{area:,} px")
    n_planes = len(judgment.scores)
    if n_planes > 1:
        side = comparison.pred if case.pred else comparison.true
        row = case.pred[0] if case.pred else case.true[0]
        words.append(f"plane {side.planes[row] + 1}")
    return ", ".join(words).replace(", ", ": ", 1)


def _case_area(judgment: Judgment, case: Case) -> int:
    """Return px of what is seen of it; 0 of a point."""
    comparison = judgment.comparison
    side = comparison.pred if case.pred else comparison.true
    return int(max(side.areas[row] for row in (case.pred or case.true)))


def _case_width(judgment: Judgment, case: Case) -> float:
    """Return how wide it is in px."""
    area = _case_area(judgment, case)
    pred = judgment.comparison.pred
    if not area:
        area = int(np.median(pred.areas)) if len(pred) else 100
    return 2 * sqrt(area / np.pi)


def _number(name: str, value: float) -> str:
    if isnan(value):
        return "–"
    if name in ("mae", "medae"):
        return f"{value:.2f}"
    if name == "mpe":
        return f"{value:+.1%}".replace("-", "\N{MINUS SIGN}")
    return f"{value:.3f}"


def _with_interval(name: str, value: float, interval: tuple[float, float]) -> str:
    low, high = (_number(name, end) for end in interval)
    return f"{_number(name, value)} ({low} to {high})"

"""What is known of one image: what models gave on it, and how good that is."""

from collections.abc import Sequence
from math import isnan

from napari_cresunet.evaluation import MatchRule
from napari_cresunet.state._compare_choices import CompareChoices
from napari_cresunet.state._compare_entries import CompareEntry, Truth
from napari_cresunet.state._compare_scores import Disagreement, Scored, ScoreWork
from napari_cresunet.state._compare_spots import disagreement_spots, versus_spots
from napari_cresunet.state._run import Result
from napari_cresunet.state._spots import Spot


class Findings:
    """Models that were run on one image at one cell diameter."""

    def __init__(self) -> None:
        self.entries: dict[str, CompareEntry] = {}
        self.disagreement: Disagreement | None = None
        """Between all results; None before it is known, or with less than two."""

    @property
    def results(self) -> dict[str, Result]:
        """What the models gave that did not fail, by their names."""
        found = ((name, entry.result) for name, entry in self.entries.items())
        return {name: result for name, result in found if result is not None}

    @property
    def diameter(self) -> float | None:
        """Of a cell in px, as all of them were run with."""
        return next(
            (one.request.choices.diameter for one in self.entries.values()), None
        )

    @property
    def cell_size(self) -> float:
        """How wide a cell is, in px: as was said, or as the first model knows it."""
        cards = [entry.card for entry in self.entries.values()]
        return self.diameter or (cards[0].diameter if cards else 1.0)

    def add(self, entry: CompareEntry) -> list[str]:
        """Take what a model gave, in place of what it gave before.

        Parameters
        ----------
        entry : CompareEntry
            The model.

        Returns
        -------
        list of str
            Names of models that were dropped because they were run on other pixels or
            at another diameter, so that they cannot be compared.
        """
        stale = [
            name
            for name, other in self.entries.items()
            if other.request is not entry.request and not _alike(other, entry)
        ]
        for name in stale:
            del self.entries[name]
        self.entries[entry.card.name] = entry
        return [name for name in stale if name != entry.card.name]

    # Labels and scores

    def work(
        self, choices: CompareChoices, truth: Truth | None, rule: MatchRule
    ) -> ScoreWork | None:
        """Return what has to be done so that all is as the user wants it.

        Parameters
        ----------
        choices : CompareChoices
            The threshold of these counts.
        truth : Truth or None
            Where the true cells are.
        rule : MatchRule
            When a prediction and a true cell are a pair.

        Returns
        -------
        ScoreWork or None
            None if nothing has to be done.
        """
        todo = []
        for entry in self.entries.values():
            if entry.result is None:
                continue
            settings = entry.wanted_settings(choices)
            wanted = None if truth is None else (truth, rule, settings)
            if entry.result.settings != settings or entry.scored != wanted:
                todo.append((entry, entry.result, settings))
        return ScoreWork(todo=tuple(todo), truth=truth, rule=rule) if todo else None

    def take(self, scored: Scored) -> None:
        """Take scores; what was run again meanwhile is left out.

        Parameters
        ----------
        scored : Scored
            From `iter_scores`.
        """
        work = scored.work
        for entry, result, settings in work.todo:
            if entry.result is not result:
                continue
            entry.comparison = scored.comparisons.get(entry.card.name)
            truth = work.truth
            entry.scored = None if truth is None else (truth, work.rule, settings)

    def forget_scores(self) -> None:
        """Drop all scores: there is another truth, or none."""
        for entry in self.entries.values():
            entry.comparison, entry.scored = None, None

    # Where they differ

    @property
    def disagreeing(self) -> tuple[Result, ...] | None:
        """Whose disagreement is wanted and not yet known; None if there is none."""
        results = tuple(self.results.values())
        known = () if self.disagreement is None else self.disagreement.results
        return None if len(results) < 2 or _same(results, known) else results

    def take_disagreement(self, found: Disagreement) -> None:
        """Take where models disagree, if it is these.

        Parameters
        ----------
        found : Disagreement
            From `iter_disagreement`.
        """
        if _same(tuple(self.results.values()), found.results):
            self.disagreement = found

    @property
    def disagreement_spots(self) -> list[Spot]:
        """Where the models disagree most."""
        found, results = self.disagreement, self.results
        if found is None or not _same(tuple(results.values()), found.results):
            return []
        return disagreement_spots(found, list(results), self.cell_size)

    @property
    def scored_names(self) -> list[str]:
        """Models with scores, the best by F1 first."""
        known = {
            name: entry.comparison.scores.f1
            for name, entry in self.entries.items()
            if entry.comparison is not None
        }
        # An F1 that is not defined is the worst.
        return sorted(
            known,
            key=lambda name: -1.0 if isnan(known[name]) else known[name],
            reverse=True,
        )

    def versus_spots(self, first: str, second: str) -> list[Spot]:
        """List where one model is right and another wrong.

        Parameters
        ----------
        first, second : str
            Their names.

        Returns
        -------
        list of Spot
            Empty if one of them has no scores.
        """
        one, other = self.entries.get(first), self.entries.get(second)
        if one is None or other is None:
            return []
        return versus_spots(one, other, self.cell_size)


def _alike(one: CompareEntry, other: CompareEntry) -> bool:
    """Tell whether two were run on the same pixels at the same diameter."""
    return (
        one.request.source.image is other.request.source.image
        and one.request.choices.diameter == other.request.choices.diameter
    )


def _same(one: Sequence[Result], other: Sequence[Result]) -> bool:
    return len(one) == len(other) and all(
        a is b for a, b in zip(one, other, strict=True)
    )

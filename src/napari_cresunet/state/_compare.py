"""The state of the dock "Compare models"."""

from psygnal import Signal

from napari_cresunet.errors import InputError
from napari_cresunet.state._compare_choosing import CompareChoosing
from napari_cresunet.state._compare_entries import CompareEntry, CompareRequest, Truth
from napari_cresunet.state._compare_findings import Findings
from napari_cresunet.state._compare_scores import Disagreement, Scored, ScoreWork
from napari_cresunet.state._compare_table import CompareRow, row_of
from napari_cresunet.state._run import ModelCache, Progress
from napari_cresunet.state._source import identity_of

DISAGREEMENT = "disagreement"
"""Shown in place of a model: where they disagree."""


class CompareState(CompareChoosing):
    """Everything the dock shows, and what it may do.

    A view forwards what the user wants, renders on the signals, and runs the generators
    of this package in a worker thread.
    """

    truth_changed = Signal()
    """Another truth, or what is wrong with it."""
    shown_changed = Signal()
    """Another model is to be shown, or they side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = ModelCache()
        self.truth: Truth | None = None
        self.truth_problem = ""
        """Why there are no scores though a truth is chosen."""
        self.is_side_by_side = False
        self._shown = ""

    # What is known

    @property
    def entries(self) -> list[CompareEntry]:
        """The models that were run on the image, in the order of the list of models."""
        order = {card.name: number for number, card in enumerate(self.models)}
        return sorted(
            self.findings.entries.values(),
            key=lambda entry: order.get(entry.card.name, len(order)),
        )

    @property
    def rows(self) -> list[CompareRow]:
        """The table."""
        return [row_of(entry) for entry in self.entries]

    @property
    def versus(self) -> tuple[str, str]:
        """Names of who is right and who is wrong; "" where there is none to choose."""
        names = self.findings.scored_names
        first, second = (
            name if name in names else ""
            for name in (self.choices.first, self.choices.second)
        )
        first = first or next((name for name in names if name != second), "")
        return first, second or next((name for name in names if name != first), "")

    @property
    def shown(self) -> str:
        """Name of the model that is looked at, or `DISAGREEMENT`; "" before a run."""
        known = self.findings.results
        if self._shown == DISAGREEMENT and len(known) > 1:
            return DISAGREEMENT
        return self._shown if self._shown in known else next(iter(known), "")

    # What the user wants

    def set_truth(self, truth: Truth | None, problem: str = "") -> None:
        """Take another truth, or the same one that was edited.

        Parameters
        ----------
        truth : Truth or None
            None for none.
        problem : str, optional
            Why a truth that was chosen cannot be had, as a sentence.
        """
        before, self.truth = self.truth, truth
        self.truth_problem = problem
        same = truth and before and truth.identity == before.identity
        if not same:
            self.findings.forget_scores()
            self.entries_changed.emit()
        self.truth_changed.emit()
        self.outdated.emit()

    def show(self, name: str) -> None:
        """Look at one model, or at `DISAGREEMENT`.

        Parameters
        ----------
        name : str
            Its name.
        """
        self._shown = name
        self.shown_changed.emit()

    def arrange(self, *, side_by_side: bool) -> None:
        """Look at all models side by side, or at one at a time.

        Parameters
        ----------
        side_by_side : bool
            Which.
        """
        if side_by_side != self.is_side_by_side:
            self.is_side_by_side = side_by_side
            self.shown_changed.emit()

    # The run

    def request(self) -> CompareRequest:
        """Note down what to run.

        Returns
        -------
        CompareRequest
            For `iter_compare`.

        Raises
        ------
        InputError
            If nothing can be run; the message is `why_not`.
        """
        if self.why_not or self.source is None:
            raise InputError(self.why_not)
        return CompareRequest(
            source=self.source, cards=self.chosen_cards, choices=self.choices
        )

    def begin(self) -> None:
        """A run has started."""
        self.is_running, self.progress = True, Progress(text="Starting…")
        self.tell("")

    def add(self, entry: CompareEntry) -> list[str]:
        """Take a model that has just ended.

        Parameters
        ----------
        entry : CompareEntry
            What it gave, or why it failed.

        Returns
        -------
        list of str
            Models of before that cannot be compared with it, and were dropped.
        """
        identity = entry.request.source.identity
        dropped = self._findings.setdefault(identity, Findings()).add(entry)
        if identity == identity_of(self.source):
            self.entries_changed.emit()
            self.outdated.emit()
        return dropped

    def finish(self, request: CompareRequest, n_failed: int) -> None:
        """A run has ended by itself.

        Parameters
        ----------
        request : CompareRequest
            What was run.
        n_failed : int
            How many models failed.
        """
        n_all = len(request.cards)
        sentence = f"{n_all} models are done." if n_all > 1 else "The model is done."
        if n_failed:
            problems = {entry.problem for entry in self._entries_of(request)}
            sentence = f"{n_failed} of {n_all} models failed: see below the table."
            if n_failed == n_all and len(problems) == 1:
                sentence = problems.pop()
        self._end(sentence, is_failure=n_failed > 0)
        self.outdated.emit()

    def stop(self, request: CompareRequest, reason: str = "Cancelled") -> None:
        """A run was stopped before its end; what was done stays.

        Parameters
        ----------
        request : CompareRequest
            What was run.
        reason : str, optional
            Why, as the beginning of a sentence.
        """
        n_done = len(self._entries_of(request))
        kept = f"{n_done} of {len(request.cards)} models are done, and stay."
        self._end(f"{reason}; {kept if n_done else 'nothing was changed.'}")
        self.outdated.emit()

    def _entries_of(self, request: CompareRequest) -> list[CompareEntry]:
        known = self._findings.get(request.source.identity, self._nothing)
        return [one for one in known.entries.values() if one.request is request]

    # What follows at leisure

    @property
    def score_work(self) -> ScoreWork | None:
        """What has to be done so that labels and scores are as the user wants them."""
        return self.findings.work(self.choices, self.truth, self.rule)

    def take_scores(self, scored: Scored) -> None:
        """Take labels and scores.

        Parameters
        ----------
        scored : Scored
            From `iter_scores`.
        """
        self.findings.take(scored)
        if scored.work.truth is self.truth:
            self.truth_problem = scored.problem
            self.truth_changed.emit()
        self.entries_changed.emit()

    def take_disagreement(self, found: Disagreement) -> None:
        """Take where models disagree.

        Parameters
        ----------
        found : Disagreement
            From `iter_disagreement`.
        """
        for findings in self._findings.values():
            findings.take_disagreement(found)
        self.entries_changed.emit()

"""What is chosen in the dock Compare models: image, models, settings."""

from dataclasses import replace
from typing import Any

from psygnal import Signal

from napari_cresunet.evaluation import MatchRule
from napari_cresunet.state._compare_choices import CompareChoices
from napari_cresunet.state._compare_findings import Findings
from napari_cresunet.state._source import Source, identity_of, why_no_source
from napari_cresunet.state._working import Working
from napari_cresunet.weights import ModelCard, list_models

_NO_MODEL = "Tick the models to compare."


class CompareChoosing(Working):
    """The part of the state that is about what is to run."""

    source_changed = Signal()
    choices_changed = Signal()
    models_changed = Signal()
    entries_changed = Signal()
    """Models, labels, scores or disagreement of the image changed."""
    outdated = Signal()
    """There may be work to do that follows a run."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[ModelCard] = []
        self.source: Source | None = None
        self.choices = CompareChoices()
        self._why_no_source = why_no_source()
        self._findings: dict[str, Findings] = {}
        self._nothing = Findings()

    @property
    def findings(self) -> Findings:
        """What is known of the chosen image; empty before a run."""
        if self.source is None:
            return self._nothing
        return self._findings.get(self.source.identity, self._nothing)

    @property
    def rule(self) -> MatchRule:
        """When a prediction and a true cell are a pair."""
        return self.choices.rule

    @property
    def chosen_cards(self) -> tuple[ModelCard, ...]:
        """The models that are to run, in the order of the list."""
        return tuple(card for card in self.models if card.name in self.choices.models)

    @property
    def can_run(self) -> bool:
        """Whether Run may be pressed."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why Run may not be pressed, as a sentence; empty if it may."""
        if self.is_running:
            return "A run is going on: wait for it or press Cancel."
        if self.source is None:
            return self._why_no_source
        return self.source.why_unusable or ("" if self.chosen_cards else _NO_MODEL)

    @property
    def is_outdated(self) -> bool:
        """Whether another run would be at another cell diameter."""
        known = self.findings
        return bool(known.entries) and known.diameter != self.choices.diameter

    def refresh_models(self) -> None:
        """Look again which models there are; new ones are not ticked."""
        models = list_models()
        if models == self.models:
            return
        is_first, self.models = not self.models, models
        if is_first:
            ours = [card.name for card in models if card.source == "bundled"]
            ticked = ours or [card.name for card in models]
        else:
            ticked = [card.name for card in self.chosen_cards]
        self.choices = replace(self.choices, models=tuple(ticked))
        for signal in (self.models_changed, self.choices_changed, self.run_changed):
            signal.emit()

    def choose_source(self, source: Source | None, *, other: str = "") -> None:
        """Take another image, or the same one whose layer changed.

        Parameters
        ----------
        source : Source or None
            The image; None if there is none to choose.
        other : str, optional
            Name of the selected layer that is no image, for the explanation.
        """
        before, self.source = self.source, source
        self._why_no_source = why_no_source(other)
        is_other = identity_of(before) != identity_of(source)
        if is_other:
            self._adopt(before)
        self.source_changed.emit()
        if not is_other:
            self.run_changed.emit()
            return
        if not self.is_running:
            self.tell("")
        self.run_changed.emit()
        for signal in (self.choices_changed, self.entries_changed, self.outdated):
            signal.emit()

    def _adopt(self, before: Source | None) -> None:
        """Take the cell diameter that belongs to the image."""
        source, diameter = self.source, self.choices.diameter
        if self.findings.entries:
            diameter = self.findings.diameter
        elif source is not None and source.diameter is not None:
            diameter = source.diameter
        elif before is not None and diameter == before.diameter:
            diameter = None
        self.choices = replace(self.choices, diameter=diameter)

    def choose(self, **changes: Any) -> None:
        """Change some of the choices.

        Parameters
        ----------
        **changes
            Fields of `CompareChoices`; a value out of its bounds is an `InputError` and
            changes nothing.
        """
        choices = replace(self.choices, **changes)
        if choices == self.choices:
            return
        self.choices = choices
        self.choices_changed.emit()
        self.run_changed.emit()
        self.outdated.emit()

    def forget(self, identity: str) -> None:
        """Drop what is known of an image that is gone.

        Parameters
        ----------
        identity : str
            The image's `Source.identity`.
        """
        self._findings.pop(identity, None)

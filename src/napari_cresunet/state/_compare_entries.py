"""What is compared: models that were run on an image, and the truth."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from napari_cresunet.evaluation import Comparison, MatchRule
from napari_cresunet.state._choices import Settings
from napari_cresunet.state._compare_choices import CompareChoices
from napari_cresunet.state._run import Result
from napari_cresunet.state._source import Source
from napari_cresunet.weights import ModelCard


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Truth:
    """Where the true cells are, as it was at one moment."""

    identity: str
    """Of the layer, or whatever it is from."""
    name: str
    cells: NDArray[Any]
    """As for `evaluate`; nobody changes it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CompareRequest:
    """What to run, as it was when the user asked."""

    source: Source
    cards: tuple[ModelCard, ...]
    choices: CompareChoices


@dataclass(kw_only=True, slots=True, eq=False)
class CompareEntry:
    """One model of a comparison: what it gave, or why it gave nothing."""

    request: CompareRequest
    card: ModelCard
    result: Result | None = None
    problem: str = ""
    """Why it failed, as a sentence."""
    comparison: Comparison | None = None
    """With the truth, if there is one that fits."""
    scored: tuple[Truth, MatchRule, Settings] | None = None
    """What `comparison` is of."""

    def wanted_settings(self, choices: CompareChoices) -> Settings:
        """Return what its labels are to be made with.

        Parameters
        ----------
        choices : CompareChoices
            What the user wants now. Sizes stay those at the diameter it was run at.

        Returns
        -------
        Settings
            At its own threshold, or at the one for all.
        """
        return choices.settings_of(self.card, self.request.choices.diameter)

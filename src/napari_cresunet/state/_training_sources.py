"""What the dock Train has chosen: data, settings, and what is known of the data."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_cresunet.state._training_choices import (
    LAYERS,
    TrainChoices,
    base_config,
    folders_of,
)
from napari_cresunet.state._training_data import (
    LayerPair,
    PairChoice,
    Summary,
    TrainingData,
)
from napari_cresunet.weights import ModelCard

if TYPE_CHECKING:
    from napari_cresunet.training import TrainConfig


class SourcesState:
    """The part of the dock's state that is about what to learn, not about learning."""

    data_changed = Signal()
    """What to learn from, or what is known of it."""
    data_outdated = Signal()
    """Other data was chosen: look at it again with `iter_summary`."""
    choices_changed = Signal()

    def __init__(self) -> None:
        self.models: list[ModelCard] = []
        self.choices = TrainChoices()
        self.settings: dict[str, Any] = {}
        """Fields of `TrainConfig` that the user changed."""
        self.pairs: tuple[PairChoice, ...] = ()
        self.summary: Summary | None = None
        self.data_problem = ""
        """Why the data cannot be learned from; empty if it can, as far as is known."""

    @property
    def card(self) -> ModelCard | None:
        """The card of the model to start from; None from scratch."""
        for card in self.models:
            if card.name == self.choices.start:
                return card
        return None

    @property
    def config(self) -> "TrainConfig":
        """All settings; `InputError` if they do not go together."""
        return replace(base_config(self.choices, self.card), **self.settings)

    @property
    def split_options(self) -> dict[str, Any]:
        """Share and seed of the images that are held out, for `iter_summary`."""
        config = self.config
        return {"validation": config.validation, "seed": config.seed}

    def data(self, layers: Sequence[LayerPair]) -> TrainingData | None:
        """Return what to learn from.

        Parameters
        ----------
        layers : sequence of LayerPair
            What the layers of `pairs` hold now.

        Returns
        -------
        tuple of LayerPair, or Folders
            None if nothing is chosen.
        """
        if self.choices.learn_from == LAYERS:
            return tuple(layers) or None
        return folders_of(self.choices)

    # What the user wants

    def choose(self, **changes: Any) -> None:
        """Change some of the choices.

        Parameters
        ----------
        **changes
            Fields of `TrainChoices`; a value out of its bounds is an `InputError` and
            changes nothing.
        """
        before = self.choices
        choices = replace(before, **changes)
        if choices == before:
            return
        self.choices = choices
        self.choices_changed.emit()
        names = ("learn_from", "folder", "images", "masks")
        if any(getattr(before, name) != getattr(choices, name) for name in names):
            self._outdate_data()

    def set_setting(self, name: str, value: Any) -> None:
        """Change one of the settings under Advanced.

        Parameters
        ----------
        name : str
            A field of `TrainConfig`.
        value : object
            A value that does not go with the others is an `InputError` and changes
            nothing.
        """
        base = base_config(self.choices, self.card)
        settings = {**self.settings, name: value}
        if getattr(base, name) == value:
            del settings[name]
        replace(base, **settings)
        self.settings = settings
        self.choices_changed.emit()
        if name in self.split_options:
            self.data_outdated.emit()

    def recommend(self) -> None:
        """Take back all changes under Advanced."""
        self.settings = {}
        self.choices_changed.emit()

    def add_pair(self, pair: PairChoice) -> None:
        """Learn from two more layers.

        Parameters
        ----------
        pair : PairChoice
            Their sizes are checked already; an image that is learned from already gets
            other labels.
        """
        others = (known for known in self.pairs if known.image != pair.image)
        self.pairs = (*others, pair)
        self._outdate_data()

    def remove_pairs(self, pairs: Sequence[PairChoice]) -> None:
        """Learn no longer from some layers.

        Parameters
        ----------
        pairs : sequence of PairChoice
            Some of `pairs`.
        """
        self.pairs = tuple(pair for pair in self.pairs if pair not in pairs)
        self._outdate_data()

    def forget_layer(self, identity: str) -> list[PairChoice]:
        """A layer is gone: drop the pairs it belongs to.

        Parameters
        ----------
        identity : str
            Of the layer.

        Returns
        -------
        list of PairChoice
            What was dropped.
        """
        gone = [pair for pair in self.pairs if identity in (pair.image, pair.labels)]
        if gone:
            self.remove_pairs(gone)
        return gone

    def _outdate_data(self) -> None:
        self.summary, self.data_problem = None, ""
        self.data_changed.emit()
        self.data_outdated.emit()

    # What was found out about the data

    def learn(self, summary: Summary) -> None:
        """Take what was found.

        Parameters
        ----------
        summary : Summary
            Of the data that is chosen now.
        """
        self.summary, self.data_problem = summary, ""
        self.data_changed.emit()

    def refuse_data(self, sentence: str) -> None:
        """The data cannot be learned from.

        Parameters
        ----------
        sentence : str
            Why, and what to do.
        """
        self.summary, self.data_problem = None, sentence
        self.data_changed.emit()

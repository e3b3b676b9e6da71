"""What the user chose in the dock Compare models, and what follows from it."""

from dataclasses import dataclass

from napari_cresunet.config import Options, option
from napari_cresunet.evaluation import MatchRule, usual_distance
from napari_cresunet.state._choices import Choices, Settings, resolve
from napari_cresunet.weights import ModelCard


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareChoices(Options):
    """The controls of the dock. None follows a recommendation."""

    models: tuple[str, ...] = ()
    """Names of the models that are to run."""
    diameter: float | None = option(
        None,
        "Diameter of a typical cell in your image. The image is resampled for every "
        "network so that cells have the size it was trained on. Left empty, nothing is "
        "resampled.",
        unit="px",
        low=0.5,
        high=10_000,
    )
    device: str = option("auto", "Where the networks run.")
    tile: int | None = option(
        None,
        "Large images are predicted in tiles of this side; a smaller one needs less "
        "memory. The results do not depend on it.",
        unit="px",
        low=8,
        high=16_384,
    )
    threshold: float | None = option(
        None,
        "One threshold for all models. Otherwise each has the one that its card "
        "recommends.",
        low=0,
        high=1,
    )
    max_distance: float | None = option(
        None,
        "A cell counts as found if its center is at most this far from that of a true "
        "cell. Left empty: 40 px where cells are 36.5 px wide, as published, and in "
        "proportion elsewhere.",
        unit="px",
        low=0,
        high=100_000,
    )
    first: str = ""
    """Name of the model that is right; empty for the best by F1."""
    second: str = ""
    """Name of the model that is wrong; empty for the next best."""

    @property
    def usual_distance(self) -> float:
        """What an empty `max_distance` stands for, in px."""
        return usual_distance(self.diameter)

    @property
    def rule(self) -> MatchRule:
        """When a prediction and a true cell are a pair."""
        if self.max_distance is None:
            return MatchRule(max_distance=self.usual_distance)
        return MatchRule(max_distance=self.max_distance)

    def for_model(self, card: ModelCard) -> Choices:
        """Return what a run of one model is asked for.

        Parameters
        ----------
        card : ModelCard
            The model's card.

        Returns
        -------
        Choices
            As for a run in the dock Segment and count.
        """
        return Choices(
            model=card.name,
            diameter=self.diameter,
            threshold=self.threshold,
            device=self.device,
            tile=self.tile,
        )

    def settings_of(self, card: ModelCard, diameter: float | None) -> Settings:
        """Return what makes the labels of a model.

        Parameters
        ----------
        card : ModelCard
            The model's card.
        diameter : float or None
            Of a cell in px, as it was run with.

        Returns
        -------
        Settings
            At its own threshold, or at the one for all.
        """
        return resolve(Choices(diameter=diameter, threshold=self.threshold), card)

"""The card of a model that was just trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_cresunet.evaluation import Scores
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._learner import Progress
from napari_cresunet.training._prepare import Sample
from napari_cresunet.training._validation import min_distance_for, min_size_for
from napari_cresunet.weights import ModelCard

_NOT_SETTINGS = ("name", "title", "data", "license", "citation")


def describe(
    config: TrainConfig,
    progress: Progress,
    images: Mapping[str, Sequence[Sample]],
    threshold: float,
    scores: Scores | None,
) -> ModelCard:
    """Return the card of the best network so far.

    Parameters
    ----------
    config : TrainConfig
        All settings; they go into the card.
    progress : Progress
        Which epoch was best.
    images : mapping of str to sequence of Sample
        What it was trained and validated on.
    threshold : float
        Recommended, chosen on the validation images.
    scores : Scores or None
        Of the validation images at that threshold.

    Returns
    -------
    ModelCard
        Smallest cell and least distance of centers follow from the cells' diameter.
    """
    diameter = config.diameter or _mean_diameter(images.get("training", ()))
    settings = {
        name: value
        for name, value in config.to_dict().items()
        if name not in _NOT_SETTINGS
    }
    counts = {f"{part}_images": len(samples) for part, samples in images.items()}
    if config.start:
        settings["start"] = Path(config.start).name  # where it lay is nobody's business
    return ModelCard(
        name=config.name,
        title=config.title or config.name,
        variant=config.variant,
        scaling=config.scaling,
        channels=config.channels,
        diameter=round(diameter, 2),
        largest_diameter=_largest_diameter(config),
        threshold=threshold,
        min_size=min_size_for(diameter),
        min_distance=min_distance_for(diameter),
        data=config.data,
        license=config.license,
        citation=config.citation,
        settings={**settings, **counts, "best_epoch": progress.best_epoch},
        scores=_validation_scores(scores),
    )


def _largest_diameter(config: TrainConfig) -> float:
    """Return the end of the range of sizes; 0 if there is but one size."""
    if config.diameters is None or config.diameters[1] == config.diameter:
        return 0.0
    return config.largest_diameter


def _mean_diameter(samples: Sequence[Sample]) -> float:
    return float(np.mean([sample.diameter for sample in samples])) if samples else 36.5


def _validation_scores(scores: Scores | None) -> dict[str, Any]:
    """Return what the card says of the validation images; NaN is left out."""
    if scores is None:
        return {}
    named = {
        "validation F1": scores.f1,
        "validation precision": scores.precision,
        "validation recall": scores.recall,
        "validation MAE": scores.mae,
    }
    return {name: round(value, 4) for name, value in named.items() if value == value}

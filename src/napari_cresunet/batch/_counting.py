"""Counting the cells of one image: prediction and segmentation in one go."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_cresunet._typing import Image, Labels, Probability
from napari_cresunet.config import Options, option
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.inference import Model, Prediction
    from napari_cresunet.weights import ModelCard


@dataclass(frozen=True, kw_only=True, slots=True)
class CountOptions(Options):
    """How cells are counted; None leaves the choice to the model card."""

    diameter: float | None = option(
        None, "Diameter of a cell.", unit="px", low=0.1, high=1e6
    )
    threshold: float | None = option(
        None, "Cell where the probability is greater.", low=0, high=1
    )
    min_size: int | None = option(None, "Smallest cell.", unit="px", low=0)
    preset: str | None = option(None, "Recipe from probability to labels.")
    min_distance: int | None = option(
        None, "Centers of touching cells are at least this far apart.", unit="px", low=0
    )


@dataclass(frozen=True, slots=True)
class Count:
    """The cells of one image and how they were found."""

    probability: Probability
    labels: Labels
    record: dict[str, Any]
    """Ready for JSON: what `iter_predict` records, and the parameters, count, count of
    each plane and seconds of the whole."""


def segmentation_parameters(card: "ModelCard", options: CountOptions) -> dict[str, Any]:
    """Return the arguments for `segment`.

    Parameters
    ----------
    card : ModelCard
        Gives the threshold and, for the diameter, the sizes.
    options : CountOptions
        What the user chose.

    Returns
    -------
    dict
        threshold, min_size, min_distance (None where the preset has none) and preset.
    """
    from napari_cresunet.segmentation import DEFAULT_PRESET, PRESETS

    preset = PRESETS[options.preset or DEFAULT_PRESET]
    size, threshold = options.min_size, options.threshold
    # A preset without a distance decides by windows of its own.
    has_distance = preset.min_distance is not None
    distance = options.min_distance
    if distance is None:
        distance = card.min_distance_at(options.diameter)
    return {
        "threshold": card.threshold if threshold is None else threshold,
        "min_size": card.min_size_at(options.diameter) if size is None else size,
        "min_distance": distance if has_distance else None,
        "preset": preset.name,
    }


def iter_count(
    image: Image, model: "Model", options: CountOptions
) -> Generator[Step, None, Count]:
    """Count the cells of an image.

    Parameters
    ----------
    image : ndarray of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image.
    model : Model
        From `load_model`.
    options : CountOptions
        What the user chose.

    Yields
    ------
    Step
        After every tile.

    Returns
    -------
    Count
        Labels, probability and record. In a stack each plane is counted by itself.
    """
    from napari_cresunet.inference import iter_predict

    started = time.monotonic()
    prediction = yield from iter_predict(image, model, diameter=options.diameter)
    predicted = time.monotonic() - started
    return count_predicted(prediction, model.card, options, predicted)


def count_predicted(
    prediction: "Prediction", card: "ModelCard", options: CountOptions, seconds: float
) -> Count:
    """Count the cells of a probability.

    Parameters
    ----------
    prediction : Prediction
        From `iter_predict`, with the diameter of `options`.
    card : ModelCard
        Of the model.
    options : CountOptions
        What the user chose.
    seconds : float
        How long the prediction took.

    Returns
    -------
    Count
        As `iter_count` returns it.
    """
    from napari_cresunet.segmentation import segment

    started = time.monotonic()
    parameters = segmentation_parameters(card, options)
    labels = segment(prediction.probability, **parameters)
    counts = counts_of_planes(labels)
    record = prediction.record | parameters
    record |= {"count": sum(counts), "plane_counts": counts, "planes": len(counts)}
    record["seconds"] = round(seconds + time.monotonic() - started, 3)
    return Count(prediction.probability, labels, record)


def counts_of_planes(labels: NDArray[Any]) -> list[int]:
    """Return the number of cells of each plane, leading axes in row order."""
    import numpy as np

    planes = labels.reshape(-1, *labels.shape[-2:])
    return [len(np.unique(plane[plane > 0])) for plane in planes]


def summary(image: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of one image that `count --json` promises."""
    names = ("count", "threshold", "min_size", "model", "seconds")
    return {"image": image} | {name: record[name] for name in names}

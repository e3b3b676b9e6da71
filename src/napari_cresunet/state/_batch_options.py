"""The choices of the dock as the engine wants them, and back."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from napari_cresunet.batch import BatchOptions, CountOptions, ModelSpec
from napari_cresunet.state._choices import ENGINES, Choices


def options_of(choices: Choices, outputs: BatchOptions) -> BatchOptions:
    """Return what the engine is to do with each image.

    Parameters
    ----------
    choices : Choices
        How cells are counted.
    outputs : BatchOptions
        What is written; the rest of it is not looked at.

    Returns
    -------
    BatchOptions
        Both.
    """
    _, backend, precision = ENGINES[choices.engine]
    return replace(
        outputs,
        model=ModelSpec(choices.model, choices.device, backend, precision),
        count=CountOptions(
            diameter=choices.diameter,
            threshold=choices.threshold,
            min_size=choices.min_size,
            preset=choices.preset,
            min_distance=choices.min_distance,
        ),
    )


def choices_of(
    options: BatchOptions, before: Choices, models: Collection[str]
) -> Choices:
    """Return the choices that an earlier run was made with.

    Parameters
    ----------
    options : BatchOptions
        Of that run.
    before : Choices
        What is chosen now, for what the options do not say.
    models : collection of str
        Names of the models that there are.

    Returns
    -------
    Choices
        With the model of before if the other one is not there any more.
    """
    count, model = options.count, options.model
    changes: dict[str, Any] = {
        "diameter": count.diameter,
        "threshold": count.threshold,
        "min_size": count.min_size,
        "preset": count.preset or Choices().preset,
        "min_distance": count.min_distance or None,
        "engine": _engine_of(model),
    }
    if model.name_or_path in models:
        changes["model"] = model.name_or_path
    return replace(before, **changes)


def _engine_of(model: ModelSpec) -> str:
    """Return which of the engines a run had; "auto" if it was none of them."""
    known = {row[1:]: name for name, row in ENGINES.items()}
    return known.get((model.backend, model.precision), "auto")

"""Settings of the published systems, and of this package's own model."""

from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from napari_cresunet.errors import InputError
from napari_cresunet.models import VARIANTS, Variant
from napari_cresunet.training._config import CROP_MULTIPLE, TrainConfig
from napari_cresunet.weights import ModelCard

# The papers name the augmentations without their strengths; these are moderate ones.
_STRENGTHS: dict[str, dict[str, Any]] = {
    "shift": {"shift": 0.1},
    "flip": {"flip": True},
    "zoom": {"zoom": 1.2},
    "rotation": {"rotation": 180.0},
    "noise": {"noise": 0.05},
    "brightness": {"brightness": 1.3},
    "elastic": {"elastic": 4.0},
}
# Of the crops of Morelli et al. those of automatically labeled images were repeated 4
# times, those of manually segmented ones 10 times; here nobody knows which is which.
_ARTIFACT_REPEATS = 4
_RELEASED_SGD: dict[str, Any] = {
    "optimizer": "sgd",
    "learning_rate": 0.003,
    "momentum": 0.9,
}


def _as_published(variant: Variant) -> TrainConfig:
    """Return the settings that the table of variants gives for a network."""
    settings: dict[str, Any] = {}
    for augmentation in variant.augmentation:
        settings.update(_STRENGTHS[augmentation])
    return TrainConfig(
        name=variant.name,
        title=variant.title,
        variant=variant.name,
        optimizer=variant.optimizer,
        learning_rate=variant.learning_rate,
        batch_size=variant.published_batch_size or 8,
        subset=variant.published_samples or 0,
        **settings,
    )


def _systems() -> dict[str, TrainConfig]:
    """Return the settings of every system that the papers report or propose."""
    systems = {name: _as_published(row) for name, row in VARIANTS.items()}
    # "All crops" is whatever there is.
    systems["c-resunet"] = replace(
        systems["c-resunet"],
        subset=0,
        weight_maps=True,
        artifact_repeats=_ARTIFACT_REPEATS,
    )
    for name in ("attention-elu", "attention-relu", "attention-leaky-relu"):
        full = f"{name}-full"
        systems[full] = replace(systems[name], name=full, subset=0)
    for name in ("c-resunet", "attention-elu"):
        sgd = f"{name}-sgd"
        systems[sgd] = replace(systems[name], name=sgd, **_RELEASED_SGD)
    return systems


FLUORESCENT_CELLS = TrainConfig(
    name="fluorescent-cells",
    title="Fluorescent cells: neurons and nuclei",
    variant="c-resunet",
    scaling="adaptive",
    channels="brightest",
    diameter=18.0,
    crop_size=144,
    crop_step=108,
    samples=500,
    cell_repeats=4,
    artifact_repeats=4,
    shift=0.4,
    flip=True,
    zoom=1.25,
    rotation=180.0,
    elastic=1.4,
    brightness=1.15,
    noise=0.02,
    positive_weight=1.0,
    negative_weight=1.0,
    touching_weight=6.0,
    cross_entropy=0.5,
    dice=0.5,
    learning_rate=1e-3,
    epochs=60,
    schedule="decay",
    monitor="f1",
    averaging=0.998,
)
"""The recipe of the default model: losses after Clissa et al., many small crops."""

PRESETS: dict[str, TrainConfig] = {
    FLUORESCENT_CELLS.name: FLUORESCENT_CELLS,
    **_systems(),
}


def get_preset(name: str) -> TrainConfig:
    """Look settings up by the name of a system.

    Parameters
    ----------
    name : str
        A key of `PRESETS`: "fluorescent-cells", a variant, or a variant with "-full"
        (all crops) or "-sgd" (the released code's optimizer).

    Returns
    -------
    TrainConfig
        Its settings; change them with `dataclasses.replace`.

    Raises
    ------
    InputError
        If there is no such system; near matches are named.
    """
    if name in PRESETS:
        return PRESETS[name]
    near = get_close_matches(name, PRESETS, n=3, cutoff=0.5) or list(PRESETS)
    raise InputError(f"Unknown system {name!r}; did you mean {' or '.join(near)}?")


_CELLS_ACROSS = 4.5
"""Largest cells side by side in the smallest crop of a fine-tuning."""

_FINE_TUNING: dict[str, Any] = {
    # A third of what the recipe begins with: cells of another stain are learned within
    # some epochs, and the first batches do not wipe out what is known.
    "learning_rate": 1e-4,
    # 4000 crops: about a quarter of an hour on one core of a server.
    "epochs": 40,
    "samples": 100,
    # Half of the running mean is from about the last five epochs.
    "averaging": 0.99,
}


def fine_tuning(card: ModelCard, config: TrainConfig, *, start: str) -> TrainConfig:
    """Return settings for going on from a model.

    Parameters
    ----------
    card : ModelCard
        Of the model.
    config : TrainConfig
        Everything that the model does not decide.
    start : str
        Its name or file.

    Returns
    -------
    TrainConfig
        With the model's network, scaling, channels and cell diameters, crops that are
        not too small for its cells, a smaller learning rate, and shorter and fewer
        epochs.
    """
    # A crop must show a large cell and what is around it.
    least = round(_CELLS_ACROSS * card.diameters[1] / CROP_MULTIPLE) * CROP_MULTIPLE
    crop = max(config.crop_size, least)
    return replace(
        config,
        name=f"{card.name}-tuned",
        title="",
        start=start,
        variant=card.variant,
        scaling=card.scaling,
        channels=card.channels,
        diameter=float(card.diameter),
        largest_diameter=float(card.largest_diameter),
        crop_size=crop,
        crop_step=round(config.crop_step * crop / config.crop_size),
        license=card.license,
        citation=card.citation,
        **_FINE_TUNING,
    )

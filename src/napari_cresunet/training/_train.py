"""Training from arrays in one call."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_cresunet.datasets import Pair, pair_from_arrays, split_pairs
from napari_cresunet.errors import InputError
from napari_cresunet.inference import Model
from napari_cresunet.steps import Step, drain
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._loop import iter_train


def train(  # noqa: PLR0913  # the names are a contract
    config: TrainConfig,
    images: Sequence[Any],
    masks: Sequence[Any],
    *,
    validation_images: Sequence[Any] = (),
    validation_masks: Sequence[Any] = (),
    folder: str | Path | None = None,
    device: str = "auto",
    progress: Callable[[Step], object] | None = None,
) -> Model:
    """Train a network on images with true cells.

    Parameters
    ----------
    config : TrainConfig
        All settings; `training.get_preset` has those of the papers.
    images : sequence of array_like, each (Y, X) or (Y, X, 3)
        Of any real dtypes and sizes.
    masks : sequence of array_like, each (Y, X)
        Label images, in which touching cells have different values, or masks, in which
        they are one.
    validation_images, validation_masks : sequence of array_like, optional
        Images that decide which epoch was best. If there are none, the part
        `config.validation` of the images is held out.
    folder : str or Path, optional
        Receives settings, log, curves, checkpoints and the best model; an interrupted
        training in it goes on.
    device : str, optional
        "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:1", "mps".
    progress : callable, optional
        Called with a `TrainStep` after every batch.

    Returns
    -------
    Model
        The best one, ready for `predict`; `weights.save_weights` keeps it.

    Notes
    -----
    Images or settings that cannot be used are an `InputError`, a loss that is not a
    number, missing memory and a full disk an `EngineError`.

    See Also
    --------
    napari_cresunet.training.iter_train : The same step by step.
    """
    training = _pairs(images, masks, "image")
    validation = _pairs(validation_images, validation_masks, "validation image")
    if not validation:
        training, validation = split_pairs(
            training, validation=config.validation, seed=config.seed
        )
    steps = iter_train(config, training, validation, folder=folder, device=device)
    return drain(steps, progress)


def _pairs(images: Sequence[Any], masks: Sequence[Any], kind: str) -> list[Pair]:
    if len(images) != len(masks):
        raise InputError(
            f"There are {len(images)} {kind}s but {len(masks)} masks; give one mask "
            "for each image."
        )
    return [
        pair_from_arrays(f"{kind} {number}", image, mask)
        for number, (image, mask) in enumerate(zip(images, masks, strict=True), start=1)
    ]

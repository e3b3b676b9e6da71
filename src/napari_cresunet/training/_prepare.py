"""Images with truth, as tensors at the size at which a network learns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_cresunet._typing import Labels
from napari_cresunet.datasets import Pair
from napari_cresunet.errors import InputError
from napari_cresunet.inference import apply_scaling, measure_scaling, select_channels
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._memory import memory_told
from napari_cresunet.training._targets import parted_cells
from napari_cresunet.training._weight_maps import (
    PAPER_DIAMETER,
    clean_cells,
    weight_map,
)
from napari_cresunet.weights import zoom_into

PAPER_MATCH_DISTANCE = 40.0
"""Largest distance in px of matching centers at `PAPER_DIAMETER`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """An image with truth, resampled."""

    name: str
    image: Tensor
    """(1 or 3, Y, X) float16 in [0, 1]."""
    labels: Labels
    """(Y, X)."""
    weight: Tensor | None
    """(Y, X) float16 weight map, or None where classes have fixed weights."""
    share: float
    """How often it is drawn, relative to others."""
    diameter: float
    """Of its cells, in px of this sample."""
    match_distance: float
    """In px of this sample."""


def prepare(pairs: Sequence[Pair], config: TrainConfig, typical: float) -> list[Sample]:
    """Scale, resample and weigh all images.

    Parameters
    ----------
    pairs : sequence of Pair
        Images with truth, of any sizes.
    config : TrainConfig
        Says scaling, channels, cell diameter and weight maps.
    typical : float
        Diameter of a cell in px, for images that hold none.

    Returns
    -------
    list of Sample
        One for each pair.

    Notes
    -----
    Missing memory is an `EngineError`.
    """
    with memory_told(
        f"train on fewer images than {len(pairs)}, or give a smaller cell diameter"
    ):
        return [_prepare_one(pair, typical, config) for pair in pairs]


def typical_diameter(pairs: Sequence[Pair]) -> float:
    """Return the mean diameter of the cells in px, over the images that hold any.

    Parameters
    ----------
    pairs : sequence of Pair
        Images with truth.

    Returns
    -------
    float
        In px of the images.

    Raises
    ------
    InputError
        If there is none.
    """
    known = [size for size in map(_diameter_of, pairs) if size is not None]
    if not known:
        raise InputError(
            f"None of the {len(pairs)} truth images holds a cell; check that the masks "
            "belong to these images and are not black."
        )
    return float(np.mean(known))


def _diameter_of(pair: Pair) -> float | None:
    return pair.diameter if pair.cell_diameter is None else pair.cell_diameter


def _prepare_one(pair: Pair, typical: float, config: TrainConfig) -> Sample:
    diameter = _diameter_of(pair) or typical
    zoom = zoom_into(config.diameters, diameter) if config.diameters else 1.0
    labels = _resample_labels(pair.labels, zoom)
    image = _resample(_as_channels(pair.image, config), labels.shape)
    size = diameter * zoom
    weight = None
    if config.weight_maps:
        labels = clean_cells(labels, diameter=size)
        sigma = config.weight_sigma * size / PAPER_DIAMETER
        weight = torch.from_numpy(weight_map(_parted(labels), sigma=sigma)).half()
    distance = pair.match_distance or config.match_distance
    if not distance:
        distance = diameter * PAPER_MATCH_DISTANCE / PAPER_DIAMETER
    return Sample(
        name=pair.name,
        image=image.half(),
        labels=labels,
        weight=weight,
        share=pair.weight,
        diameter=size,
        match_distance=distance * zoom,
    )


def _parted(labels: Labels) -> Labels:
    """Take away where cells touch: that is background, and weighs most."""
    whole = torch.from_numpy(labels.astype(np.float32))[None, None]
    return np.where(parted_cells(whole)[0, 0].numpy() > 0, labels, 0)


def _as_channels(image: NDArray[np.generic], config: TrainConfig) -> Tensor:
    """Scale an image to [0, 1], channels first."""
    scaled = apply_scaling(image, measure_scaling(image, config.scaling))
    channels = scaled.transpose(2, 0, 1)[:3] if scaled.ndim == 3 else scaled[None]
    selected = select_channels(channels, config.channels)
    return torch.from_numpy(np.ascontiguousarray(selected))


def _resample(image: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Resample an image as `predict` does."""
    if image.shape[1:] == shape:
        return image
    return functional.interpolate(
        image[None], shape, mode="bilinear", antialias=True, align_corners=False
    )[0]


def _resample_labels(labels: Labels, zoom: float) -> Labels:
    """Resample a label image; a pixel takes the label at its center."""
    if zoom == 1:
        return labels
    shape = [max(1, round(side * zoom)) for side in labels.shape]
    rows, columns = (
        np.minimum(((np.arange(new) + 0.5) * (old / new)).astype(int), old - 1)
        for new, old in zip(shape, labels.shape, strict=True)
    )
    return np.ascontiguousarray(labels[np.ix_(rows, columns)])


def with_equal_channels(samples: Sequence[Sample]) -> list[Sample]:
    """Give all images three channels if one of them has three.

    Parameters
    ----------
    samples : sequence of Sample
        With one channel or three.

    Returns
    -------
    list of Sample
        All with one, or all with three.
    """
    channels = max(len(sample.image) for sample in samples)
    return [
        replace(sample, image=sample.image.expand(channels, -1, -1))
        for sample in samples
    ]

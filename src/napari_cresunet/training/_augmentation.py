"""Augmentation of a whole batch at once, on the device that trains.

Windows around the crops are cut from the images first; one resampling then shifts,
turns, mirrors, zooms and bends image, labels and weight map alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, radians, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._losses import class_weights
from napari_cresunet.training._memory import layout_for
from napari_cresunet.training._prepare import Sample
from napari_cresunet.training._targets import parted_cells, touching

ELASTIC_GRAIN = 4
"""The elastic deformation has this many waves along a crop's side at most."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the network sees and shall say."""

    image: Tensor
    """(N, 3, size, size) in [0, 1]."""
    target: Tensor
    """(N, 1, size, size): 1 in cells, 0 elsewhere and where two cells touch."""
    weight: Tensor
    """(N, 1, size, size): weight of each pixel in the cross-entropy."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Pixels around the crops of a batch, and how they are to be changed."""

    image: Tensor
    """(N, 1 or 3, side, side) float16."""
    labels: Tensor
    """(N, 1, side, side) float32; numbers of cells are exact below 2**24."""
    weight: Tensor | None
    """(N, 1, side, side) float16."""
    matrices: Tensor
    """(N, 2, 3): from the crop to its window."""
    bends: Tensor
    """(N, 2, g, g): displacement in parts of half a window, on a coarse grid."""
    light: Tensor
    """(N, 3): factor, factor of the contrast, standard deviation of the noise."""
    seed: int
    """Of the noise."""


def cut_windows(
    samples: Sequence[Sample],
    places: NDArray[np.intp],
    config: TrainConfig,
    rng: np.random.Generator,
) -> Windows:
    """Cut what the crops of a batch may need, and draw how they vary.

    Parameters
    ----------
    samples : sequence of Sample
        All of one number of channels.
    places : ndarray of int, shape (N, 3)
        Sample, first row and first column of each crop.
    config : TrainConfig
        How crops vary.
    rng : Generator
        Source of randomness; but for the noise all of it is used here.

    Returns
    -------
    Windows
        On the CPU.
    """
    side = window_side(config)
    shifts = rng.uniform(-1, 1, (len(places), 2)) * config.shift * config.crop_size
    starts = places[:, 1:] + np.round(shifts).astype(int)
    starts -= (side - config.crop_size) // 2
    chosen = [samples[index] for index in places[:, 0]]
    image, labels, weight = [], [], []
    for sample, (row, column) in zip(chosen, starts, strict=True):
        place = _Place(row, column, side, sample.labels.shape)
        image.append(place.cut(sample.image))
        part = place.cut(torch.from_numpy(sample.labels)[None])
        labels.append(part.float())
        if sample.weight is not None:
            weight.append(place.cut(sample.weight[None]))
    return Windows(
        torch.stack(image),
        torch.stack(labels),
        torch.stack(weight) if weight else None,
        _matrices(len(places), side, config, rng),
        _bends(len(places), side, config, rng),
        _light(len(places), config, rng),
        int(rng.integers(2**31)),
    )


class _Place:
    """A square of an image, mirrored where it reaches beyond."""

    def __init__(
        self, row: int, column: int, side: int, shape: tuple[int, ...]
    ) -> None:
        self.starts, self.side, self.shape = (row, column), side, shape
        self.is_inside = all(
            0 <= start <= length - side
            for start, length in zip(self.starts, shape, strict=True)
        )

    def cut(self, values: Tensor) -> Tensor:
        """Return the square of an array of shape (C, Y, X)."""
        if self.is_inside:
            row, column = self.starts
            return values[:, row : row + self.side, column : column + self.side]
        rows, columns = (
            torch.from_numpy(mirrored(start, self.side, length))
            for start, length in zip(self.starts, self.shape, strict=True)
        )
        # One axis after the other: twice as fast as both at once.
        return values.index_select(1, rows).index_select(2, columns)


def window_side(config: TrainConfig) -> int:
    """Return the side of what a crop may need, when turned, zoomed and bent."""
    side = config.crop_size * config.zoom
    if config.rotation:
        side *= sqrt(2)
    return ceil(side / 2 + 3 * config.elastic) * 2


def mirrored(start: int, length: int, size: int) -> NDArray[np.intp]:
    """Return `length` positions from `start` on an axis mirrored at both ends.

    Parameters
    ----------
    start, length, size : int
        First position, number of positions, length of the axis.

    Returns
    -------
    ndarray of int, shape (length,)
        In [0, size); the border is not repeated.

    Examples
    --------
    >>> mirrored(-2, 7, 4).tolist()
    [2, 1, 0, 1, 2, 3, 2]
    """
    if size == 1:
        return np.zeros(length, np.intp)
    position = np.arange(start, start + length) % (2 * size - 2)
    return np.minimum(position, 2 * size - 2 - position)


def _matrices(
    n: int, side: int, config: TrainConfig, rng: np.random.Generator
) -> Tensor:
    """Turn, mirror and zoom: from a crop's coordinates to its window's, in [-1, 1]."""
    angle = rng.uniform(-1, 1, n) * radians(config.rotation)
    zoom = np.exp(rng.uniform(-1, 1, n) * log(config.zoom))
    flips = rng.choice([-1.0, 1.0], (2, n)) if config.flip else np.ones((2, n))
    scale = config.crop_size / side / zoom
    cos, sin, none = np.cos(angle) * scale, np.sin(angle) * scale, np.zeros(n)
    matrix = np.array(
        [
            [cos * flips[0], -sin * flips[1], none],
            [sin * flips[0], cos * flips[1], none],
        ]
    )
    return torch.from_numpy(matrix.transpose(2, 0, 1).astype(np.float32))


def _bends(n: int, side: int, config: TrainConfig, rng: np.random.Generator) -> Tensor:
    """Draw random displacements on a coarse grid."""
    if not config.elastic:
        return torch.zeros(n, 2, 1, 1)
    grain = ELASTIC_GRAIN + 3
    drawn = rng.standard_normal((n, 2, grain, grain)).astype(np.float32)
    return torch.from_numpy(drawn) * (2 * config.elastic / side)


def _light(n: int, config: TrainConfig, rng: np.random.Generator) -> Tensor:
    """Draw factors of brightness and contrast, and the strength of the noise."""
    factors = [
        np.exp(rng.uniform(-1, 1, n) * log(limit))
        for limit in (config.brightness, config.contrast)
    ]
    strength = rng.uniform(0, 1, n) * config.noise
    return torch.from_numpy(np.stack([*factors, strength], axis=1).astype(np.float32))


def augment(windows: Windows, config: TrainConfig, device: str) -> Batch:
    """Change the windows as drawn and cut the crops, on a device.

    Parameters
    ----------
    windows : Windows
        From `cut_windows`.
    config : TrainConfig
        How crops vary.
    device : str
        Where to compute.

    Returns
    -------
    Batch
        On the device.
    """

    def moved(values: Tensor) -> Tensor:
        return values.to(device, non_blocking=True)

    image = moved(windows.image).float()
    labels = moved(windows.labels)
    weight = None if windows.weight is None else moved(windows.weight).float()
    if not _stays_in_place(config):
        grid = _grid(moved(windows.matrices), moved(windows.bends), config)
        image = _sampled(image, grid, "bilinear")
        labels = _sampled(labels, grid, "nearest")
        weight = None if weight is None else _sampled(weight, grid, "bilinear")
    image = _relit(image, moved(windows.light), windows.seed, config)
    target = parted_cells(labels)
    if weight is None:
        weight = class_weights(target, config.positive_weight, config.negative_weight)
    if config.touching_weight > 1:
        weight = weight * (1 + (config.touching_weight - 1) * touching(labels, target))
    image = image.expand(-1, 3, -1, -1).contiguous(memory_format=layout_for(device))
    return Batch(image, target, weight)


def _stays_in_place(config: TrainConfig) -> bool:
    """Tell whether crops are taken as they lie, but for a shift by whole pixels."""
    return config.zoom == 1 and not (config.flip or config.rotation or config.elastic)


def _grid(matrices: Tensor, bends: Tensor, config: TrainConfig) -> Tensor:
    """Return where each pixel of the crops is taken from in the windows."""
    size = config.crop_size
    shape = [len(matrices), 1, size, size]
    grid = functional.affine_grid(matrices, shape, align_corners=False)
    if not config.elastic:
        return grid
    bend = functional.interpolate(
        bends, (size, size), mode="bicubic", align_corners=True
    )
    return grid + bend.permute(0, 2, 3, 1)


def _sampled(values: Tensor, grid: Tensor, mode: str) -> Tensor:
    return functional.grid_sample(
        values, grid, mode=mode, padding_mode="reflection", align_corners=False
    )


def _relit(image: Tensor, light: Tensor, seed: int, config: TrainConfig) -> Tensor:
    """Change brightness and contrast, add noise."""
    factor, contrast, strength = light.T[..., None, None, None]
    image = image * factor
    if config.contrast > 1:
        mean = image.mean(dim=(2, 3), keepdim=True)
        image = mean + (image - mean) * contrast
    if config.noise:
        generator = torch.Generator(image.device).manual_seed(seed)
        image = image + strength * torch.randn(
            image.shape, generator=generator, device=image.device
        )
    return image.clamp(0, 1)

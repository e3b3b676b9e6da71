"""Random crops, turned and zoomed, with training targets that part touching cells."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_cresunet.config import Options, option


@dataclass(frozen=True, kw_only=True, slots=True)
class CropOptions(Options):
    """How crops vary."""

    size: int = option(192, "Side of a crop.", unit="px", low=32)
    zoom: float = option(
        1.6, "A crop is zoomed by a factor between 1/zoom and zoom.", low=1, high=8
    )
    gain: float = option(
        1.25, "Brightness is multiplied by between 1/gain and gain.", low=1, high=10
    )
    recolor: float = option(
        0.3, "Share of crops whose colors are permuted or made gray.", low=0, high=1
    )
    at_artifact: float = option(
        0.0,
        "Share of crops around bright background, such as artifacts.",
        low=0,
        high=1,
    )
    noise: float = option(0.01, "Largest noise added, of the full range.", low=0)


def random_crop(
    image: Tensor, labels: Tensor, options: CropOptions, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Cut one crop: moved, turned, flipped, zoomed, brightened, recolored.

    Parameters
    ----------
    image : Tensor of shape (3, Y, X), float32
        Scaled to [0, 1].
    labels : Tensor of shape (Y, X), float32
        Label image.
    options : CropOptions
        How crops vary.
    rng : Generator
        Source of randomness.

    Returns
    -------
    image : Tensor of shape (3, size, size)
        The crop.
    target : Tensor of shape (1, size, size)
        1 in cells, 0 in background and where two cells meet.
    """
    row, column = _random_center(image, labels, options, rng)
    grid = _random_grid(labels, (row, column), options, rng)
    crop = functional.grid_sample(
        image[None], grid, padding_mode="reflection", align_corners=False
    )[0]
    cut = functional.grid_sample(
        labels[None, None],
        grid,
        mode="nearest",
        padding_mode="reflection",
        align_corners=False,
    )[0]
    return _vary_light(crop, options, rng), parted_cells(cut)


def _random_center(
    image: Tensor, labels: Tensor, options: CropOptions, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a place near a cell, near bright background, or anywhere."""
    height, width = labels.shape
    anywhere = rng.uniform(0, height), rng.uniform(0, width)
    kind = rng.random()
    if kind < options.at_artifact:
        light = image.amax(0).masked_fill(labels > 0, 0)
        wanted = light > 0.5 * light.max()
    elif kind < (1 + options.at_artifact) / 2:
        wanted = labels > 0
    else:
        return anywhere
    places = torch.nonzero(wanted)
    if not len(places):
        return anywhere
    row, column = places[rng.integers(len(places))].tolist()
    spread = 0.4 * options.size
    return row + rng.uniform(-spread, spread), column + rng.uniform(-spread, spread)


def _random_grid(
    labels: Tensor,
    center: tuple[float, float],
    options: CropOptions,
    rng: np.random.Generator,
) -> Tensor:
    """Return sampling positions around a place, turned, flipped and zoomed."""
    height, width = labels.shape
    row, column = center
    angle = rng.uniform(0, 2 * np.pi)
    scale = options.size / float(np.exp(rng.uniform(-1, 1) * np.log(options.zoom)))
    flip = rng.choice([-1.0, 1.0])
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = [
        [cos * flip / width, -sin / width, 2 * column / width - 1],
        [sin * flip / height, cos / height, 2 * row / height - 1],
    ]
    shape = [1, 1, options.size, options.size]
    return functional.affine_grid(
        torch.tensor([matrix], dtype=torch.float32), shape, align_corners=False
    )


def parted_cells(labels: Tensor) -> Tensor:
    """Return 1 in cells and 0 elsewhere, with a gap where two cells touch.

    Parameters
    ----------
    labels : Tensor of shape (1, Y, X), float32
        Label image.

    Returns
    -------
    Tensor of shape (1, Y, X), float32
        The target of a network that shall tell touching cells apart.
    """
    highest = functional.max_pool2d(labels, 3, stride=1, padding=1)
    missing = labels == 0
    far = labels.masked_fill(missing, float("inf"))
    lowest = -functional.max_pool2d(-far, 3, stride=1, padding=1)
    return (~missing & (highest == lowest)).to(torch.float32)


def _vary_light(crop: Tensor, options: CropOptions, rng: np.random.Generator) -> Tensor:
    """Change brightness and color, add noise."""
    crop = crop * float(np.exp(rng.uniform(-1, 1) * np.log(options.gain)))
    choice = rng.random()
    if choice < options.recolor / 2:
        crop = crop[torch.from_numpy(rng.permutation(3))]
    elif choice < options.recolor:
        crop = crop.amax(0, keepdim=True).expand(3, -1, -1)
    if options.noise:
        seed = int(rng.integers(2**31))
        noise = torch.randn(crop.shape, generator=torch.Generator().manual_seed(seed))
        crop = crop + noise * rng.uniform(0, options.noise)
    return crop.clamp(0, 1)

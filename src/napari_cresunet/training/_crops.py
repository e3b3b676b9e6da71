"""Where crops lie, how often each is drawn, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_cresunet._typing import Labels
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._prepare import Sample

ARTIFACT_AREA = 0.1
"""An artifact has at least this part of a cell's area."""


@dataclass(frozen=True, slots=True)
class Crops:
    """All crops of all samples."""

    places: NDArray[np.intp]
    """(N, 3): sample, first row, first column."""
    shares: NDArray[np.float64]
    """(N,) how often each is drawn, relative to others; integers are repeats."""


def grid_starts(length: int, size: int, step: int) -> list[int]:
    """Return where crops begin along one axis.

    Parameters
    ----------
    length, size, step : int
        Length of the axis, side of a crop, distance between crops, in px.

    Returns
    -------
    list of int
        0, step, 2 step and so on; the last crop ends where the image does. Where the
        image is smaller than a crop, one crop is centered on it.

    Examples
    --------
    >>> grid_starts(1600, 512, 400), grid_starts(1200, 512, 400)
    ([0, 400, 800, 1088], [0, 400, 688])
    """
    last = length - size
    if last <= 0:
        return [last // 2]
    return [*range(0, last, step), last]


def find_crops(samples: Sequence[Sample], config: TrainConfig) -> Crops:
    """Lay a grid of crops over every sample and say how often each is drawn.

    Parameters
    ----------
    samples : sequence of Sample
        Prepared images.
    config : TrainConfig
        Size, step and repeats of crops.

    Returns
    -------
    Crops
        Of all samples. A crop with cells counts `cell_repeats`, one with an artifact
        `artifact_repeats` times, one with both the larger number, each times the share
        of its sample.
    """
    places, shares = [], []
    size = config.crop_size
    for index, sample in enumerate(samples):
        is_artifact = None
        if config.artifact_repeats > 1:
            is_artifact = find_artifacts(sample)
        rows, columns = (
            grid_starts(side, size, config.crop_step) for side in sample.labels.shape
        )
        for row in rows:
            for column in columns:
                part = np.s_[max(row, 0) : row + size, max(column, 0) : column + size]
                times = 1
                if sample.labels[part].any():
                    times = config.cell_repeats
                if is_artifact is not None and is_artifact[part].any():
                    times = max(times, config.artifact_repeats)
                places.append((index, row, column))
                shares.append(times * sample.share)
    crops = Crops(np.array(places, np.intp), np.array(shares, np.float64))
    return _subset(crops, config) if 0 < config.subset < len(places) else crops


def _subset(crops: Crops, config: TrainConfig) -> Crops:
    """Choose crops once and for all."""
    rng = np.random.default_rng(config.seed)
    kept = np.sort(rng.choice(len(crops.places), config.subset, replace=False))
    return Crops(crops.places[kept], crops.shares[kept])


def find_artifacts(sample: Sample) -> NDArray[np.bool_]:
    """Find bright structures that are no cells.

    Parameters
    ----------
    sample : Sample
        A prepared image.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        True in connected regions of background, at least a tenth of a cell large, that
        are brighter than half of the image's cells, or, where it has none, than 4
        robust standard deviations above its median. A rim of a fifth of a diameter
        around each cell is left out, for cells are drawn tightly.
    """
    light = sample.image.float().amax(0).numpy()
    light = ndimage.gaussian_filter(light, 0.1 * sample.diameter)
    numbers = np.unique(sample.labels)
    numbers = numbers[numbers > 0]
    if len(numbers):
        means = ndimage.mean(light, sample.labels, numbers)
        level = float(np.median(means))
    else:
        middle = float(np.median(light))
        spread = 1.4826 * float(np.median(np.abs(light - middle)))
        level = middle + max(4 * spread, 0.05)
    rim = max(1, round(0.2 * sample.diameter))
    near = _dilated(sample.labels, rim)
    return _large_parts((light > level) & ~near, ARTIFACT_AREA * sample.diameter**2)


def _dilated(labels: Labels, reach: int) -> NDArray[np.bool_]:
    if not labels.any():
        return np.zeros(labels.shape, bool)
    near: NDArray[np.bool_] = ndimage.distance_transform_edt(labels == 0) <= reach
    return near


def _large_parts(mask: NDArray[np.bool_], area: float) -> NDArray[np.bool_]:
    parts, _ = ndimage.label(mask)
    is_large = np.bincount(parts.flat) >= area
    is_large[0] = False
    large: NDArray[np.bool_] = is_large[parts]
    return large


def draw_epoch(
    crops: Crops, samples: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the order of crops in one epoch.

    Parameters
    ----------
    crops : Crops
        All crops.
    samples : int
        How many to draw, with the crops' shares; 0 takes each as often as its share
        says, rounded, at least once.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of int, shape (n,)
        Indices into `crops.places`, shuffled. A crop is drawn again only after all
        others of the same share were.
    """
    shares = crops.shares
    if not samples:
        times = np.maximum(1, np.round(shares / shares.min())).astype(int)
        return rng.permutation(np.repeat(np.arange(len(shares)), times))
    # Systematic sampling: evenly spaced points on the summed shares, in random order.
    order = rng.permutation(len(shares))
    summed = np.cumsum(shares[order])
    points = (rng.random() + np.arange(samples)) * (summed[-1] / samples)
    drawn = np.searchsorted(summed, points, side="right")
    return rng.permutation(order[np.minimum(drawn, len(shares) - 1)])

"""The reference pipeline: plain torch, then scikit-image calls one after another.

What a careful person writes first, all of it on the whole image. The tests take it as
their oracle, the benchmarks as their unit.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image, Labels, Probability

if TYPE_CHECKING:
    from torch import nn

    from napari_cresunet.weights import ModelCard

TIE_BREAK = 1e-6


def reference_probability(
    image: Image, network: "nn.Module", card: "ModelCard", device: str = "cpu"
) -> Probability:
    """Predict the whole image at once, eagerly, in float32.

    Parameters
    ----------
    image : ndarray of shape (Y, X) or (Y, X, 3)
        The image; it is not resampled.
    network : Module
        In evaluation mode, on `device`, its weights contiguous.
    card : ModelCard
        Says how the pixels are scaled and which channels the network sees.
    device : str, optional
        Where the network is.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Probability of "cell".
    """
    import torch

    from napari_cresunet.inference import (
        apply_scaling,
        measure_scaling,
        select_channels,
    )

    height, width = image.shape[:2]
    stride: int = network.stride  # type: ignore[assignment]  # a plain number there
    scaling = measure_scaling(image, card.scaling, rgb=image.ndim == 3)
    pixels = np.atleast_3d(image).transpose(2, 0, 1)
    channels = select_channels(apply_scaling(pixels, scaling), card.channels)
    beyond = ((0, 0), (0, -height % stride), (0, -width % stride))
    padded = np.pad(channels, beyond, mode="symmetric")
    batch = torch.from_numpy(padded).to(device).expand(3, -1, -1)[None]
    cudnn = torch.backends.cudnn
    # TF32 is what torch takes by itself on recent GPUs, but it is not float32.
    with torch.inference_mode(), cudnn.flags(enabled=True, allow_tf32=False):
        output = network(batch.contiguous())[0, 0, :height, :width]
        probability: Probability = output.cpu().numpy()
    return probability


def tashfeen2025(
    probability: NDArray[Any],
    threshold: float,
    min_size: int = 40,
    min_distance: int = 10,
    *,
    ties: bool = True,
) -> Labels:
    """Threshold, clean, split by the maxima of the distance, number.

    Parameters
    ----------
    probability : ndarray of shape (Y, X)
        Probability of "cell".
    threshold : float
        Cell where the probability is greater.
    min_size : int, optional
        Smallest cell in px.
    min_distance : int, optional
        px between the centers of touching cells.
    ties : bool, optional
        Whether equally low markers are taken in a defined order.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Labels 1..N.
    """
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    mask = clean(probability > threshold, 64, min_size)
    if mask.all() or not mask.any():
        return mask.astype(np.int32)
    distance = ndimage.distance_transform_edt(mask)
    components = ndimage.label(mask)[0]
    peaks = peak_local_max(
        distance, min_distance=min_distance, labels=components, exclude_border=False
    )
    is_marker = np.zeros(mask.shape, dtype=bool)
    is_marker[tuple(peaks.T)] = True
    markers = ndimage.label(is_marker)[0]
    surface = break_ties(-distance, markers) if ties else -distance
    return number(watershed(surface, markers, mask=mask))


def morelli2021(
    probability: NDArray[Any],
    threshold: float,
    min_size: int = 200,
    *,
    ties: bool = True,
) -> Labels:
    """Do the same in the way of the code that Morelli et al. released.

    Parameters
    ----------
    probability, threshold, min_size, ties
        As for `tashfeen2025`.

    Returns
    -------
    ndarray of int32, shape (Y, X)
        Labels 1..N.
    """
    from scipy import ndimage
    from skimage.morphology import remove_small_objects
    from skimage.segmentation import watershed

    mask = clean(probability > threshold, 600, min_size)
    if mask.all() or not mask.any():
        return mask.astype(np.int32)
    distance = ndimage.distance_transform_edt(mask)
    smooth = ndimage.maximum_filter(distance, size=30, mode="constant") * mask
    highest = ndimage.maximum_filter(
        smooth, footprint=np.ones((40, 40)), mode="constant"
    )
    maxima = (smooth == highest) & (smooth > 0) & mask
    maxima = remove_small_objects(maxima, max_size=24, connectivity=1)
    markers = ndimage.label(maxima)[0]
    surface = break_ties(-distance, markers) if ties else -distance
    labels = watershed(surface, markers, mask=mask, compactness=1, watershed_line=True)
    return number(labels)


PIPELINES = {"tashfeen2025": tashfeen2025, "morelli2021": morelli2021}
"""By the names of the presets."""


def clean(mask: NDArray[np.bool_], hole_size: int, min_size: int) -> NDArray[np.bool_]:
    """Fill holes and remove objects that are smaller than so many px."""
    from skimage.morphology import remove_small_holes, remove_small_objects

    if not mask.any():
        return mask
    mask = remove_small_holes(mask, max_size=hole_size - 1, connectivity=1)
    cleaned: NDArray[np.bool_] = remove_small_objects(
        mask, max_size=max(min_size - 1, 0), connectivity=1
    )
    return cleaned


def break_ties(surface: NDArray[Any], markers: NDArray[Any]) -> NDArray[Any]:
    """Lower marker pixels by less than distances can differ, the first one most."""
    # scikit-image leaves the order of equally low markers to the layout of its heap.
    surface = surface.copy()
    is_marker = markers > 0
    count = int(np.count_nonzero(is_marker))
    surface[is_marker] -= TIE_BREAK * np.arange(count, 0, -1) / max(count, 1)
    return surface


def number(labels: NDArray[Any]) -> Labels:
    """Number objects by their first pixel."""
    values, first = np.unique(labels.ravel(), return_index=True)
    first = first[values > 0]
    values = values[values > 0]
    ranks = np.zeros(labels.max() + 1, dtype=np.int32)
    ranks[values[np.argsort(first)]] = np.arange(1, len(values) + 1)
    numbered: Labels = ranks[labels]
    return numbered

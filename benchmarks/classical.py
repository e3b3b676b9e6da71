"""Ways to find cells without a network, each with one setting to be tuned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from image_sets import Case
from scipy import ndimage
from skimage.feature import blob_log
from skimage.filters import threshold_otsu

from napari_cresunet import Scores, aggregate, evaluate, segment
from napari_cresunet.inference import apply_scaling, measure_scaling

N_TUNING = 31
"""Images that a method is tuned on: all of fnc_small's."""
MIN_AREA, MIN_DISTANCE = 0.1, 0.5
"""Smallest object in parts of a cell's area, smallest distance in diameters."""

Method = Callable[[Case, float], np.ndarray]
"""From an image and a setting to labels."""


def brightness(case: Case) -> np.ndarray:
    """Return the largest channel, scaled as for the network, slightly smoothed."""
    scaled = apply_scaling(case.image, measure_scaling(case.image, "adaptive"))
    gray = scaled.max(axis=-1) if scaled.ndim == 3 else scaled
    return ndimage.gaussian_filter(gray.astype(np.float32), 0.05 * case.diameter)


def thresholded(case: Case, threshold: float) -> np.ndarray:
    """Find cells by a global threshold with watershed."""
    area = np.pi / 4 * case.diameter**2
    return segment(
        brightness(case),
        threshold=min(max(threshold, 0), 1),
        min_size=max(1, round(MIN_AREA * area)),
        min_distance=max(1, round(MIN_DISTANCE * case.diameter)),
    )


def otsu(case: Case, _: float) -> np.ndarray:
    """Find cells by Otsu's threshold with watershed."""
    return thresholded(case, float(threshold_otsu(brightness(case))))


def blobs(case: Case, threshold: float) -> np.ndarray:
    """Find Laplacian-of-Gaussian blobs of the size of a cell; each is one pixel."""
    sigma = case.diameter / 2 / np.sqrt(2)
    found = blob_log(
        brightness(case),
        min_sigma=0.6 * sigma,
        max_sigma=1.3 * sigma,
        num_sigma=4,
        threshold=threshold,
    )
    labels = np.zeros(case.labels.shape, np.int32)
    rows, columns = np.round(found[:, :2]).astype(int).T
    labels[rows, columns] = np.arange(1, len(found) + 1)
    return labels


METHODS: dict[str, tuple[Method, Sequence[float]]] = {
    "Otsu + watershed": (otsu, [0.0]),
    "tuned threshold + watershed": (thresholded, np.linspace(0.02, 0.7, 35).tolist()),
    "LoG blobs": (blobs, np.geomspace(0.01, 0.5, 10).tolist()),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a method makes of the test images."""

    name: str
    setting: float
    labels: list[np.ndarray]


def score(labels: np.ndarray, case: Case) -> Scores:
    """Return the scores of one image."""
    return evaluate(labels, case.labels, max_distance=case.match_distance)


def tuned(method: Method, settings: Sequence[float], tuning: list[Case]) -> float:
    """Return the setting with the highest F1."""
    if len(settings) == 1:
        return settings[0]

    def f1(setting: float) -> float:
        scores = [score(method(case, setting), case) for case in tuning]
        return np.nan_to_num(aggregate(scores).f1)

    return max(settings, key=f1)


def iter_methods(tuning: list[Case], images: list[Case]) -> Iterator[Found]:
    """Tune each method on some images and let it find the cells of others."""
    for name, (method, settings) in METHODS.items():
        best = tuned(method, settings, tuning[:N_TUNING])
        labels = [method(case, best) for case in images]
        yield Found(name=name, setting=best, labels=labels)

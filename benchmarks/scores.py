"""Score the bundled model and three classical methods on the test images.

    python benchmarks/scores.py DATA [--model NAME] [--split test] [--without-diameter]

Prints a Markdown table for each image set: bbbc039, dsb2018_fluo, fnc_small, synthetic.
Each classical method has its setting chosen on training and validation images of the
set; the model has one setting for all, from its card. With --card FILE the model's F1
is written into the card of that weight file.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from image_sets import Case, cases
from scipy import ndimage
from skimage.feature import blob_log
from skimage.filters import threshold_otsu

from napari_cresunet import Scores, aggregate, evaluate, load_model, predict, segment
from napari_cresunet.inference import apply_scaling, measure_scaling
from napari_cresunet.weights import load_network, save_weights

SETS = ("bbbc039", "dsb2018_fluo", "fnc_small", "synthetic")
N_TUNING = 31
"""Images that the classical methods are tuned on: all of fnc_small's."""
MIN_AREA, MIN_DISTANCE = 0.1, 0.5
"""Smallest object in parts of a cell's area, smallest distance in diameters."""

Method = Callable[[Case, float], Scores]


def brightness(case: Case) -> np.ndarray:
    """Return the largest channel, scaled as for the network, slightly smoothed."""
    scaled = apply_scaling(case.image, measure_scaling(case.image, "adaptive"))
    gray = scaled.max(axis=-1) if scaled.ndim == 3 else scaled
    return ndimage.gaussian_filter(gray.astype(np.float32), 0.05 * case.diameter)


def thresholded(case: Case, threshold: float) -> Scores:
    """Return the scores of a global threshold with watershed."""
    area = np.pi / 4 * case.diameter**2
    labels = segment(
        brightness(case),
        threshold=min(max(threshold, 0), 1),
        min_size=max(1, round(MIN_AREA * area)),
        min_distance=max(1, round(MIN_DISTANCE * case.diameter)),
    )
    return evaluate(labels, case.labels, max_distance=case.match_distance)


def otsu(case: Case, _: float) -> Scores:
    """Return the scores of Otsu's threshold with watershed."""
    return thresholded(case, float(threshold_otsu(brightness(case))))


def blobs(case: Case, threshold: float) -> Scores:
    """Return the scores of Laplacian-of-Gaussian blobs of the size of a cell."""
    sigma = case.diameter / 2 / np.sqrt(2)
    found = blob_log(
        brightness(case),
        min_sigma=0.6 * sigma,
        max_sigma=1.3 * sigma,
        num_sigma=4,
        threshold=threshold,
    )
    return evaluate_points(found[:, :2], case)


def evaluate_points(points: np.ndarray, case: Case) -> Scores:
    """Compare found points with the truth by drawing each as a one-pixel object."""
    labels = np.zeros(case.labels.shape, np.int32)
    rows, columns = np.round(points).astype(int).T
    labels[rows, columns] = np.arange(1, len(points) + 1)
    return evaluate(labels, case.labels, max_distance=case.match_distance)


def tuned(method: Method, settings: Sequence[float], training: list[Case]) -> float:
    """Return the setting with the highest F1 on the training images."""

    def f1(setting: float) -> float:
        scores = [method(case, setting) for case in training]
        return np.nan_to_num(aggregate(scores).f1)

    return max(settings, key=f1)


CLASSICAL: dict[str, tuple[Method, Sequence[float]]] = {
    "Otsu + watershed": (otsu, [0.0]),
    "tuned threshold + watershed": (thresholded, np.linspace(0.02, 0.7, 35).tolist()),
    "LoG blobs": (blobs, np.geomspace(0.01, 0.5, 10).tolist()),
}


def network_scores(name: str, images: list[Case], *, resample: bool) -> list[Scores]:
    """Return the scores of a model with the settings of its card."""
    model = load_model(name, device="cpu")
    scores = []
    for case in images:
        diameter = case.diameter if resample else None
        labels = segment(
            predict(case.image, model, diameter=diameter),
            threshold=model.card.threshold,
            min_size=model.card.min_size_at(case.diameter),
            min_distance=model.card.min_distance_at(case.diameter),
        )
        scores.append(evaluate(labels, case.labels, max_distance=case.match_distance))
    return scores


def row(name: str, scores: Scores) -> str:
    """Return a row of the table."""
    ratios = (scores.f1, scores.precision, scores.recall, scores.accuracy)
    errors = f"{scores.mae:.2f} | {scores.medae:.1f} | {scores.mpe:+.3f}"
    return f"| {name} | {' | '.join(f'{x:.3f}' for x in ratios)} | {errors} |"


HEADER = """| method | F1 | precision | recall | accuracy | MAE | MedAE | MPE |
|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="simple-c-resunet")
    parser.add_argument("--split", default="test", choices=["val", "test"])
    parser.add_argument("--without-diameter", action="store_true")
    parser.add_argument("--card", type=Path, help="weight file to write the F1 into")
    arguments = parser.parse_args()
    reached: dict[str, float] = {}
    for kind in SETS:
        images = list(cases(kind, arguments.split, arguments.data))
        cells = sum(int(case.labels.max()) for case in images)
        print(f"\n### {kind}: {len(images)} {arguments.split} images, {cells} cells\n")
        print(HEADER)
        pooled = aggregate(
            network_scores(
                arguments.model, images, resample=not arguments.without_diameter
            )
        )
        print(row(arguments.model, pooled), flush=True)
        reached[f"{arguments.split} F1, {kind}"] = round(pooled.f1, 4)
        tuning = list(cases(kind, "val", arguments.data))
        if kind != "synthetic":
            tuning += cases(kind, "train", arguments.data)
        tuning = tuning[:N_TUNING]
        for name, (method, settings) in CLASSICAL.items():
            best = tuned(method, settings, tuning) if len(settings) > 1 else settings[0]
            pooled = aggregate([method(case, best) for case in images])
            print(row(name, pooled), flush=True)
    if arguments.card:
        card, network = load_network(arguments.card)
        card = replace(card, scores={**card.scores, **reached})
        save_weights(arguments.card, network, card)


if __name__ == "__main__":
    main()

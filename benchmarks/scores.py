"""Score the bundled model and three classical methods on the test images.

    python benchmarks/scores.py DATA [--model NAME] [--split test] [--without-diameter]

Prints a Markdown table for each image set: bbbc039, dsb2018_fluo, fnc_small, synthetic.
Each classical method has its setting chosen on training and validation images of the
set; the model has one setting for all, from its card. With --card FILE the model's F1
is written into the card of that weight file.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from classical import Found, iter_methods, score
from image_sets import SETS, Case, cases

from napari_cresunet import Model, Scores, aggregate, load_model, predict, segment
from napari_cresunet.weights import DEFAULT_MODEL, load_network, save_weights


def labels_of(model: Model, case: Case, *, resample: bool) -> np.ndarray:
    """Return what a model finds with the settings of its card."""
    card = model.card
    return segment(
        predict(case.image, model, diameter=case.diameter if resample else None),
        threshold=card.threshold,
        min_size=card.min_size_at(case.diameter),
        min_distance=card.min_distance_at(case.diameter),
    )


def found_by(name: str, images: list[Case], *, resample: bool) -> Found:
    """Return what a model finds in all images."""
    model = load_model(name, device="cpu")
    labels = [labels_of(model, case, resample=resample) for case in images]
    return Found(name=model.card.name, setting=model.card.threshold, labels=labels)


def overlapping(labels: np.ndarray, truth: np.ndarray) -> int:
    """Count pairs of an object and a true cell whose IoU is above 0.5.

    No object and no cell can be in two of them.
    """
    both = (labels > 0) & (truth > 0)
    pairs, common = np.unique([labels[both], truth[both]], axis=1, return_counts=True)
    objects, cells = np.bincount(labels.ravel()), np.bincount(truth.ravel())
    union = objects[pairs[0]] + cells[pairs[1]] - common
    return int(np.count_nonzero(2 * common > union))


def f1_of_outlines(found: list[np.ndarray], images: list[Case]) -> float:
    """Return F1 where a pair needs an IoU above 0.5, over all images."""
    pairs = both = 0
    for labels, case in zip(found, images, strict=True):
        pairs += overlapping(labels, case.labels)
        both += int(labels.max()) + int(case.labels.max())
    return 2 * pairs / both


def row(found: Found, images: list[Case]) -> tuple[Scores, str]:
    """Return the pooled scores and a row of the table."""
    scores = [score(*both) for both in zip(found.labels, images, strict=True)]
    pooled = aggregate(scores)
    ratios = (pooled.f1, pooled.precision, pooled.recall, pooled.accuracy)
    empty = [
        int(labels.max())
        for labels, case in zip(found.labels, images, strict=True)
        if not case.labels.any()
    ]
    cells = [
        found.name,
        *(f"{value:.3f}" for value in ratios),
        *(f"{pooled.mae:.2f}", f"{pooled.medae:.1f}", f"{pooled.mpe:+.3f}"),
        "–" if "blobs" in found.name else f"{f1_of_outlines(found.labels, images):.3f}",
        f"{np.mean(empty):.1f}" if empty else "–",
    ]
    return pooled, f"| {' | '.join(cells)} |"


COLUMNS = (
    *("method", "F1", "precision", "recall", "accuracy", "MAE", "MedAE", "MPE"),
    *("F1 at IoU 0.5", "false cells per empty image"),
)
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def tuning_images(kind: str, data: Path) -> list[Case]:
    """Return the images that classical methods are tuned on."""
    tuning = list(cases(kind, "val", data))
    return tuning if kind == "synthetic" else tuning + list(cases(kind, "train", data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
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
        resample = not arguments.without_diameter
        found = found_by(arguments.model, images, resample=resample)
        pooled, text = row(found, images)
        print(text, flush=True)
        reached[f"{arguments.split} F1, {kind}"] = round(pooled.f1, 4)
        for found in iter_methods(tuning_images(kind, arguments.data), images):
            print(row(found, images)[1], flush=True)
    if arguments.card:
        card, network = load_network(arguments.card)
        card = replace(card, scores={**card.scores, **reached})
        save_weights(arguments.card, network, card)


if __name__ == "__main__":
    main()

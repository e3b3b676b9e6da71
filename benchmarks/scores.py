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

from classical import iter_methods, score
from image_sets import SETS, Case, cases

from napari_cresunet import Scores, aggregate, load_model, predict, segment
from napari_cresunet.weights import load_network, save_weights


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
        scores.append(score(labels, case))
    return scores


def row(name: str, scores: Scores) -> str:
    """Return a row of the table."""
    ratios = (scores.f1, scores.precision, scores.recall, scores.accuracy)
    errors = f"{scores.mae:.2f} | {scores.medae:.1f} | {scores.mpe:+.3f}"
    return f"| {name} | {' | '.join(f'{x:.3f}' for x in ratios)} | {errors} |"


HEADER = """| method | F1 | precision | recall | accuracy | MAE | MedAE | MPE |
|---|---|---|---|---|---|---|---|"""


def print_classical(kind: str, images: list[Case], data: Path) -> None:
    """Print the rows of the classical methods."""
    tuning = list(cases(kind, "val", data))
    if kind != "synthetic":
        tuning += cases(kind, "train", data)
    for found in iter_methods(tuning, images):
        scores = [score(*both) for both in zip(found.labels, images, strict=True)]
        print(row(found.name, aggregate(scores)), flush=True)


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
        print_classical(kind, images, arguments.data)
    if arguments.card:
        card, network = load_network(arguments.card)
        card = replace(card, scores={**card.scores, **reached})
        save_weights(arguments.card, network, card)


if __name__ == "__main__":
    main()

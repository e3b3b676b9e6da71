"""Choose the settings of a model of `train_default.py` and write the bundled file.

    python benchmarks/select_default.py DATA RUN OUTPUT.safetensors

Of all thresholds, smallest distances and smallest sizes, the ones with the highest
mean F1 over the validation images of the four sets are taken; fnc_small counts twice,
because it is what the software is for. The test images are not read.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from classical import score
from image_sets import SETS, Case, cases

from napari_cresunet import (
    LiveSegmenter,
    Model,
    Scores,
    aggregate,
    load_model,
    predict,
)
from napari_cresunet.training import MODEL
from napari_cresunet.weights import ModelCard, save_weights

THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
MIN_DISTANCES = (0.4, 0.5, 0.6)
"""In parts of a cell's diameter."""
MIN_SIZES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""In parts of the area of the smallest cell that the network knows."""
WEIGHTS = {"fnc_small": 2.0}
"""How much a set counts in the mean, where it is not 1."""

DATA = (
    "BBBC039v1 (122 images), fluorescence images of the 2018 Data Science Bowl, "
    "BBBC038v1 (348), reduced images of Fluorescent Neuronal Cells v1 and v2 (21) and "
    "synthetic neurons of this package's generator (160)"
)
CITATION_OF_NEURONS = (
    "Morelli R. et al., Sci Rep 11:22920 (2021); Clissa L. et al., Fluorescent "
    "Neuronal Cells, amsacta.unibo.it/6706 and /7347"
)
CITATION = (
    f"{CITATION_OF_NEURONS}; Caicedo J.C. et al., Nature Methods 16:1247 (2019) and "
    "Cytometry A 95:952 (2019)"
)


def with_sizes(card: ModelCard, distance: float, size: float) -> ModelCard:
    """Return the card with sizes given in parts of a cell's."""
    return replace(
        card,
        min_distance=max(1, round(distance * card.diameter)),
        min_size=max(1, round(size * np.pi / 4 * card.diameter**2)),
    )


def iter_scores(
    probability: np.ndarray, case: Case, card: ModelCard
) -> Iterator[tuple[tuple[float, float, float], Scores]]:
    """Yield all settings with the scores of one image."""
    for distance in MIN_DISTANCES:
        at_distance = with_sizes(card, distance, 0)
        live = LiveSegmenter(
            probability, min_distance=at_distance.min_distance_at(case.diameter)
        )
        for threshold, size in product(THRESHOLDS, MIN_SIZES):
            smallest = with_sizes(card, distance, size).min_size_at(case.diameter)
            labels = live.update(threshold, smallest)
            yield (threshold, distance, size), score(labels, case)


def f1_of_all(model: Model, images: list[Case]) -> dict[tuple, float]:
    """Return the pooled F1 of an image set at every setting."""
    scores: dict[tuple, list[Scores]] = {}
    for case in images:
        probability = predict(case.image, model, diameter=case.diameter)
        for setting, one in iter_scores(probability, case, model.card):
            scores.setdefault(setting, []).append(one)
    return {
        setting: float(np.nan_to_num(aggregate(found).f1))
        for setting, found in scores.items()
    }


def rows_of(model: Model, sets: dict[str, list[Case]]) -> list[dict]:
    """Return a row for each setting with the F1 of every set and their mean."""
    f1 = {kind: f1_of_all(model, images) for kind, images in sets.items()}
    weights = [WEIGHTS.get(kind, 1.0) for kind in sets]
    rows = []
    for setting in product(THRESHOLDS, MIN_DISTANCES, MIN_SIZES):
        reached = {kind: values[setting] for kind, values in f1.items()}
        mean = float(np.average(list(reached.values()), weights=weights))
        rows.append({"setting": setting, "mean": mean, **reached})
    return rows


def describe(card: ModelCard, best: dict) -> ModelCard:
    """Return the card of the bundled file."""
    threshold, distance, size = best["setting"]
    chosen_by = (
        "threshold and sizes by the mean F1 over the validation images of the four "
        "sets, fnc_small counted twice"
    )
    return replace(
        with_sizes(card, distance, size),
        threshold=threshold,
        data=DATA,
        license="CC-BY-SA-4.0",
        citation=CITATION,
        settings={
            **card.settings,
            "chosen_by": chosen_by,
            "script": "benchmarks/train_default.py, benchmarks/select_default.py",
        },
        scores={f"validation F1, {kind}": round(best[kind], 4) for kind in SETS},
        source="bundled",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--name", help="what the bundled model is called by")
    parser.add_argument("--title", help="what it is called in lists")
    parser.add_argument("--note", default="", help="what else the card says")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    sets = {kind: list(cases(kind, "val", arguments.data)) for kind in SETS}
    model = load_model(arguments.run / MODEL, arguments.device)
    rows = sorted(rows_of(model, sets), key=lambda row: row["mean"])
    print(*rows[-10:], sep="\n")
    card = replace(
        describe(model.card, rows[-1]),
        name=arguments.name or model.card.name,
        title=arguments.title or model.card.title,
    )
    if arguments.note:
        card = replace(card, settings={**card.settings, "note": arguments.note})
    print(save_weights(arguments.output, model.network.cpu(), card))


if __name__ == "__main__":
    main()

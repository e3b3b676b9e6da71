"""Choose a checkpoint of `train_simple.py` on the validation images and bundle it.

    python benchmarks/select_simple.py DATA RUN OUTPUT.safetensors [--mean]

Of the last checkpoints, or with --mean of the mean of their weights, of all
thresholds and sizes, the ones with the highest mean F1 over the validation images of
the four sets are taken; fnc_small counts twice, because it is what the software is for.
The test images are not read.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import torch
from image_sets import Case, cases
from safetensors.torch import load_file
from scores import SETS
from torch import Tensor
from train_simple import DIAMETER

from napari_cresunet import Model, aggregate, evaluate, predict, segment
from napari_cresunet.models import get_variant
from napari_cresunet.weights import ModelCard, save_weights

THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)
MIN_DISTANCES = (8, 9, 10, 12)
MIN_SIZES = (30, 45, 60, 75)
"""In px at `DIAMETER`, where a cell has about 201."""

WEIGHTS = {"fnc_small": 2.0}
"""How much a set counts in the mean, where it is not 1."""
SETTINGS = ("threshold", "min_distance", "min_size")

CARD = ModelCard(
    name="simple-c-resunet",
    title="simple c-ResUnet (nuclei and neurons)",
    variant="simple-c-resunet",
    scaling="adaptive",
    diameter=DIAMETER,
    threshold=0.5,
    min_size=30,
    min_distance=10,
    data=(
        "BBBC039v1 (122 images), fluorescence images of the 2018 Data Science Bowl, "
        "BBBC038v1 (348), reduced images of Fluorescent Neuronal Cells v1 and v2 (21) "
        "and synthetic neurons of this package's generator (240)"
    ),
    license="CC-BY-SA-4.0",
    citation=(
        "Morelli R. et al., Sci Rep 11:22920 (2021); Clissa L. et al., Fluorescent "
        "Neuronal Cells, amsacta.unibo.it/6706 and /7347; Caicedo J.C. et al., Nature "
        "Methods 16:1247 (2019) and Cytometry A 95:952 (2019)"
    ),
    settings={},
    scores={},
    weights_hash="",
    source="bundled",
)


def card_with(**changes: object) -> ModelCard:
    """Return the card with some fields changed."""
    return ModelCard.from_dict({**CARD.to_dict(), **changes})


def score(maps: list[np.ndarray], images: list[Case], settings: dict) -> float:
    """Return the pooled F1 of one image set."""
    card = card_with(**settings)
    scores = []
    for probability, case in zip(maps, images, strict=True):
        labels = segment(
            probability,
            threshold=card.threshold,
            min_size=card.min_size_at(case.diameter),
            min_distance=card.min_distance_at(case.diameter),
        )
        scores.append(evaluate(labels, case.labels, max_distance=case.match_distance))
    return float(np.nan_to_num(aggregate(scores).f1))


def candidates(checkpoints: list[Path], *, mean: bool) -> dict[str, dict[str, Tensor]]:
    """Return the weights to choose from, by name."""
    states = {path.stem: load_file(path) for path in checkpoints}
    if not mean:
        return states
    some = next(iter(states.values()))
    average = {
        name: torch.stack([state[name] for state in states.values()])
        .to(torch.float64)
        .mean(0)
        .to(value.dtype)
        for name, value in some.items()
    }
    return {f"mean of {', '.join(states)}": average}


def validate(
    name: str, state: dict[str, Tensor], sets: dict[str, list[Case]]
) -> list[dict]:
    """Return a row for each setting with the F1 of every set."""
    network = get_variant(CARD.variant).build().eval()
    network.load_state_dict(state)
    model = Model(card=CARD, network=network, device="cpu")
    maps = {
        kind: [predict(case.image, model, diameter=case.diameter) for case in images]
        for kind, images in sets.items()
    }
    rows = []
    for values in product(THRESHOLDS, MIN_DISTANCES, MIN_SIZES):
        settings = dict(zip(SETTINGS, values, strict=True))
        f1 = {kind: score(maps[kind], sets[kind], settings) for kind in sets}
        weights = [WEIGHTS.get(kind, 1.0) for kind in f1]
        mean = float(np.average(list(f1.values()), weights=weights))
        rows.append({"checkpoint": name, **settings, "mean": mean, **f1})
    return rows


def describe(best: dict) -> ModelCard:
    """Return the card that goes with the chosen checkpoint."""
    settings = {
        "loss": "binary cross-entropy, cell weight 1.5, background weight 0.5",
        "optimizer": "Adam, learning rate 1e-4, falling to 0 in the last run; each "
        "checkpoint is the mean of the weights over about 1000 steps",
        "crops": "4 of 128x128 px a step: neurons 50 %, synthetic 15 %, bbbc039 20 %, "
        "dsb2018_fluo 15 %; turned, flipped, zoomed by up to 1.4, brightness and color "
        "varied",
        "steps": f"{best['checkpoint']}, after 7700 steps of 8 crops of 192x192 px at "
        "a cell diameter of 20 px and 8000 as here (docs/models.md)",
        "precision": "float32 on a CPU",
        "chosen_by": "mean F1 over the validation images of the four sets, fnc_small "
        "counted twice",
        "script": "benchmarks/train_simple.py, benchmarks/select_simple.py",
    }
    scores = {f"validation F1, {kind}": round(best[kind], 4) for kind in SETS}
    chosen = {name: best[name] for name in SETTINGS}
    return card_with(**chosen, settings=settings, scores=scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--last", type=int, default=3, help="checkpoints to look at")
    parser.add_argument("--mean", action="store_true", help="average these checkpoints")
    arguments = parser.parse_args()
    sets = {kind: list(cases(kind, "val", arguments.data)) for kind in SETS}
    checkpoints = sorted(arguments.run.glob("step_*.safetensors"))[-arguments.last :]
    states = candidates(checkpoints, mean=arguments.mean)
    rows = []
    for name, state in states.items():
        found = validate(name, state, sets)
        top = max(found, key=lambda row: row["mean"])
        print({k: round(v, 3) if k != "checkpoint" else v for k, v in top.items()})
        rows += found
    best = max(rows, key=lambda row: row["mean"])
    network = get_variant(CARD.variant).build().eval()
    network.load_state_dict(states[best["checkpoint"]])
    card = save_weights(arguments.output, network, describe(best))
    print(card)


if __name__ == "__main__":
    main()

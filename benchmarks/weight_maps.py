"""Count how many cells are merged with weight maps and without.

    python benchmarks/weight_maps.py RUN [--seeds N] [--epochs N] [--device D]

For each seed c-ResUnet learns twice from the same crowded synthetic neurons, in the
same order, once with weight maps and once with the weights that the map has far away
from other cells (1.5 in cells, 1 elsewhere). Merged cells of unseen images are counted
at equal thresholds, and at the one with the highest F1 on validation images. The table
goes into RUN/weight_maps.md.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from image_sets import Case, synthetic_pair
from paper import (
    all_merged,
    as_case,
    best_threshold,
    iter_labels,
    score_all,
    search,
    trained,
)

from napari_cresunet import Model, aggregate
from napari_cresunet.datasets import NeuronScene, Pair
from napari_cresunet.training import TrainConfig, get_preset

SCENE = NeuronScene(
    height=144,
    width=192,
    diameter=12,
    n_cells=30,
    clumping=0.8,
    n_unfocused=3,
    n_faint=3,
    n_filaments=1,
    n_dotted=1,
    edge=False,
)
N_TRAINING, N_VALIDATION, N_TEST = 24, 24, 40
N_EACH_EPOCH = 8
"""Validation images that decide which epoch is kept."""
EQUAL_THRESHOLDS = (0.3, 0.5, 0.7)
HEADER = f"""| seed | weight maps | cells | \
merged at {" | at ".join(map(str, EQUAL_THRESHOLDS))} | \
best threshold | merged there | found | F1 |
|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"""


def settings(seed: int, epochs: int, *, weight_maps: bool) -> TrainConfig:
    """Return those of the preset, for small cells."""
    preset = get_preset("c-resunet")
    return replace(
        preset,
        weight_maps=weight_maps,
        negative_weight=1.0,
        crop_size=96,
        crop_step=48,
        elastic=preset.elastic * SCENE.diameter / 36.5,
        artifact_repeats=1,
        # The published rate is for many more steps than there are here.
        learning_rate=1e-3,
        epochs=epochs,
        stop_patience=1000,
        seed=seed,
    )


def draw(first_seed: int, n_images: int) -> list[Pair]:
    return [synthetic_pair(SCENE, first_seed + number) for number in range(n_images)]


def row(model: Model, seed: int, validation: list[Pair], images: list[Case]) -> str:
    """Score the unseen images."""
    threshold = best_threshold(search(model, [as_case(pair) for pair in validation]))
    *equal, labels = iter_labels(model, images, (*EQUAL_THRESHOLDS, threshold))
    pooled = aggregate(score_all(labels, images))
    cells = [
        *(seed, "with" if model.card.settings["weight_maps"] else "without"),
        *(pooled.true_count, *(all_merged(some, images) for some in equal)),
        *(f"{threshold:.2f}", all_merged(labels, images)),
        *(pooled.predicted_count, f"{pooled.f1:.3f}"),
    ]
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    images = [as_case(pair) for pair in draw(70_000, N_TEST)]
    lines = [HEADER]
    for seed in range(arguments.seeds):
        # Images differ from seed to seed as well.
        training = draw(40_000 + 100 * seed, N_TRAINING)
        validation = draw(60_000 + 100 * seed, N_VALIDATION)
        for weight_maps in (False, True):
            model = trained(
                settings(seed, arguments.epochs, weight_maps=weight_maps),
                (training, validation[:N_EACH_EPOCH]),
                arguments.run / f"seed {seed} {'with' if weight_maps else 'without'}",
                minutes=float("inf"),
                device=arguments.device,
            )
            lines.append(row(model, seed, validation, images))
            print(lines[-1], flush=True)
            text = "\n".join(lines) + "\n"
            (arguments.run / "weight_maps.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Train the default model on neurons, nuclei and synthetic neurons.

    python benchmarks/train_default.py DATA RUN

The settings are those for a GPU: 214,000 crops, about six minutes on an H100 that also
trained seven others. Interrupted, the same command goes on. `select_default.py` then
chooses threshold and sizes on all validation images and writes the bundled file.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from image_sets import (
    BBBC039_DIAMETER,
    random_pairs,
    resized_image,
    synthetic_pair,
    training_pairs,
)
from skimage.transform import resize

from napari_cresunet.datasets import NeuronScene, Pair
from napari_cresunet.steps import drain
from napari_cresunet.training import TrainConfig, get_preset, iter_train
from napari_cresunet.training._crops import find_crops
from napari_cresunet.training._prepare import prepare

SHARES = {
    "fnc_small": 0.42,
    "fnc_small, softened": 0.07,
    "bbbc039": 0.17,
    "dsb2018_fluo": 0.17,
    "nuclei, softened": 0.05,
    "synthetic": 0.12,
}
"""Part of the crops that comes from each set; docs/models.md tells of others."""
SOFTENED = 0.5
"""Resolution of softened images: a camera with fewer px."""
SYNTHETIC_DIAMETERS = (10.0, 22.0)
N_SYNTHETIC = 160
N_VALIDATION = {"fnc_small": 10, "bbbc039": 2, "dsb2018_fluo": 8}
"""Images that each epoch is validated on; about as many cells of each set."""
CELLS_PER_TURN = 8
"""Images with many cells come more often; else rare stains are hardly seen."""


def with_share(
    pairs: Iterable[Pair], share: float, config: TrainConfig, *, by_cells: bool
) -> list[Pair]:
    """Weigh pairs so that their crops, repeats included, have a share of all crops."""
    pairs = list(pairs)
    if by_cells:
        pairs = [
            replace(pair, weight=max(1, round(int(pair.labels.max()) / CELLS_PER_TURN)))
            for pair in pairs
        ]
    # An image has as many crops as it is large; each image shall count alike.
    crops = find_crops(prepare(pairs, config, BBBC039_DIAMETER), config)
    drawn = np.bincount(crops.places[:, 0], crops.shares)
    even = [
        pair.weight / (total / pair.weight)
        for pair, total in zip(pairs, drawn, strict=True)
    ]
    factor = share / sum(pair.weight for pair in pairs)
    return [
        replace(pair, weight=factor * weight)
        for pair, weight in zip(pairs, even, strict=True)
    ]


def softened(pair: Pair) -> Pair:
    """Return the pair as a camera with fewer px sees it, shown at the same size."""
    small = resized_image(pair.image, SOFTENED)
    image = resize(small, pair.image.shape, order=1, preserve_range=True)
    return replace(
        pair,
        name=f"{pair.name}, softened",
        image=np.round(image).astype(pair.image.dtype),
    )


def training_images(data: Path, config: TrainConfig) -> list[Pair]:
    """Return all training images with their weights."""
    neurons, cultured, various = (
        list(training_pairs(kind, data))
        for kind in ("fnc_small", "bbbc039", "dsb2018_fluo")
    )
    sets = {
        "fnc_small": neurons,
        "fnc_small, softened": map(softened, neurons),
        "bbbc039": cultured,
        "dsb2018_fluo": various,
        "nuclei, softened": map(softened, cultured[::4] + various[::4]),
        "synthetic": random_pairs(N_SYNTHETIC, diameters=SYNTHETIC_DIAMETERS),
    }
    pairs = []
    for kind, share in SHARES.items():
        by_cells = kind.startswith("fnc_small")
        pairs += with_share(sets[kind], share, config, by_cells=by_cells)
    return pairs


def validation_images(data: Path) -> list[Pair]:
    """Return the images that each epoch is validated on."""
    pairs = []
    for kind, count in N_VALIDATION.items():
        pairs += list(training_pairs(kind, data, "val"))[:count]
    scene = NeuronScene(height=600, width=800, n_cells=25)
    return pairs + [synthetic_pair(scene, 30_000 + seed) for seed in range(4)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--samples", type=int, default=3568, help="crops in an epoch")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    config: TrainConfig = replace(
        get_preset("fluorescent-cells"),
        epochs=arguments.epochs,
        samples=arguments.samples,
        batch_size=32,
        learning_rate=1.5e-3,
        averaging=0.999,
    )
    steps = iter_train(
        config,
        training_images(arguments.data, config),
        validation_images(arguments.data),
        folder=arguments.run,
        device=arguments.device,
    )

    def show(step: object) -> None:
        if step.record is not None:
            print(step.record, "best" if step.is_best else "", flush=True)

    print(drain(steps, show).card)


if __name__ == "__main__":
    main()

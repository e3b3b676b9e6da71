"""The images that models learn from, are chosen on and are scored on.

DATA, an argument of the scripts here, is a folder that holds bbbc039, dsb2018_fluo and
fnc_small (docs/models.md says what they are). Synthetic neurons are drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from skimage.transform import rescale

from napari_cresunet.datasets import (
    NeuronScene,
    Pair,
    load_pairs,
    random_scene,
    synthesize_neurons,
)

SETS = ("bbbc039", "dsb2018_fluo", "fnc_small", "synthetic")
FNC_DIAMETER, FNC_MATCH = 36.5, 40.0
"""Mean cell and matching distance of Fluorescent Neuronal Cells, in original px."""
BBBC039_DIAMETER = 28.4
"""Mean cell of the training images of bbbc039 in px; one value for all its images."""
SYNTHETIC_SEEDS = {"val": range(10_000, 10_012), "test": range(20_000, 20_020)}
"""Far from the seeds of training."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image with its truth, cell size and matching distance, in px."""

    name: str
    image: np.ndarray
    labels: np.ndarray
    diameter: float
    match_distance: float


def training_pairs(kind: str, data: Path, split: str = "train") -> Iterator[Pair]:
    """Yield the pairs of a set of real images, each with its cell size."""
    for pair in load_pairs(data / kind, split=split):
        if pair.match_distance is not None:
            diameter = pair.match_distance * FNC_DIAMETER / FNC_MATCH
        elif kind == "bbbc039":
            diameter = BBBC039_DIAMETER
        else:
            # They come from many microscopes, so the size is that of each image.
            diameter = pair.diameter or BBBC039_DIAMETER
        # Nuclei match within one mean radius.
        distance = pair.match_distance or diameter / 2
        yield replace(
            pair,
            name=f"{kind} {pair.name}",
            cell_diameter=diameter,
            match_distance=distance,
        )


def synthetic_pair(scene: NeuronScene, seed: int) -> Pair:
    """Draw a scene."""
    image, labels = synthesize_neurons(scene, seed=seed)
    return Pair(
        name=f"synthetic {seed}",
        image=image,
        labels=labels,
        cell_diameter=scene.diameter,
        match_distance=scene.diameter * FNC_MATCH / FNC_DIAMETER,
    )


def random_pairs(n_images: int, *, diameters: tuple[float, float]) -> Iterator[Pair]:
    """Draw scenes of any microscope, for training."""
    rng = np.random.default_rng(1)
    for seed in range(n_images):
        size = float(np.exp(rng.uniform(*np.log(diameters))))
        yield synthetic_pair(random_scene(rng, diameter=size), seed)


def full_size_scene(rng: np.random.Generator) -> NeuronScene:
    """Draw a scene of 1600x1200 px like the images of the paper."""
    return NeuronScene(
        n_cells=int(rng.integers(0, 60)),
        clumping=float(rng.uniform(0, 0.6)),
        brightness=float(rng.uniform(0.3, 0.6)),
        stain=str(rng.choice(["yellow", "green", "red", "gray"])),
    )


def resized_image(image: np.ndarray, factor: float) -> np.ndarray:
    """Return a picture with more or fewer px."""
    resized = rescale(
        image,
        factor,
        order=1,
        anti_aliasing=factor < 1,
        preserve_range=True,
        channel_axis=-1 if image.ndim == 3 else None,
    )
    return np.round(resized).astype(image.dtype)


def cases(kind: str, split: str, data: Path) -> Iterator[Case]:
    """Yield the images of a set: bbbc039, fnc_small, dsb2018_fluo or synthetic."""
    if kind == "synthetic":
        seeds = SYNTHETIC_SEEDS[split]
        rng = np.random.default_rng(seeds.start)
        pairs = (synthetic_pair(full_size_scene(rng), seed) for seed in seeds)
    else:
        pairs = training_pairs(kind, data, split)
    for pair in pairs:
        yield Case(
            name=pair.name.split(" ", 1)[1],
            image=pair.image,
            labels=pair.labels,
            diameter=pair.cell_diameter,
            match_distance=pair.match_distance,
        )

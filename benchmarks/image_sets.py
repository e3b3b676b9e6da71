"""The images that models are chosen and scored on, each with its cell size."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from train_simple import FNC_DIAMETER, FNC_MATCH, random_scene

from napari_cresunet.datasets import load_pairs, synthesize_neurons

BBBC039_DIAMETER = 28.4
"""Mean cell of the training images of bbbc039 in px; one value for all its images."""
SYNTHETIC_SEEDS = {"val": range(10_000, 10_020), "test": range(20_000, 20_030)}
"""Far from the seeds of training."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image with its truth, cell size and matching distance, in px."""

    name: str
    image: np.ndarray
    labels: np.ndarray
    diameter: float
    match_distance: float


def cases(kind: str, split: str, data: Path) -> Iterator[Case]:
    """Yield the images of a set: bbbc039, fnc_small, dsb2018_fluo or synthetic."""
    if kind == "synthetic":
        yield from _synthetic(split)
        return
    for pair in load_pairs(data / kind, split=split):
        if pair.match_distance is not None:
            diameter = pair.match_distance * FNC_DIAMETER / FNC_MATCH
            distance = pair.match_distance
        else:
            # Nuclei match within one mean radius. Images of dsb2018_fluo come from many
            # microscopes, so the size is that of each image.
            diameter = BBBC039_DIAMETER if kind == "bbbc039" else pair.diameter
            distance = diameter / 2
        yield Case(
            name=pair.name,
            image=pair.image,
            labels=pair.labels,
            diameter=diameter,
            match_distance=distance,
        )


def _synthetic(split: str) -> Iterator[Case]:
    rng = np.random.default_rng(SYNTHETIC_SEEDS[split].start)
    for seed in SYNTHETIC_SEEDS[split]:
        scene = random_scene(rng)
        image, labels = synthesize_neurons(scene, seed=seed)
        yield Case(
            name=f"synthetic_{seed}",
            image=image,
            labels=labels,
            diameter=scene.diameter,
            match_distance=scene.diameter * FNC_MATCH / FNC_DIAMETER,
        )

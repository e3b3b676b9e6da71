"""Train the bundled model "simple-c-resunet" on nuclei, neurons and synthetic neurons.

    python benchmarks/train_simple.py DATA RUN

DATA holds the folders bbbc039, dsb2018_fluo and fnc_small; RUN receives a log of the
losses and a checkpoint every few hundred steps. `select_simple.py` then chooses among
the checkpoints on the validation images and writes the bundled file.
"""

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_cresunet.datasets import NeuronScene, load_pairs, synthesize_neurons
from napari_cresunet.inference import apply_scaling, measure_scaling
from napari_cresunet.models import get_variant
from napari_cresunet.training import CropOptions, LoopOptions, Source, iter_train

DIAMETER = 16.0
"""Cells have this size in px when the network sees them."""
SCENE_DIAMETER = 20.0
"""Cells have this size in px in the synthetic images."""
AVERAGING = 0.999
"""Weights are averaged over about 1 / (1 - this) steps."""
FNC_DIAMETER, FNC_MATCH = 36.5, 40.0
"""Mean cell and matching distance of Fluorescent Neuronal Cells, in original px."""


def prepare(image: np.ndarray, labels: np.ndarray, diameter: float) -> tuple:
    """Scale to [0, 1] and resample so that a cell has `DIAMETER` px."""
    scaled = apply_scaling(image, measure_scaling(image, "adaptive"))
    planes = scaled.transpose(2, 0, 1) if scaled.ndim == 3 else scaled[None]
    shape = [max(8, round(side * DIAMETER / diameter)) for side in labels.shape]
    resampled = functional.interpolate(
        torch.from_numpy(np.ascontiguousarray(planes, np.float32))[None],
        shape,
        mode="bilinear",
        antialias=True,
    )[0].expand(3, -1, -1)
    truth = torch.from_numpy(labels.astype(np.float32))[None, None]
    return resampled, functional.interpolate(truth, shape, mode="nearest-exact")[0, 0]


def real_source(
    folder: Path, share: float, crops: CropOptions, cells_per_turn: float = np.inf
) -> Source:
    """Read the training images of one data set."""
    images, labels = [], []
    for pair in load_pairs(folder, split="train"):
        if pair.match_distance is not None:
            diameter = pair.match_distance * FNC_DIAMETER / FNC_MATCH
        else:
            diameter = pair.diameter or 28.0
        image, truth = prepare(pair.image, pair.labels, diameter)
        # Images with many cells come more often; else rare stains are hardly seen.
        times = max(1, round(int(pair.labels.max()) / cells_per_turn))
        images += [image] * times
        labels += [truth] * times
    return Source(images=images, labels=labels, share=share, crops=crops)


def random_scene(rng: np.random.Generator) -> NeuronScene:
    """Return a scene like an image of Fluorescent Neuronal Cells; some are empty."""
    stain = str(
        rng.choice(["yellow", "green", "red", "gray"], p=[0.6, 0.15, 0.15, 0.1])
    )
    brightness = {"yellow": 0.35, "green": 0.35, "red": 0.6, "gray": 0.6}[stain]
    tissue = {"yellow": 0.03, "green": 0.1, "red": 0.12, "gray": 0.1}[stain]
    brightness *= float(rng.lognormal(0, 0.25))
    return NeuronScene(
        height=384,
        width=512,
        diameter=SCENE_DIAMETER,
        n_cells=0 if rng.random() < 0.15 else int(rng.integers(1, 40)),
        brightness=min(brightness, 1.0),
        tissue=min(tissue * float(rng.lognormal(0, 0.7)), 0.4 * brightness),
        clumping=rng.uniform(0, 0.7),
        n_unfocused=int(rng.integers(0, 30)),
        n_faint=int(rng.integers(0, 30)),
        n_filaments=int(rng.integers(0, 10) ** (2 if stain == "red" else 1)),
        n_dotted=int(rng.integers(0, 8)),
        edge=bool(rng.random() < 0.5),
        noise=rng.uniform(0.002, 0.02),
        stain=stain,
    )


def synthetic_source(n_images: int, share: float, crops: CropOptions) -> Source:
    """Draw synthetic neurons."""
    rng = np.random.default_rng(1)
    images, labels = [], []
    for seed in range(n_images):
        image, truth = prepare(
            *synthesize_neurons(random_scene(rng), seed=seed), SCENE_DIAMETER
        )
        images.append(image)
        labels.append(truth)
    return Source(images=images, labels=labels, share=share, crops=crops)


def sources(data: Path) -> list[Source]:
    """Return all training images. Neurons keep their brightness: it tells cells."""
    synthetic = CropOptions(size=128, zoom=1.4, gain=1.15, recolor=0.25)
    neurons = replace(synthetic, at_artifact=0.25)
    nuclei = replace(synthetic, gain=1.3)
    return [
        real_source(data / "fnc_small", 0.50, neurons, cells_per_turn=8),
        synthetic_source(240, 0.15, synthetic),
        real_source(data / "bbbc039", 0.20, nuclei),
        real_source(data / "dsb2018_fluo", 0.15, nuclei),
    ]


def save(network: torch.nn.Module, path: Path) -> None:
    """Write a checkpoint (safetensors; the card comes when one is selected)."""
    state: dict[str, Tensor] = network.state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--decay", type=float, default=0, help="share of steps in which the rate falls"
    )
    parser.add_argument("--start", type=Path, help="checkpoint to go on from")
    arguments = parser.parse_args()
    arguments.run.mkdir(parents=True, exist_ok=True)
    # With the mean of the weights every checkpoint can be used, wherever a run ends.
    options = LoopOptions(
        n_steps=arguments.steps,
        batch_size=4,
        decay=arguments.decay,
        bfloat16=False,
        seed=arguments.seed,
    )
    torch.manual_seed(options.seed)
    network = get_variant("simple-c-resunet").build()
    # Random weights can be blind to a color, and at this learning rate stay so.
    network.color[0].weight.data[0, :, 0, 0] = torch.tensor([0.8, 0.8, 0.3])
    if arguments.start:
        network.load_state_dict(load_file(arguments.start))
    network = network.to(memory_format=torch.channels_last)
    average = AveragedModel(
        network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True
    )
    start, recent = time.monotonic(), []
    with (arguments.run / "loss.csv").open("w", newline="") as stream:
        log = csv.writer(stream)
        log.writerow(["step", "loss", "seconds"])
        steps = iter_train(
            network,
            sources(arguments.data),
            options,
            on_loss=lambda _, loss: recent.append(loss),
        )
        for step in steps:
            average.update_parameters(network)
            if step.done % 20 == 0:
                row = [step.done, np.mean(recent), time.monotonic() - start]
                log.writerow(row)
                stream.flush()
                recent.clear()
            if step.done % arguments.every == 0 or step.done == step.total:
                save(
                    average.module, arguments.run / f"step_{step.done:05d}.safetensors"
                )


if __name__ == "__main__":
    main()

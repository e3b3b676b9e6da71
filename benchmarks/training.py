"""How fast training is beside a plain loop, as ratios within one run.

    python benchmarks/training.py [--crop 512] [--rounds 3] [--device D]

Both train c-ResUnet with Adam on the same synthetic neurons of 1600×1200 px, with the
same augmentations: turned, mirrored, zoomed, bent, brightness, noise, weight maps. The
plain loop is what one would write first: each crop is read from its PNG files with PIL,
changed with scikit-image and SciPy, weighed, and goes in float32 through the network in
torch's usual memory layout. The two take turns, so that both see the same load.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from skimage.transform import AffineTransform, warp
from torch.nn import functional

from napari_cresunet.datasets import NeuronScene, load_pairs, synthesize_neurons
from napari_cresunet.inference import resolve_device
from napari_cresunet.models import get_variant
from napari_cresunet.training import TrainConfig, get_preset
from napari_cresunet.training._batches import epoch_batches, iter_batches
from napari_cresunet.training._crops import find_crops
from napari_cresunet.training._distributed import joined_processes
from napari_cresunet.training._learner import Learner
from napari_cresunet.training._prepare import prepare, typical_diameter

N_IMAGES = 6
BEND_GRAIN = 20.0
"""Smoothness in px of the plain loop's elastic deformation."""


@dataclass
class Clock:
    """Seconds of each batch."""

    now: Callable[[], float]
    data: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)

    def measure(self, read: Callable, learn: Callable) -> None:
        """Time one batch."""
        start = self.now()
        batch = read()
        ready = self.now()
        learn(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.data.append(ready - start)
        self.network.append(self.now() - ready)


def settings(crop: int, batch_size: int) -> TrainConfig:
    """Return the published settings of c-ResUnet, with every augmentation."""
    config = get_preset("c-resunet")
    return replace(
        config, crop_size=crop, batch_size=batch_size, flip=True, zoom=1.2, samples=4000
    )


def write_images(folder: Path) -> None:
    """Write synthetic neurons as PNG files."""
    for part in ("images", "masks"):
        (folder / part).mkdir()
    for seed in range(N_IMAGES):
        image, labels = synthesize_neurons(NeuronScene(n_cells=20), seed=seed)
        Image.fromarray(image).save(folder / "images" / f"{seed}.png")
        Image.fromarray(labels.astype(np.uint8)).save(folder / "masks" / f"{seed}.png")


def plain_weights(labels: np.ndarray, sigma: float) -> np.ndarray:
    """Return the weight map of a crop."""
    total = np.zeros(labels.shape)
    for number in np.unique(labels[labels > 0]):
        distance = ndimage.distance_transform_edt(labels != number)
        total += np.exp(-(distance**2) / (2 * sigma**2))
    return np.where(labels > 0, 1.5, np.maximum(total, 1))


def bent_grid(config: TrainConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the coordinates of an elastic deformation."""
    size = config.crop_size
    bends = [ndimage.gaussian_filter(rng.normal(size=(size, size)), BEND_GRAIN)]
    bends.append(ndimage.gaussian_filter(rng.normal(size=(size, size)), BEND_GRAIN))
    strength = config.elastic / np.std(bends)
    return np.indices((size, size)) + strength * np.array(bends)


def plain_sample(
    folder: Path, config: TrainConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read one crop and augment it."""
    name, size = f"{rng.integers(N_IMAGES)}.png", config.crop_size
    image = np.asarray(Image.open(folder / "images" / name)) / 255
    labels = np.asarray(Image.open(folder / "masks" / name))
    row, column = (rng.integers(side - size + 1) for side in labels.shape)
    part = np.s_[row : row + size, column : column + size]
    zoom = np.exp(rng.uniform(-1, 1) * np.log(config.zoom))
    angle = np.radians(rng.uniform(-config.rotation, config.rotation))
    center = AffineTransform(translation=(-size / 2, -size / 2))
    turn = center + AffineTransform(scale=zoom, rotation=angle) + center.inverse
    image = warp(image[part], turn, order=1, mode="reflect")
    labels = warp(labels[part], turn, order=0, mode="reflect", preserve_range=True)
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    grid = bent_grid(config, rng)
    channels = [
        ndimage.map_coordinates(image[..., c], grid, order=1, mode="reflect")
        for c in range(3)
    ]
    labels = ndimage.map_coordinates(labels, grid, order=0, mode="reflect").astype(int)
    image = np.stack(channels) * rng.uniform(1 / config.brightness, config.brightness)
    image += rng.uniform(0, config.noise) * rng.normal(size=image.shape)
    return np.clip(image, 0, 1), labels > 0, plain_weights(labels, config.weight_sigma)


class PlainLoop:
    """Training as one would write it first."""

    def __init__(self, folder: Path, config: TrainConfig, device: str) -> None:
        self.folder, self.config, self.device = folder, config, device
        self.network = get_variant(config.variant).build().to(device).train()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.rng = np.random.default_rng(0)
        self.clock = Clock(time.perf_counter)

    def read(self) -> list[torch.Tensor]:
        samples = [
            plain_sample(self.folder, self.config, self.rng)
            for _ in range(self.config.batch_size)
        ]
        image, target, weight = (
            torch.from_numpy(np.stack(part)).float().to(self.device)
            for part in zip(*samples, strict=True)
        )
        return [image, target[:, None], weight[:, None]]

    def learn(self, batch: list[torch.Tensor]) -> None:
        image, target, weight = batch
        self.optimizer.zero_grad()
        logits = self.network.logits(image)
        loss = functional.binary_cross_entropy_with_logits(logits, target, weight)
        loss.backward()
        self.optimizer.step()
        loss.item()

    def run(self, n_batches: int) -> None:
        for _ in range(n_batches):
            self.clock.measure(self.read, self.learn)


class Engine:
    """Training as this package does it."""

    def __init__(self, folder: Path, config: TrainConfig, processes) -> None:
        self.config, self.processes = config, processes
        start = time.perf_counter()
        pairs = list(load_pairs(folder))
        self.samples = prepare(pairs, config, typical_diameter(pairs))
        self.batches = epoch_batches(find_crops(self.samples, config), config, 0)
        self.preparation = time.perf_counter() - start
        self.learner = Learner(config, processes)
        self.clock = Clock(time.perf_counter)

    def run(self, n_batches: int) -> None:
        chosen, self.batches = self.batches[:n_batches], self.batches[n_batches:]
        source = iter_batches(self.samples, chosen, self.config, 0, 0, self.processes)
        for _ in range(n_batches):
            self.clock.measure(lambda: next(source), self.learner.learn)


def print_table(plain: PlainLoop, engine: Engine) -> None:
    config = engine.config
    megapixels = config.batch_size * config.crop_size**2 / 1e6
    print(
        f"\n{config.batch_size} crops of {config.crop_size}×{config.crop_size} px, "
        f"{torch.get_num_threads()} thread(s), {engine.processes.device}, "
        f"{len(plain.clock.data)} batches each\n"
    )
    print("| way | data, s | network, s | batch, s | Mpx/s | times faster |")
    print("|---|---:|---:|---:|---:|---:|")
    totals = {}
    for name, loop in {"plain loop": plain, "this package": engine}.items():
        parts = [np.median(loop.clock.data), np.median(loop.clock.network)]
        totals[name] = np.median(np.add(loop.clock.data, loop.clock.network))
        cells = [*parts, totals[name], megapixels / totals[name]]
        ratio = totals["plain loop"] / totals[name]
        print(f"| {name} | {' | '.join(f'{x:.3f}' for x in cells)} | {ratio:.2f} |")
    print(
        f"\nOnce, before: {engine.preparation:.1f} s to read, weigh and look for "
        f"artifacts in {N_IMAGES} images."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crop", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--batches", type=int, default=2, help="of each in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="of all threads, for machines that are busy with other work",
    )
    arguments = parser.parse_args()
    now = time.process_time if arguments.processor_time else time.perf_counter
    device = resolve_device(arguments.device)
    config = settings(arguments.crop, arguments.batch_size)
    with tempfile.TemporaryDirectory() as name, joined_processes(device) as processes:
        write_images(Path(name))
        loops = [
            PlainLoop(Path(name), config, device),
            Engine(Path(name), config, processes),
        ]
        for loop in loops:  # the first batch warms up
            loop.run(1)
            loop.clock = Clock(now)
        for number in range(arguments.rounds):
            for loop in loops if number % 2 else loops[::-1]:
                loop.run(arguments.batches)
        print_table(*loops)


if __name__ == "__main__":
    main()

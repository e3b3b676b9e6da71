"""Batches of an epoch, cut ahead in a thread so that the network never waits."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.training._augmentation import Batch, Windows, augment, cut_windows
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._crops import Crops, draw_epoch
from napari_cresunet.training._distributed import Processes
from napari_cresunet.training._prepare import Sample

N_AHEAD = 2


def epoch_batches(
    crops: Crops, config: TrainConfig, epoch: int
) -> list[NDArray[np.intp]]:
    """Return the crops of each batch of an epoch.

    Parameters
    ----------
    crops : Crops
        All crops.
    config : TrainConfig
        Crops in an epoch and in a batch, and the seed.
    epoch : int
        From 0.

    Returns
    -------
    list of ndarray of int, shape (n, 3)
        Places as in `Crops.places`. The same epoch of the same seed is the same; a last
        batch of one crop is left out, for batch norm needs more.
    """
    rng = np.random.default_rng([config.seed, epoch])
    places = crops.places[draw_epoch(crops, config.samples, rng)]
    size = config.batch_size
    batches = [places[start : start + size] for start in range(0, len(places), size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches.pop()
    return batches


def iter_batches(
    samples: Sequence[Sample],
    batches: Sequence[NDArray[np.intp]],
    config: TrainConfig,
    epoch: int,
    first: int,
    processes: Processes,
) -> Generator[Batch, None, None]:
    """Yield the batches of an epoch, cut and augmented.

    Parameters
    ----------
    samples : sequence of Sample
        Prepared images.
    batches : sequence of ndarray
        From `epoch_batches`.
    config : TrainConfig
        How crops vary.
    epoch, first : int
        Number of the epoch, and of the batch to begin with.
    processes : Processes
        Says the device, and which part of each batch is this process's.

    Yields
    ------
    Batch
        On the device. What it shows depends on seed, epoch and its number alone.
    """

    def cut(number: int) -> Windows:
        rng = np.random.default_rng([config.seed, epoch, number, processes.rank])
        places = batches[number][processes.rank :: processes.count]
        windows = cut_windows(samples, places, config, rng)
        return _pinned(windows) if processes.device.startswith("cuda") else windows

    with ThreadPoolExecutor(1, thread_name_prefix="crops") as pool:
        waiting = deque(
            pool.submit(cut, number)
            for number in range(first, min(first + N_AHEAD, len(batches)))
        )
        for number in range(first, len(batches)):
            windows = waiting.popleft().result()
            if number + N_AHEAD < len(batches):
                waiting.append(pool.submit(cut, number + N_AHEAD))
            yield augment(windows, config, processes.device)


def _pinned(windows: Windows) -> Windows:
    """Put the large arrays where a GPU copies from without waiting."""
    weight = None if windows.weight is None else windows.weight.pin_memory()
    return Windows(
        windows.image.pin_memory(),
        windows.labels.pin_memory(),
        weight,
        windows.matrices,
        windows.bends,
        windows.light,
        windows.seed,
    )

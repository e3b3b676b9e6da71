"""The ways that are measured: each is made ready once and then run again and again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.weights import DEFAULT_MODEL, find_weights, load_network

if TYPE_CHECKING:
    from napari_cresunet.inference import Model

Work = Callable[[], Any]
"""Runs once and returns probability, labels or nothing."""
THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One row of a table: what is done, and with which backend."""

    title: str
    kind: str
    """A key of `KINDS`."""
    device: str = "cpu"
    backend: str = "auto"
    precision: str = "auto"

    def ready(self, pixels: NDArray[Any]) -> Work:
        """Load what it takes, and return what is measured."""
        return KINDS[self.kind](self, pixels)


def prediction_ways(device: str) -> tuple[list[Way], list[str]]:
    """Return the ways to predict that this computer has.

    Parameters
    ----------
    device : str
        A device that is there.

    Returns
    -------
    ways : list of Way
        The reference first.
    missing : list of str
        One sentence for each that there might be.
    """
    ways = [Way(title="plain torch, whole image", kind="plain network", device=device)]
    missing = []
    for backend, precision in _choices(device):
        try:
            model = loaded(device, backend, precision)
        except (InputError, EngineError) as error:
            missing.append(str(error))
            continue
        ways.append(
            Way(
                title=f"predict: {model.title}",
                kind="predict",
                device=device,
                backend=backend,
                precision=precision,
            )
        )
    return ways, missing


@lru_cache(maxsize=8)
def loaded(device: str, backend: str = "auto", precision: str = "auto") -> "Model":
    """Load the default model once; making it ready for a backend takes seconds."""
    from napari_cresunet.inference import load_model

    return load_model(device=device, backend=backend, precision=precision)


def _choices(device: str) -> list[tuple[str, str]]:
    """Return backends and precisions that there are for a device."""
    if device.startswith("cuda"):
        return [("torch", "full"), ("torch", "half")]
    if device == "cpu":
        return [("torch", "full"), ("openvino", "full"), ("openvino", "int8")]
    return [("torch", "full")]


def segmentation_ways() -> list[Way]:
    """Return the ways from probability to labels, the reference first."""
    return [
        Way(title="plain scikit-image, whole image", kind="plain labels"),
        Way(title="segment", kind="segment"),
        Way(title="live, a new threshold", kind="live"),
    ]


def counting_ways(device: str) -> list[Way]:
    """Return the ways from image to labels, the reference first."""
    return [
        Way(title="plain torch and scikit-image", kind="plain count", device=device),
        Way(title="predict and segment", kind="count", device=device),
    ]


def _plain_network(way: Way, image: NDArray[Any]) -> Work:
    from napari_cresunet.benchmarking._reference import reference_probability

    card, network = load_network(find_weights(DEFAULT_MODEL))
    network = network.eval().to(way.device)
    return lambda: reference_probability(image, network, card, way.device)


def _predict(way: Way, image: NDArray[Any]) -> Work:
    from napari_cresunet.inference import predict

    model = loaded(way.device, way.backend, way.precision)
    return lambda: predict(image, model)


def _plain_labels(way: Way, probability: NDArray[Any]) -> Work:
    from napari_cresunet.benchmarking._reference import PIPELINES
    from napari_cresunet.segmentation import DEFAULT_PRESET

    return lambda: PIPELINES[DEFAULT_PRESET](probability, THRESHOLD)


def _segment(way: Way, probability: NDArray[Any]) -> Work:
    from napari_cresunet.segmentation import segment

    return lambda: segment(probability, threshold=THRESHOLD)


def _live(way: Way, probability: NDArray[Any]) -> Work:
    from napari_cresunet.segmentation import LiveSegmenter

    live = LiveSegmenter(probability)
    thresholds = _slide()
    live.update(next(thresholds))  # the second move, which warms up, sorts the pixels
    return lambda: live.update(next(thresholds))


def _slide() -> Iterator[float]:
    """Yield the thresholds of a slider that goes up and down, never twice the same."""
    rng = np.random.default_rng(0)
    steps = np.concatenate([np.arange(20), np.arange(20, -20, -1), np.arange(-20, 0)])
    while True:
        yield from (THRESHOLD + 0.01 * (steps + rng.random(steps.size))).tolist()


def _plain_count(way: Way, image: NDArray[Any]) -> Work:
    from napari_cresunet.benchmarking._reference import tashfeen2025

    card, _ = load_network(find_weights(DEFAULT_MODEL))
    predict = _plain_network(way, image)
    return lambda: tashfeen2025(
        predict(), card.threshold, card.min_size, card.min_distance
    )


def _count(way: Way, image: NDArray[Any]) -> Work:
    from napari_cresunet.inference import predict
    from napari_cresunet.segmentation import segment

    model = loaded(way.device)
    card = model.card

    def count() -> Any:
        return segment(
            predict(image, model),
            threshold=card.threshold,
            min_size=card.min_size,
            min_distance=card.min_distance,
        )

    return count


KINDS: dict[str, Callable[[Way, NDArray[Any]], Work]] = {
    "plain network": _plain_network,
    "predict": _predict,
    "plain labels": _plain_labels,
    "segment": _segment,
    "live": _live,
    "plain count": _plain_count,
    "count": _count,
}

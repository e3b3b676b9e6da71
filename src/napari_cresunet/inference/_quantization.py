"""Networks in integers of 8 bits: quicker, and a little different."""

import io
import json
import logging
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.inference._calibration import (
    CalibrationImage,
    bundled_images,
    hash_of_images,
)
from napari_cresunet.inference._devices import check_openvino
from napari_cresunet.inference._model_cache import keep, read_cached
from napari_cresunet.inference._openvino import (
    CannotConvertError,
    OpenVinoRunner,
    compile_for_cpu,
    import_openvino,
    openvino_runner,
    read_network,
    without_telemetry,
)
from napari_cresunet.inference._quantized import Quantized, read_quantized, stored_name
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from torch import nn

    from napari_cresunet.inference._runners import Runner
    from napari_cresunet.weights import ModelCard

MOST_IMAGES = 32
"""More would not change the ranges of the numbers."""
_SIDE = 512  # px of a calibration input at most
_TIMES = 3
MISSING = (
    "Going on to 8 bits needs the package nncf, which is not installed; install it "
    'with: pip install "napari-cresunet[int8]"'
)


def iter_quantize(
    card: "ModelCard",
    network: "nn.Module",
    images: Sequence[CalibrationImage] | None = None,
) -> Generator[Step, None, tuple[OpenVinoRunner, Quantized]]:
    """Bring a network to 8 bits, measure what that changes, and keep both.

    Parameters
    ----------
    card : ModelCard
        Its card.
    network : Module
        A `Network` on the CPU.
    images : sequence of CalibrationImage, optional
        Of the kind that will be predicted, at most 32 of them are used. None stands for
        whatever it has been quantized with, the samples of the package if it has not.

    Yields
    ------
    Step
        After every image.

    Returns
    -------
    runner : OpenVinoRunner
        The network of 8 bits.
    quantized : Quantized
        What changed.

    Notes
    -----
    Weights and activations become integers, activations that are never negative
    unsigned ones. Weights use 7 of the 8 bits, because sums overflow otherwise on
    processors without VNNI. Without nncf, and without any image, it is an `InputError`.
    """
    check_openvino("cpu", "openvino", "int8")
    known = read_quantized(card.weights_hash) if card.weights_hash else None
    is_bundled = images is None
    stored = _stored_runner(card) if known is not None else None
    if is_bundled and known is not None and stored is not None:
        return stored, known
    chosen = bundled_images() if images is None else _some(images)
    calibration = hash_of_images(chosen)
    if known is not None and stored is not None and known.calibration == calibration:
        return stored, known
    yield Step(
        done=0, total=2 * len(chosen), message="Bringing the network to 8 bits once."
    )
    full = _full_runner(card, network)
    before = _Trial(card, network, full)
    yield from before.over(chosen, done=0)
    model = _quantize(read_network(card, network), before.inputs)
    runner = OpenVinoRunner(compile_for_cpu(model), "int8")
    after = _Trial(card, network, runner)
    yield from after.over(chosen, done=len(chosen))
    quantized = Quantized(
        calibration=calibration,
        is_bundled=is_bundled,
        n_images=len(chosen),
        count=sum(after.counts),
        full_count=sum(before.counts),
        f1=after.f1,
        full_f1=before.f1,
        difference=_mean_difference(before.probabilities, after.probabilities),
        speed=_speed(full, runner, before.inputs),
    )
    if card.weights_hash:
        keep(stored_name(card.weights_hash), _serialized(model) | _as_part(quantized))
    return runner, quantized


def _full_runner(card: "ModelCard", network: "nn.Module") -> OpenVinoRunner:
    try:
        return openvino_runner(card, network)
    except CannotConvertError as error:
        raise InputError(
            f"8 bits need OpenVINO, which could not take this network ({error}): "
            "choose the precision full."
        ) from error


def _some(images: Sequence[CalibrationImage]) -> list[CalibrationImage]:
    """Return at most so many images as are used, evenly from all."""
    if not images:
        raise InputError("There is no image to quantize with: give at least one.")
    step = -(-len(images) // MOST_IMAGES)
    return list(images)[::step]


class _Trial:
    """Cells in images as one of two runners sees them."""

    def __init__(self, card: "ModelCard", network: "nn.Module", runner: "Runner"):
        from napari_cresunet.inference._model import Model

        self.inputs: list[NDArray[np.float32]] = []
        """What the network saw, at most 512 px of each side: one for each image."""
        self.probabilities: list[NDArray[np.float32]] = []
        self.counts: list[int] = []
        self._scores: list[Any] = []
        self._runner = runner
        self._is_first = True
        names = {"device": "cpu", "backend": "openvino", "precision": runner.precision}
        self._model = Model(card, network, runner=self, **names)  # type: ignore[arg-type]  # the other attributes are its runner's

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def run(self, batch: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run the network and remember a part of what the first tile shows it."""
        if self._is_first:
            self.inputs.append(_middle(batch[0]))
            self._is_first = False
        return self._runner.run(batch)

    def over(
        self, images: list[CalibrationImage], *, done: int
    ) -> Generator[Step, None, None]:
        """Count the cells of all images."""
        from napari_cresunet.inference._prediction import predict

        for number, item in enumerate(images, start=done + 1):
            self._is_first = True
            probability = predict(item.image, self._model, diameter=item.diameter)
            self.probabilities.append(probability)
            self._count(item, probability)
            yield Step(done=number, total=2 * len(images), message="")

    def _count(self, item: CalibrationImage, probability: NDArray[np.float32]) -> None:
        """Count the cells of one image; compare them with the truth."""
        from napari_cresunet.evaluation import evaluate
        from napari_cresunet.segmentation import segment

        card = self._model.card
        labels = segment(
            probability,
            threshold=card.threshold,
            min_size=card.min_size_at(item.diameter),
            min_distance=card.min_distance_at(item.diameter),
        )
        self.counts.append(int(labels.max(initial=0)))
        if item.truth is not None:
            distance = item.diameter or card.diameter
            self._scores.append(evaluate(labels, item.truth, max_distance=distance))

    @property
    def f1(self) -> float | None:
        """Of the images whose truth is known."""
        from napari_cresunet.evaluation import aggregate

        return float(aggregate(self._scores).f1) if self._scores else None


def _middle(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle of an input, in three channels; sides stay multiples of 8."""
    starts = [max(0, (length - _SIDE) // 16 * 8) for length in channels.shape[1:]]
    top, left = starts
    part = channels[:, top : top + _SIDE, left : left + _SIDE]
    return np.ascontiguousarray(np.broadcast_to(part, (3, *part.shape[1:])))


def _quantize(model: Any, inputs: list[NDArray[np.float32]]) -> Any:
    """Return OpenVINO's model in integers."""
    try:
        with without_telemetry(), redirect_stdout(io.StringIO()):
            import nncf
    except ImportError:
        raise InputError(MISSING) from None
    from nncf.quantization.advanced_parameters import OverflowFix

    nncf.set_log_level(logging.ERROR)
    batches = [image[np.newaxis] for image in inputs]
    with redirect_stdout(io.StringIO()):  # progress bars
        return nncf.quantize(
            model,
            nncf.Dataset(batches),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(batches),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                overflow_fix=OverflowFix.ENABLE
            ),
        )


def _mean_difference(
    ones: list[NDArray[np.float32]], others: list[NDArray[np.float32]]
) -> float:
    differences = [
        float(np.abs(one - other).sum())
        for one, other in zip(ones, others, strict=True)
    ]
    return sum(differences) / sum(one.size for one in ones)


def _speed(
    full: OpenVinoRunner, short: OpenVinoRunner, inputs: list[NDArray[np.float32]]
) -> float:
    """Return how many times faster one runner is, from the quickest of some turns."""
    largest = max(inputs, key=lambda image: image.size)
    seconds: dict[OpenVinoRunner, list[float]] = {full: [], short: []}
    for _ in range(_TIMES):
        for runner, spent in seconds.items():
            started = time.perf_counter()
            runner.run([largest])
            spent.append(time.perf_counter() - started)
    return min(seconds[full]) / min(seconds[short])


def _serialized(model: Any) -> dict[str, bytes]:
    """Return OpenVINO's two files of a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        import_openvino().serialize(model, path)
        return {
            name: (path.parent / name).read_bytes()
            for name in ("model.xml", "model.bin")
        }


def _as_part(quantized: Quantized) -> dict[str, bytes]:
    return {"measured.json": json.dumps(asdict(quantized)).encode()}


def _stored_runner(card: "ModelCard") -> OpenVinoRunner | None:
    """Return the runner that was kept; None if its file is damaged."""
    parts = read_cached(stored_name(card.weights_hash), "model.xml", "model.bin")
    if not parts:
        return None
    core = import_openvino().Core()
    model = core.read_model(parts["model.xml"], parts["model.bin"])
    return OpenVinoRunner(compile_for_cpu(model), "int8")

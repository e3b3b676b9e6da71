"""Networks that OpenVINO runs on the CPU, some times as fast as PyTorch."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._devices import import_torch
from napari_cresunet.inference._model_cache import keep, read_cached
from napari_cresunet.models import OPSET, network_onnx

if TYPE_CHECKING:
    from torch import nn

    from napari_cresunet.weights import ModelCard

TOLERANCE = 1e-4
"""Largest difference of probabilities from PyTorch's."""


class CannotConvertError(Exception):
    """A network that OpenVINO does not take; says why in some words."""


class OpenVinoRunner:
    """A network that OpenVINO runs on the CPU.

    Parameters
    ----------
    compiled : openvino.CompiledModel
        The network, for images of any size.
    precision : str
        "full" or "int8".
    """

    device = "cpu"
    backend = "openvino"
    most = 1

    def __init__(self, compiled: Any, precision: str = "full") -> None:
        self.precision = precision
        self._compiled = compiled

    def run(self, batch: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run the network; see `Runner`. Several threads may do so at once."""
        results = []
        for channels in batch:
            shape = (1, 3, *channels.shape[1:])
            image = np.ascontiguousarray(np.broadcast_to(channels, shape[1:]))
            request = self._compiled.create_infer_request()
            outputs = request.infer([image.reshape(shape)], share_inputs=True)
            results.append(outputs[0][0, 0].copy())
        return results

    def on_cpu(self) -> "OpenVinoRunner":
        """Return itself."""
        return self

    def release(self) -> None:
        """Free what is kept for the next image of the same size; see `Runner`."""
        self._compiled.release_memory()


def import_openvino() -> ModuleType:
    """Import OpenVINO, without its telemetry."""
    with without_telemetry():
        return import_module("openvino")


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Keep OpenVINO's packages that are imported in the block from telling of it.

    They would report their use to Google Analytics, and leave an identification in the
    home folder, but go without where the package for it cannot be imported.
    """
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # so that importing it fails
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


def openvino_runner(card: "ModelCard", network: "nn.Module") -> OpenVinoRunner:
    """Have OpenVINO take a network.

    Parameters
    ----------
    card : ModelCard
        Its card; what comes of it is kept under the hash of its weights.
    network : Module
        A `Network` on the CPU.

    Returns
    -------
    OpenVinoRunner
        In full precision.

    Raises
    ------
    CannotConvertError
        If it cannot, or if its probabilities are others.
    """
    try:
        runner = OpenVinoRunner(compile_for_cpu(read_network(card, network)))
        difference = _difference(runner, network)
    except Exception as error:  # whatever torch, ONNX or OpenVINO raise
        reason = f"{error}".strip().split("\n")[0][:200] or type(error).__name__
        raise CannotConvertError(reason.rstrip(".")) from error
    if not difference <= TOLERANCE:
        raise CannotConvertError(f"probabilities would differ by {difference:.1g}")
    return runner


def read_network(card: "ModelCard", network: "nn.Module") -> Any:
    """Return a network as OpenVINO's model, from the cache if it is there.

    Parameters
    ----------
    card : ModelCard
        Its card.
    network : Module
        A `Network`.

    Returns
    -------
    openvino.Model
        For images of any size.
    """
    core = import_openvino().Core()
    versions = [str(OPSET), version("torch"), version("napari-cresunet")]
    name = f"{card.weights_hash}-onnx-{'-'.join(versions)}"
    content = read_cached(name).get("model.onnx") if card.weights_hash else None
    if content is None:
        content = network_onnx(network)
        if card.weights_hash:
            keep(name, {"model.onnx": content})
    return core.read_model(content)


def compile_for_cpu(model: Any) -> Any:
    """Compile a model for one image at a time, on as many threads as PyTorch uses.

    Parameters
    ----------
    model : openvino.Model
        The network.

    Returns
    -------
    openvino.CompiledModel
        For images of any size. What is not quantized is computed in float32, also
        where the processor knows shorter numbers.
    """
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": import_torch().get_num_threads(),
    }
    return import_openvino().Core().compile_model(model, "CPU", settings)


def _difference(runner: OpenVinoRunner, network: Any) -> float:
    """Return the largest difference from PyTorch on a small image of noise."""
    torch = import_torch()
    shape = (3, 8 * network.stride, 6 * network.stride)
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(image)[np.newaxis])[0, 0].numpy()
    return float(np.abs(runner.run([image])[0] - expected).max())

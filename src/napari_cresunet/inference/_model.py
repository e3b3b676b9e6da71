"""A network on a device, together with the card that says how to feed it."""

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.inference._cuda import CudaRunner
from napari_cresunet.inference._devices import (
    device_title,
    import_torch,
    resolve_place,
)
from napari_cresunet.inference._openvino import (
    CannotConvertError,
    openvino_runner,
)
from napari_cresunet.inference._runners import Runner, TorchRunner
from napari_cresunet.steps import Step, drain
from napari_cresunet.weights import DEFAULT_MODEL, find_weights, load_network

if TYPE_CHECKING:
    from torch import nn

    from napari_cresunet.inference._quantized import Quantized
    from napari_cresunet.weights import ModelCard

_CANNOT = (
    "OpenVINO could not take this network ({}), so PyTorch runs it, which takes longer."
)


@dataclass(frozen=True, slots=True)
class Model:
    """What `predict` needs; with the first three it runs in PyTorch."""

    card: "ModelCard"
    network: "nn.Module"
    """In evaluation mode, on `device`."""
    device: str
    backend: str = "torch"
    """What runs it: "torch" or "openvino"."""
    precision: str = "full"
    """"full" (float32), "half" or "int8"."""
    runner: Runner = field(default=None, repr=False)  # type: ignore[assignment]  # filled below
    quantized: "Quantized | None" = None
    """Of 8 bits, what they change."""
    notes: tuple[str, ...] = ()
    """What the user should know of how it was loaded; goes into every record."""

    def __post_init__(self) -> None:
        given: Runner | None = self.runner
        if given is None:
            runner = _runner(self.network, self.device, self.precision)
            object.__setattr__(self, "runner", runner)

    @property
    def title(self) -> str:
        """Where and how it runs, for people, such as "CPU, OpenVINO"."""
        return device_title(self.device, self.backend, self.precision)

    def release(self) -> None:
        """Free the memory that is kept for another image of the same size."""
        self.runner.release()


def _runner(network: "nn.Module", device: str, precision: str) -> Runner:
    """Return what runs a network in PyTorch."""
    if device.startswith("cuda"):
        return CudaRunner(network, device, precision)
    return TorchRunner(network, device)


def load_model(
    name_or_path: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    *,
    backend: str = "auto",
    precision: str = "auto",
) -> Model:
    """Load a model.

    Parameters
    ----------
    name_or_path : str or Path, optional
        Name of a bundled or imported model, or a .safetensors or Keras .h5 file.
    device : str, optional
        "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:1", "mps".
    backend : str, optional
        What runs the network: "torch", "openvino" (CPU only, with the same numbers to
        1e-4), or "auto": OpenVINO on the CPU if it is installed and can take the
        network, otherwise torch.
    precision : str, optional
        "full" (float32), "half" (CUDA only), "int8" (OpenVINO only: faster, with
        slightly other counts) or "auto".

    Returns
    -------
    Model
        Ready to predict.

    Notes
    -----
    A device that is not there, or a choice that does not go together, is an
    `InputError`, a model that is not there or a file that cannot be used a
    `WeightsError`, and a PyTorch that does not load an `EngineError`.
    """
    return drain(
        iter_load_model(name_or_path, device, backend=backend, precision=precision)
    )


def iter_load_model(
    name_or_path: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    *,
    backend: str = "auto",
    precision: str = "auto",
) -> Generator[Step, None, Model]:
    """Load a model; steps come only while a network is brought to 8 bits.

    Parameters
    ----------
    name_or_path, device, backend, precision
        As for `load_model`.

    Yields
    ------
    Step
        After every image of the calibration, the first time.

    Returns
    -------
    Model
        Ready to predict.
    """
    torch = import_torch()
    device, backend, precision = resolve_place(device, backend, precision)
    card, network = load_network(find_weights(name_or_path))
    network = network.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack memory_format
    if precision == "int8":
        from napari_cresunet.inference._quantization import iter_quantize

        short, quantized = yield from iter_quantize(card, network)
        return Model(card, network, device, backend, precision, short, quantized)
    if backend == "openvino":
        try:
            runner = openvino_runner(card, network)
            return Model(card, network, device, backend, precision, runner)
        except CannotConvertError as error:
            return Model(card, network, device, notes=(_CANNOT.format(error),))
    return Model(card, network, device, backend, precision)

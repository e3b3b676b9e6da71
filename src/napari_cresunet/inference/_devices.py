"""Devices by name, and torch itself, which loads on first use."""

from importlib.util import find_spec
from types import ModuleType

from napari_cresunet.errors import EngineError, InputError

BACKENDS = ("torch", "openvino")
PRECISIONS = ("full", "half", "int8")
CUDA_PRECISION = "half"
"""What "auto" means on CUDA."""


def import_torch() -> ModuleType:
    """Import torch.

    Returns
    -------
    module
        torch.

    Raises
    ------
    EngineError
        If its libraries cannot be loaded.
    """
    try:
        import torch
    except OSError as error:
        raise EngineError(
            f"PyTorch could not be loaded ({error}): on Windows install the Microsoft "
            "Visual C++ redistributable from https://aka.ms/vs/17/release/"
            "vc_redist.x64.exe, elsewhere reinstall torch."
        ) from error
    return torch


def available_devices() -> list[str]:
    """List the devices of this computer, the fastest first.

    Returns
    -------
    list of str
        Of "cuda" (the first GPU), "cuda:1" and so on, "mps" and "cpu".
    """
    torch = import_torch()
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    devices = ["cuda" if index == 0 else f"cuda:{index}" for index in range(gpus)]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def resolve_device(name: str) -> str:
    """Return the device that a user's choice stands for.

    Parameters
    ----------
    name : str
        "auto" for the fastest, or a device.

    Returns
    -------
    str
        A device that is there.

    Raises
    ------
    InputError
        If there is no such device.
    """
    devices = available_devices()
    if name == "auto":
        return devices[0]
    if name == "cuda:0" and "cuda" in devices:
        return name
    if name not in devices:
        raise InputError(
            f"There is no device {name!r} on this computer; choose "
            f"{' or '.join(['auto', *devices])}."
        )
    return name


def resolve_place(device: str, backend: str, precision: str) -> tuple[str, str, str]:
    """Return what a user's choices stand for.

    Parameters
    ----------
    device, backend, precision : str
        As for `load_model`.

    Returns
    -------
    tuple of str
        The same without "auto".

    Raises
    ------
    InputError
        If one is unknown or not there, or if they do not go together.
    """
    _check_choice("backend", backend, BACKENDS)
    _check_choice("precision", precision, PRECISIONS)
    if device == "auto" and (backend == "openvino" or precision == "int8"):
        device = "cpu"
    device = resolve_device(device)
    if backend == "openvino" or precision == "int8":
        check_openvino(device, backend, precision)
        backend = "openvino"
    elif backend == "auto":
        is_quicker = device == "cpu" and precision != "half" and has_openvino()
        backend = "openvino" if is_quicker else "torch"
    is_cuda = device.startswith("cuda")
    if precision == "auto":
        precision = CUDA_PRECISION if is_cuda else "full"
    if precision == "half" and not is_cuda:
        raise InputError(
            "Half precision needs a GPU with CUDA: choose the precision full."
        )
    return device, backend, precision


def has_openvino() -> bool:
    """Tell whether OpenVINO, and onnx that it needs here, is installed."""
    return all(find_spec(name) is not None for name in ("openvino", "onnx"))


def check_openvino(device: str, backend: str, precision: str) -> None:
    """Refuse what OpenVINO is wanted for but cannot do here.

    Parameters
    ----------
    device : str
        One that is there.
    backend, precision : str
        As for `load_model`.

    Raises
    ------
    InputError
        If it needs another device or choice, or is not installed.
    """
    if backend == "torch":
        raise InputError("8 bits need OpenVINO: choose the backend openvino.")
    if precision == "half":
        raise InputError(
            "OpenVINO has no half precision here: choose the precision full or int8."
        )
    wanted = "8 bits need" if precision == "int8" else "OpenVINO needs"
    if device != "cpu":
        raise InputError(f"{wanted} the processor: choose the device cpu.")
    if not has_openvino():
        extra = "int8" if precision == "int8" else "fast"
        raise InputError(
            "OpenVINO is not installed: choose another backend and precision, or "
            f'install it with: pip install "napari-cresunet[{extra}]"'
        )


def _check_choice(name: str, chosen: str, allowed: tuple[str, ...]) -> None:
    """Refuse what is not one of the allowed."""
    if chosen not in ("auto", *allowed):
        raise InputError(
            f"Unknown {name} {chosen!r}; choose {' or '.join(['auto', *allowed])}."
        )


def device_title(device: str, backend: str = "torch", precision: str = "full") -> str:
    """Return what a device, and how it is used, is called for people.

    Parameters
    ----------
    device : str
        Such as "cpu" or "cuda:1".
    backend : str, optional
        "torch", which goes without saying, or "openvino".
    precision : str, optional
        "full", which goes without saying, "half" or "int8".

    Returns
    -------
    str
        Such as "CPU", "CPU, OpenVINO, 8 bit" or "CUDA: NVIDIA T4, half precision".
    """
    title = {"cpu": "CPU", "mps": "GPU (Apple MPS)"}.get(device, device)
    if device.startswith("cuda"):
        title = f"CUDA: {import_torch().cuda.get_device_name(device)}"
    extra = {"openvino": ["OpenVINO"]}.get(backend, [])
    extra += {"half": ["half precision"], "int8": ["8 bit"]}.get(precision, [])
    return ", ".join([title, *extra])

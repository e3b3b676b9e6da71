"""Devices by name, and torch itself, which loads on first use."""

from types import ModuleType

from napari_cresunet.errors import EngineError, InputError


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

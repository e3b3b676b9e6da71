"""The table of formats."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.export._bioimageio import export_bioimageio
from napari_cresunet.export._onnx import export_onnx
from napari_cresunet.export._torchscript import export_torchscript

if TYPE_CHECKING:
    from napari_cresunet.inference import Model


@dataclass(frozen=True, slots=True)
class Format:
    """One format that a network can be exported to."""

    title: str
    suffix: str
    """What its files end in."""
    write: Callable[["Model", str | Path], Path]
    """Takes a model and the file to write, returns the file."""


FORMATS: dict[str, Format] = {
    "onnx": Format("ONNX", ".onnx", export_onnx),
    "torchscript": Format("TorchScript", ".pt", export_torchscript),
    "bioimageio": Format("bioimage.io package", ".zip", export_bioimageio),
}
"""All formats by the name that the command line knows them by."""

"""Networks in formats that other programs run.

What is exported is the network: RGB in [0, 1] in, probability of "cell" out, for images
of any size. How an image becomes that input is for the other program to do; the model
card, which travels along, says how.
"""

from napari_cresunet.export._bioimageio import export_bioimageio
from napari_cresunet.export._colors import KIND_COLORS
from napari_cresunet.export._formats import FORMATS, Format
from napari_cresunet.export._onnx import export_onnx
from napari_cresunet.export._torchscript import export_torchscript

__all__ = [
    "FORMATS",
    "KIND_COLORS",
    "Format",
    "export_bioimageio",
    "export_onnx",
    "export_torchscript",
]

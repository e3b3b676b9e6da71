"""Networks as ONNX, which ONNX Runtime runs nearly everywhere."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.errors import EngineError
from napari_cresunet.export._portable import (
    CARD,
    INPUT,
    OUTPUT,
    card_text,
    example_input,
    missing_package,
    portable_network,
    write_export,
)

if TYPE_CHECKING:
    from napari_cresunet.inference import Model

OPSET = 17
"""Version of ONNX's operators; what ran in 2022 runs it."""


def export_onnx(model: "Model", path: str | Path) -> Path:
    """Write a network as ONNX.

    The input "image" is float32 (N, 3, Y, X), RGB in [0, 1], Y and X multiples of the
    network's stride; the output "probability" float32 (N, 1, Y, X). The card lies in
    the metadata under "card".

    Parameters
    ----------
    model : Model
        From `load_model`.
    path : str or Path
        The file to write or replace, usually .onnx; missing folders are made.

    Returns
    -------
    Path
        The file.

    Notes
    -----
    Needs the package onnx; without it this is an `EngineError`. A file that cannot be
    written is a `WeightsError`.
    """
    return write_export(path, onnx_bytes(model))


def onnx_bytes(model: "Model") -> bytes:
    """Return the content of an ONNX file; see `export_onnx`.

    Parameters
    ----------
    model : Model
        From `load_model`.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    EngineError
        If the package onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise EngineError(missing_package("onnx")) from None
    proto = onnx.load_from_string(_trace(model))
    proto.doc_string = (
        f"{model.card.title}: RGB image in [0, 1], (N, 3, Y, X), to the probability of "
        '"cell" per pixel, (N, 1, Y, X).'
    )
    onnx.helper.set_model_props(proto, {CARD: card_text(model.card)})
    content: bytes = proto.SerializeToString()
    return content


def _trace(model: "Model") -> bytes:
    """Return the network as ONNX without metadata."""
    import torch

    network = portable_network(model)
    axes = {0: "batch", 2: "y", 3: "x"}
    file = io.BytesIO()
    options: dict[str, Any] = {
        "f": file,
        "input_names": [INPUT],
        "output_names": [OUTPUT],
        "dynamic_axes": {INPUT: axes, OUTPUT: axes},
        "opset_version": OPSET,
        # The newer exporter took 30 times as long, and failed where weights were
        # channels-last (torch 2.13).
        "dynamo": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)  # a constant was not folded
        torch.onnx.export(network, (example_input(network),), **options)
    return file.getvalue()

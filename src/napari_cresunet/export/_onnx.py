"""Networks as ONNX, which ONNX Runtime runs nearly everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.errors import EngineError
from napari_cresunet.export._portable import (
    CARD,
    card_text,
    missing_package,
    write_export,
)
from napari_cresunet.models import network_onnx

if TYPE_CHECKING:
    from napari_cresunet.inference import Model


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
    proto = onnx.load_from_string(network_onnx(model.network))
    proto.doc_string = (
        f"{model.card.title}: RGB image in [0, 1], (N, 3, Y, X), to the probability of "
        '"cell" per pixel, (N, 1, Y, X).'
    )
    onnx.helper.set_model_props(proto, {CARD: card_text(model.card)})
    content: bytes = proto.SerializeToString()
    return content

"""Networks as packages of bioimage.io, which ilastik, deepImageJ and others run.

[Model description 0.5: github.com/bioimage-io/spec-bioimage-io]
"""

import hashlib
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import EngineError
from napari_cresunet.export._onnx import onnx_bytes
from napari_cresunet.export._pictures import png_bytes
from napari_cresunet.export._portable import (
    card_values,
    missing_package,
    write_export,
)
from napari_cresunet.export._readme import readme
from napari_cresunet.models import INPUT, OPSET, OUTPUT, plain_copy

if TYPE_CHECKING:
    from napari_cresunet.inference import Model
    from napari_cresunet.models import Network
    from napari_cresunet.weights import ModelCard

_FORMAT_VERSION = "0.5.3"
_TESTED_SIDE = 256  # px
_LEAST_STRIDES = 8  # shorter images would be little but border
_SEED = 7
_SPDX = re.compile(r"CC-BY(-SA)?-[34]\.0|CC0-1\.0|Apache-2\.0|MIT|BSD-[23]-Clause")
_DOI = re.compile(r"10\.\d{4,}/[^\s;,]+")
_MORELLI = {
    "text": "Morelli R., Clissa L. et al., Automating cell counting in fluorescent "
    "microscopy through deep learning with c-ResUnet, Sci Rep 11:22920 (2021)",
    "doi": "10.1038/s41598-021-01929-5",
}
_OKTAY = {
    "text": "Oktay O. et al., Attention U-Net: learning where to look for the pancreas",
    "url": "https://arxiv.org/abs/1804.03999",
}


def export_bioimageio(model: "Model", path: str | Path) -> Path:
    """Write a network as a package of bioimage.io.

    The package holds the network as TorchScript and as ONNX, an input with the output
    that belongs to it, a picture of both, and a text on how to use it.

    Parameters
    ----------
    model : Model
        From `load_model`.
    path : str or Path
        The file to write or replace, usually .zip; missing folders are made.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    EngineError
        If the package onnx or pyyaml is not installed.

    Notes
    -----
    A file that cannot be written is a `WeightsError`.
    """
    try:
        import yaml
    except ImportError:
        raise EngineError(missing_package("pyyaml")) from None
    parts = _parts(model)
    description = _describe(model, {name: _sha256(parts[name]) for name in parts})
    text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True)
    parts = {"rdf.yaml": text.encode(), **parts}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # Without the time of writing, which says nothing of the model.
            entry = zipfile.ZipInfo(name)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return write_export(path, file.getvalue())


def _parts(model: "Model") -> dict[str, bytes]:
    """Return all files but the description."""
    from napari_cresunet.export._torchscript import torchscript_bytes

    image = _test_input(model.card)
    probability = _run(plain_copy(model.network), image)
    return {
        "weights.onnx": onnx_bytes(model),
        "weights.pt": torchscript_bytes(model),
        "test_input.npy": _npy(image),
        "test_output.npy": _npy(probability),
        "cover.png": _cover(image, probability),
        "README.md": readme(model.card, model.network).encode(),  # type: ignore[arg-type]  # every network of ours is a Network
    }


def _test_input(card: "ModelCard") -> NDArray[np.float32]:
    """Draw neurons of the size that the network knows: (1, 3, Y, X), in [0, 1]."""
    from napari_cresunet.datasets import NeuronScene, synthesize_neurons

    scene = NeuronScene(
        height=_TESTED_SIDE,
        width=_TESTED_SIDE,
        n_cells=6,
        diameter=min(card.diameter, _TESTED_SIDE / 4),
        edge=False,
    )
    pixels, _ = synthesize_neurons(scene, seed=_SEED)
    return np.moveaxis(pixels, 2, 0)[None].astype(np.float32) / np.float32(255)


def _run(network: "Network", image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability, (1, 1, Y, X)."""
    import torch

    with torch.inference_mode():
        probability: NDArray[np.float32] = network(torch.from_numpy(image)).numpy()
    return probability


def _npy(array: NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _cover(image: NDArray[np.float32], probability: NDArray[np.float32]) -> bytes:
    """Return a PNG, twice as wide as high: the image beside its probability."""
    seen = np.moveaxis(image[0], 0, 2)
    found = np.repeat(probability[0, 0, :, :, None], 3, axis=2)
    both = np.round(255 * np.concatenate([seen, found], axis=1)).astype(np.uint8)
    return png_bytes(both)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _describe(model: "Model", hashes: dict[str, str]) -> dict[str, Any]:
    """Return the content of rdf.yaml."""
    import torch

    card = model.card

    def file(name: str, **more: object) -> dict[str, Any]:
        return {"source": name, "sha256": hashes[name], **more}

    license_match = _SPDX.search(card.license)
    return {
        "type": "model",
        "format_version": _FORMAT_VERSION,
        "name": re.sub(r"[^A-Za-z0-9_+ ()-]", "-", f"{card.name} (cell counting)")[:64],
        "description": f"{card.title}: finds fluorescent cells in microscopy images.",
        # Of this description; who made the weights stands under cite and in config.
        "authors": [{"name": "napari-cresunet"}],
        "cite": _citations(card),
        **({"license": license_match[0]} if license_match else {}),
        "tags": [
            "2d",
            "fluorescence-light-microscopy",
            "semantic-segmentation",
            "cells",
        ],
        "documentation": "README.md",
        "covers": ["cover.png"],
        "inputs": [_input(model, file("test_input.npy"))],
        "outputs": [_output(file("test_output.npy"))],
        "weights": {
            "torchscript": file(
                "weights.pt", pytorch_version=torch.__version__.partition("+")[0]
            ),
            "onnx": file("weights.onnx", opset_version=OPSET, parent="torchscript"),
        },
        "config": {"napari_cresunet": card_values(card)},
    }


def _input(model: "Model", test_tensor: dict[str, Any]) -> dict[str, Any]:
    network: Any = model.network

    def axis(name: str) -> dict[str, Any]:
        size = {"min": _LEAST_STRIDES * network.stride, "step": network.stride}
        return {"type": "space", "id": name, "size": size}

    return {
        "id": INPUT,
        "description": "RGB image in [0, 1]; README.md says how to scale and resample.",
        "axes": [
            {"type": "batch"},
            {"type": "channel", "channel_names": ["red", "green", "blue"]},
            axis("y"),
            axis("x"),
        ],
        "test_tensor": test_tensor,
        "data": {"type": "float32", "range": [0.0, 1.0]},
    }


def _output(test_tensor: dict[str, Any]) -> dict[str, Any]:
    # No halo, though tiles need one (the text says so): with it bioimageio.core mirrors
    # even whole images at their borders, which the network never saw.
    def axis(name: str) -> dict[str, Any]:
        size = {"tensor_id": INPUT, "axis_id": name}
        return {"type": "space", "id": name, "size": size}

    return {
        "id": OUTPUT,
        "description": "Probability of cell per pixel.",
        "axes": [
            {"type": "batch"},
            {"type": "channel", "channel_names": ["cell"]},
            axis("y"),
            axis("x"),
        ],
        "test_tensor": test_tensor,
        "data": {"type": "float32", "range": [0.0, 1.0]},
    }


def _citations(card: "ModelCard") -> list[dict[str, str]]:
    """Return what to cite: the card's, of the network, and of attention gates."""
    entries = [_MORELLI]
    if card.variant.startswith("attention"):
        entries.append(_OKTAY)
    for text in card.citation.split(";"):
        doi = _DOI.search(text)
        if doi and doi[0] != _MORELLI["doi"]:
            entries.append({"text": text.strip(), "doi": doi[0]})
    return entries

"""Weights of c-ResUnet from the HDF5 files of Keras 2, read without TensorFlow.

Keras names its layers `KIND` or `KIND_K`, K counting in order of creation through all
models of a session. So only the order tells which layer is which. Convolution kernels
are (height, width, in, out), those of transposed convolutions (height, width, out, in).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._imported import imported_card
from napari_cresunet.weights._safetensors import Tensors, hash_tensors, is_hdf5

_KINDS = ("conv2d", "conv2d_transpose", "batch_normalization")
_LAYER_NAME = re.compile(rf"({'|'.join(_KINDS)})(?:_(\d+))?")
_DEEPEST_GROUP = 4  # model_weights/LAYER/LAYER/kernel:0, one more in Keras 3


class _Layer(NamedTuple):
    """One layer of the network: its prefix in torch, its kernel's shape in Keras."""

    prefix: str
    shape: tuple[int, ...]


class _Block(NamedTuple):
    """Two convolutions with batch norms: a residual block or half a decoder block."""

    prefix: str
    inputs: int
    outputs: int
    size: int
    has_shortcut: bool = False


# In order of creation. Table of Morelli et al. 2021; a shortcut comes before the block.
_BLOCKS = (
    _Block("encoder2", 16, 32, 3, has_shortcut=True),
    _Block("encoder3", 32, 64, 3, has_shortcut=True),
    _Block("bridge1", 64, 128, 5, has_shortcut=True),
    _Block("bridge2", 128, 128, 5),
    _Block("decoder3", 128, 64, 3),
    _Block("decoder2", 64, 32, 3),
    _Block("decoder1", 32, 16, 3),
)


def _convolutions() -> Iterator[_Layer]:
    yield _Layer("color.0", (1, 1, 3, 1))
    yield _Layer("encoder1.0", (3, 3, 1, 16))
    yield _Layer("encoder1.3", (3, 3, 16, 16))
    for prefix, inputs, outputs, size, has_shortcut in _BLOCKS:
        if has_shortcut:
            yield _Layer(f"{prefix}.shortcut", (1, 1, inputs, outputs))
        yield _Layer(f"{prefix}.body.2", (size, size, inputs, outputs))
        yield _Layer(f"{prefix}.body.5", (size, size, outputs, outputs))
    yield _Layer("head", (1, 1, 16, 1))


def _normalizations() -> Iterator[_Layer]:
    yield _Layer("color.1", (1,))
    yield _Layer("encoder1.1", (16,))
    for prefix, inputs, outputs, _, _ in _BLOCKS:
        yield _Layer(f"{prefix}.body.0", (inputs,))
        yield _Layer(f"{prefix}.body.3", (outputs,))


_LAYERS: dict[str, tuple[_Layer, ...]] = {
    "conv2d": tuple(_convolutions()),
    "conv2d_transpose": tuple(
        _Layer(f"{block.prefix}.up", (2, 2, block.outputs, block.inputs))
        for block in _BLOCKS
        if block.prefix.startswith("decoder")
    ),
    "batch_normalization": tuple(_normalizations()),
}

_NORMALIZATION_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def read_keras(path: Path, *, name: str | None = None) -> tuple[ModelCard, Tensors]:
    """Read a c-ResUnet that Keras 2 saved.

    Parameters
    ----------
    path : Path
        The HDF5 file: a whole model or its weights.
    name : str, optional
        The model's name; that of the file if not given.

    Returns
    -------
    card : ModelCard
        A card with the recommendations that were published for c-ResUnet.
    tensors : mapping of str to ndarray
        The state of our network.

    Raises
    ------
    WeightsError
        If it is no HDF5 file, or its layers are not those of a c-ResUnet.
    """
    import h5py

    if not is_hdf5(path):
        raise WeightsError(
            f"{path.name} is no HDF5 file; save the Keras model as .h5 and import that."
        )
    try:
        with h5py.File(path, "r") as file:
            tensors = _convert(path, file)
    # All that h5py was seen to raise on damage, found by changing bytes at random.
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path.name} is cut off or damaged; copy or download it again."
        ) from error
    card = imported_card(
        path,
        name,
        origin="Keras",
        threshold=0.6,
        weights_hash=hash_tensors(tensors),
    )
    return card, tensors


def _convert(path: Path, file: Any) -> Tensors:
    """Return the state of our network from an open HDF5 file."""
    root = dict(_own_items(file)).get("model_weights", file)
    _check_activations(path, file.attrs.get("model_config"))
    layers = _collect_layers(path, root)
    tensors: dict[str, NDArray[Any]] = {}
    for kind, expected in _LAYERS.items():
        names = _in_order(path, kind, [name for name in layers if _kind(name) == kind])
        for name, layer in zip(names, expected, strict=True):
            if kind == "batch_normalization":
                tensors |= _convert_normalization(path, name, layers[name], layer)
            else:
                tensors |= _convert_convolution(path, name, layers[name], layer)
    return tensors


def _check_activations(path: Path, config: Any) -> None:
    """Refuse a twin of c-ResUnet whose layers have the right shapes by chance."""
    try:
        layers = json.loads(config)["config"]["layers"]
        found = [
            (layer["config"]["name"], layer["config"]["activation"])
            for layer in layers
            if "activation" in layer["config"]
        ]
    except (TypeError, ValueError, LookupError):
        return  # weights alone, or another version's description: shapes must do
    for name, activation in found:
        if activation not in ("elu", "sigmoid", "linear"):
            raise WeightsError(
                f"{path.name} is no c-ResUnet: {name} has the activation "
                f"{activation!r} instead of 'elu'; "
                "use a file of the published c-ResUnet."
            )


def _kind(name: str) -> str:
    match = _LAYER_NAME.fullmatch(name)
    return match[1] if match else ""


def _number(name: str) -> int:
    """Return K of a layer's name; Keras leaves out a zero."""
    match = _LAYER_NAME.fullmatch(name)
    return int(match[2] or 0) if match else 0


def _collect_layers(path: Path, root: Any) -> dict[str, dict[str, Any]]:
    """Return layer name → variable name → dataset, of all layers with weights."""
    import h5py

    layers: dict[str, dict[str, Any]] = {}
    for name, group in _own_items(root):
        is_group = isinstance(group, h5py.Group)
        variables = dict(_walk(group, _DEEPEST_GROUP)) if is_group else {}
        if variables and not _kind(name):
            raise WeightsError(
                f"{path.name} is no c-ResUnet: it has a layer {name!r} with weights; "
                "use a file of c-ResUnet without attention."
            )
        if variables or _kind(name):
            layers[name] = variables
    return layers


def _own_items(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield what lies in this very file: links to others are not followed."""
    import h5py

    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            yield name, group[name]


def _walk(group: Any, depth: int) -> Iterator[tuple[str, Any]]:
    import h5py

    for name, item in _own_items(group):
        if isinstance(item, h5py.Dataset):
            yield name.partition(":")[0], item
        elif isinstance(item, h5py.Group) and depth > 0:
            yield from _walk(item, depth - 1)


def _in_order(path: Path, kind: str, names: list[str]) -> list[str]:
    """Return a kind's layers in order of creation, or refuse too few or too many."""
    names = sorted(names, key=_number)
    wanted = len(_LAYERS[kind])
    if len(names) == wanted:
        return names
    problem = (
        f"{names[wanted]} is one too many"
        if len(names) > wanted
        else f"{_first_missing(kind, names)} is missing"
    )
    raise WeightsError(
        f"{path.name} is no c-ResUnet: it has {len(names)} {kind} layers instead of "
        f"{wanted} ({problem}); use a file of c-ResUnet without attention."
    )


def _first_missing(kind: str, names: list[str]) -> str:
    """Return the name in the first gap of the numbers, or the one after the last."""
    numbers = [_number(name) for name in names] or [-1]
    gap = next(k for k in range(numbers[0], numbers[-1] + 2) if k not in numbers)
    return f"{kind}_{gap}" if gap > 0 else kind


def _convert_convolution(
    path: Path, name: str, variables: dict[str, Any], layer: _Layer
) -> dict[str, NDArray[Any]]:
    is_transposed = layer.prefix.endswith(".up")
    outputs = layer.shape[2] if is_transposed else layer.shape[3]
    kernel = _read(path, f"{name}/kernel", variables.get("kernel"), layer.shape)
    bias = _read(path, f"{name}/bias", variables.get("bias"), (outputs,))
    # (h, w, in, out) → (out, in, h, w), and (h, w, out, in) → (in, out, h, w): neither
    # is mirrored, since both libraries define the transposed convolution as the adjoint
    # of the correlation they call convolution.
    weight = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    return {f"{layer.prefix}.weight": weight, f"{layer.prefix}.bias": bias}


def _convert_normalization(
    path: Path, name: str, variables: dict[str, Any], layer: _Layer
) -> dict[str, NDArray[Any]]:
    tensors = {
        f"{layer.prefix}.{ours}": _read(
            path, f"{name}/{theirs}", variables.get(theirs), layer.shape
        )
        for theirs, ours in _NORMALIZATION_NAMES.items()
    }
    # torch's own counter, without influence on predictions.
    tensors[f"{layer.prefix}.num_batches_tracked"] = np.array(0, np.int64)
    return tensors


def _read(
    path: Path, name: str, dataset: Any, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Return one variable, whose shape is checked before anything is read."""
    if dataset is None:
        raise WeightsError(
            f"{path.name} is no c-ResUnet: {name} is missing; "
            "use a file of c-ResUnet without attention."
        )
    if dataset.shape != shape or dataset.dtype.kind != "f":
        raise WeightsError(
            f"{path.name} is no c-ResUnet: {name} is {dataset.dtype} of shape "
            f"{dataset.shape} instead of float32 of shape {shape}; "
            "use a file of c-ResUnet without attention."
        )
    if dataset.external or dataset.is_virtual:
        raise WeightsError(
            f"{path.name} keeps {name} in another file, which is not opened; "
            "save the model as one HDF5 file."
        )
    return np.asarray(dataset[()], dtype=np.float32)

"""Weights of c-ResUnet from the PyTorch files of fluocells, read without fastai.

fastai saves a dict: the state dict under "model", the optimizer's state under "opt".
Names in the state dict depend on the version of the code, so the order tells which
layer is which, and every shape is checked. The network is ours layer by layer: batch
norms have the same epsilon of 1e-3, images are RGB / 255
[github.com/clissa/fluocells-scientific-data, fluocells/models and training.py].
"""

import pickle
import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._imported import imported_card
from napari_cresunet.weights._safetensors import Tensors, hash_tensors, start_of

if TYPE_CHECKING:
    from torch import Tensor

_CONVOLUTION = ("weight", "bias")
_NORMALIZATION = ("weight", "bias", "running_mean", "running_var")

# The optimizer's state holds objects of these packages; none of it is needed.
_INERT_PACKAGES = ("fastai", "fastcore", "numpy")

_ADVICE = "use a .pth file of c-ResUnet that fluocells saved."


class _Inert:
    """Stands in for a class that is not wanted: takes anything, does nothing."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def _layers() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield our layers in the order of fluocells, each with its tensors."""
    yield "color.0", _CONVOLUTION
    yield "color.1", _NORMALIZATION
    yield "encoder1.0", _CONVOLUTION
    yield "encoder1.1", _NORMALIZATION
    yield "encoder1.3", _CONVOLUTION
    for block in ("encoder2", "encoder3", "bridge1", "bridge2"):
        yield from _body(block)
        if block != "bridge2":
            yield f"{block}.shortcut", _CONVOLUTION
    for block in ("decoder3", "decoder2", "decoder1"):
        yield f"{block}.up", _CONVOLUTION
        yield from _body(block)
    yield "head", _CONVOLUTION


def _body(block: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield f"{block}.body.0", _NORMALIZATION
    yield f"{block}.body.2", _CONVOLUTION
    yield f"{block}.body.3", _NORMALIZATION
    yield f"{block}.body.5", _CONVOLUTION


def read_fluocells(path: Path, *, name: str | None = None) -> tuple[ModelCard, Tensors]:
    """Read a c-ResUnet that fluocells saved with fastai or torch.

    Parameters
    ----------
    path : Path
        The .pth file: a state dict, or a dict with one under "model".
    name : str, optional
        The model's name; that of the file if not given.

    Returns
    -------
    card : ModelCard
        A card with the threshold of fluocells, 0.5, and sizes of Morelli et al. 2021.
    tensors : mapping of str to ndarray
        The state of our network.

    Notes
    -----
    A file that is missing, damaged, holds more than tensors or is of another network is
    a `WeightsError`. Nothing in the file is ever run: torch rebuilds tensors only, and
    objects of fastai, fastcore and numpy become empty stand-ins.
    """
    start_of(path)
    tensors = _convert(path, _state_dict(path, _load(path)))
    card = imported_card(
        path,
        name,
        origin="PyTorch",
        threshold=0.5,
        weights_hash=hash_tensors(tensors),
    )
    return card, tensors


def _load(path: Path) -> Any:
    """Return what the file holds, made of tensors and plain Python values only."""
    import torch

    try:
        with (
            torch.serialization.safe_globals(_stand_ins(path)),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", UserWarning)  # told below as an error
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} is damaged or holds more than tensors, which could run code, "
            f"so it was not opened; {_ADVICE}"
        ) from error
    # All that zipfile, pickletools and torch were seen to raise on damage.
    except (
        *(zipfile.BadZipFile, EOFError, OSError, RuntimeError, LookupError),
        *(AttributeError, TypeError, ValueError),
    ) as error:
        raise WeightsError(
            f"{path.name} is cut off, damaged or no state dict of PyTorch; {_ADVICE}"
        ) from error


def _stand_ins(path: Path) -> list[Any]:
    """Return empty classes under the names that the optimizer's state asks for."""
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        names = {
            tuple(argument.split(" ", 1))
            for member in archive.namelist()
            if member.endswith("data.pkl")
            for opcode, argument, _ in pickletools.genops(archive.read(member))
            if opcode.name == "GLOBAL" and isinstance(argument, str)
        }
    return [
        type(name, (_Inert,), {"__module__": module})
        for module, name in sorted(names)
        if module.partition(".")[0] in _INERT_PACKAGES
    ]


def _state_dict(path: Path, content: Any) -> Mapping[str, "Tensor"]:
    """Return the network's part of the file, without torch's counters."""
    import torch

    if isinstance(content, Mapping) and isinstance(content.get("model"), Mapping):
        content = content["model"]
    is_state = isinstance(content, Mapping) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor)
        for name, tensor in content.items()
    )
    if not is_state:
        raise WeightsError(f"{path.name} holds no state dict; {_ADVICE}")
    return {
        name: tensor
        for name, tensor in content.items()
        if not name.endswith("num_batches_tracked")
    }


def _convert(path: Path, state: Mapping[str, "Tensor"]) -> Tensors:
    """Return the state of our network from theirs, matched by order and shape."""
    import torch

    from napari_cresunet.models import VARIANTS

    ours = VARIANTS["c-resunet"].build_empty().state_dict()
    expected = [f"{layer}.{leaf}" for layer, leaves in _layers() for leaf in leaves]
    if len(state) != len(expected):
        raise WeightsError(
            f"{path.name} is no c-ResUnet of fluocells: it has {len(state)} tensors "
            f"instead of {len(expected)}; {_ADVICE}"
        )
    converted = {
        name: _matching(path, name, tuple(ours[name].shape), theirs, tensor)
        for name, (theirs, tensor) in zip(expected, state.items(), strict=True)
    }
    # torch's own counters, without influence on predictions.
    counters = {name: tensor for name, tensor in ours.items() if name not in converted}
    return {
        **{name: tensor.contiguous().numpy() for name, tensor in converted.items()},
        **{
            name: torch.zeros(tensor.shape, dtype=tensor.dtype).numpy()
            for name, tensor in counters.items()
        },
    }


def _matching(
    path: Path, name: str, shape: tuple[int, ...], theirs: str, tensor: "Tensor"
) -> "Tensor":
    """Return their tensor for our `name`, or refuse one of another kind or shape."""
    found = tuple(tensor.shape)
    if name.startswith("head.") and found == (2, *shape[1:]):
        # Two channels are a softmax: p = sigmoid of the difference of its logits.
        tensor, found = tensor[1:] - tensor[:1], shape
    leaf = name.rpartition(".")[2]
    if (
        theirs.rpartition(".")[2] != leaf
        or found != shape
        or not tensor.is_floating_point()
    ):
        raise WeightsError(
            f"{path.name} is no c-ResUnet of fluocells: {theirs} is "
            f"{str(tensor.dtype).removeprefix('torch.')} of shape {found} where a "
            f"{leaf} of shape {shape} belongs; {_ADVICE}"
        )
    return tensor.detach().float()

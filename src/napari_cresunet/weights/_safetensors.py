"""Weight files: safetensors whose header carries the model card.

A safetensors file is 8 bytes with the header's length (little-endian), the header as
JSON, then the tensors' bytes without gaps [github.com/huggingface/safetensors].
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import written_whole
from napari_cresunet.errors import WeightsError
from napari_cresunet.weights._card import ModelCard

Tensors = Mapping[str, NDArray[Any]]
"""A network's state by name, float32 (counters int64)."""

SUFFIX = ".safetensors"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PICKLE_SUFFIXES = (".pth", ".pt", ".pkl", ".pickle", ".ckpt", ".bin", ".zip")
_PICKLE_SIGNATURES = (b"PK\x03\x04", *(bytes([0x80, n]) for n in range(2, 6)))
_LENGTH_BYTES = 8
_LARGEST_HEADER = 100_000_000  # the limit of the safetensors format
_CARD = "card"


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5 by its first bytes, and refuse what never opens.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        True for HDF5, False for what may be safetensors.

    Raises
    ------
    WeightsError
        If it is missing, a folder, unreadable, empty, a pickle or an archive.
    """
    size, start = start_of(path)
    if path.suffix.lower() in _PICKLE_SUFFIXES or _is_pickle(start, size):
        raise WeightsError(
            f"{path.name} is a pickle or an archive, which could run code when opened, "
            "so it was not opened; import it if it is a .pth file of fluocells, "
            "otherwise convert it to safetensors or Keras HDF5 (.h5)."
        )
    return start.startswith(HDF5_SIGNATURE)


def start_of(path: Path) -> tuple[int, bytes]:
    """Read the size of a weight file and its first bytes.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    size : int
        In bytes, at least 1.
    start : bytes
        The first nine, or fewer.

    Raises
    ------
    WeightsError
        If it is missing, a folder, unreadable or empty.
    """
    try:
        if path.is_dir():
            raise WeightsError(f"{path} is a folder; give a weight file inside it.")
        with path.open("rb") as file:
            start = file.read(_LENGTH_BYTES + 1)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise WeightsError(
            f"There is no file {path}; check the path, or give a model's name."
        ) from None
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}); check the file's permissions."
        ) from error
    if size == 0:
        raise WeightsError(f"{path.name} is empty; copy or download it again.")
    return size, start


def _is_pickle(start: bytes, size: int) -> bool:
    # A safetensors header of the right length can begin with the same two bytes.
    return start.startswith(_PICKLE_SIGNATURES) and not _is_safetensors(start, size)


def _is_safetensors(start: bytes, size: int) -> bool:
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    return start[_LENGTH_BYTES:] == b"{" and length <= size - _LENGTH_BYTES


def read_header_card(path: Path) -> ModelCard:
    """Read the card of a safetensors file; the tensors are not touched.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ModelCard
        The card as it was saved.

    Notes
    -----
    A file that is damaged, has no card or one that does not fit is a `WeightsError`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if length > min(size - _LENGTH_BYTES, _LARGEST_HEADER):
            _refuse(path)
        header = _parse_header(path, file.read(length))
    _check_extent(path, header, size - _LENGTH_BYTES - length)
    return _parse_card(path, header)


def _parse_header(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        _refuse(path)
    if not isinstance(header, dict):
        _refuse(path)
    return header


def _refuse(path: Path) -> NoReturn:
    raise WeightsError(
        f"{path.name} is damaged or no weight file; "
        "give a safetensors or Keras HDF5 (.h5) file, or copy it again."
    ) from None


def _check_extent(path: Path, header: Mapping[str, Any], n_bytes: int) -> None:
    """Refuse a file whose tensors end elsewhere than the file does."""
    try:
        ends = [
            int(entry["data_offsets"][1])
            for name, entry in header.items()
            if name != "__metadata__"
        ]
    except (TypeError, LookupError, ValueError, OverflowError):
        _refuse(path)
    expected = max(ends, default=0)
    if n_bytes != expected:
        raise WeightsError(
            f"{path.name} has {n_bytes} bytes of weights instead of {expected}; "
            "it was cut off or changed, so copy or download it again."
        )


def _parse_card(path: Path, header: Mapping[str, Any]) -> ModelCard:
    metadata = header.get("__metadata__")
    text = metadata.get(_CARD) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise WeightsError(
            f"{path.name} carries no model card; "
            "use a file that napari-cresunet saved, or import Keras weights (.h5)."
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise WeightsError(
            f"The model card of {path.name} is no JSON object; "
            "copy or download the file again."
        )
    try:
        card = ModelCard.from_dict(values)
    except WeightsError as error:
        raise WeightsError(f"{path.name} cannot be used: {error}") from error
    check_variant(path, card)
    return card


def check_variant(path: Path, card: ModelCard) -> None:
    """Refuse a card of a network that this version does not have.

    Parameters
    ----------
    path : Path
        The weight file, for the message.
    card : ModelCard
        Its card.

    Raises
    ------
    WeightsError
        If `card.variant` is not in `models.VARIANTS`.
    """
    from napari_cresunet.models import VARIANTS

    if card.variant not in VARIANTS:
        raise WeightsError(
            f"{path.name} is for the unknown network {card.variant!r}; "
            f"this version has {', '.join(VARIANTS)}."
        )


def read_tensors(path: Path) -> tuple[ModelCard, Tensors]:
    """Read the card and the tensors and check the one against the other.

    Parameters
    ----------
    path : Path
        A safetensors file.

    Returns
    -------
    card : ModelCard
        The card as it was saved.
    tensors : mapping of str to ndarray
        The network's state.

    Raises
    ------
    WeightsError
        If the file is damaged or its weights are not those that its card names.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    card = read_header_card(path)
    try:
        tensors: Tensors = load(path.read_bytes())
    except (SafetensorError, KeyError):  # KeyError: a dtype that numpy does not have
        _refuse(path)
    if hash_tensors(tensors) != card.weights_hash:
        raise WeightsError(
            f"The weights in {path.name} are not those that its card names; "
            "the file was changed or damaged, so copy or download it again."
        )
    return card, tensors


def hash_tensors(tensors: Tensors) -> str:
    """Return the SHA-256 of tensors: names in order, dtypes, shapes and bytes.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        The network's state.

    Returns
    -------
    str
        64 hexadecimal digits, the same for the same tensors in any order.
    """
    digest = sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(
            json.dumps([name, array.dtype.name, tensors[name].shape]).encode()
        )
        digest.update(little.tobytes())
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Tensors, card: ModelCard) -> ModelCard:
    """Write a weight file in one step: it is there whole or not at all.

    Parameters
    ----------
    path : Path
        The file to write or replace; missing folders are made.
    tensors : mapping of str to ndarray
        The network's state.
    card : ModelCard
        Its card; `weights_hash` is set, `source` is left out of the file.

    Returns
    -------
    ModelCard
        The card with `weights_hash`, and `path` as its source.

    Raises
    ------
    WeightsError
        If the card does not go into JSON or the file cannot be written.
    """
    from safetensors.numpy import save

    card = replace(card, weights_hash=hash_tensors(tensors), source=str(path))
    values = card.to_dict()
    del values["source"]
    try:
        text = json.dumps(values)
    except (TypeError, ValueError) as error:
        raise WeightsError(
            f"The model card of {card.name} does not go into JSON ({error}); "
            "use plain numbers, texts, lists and dicts."
        ) from error
    try:
        with written_whole(path) as file:
            file.write(save(dict(tensors), metadata={_CARD: text}))
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be written ({error.strerror}); "
            "choose another folder or free some space."
        ) from error
    return card

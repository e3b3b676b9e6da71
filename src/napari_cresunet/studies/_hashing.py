"""Telling whether an image is still the one that was corrected."""

import hashlib
from collections.abc import Generator, Iterator
from math import ceil, prod
from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain
from napari_cresunet.studies._content import ImageReference

_BLOCK = 32 * 1024**2
"""Bytes that are read at a time."""


def image_hash(array: Any) -> str:
    """Return what tells the content of an image from that of all others.

    Parameters
    ----------
    array : array_like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        In memory, in a file or of dask; it is read block by block.

    Returns
    -------
    str
        32 hexadecimal digits (BLAKE2b) of shape, dtype and values. The order of bytes
        and the layout in memory do not matter.

    Raises
    ------
    InputError
        If it does not hold numbers.
    """
    return drain(iter_image_hash(array))


def iter_image_hash(array: Any) -> Generator[Step, None, str]:
    """Compute `image_hash`; may be closed between blocks.

    Parameters
    ----------
    array : array_like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image.

    Yields
    ------
    Step
        After each block.

    Returns
    -------
    str
        As `image_hash`.

    Raises
    ------
    InputError
        If it does not hold numbers.
    """
    if not hasattr(array, "shape"):
        array = np.asarray(array)
    dtype = np.dtype(array.dtype).newbyteorder("<")
    if dtype.kind not in "buifc":
        raise InputError(
            f"The image holds {array.dtype} and not numbers: give an image of numbers."
        )
    shape = tuple(int(length) for length in array.shape)
    digest = hashlib.blake2b(f"{shape} {dtype.str}".encode(), digest_size=16)
    total = max(1, ceil(prod(shape) * dtype.itemsize / _BLOCK))
    for number, block in enumerate(_blocks(array), start=1):
        values = np.ascontiguousarray(block, dtype).reshape(-1)
        digest.update(values.view(np.uint8).data)
        # The number of blocks is only known roughly: they hold whole rows.
        yield Step(done=number, total=max(total, number))
    return digest.hexdigest()


def _blocks(array: Any) -> Iterator[Any]:
    """Yield the array in parts of whole rows, in the order of its pixels."""
    shape = array.shape
    n_bytes = prod(shape) * np.dtype(array.dtype).itemsize
    if n_bytes == 0:
        return
    if n_bytes <= _BLOCK or not shape:
        yield np.atleast_1d(np.asarray(array))
        return
    at_a_time = int(_BLOCK // (n_bytes // shape[0]))
    if at_a_time == 0:
        for index in range(shape[0]):
            yield from _blocks(array[index])
        return
    for start in range(0, shape[0], at_a_time):
        yield np.asarray(array[start : start + at_a_time])


def check_image(
    reference: ImageReference, array: Any, *, found: str | None = None
) -> str:
    """Tell whether an image is the one that a study is of.

    Parameters
    ----------
    reference : ImageReference
        What the study says.
    array : array_like of shape (..., Y, X) or (..., Y, X, 3 or 4)
        The image.
    found : str, optional
        Its `image_hash`, if it is known; else it is computed where it matters.

    Returns
    -------
    str
        One sentence, empty if it is the same image or the study does not know.
    """
    shape = tuple(int(length) for length in array.shape)
    dtype = np.dtype(array.dtype).name
    if shape != reference.shape:
        was, now = (_size(one) for one in (reference.shape, shape))
    elif dtype != reference.dtype:
        was, now = reference.dtype, dtype
    elif reference.hash and reference.hash != (found or image_hash(array)):
        return _changed(reference, "its pixels are others")
    else:
        return ""
    return _changed(reference, f"it was {was} and is {now}")


def _changed(reference: ImageReference, how: str) -> str:
    return (
        f"The image {reference.name!r} has changed since: {how}; the corrections may "
        "not fit."
    )


def _size(shape: tuple[int, ...]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(map(str, shape))

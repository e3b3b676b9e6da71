"""What a pyramid that is written looks like: dtypes, options, sizes of its levels."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np

from napari_cresunet._label_images import MOST

Kind: TypeAlias = Literal["labels", "image"]
Version: TypeAlias = Literal["0.4", "0.5"]


class WriteOptions(TypedDict, total=False):
    """What need not be said of a pyramid; see `create_pyramid`."""

    chunk: int
    """Height and width of a chunk in px; 1024."""
    pixel_size: tuple[float, float] | None
    """Height and width of a pixel in µm; None if it is not known."""
    leading: Sequence[str]
    """Names of the axes before Y, X, such as ("t", "z"); by default (), ("z",), ...."""
    name: str | None
    """What it is called; by default after the folder."""
    record: Mapping[str, Any] | None
    """How it was made: what JSON can hold."""
    version: Version
    """Of OME-Zarr: "0.5" or, for older programs, "0.4"."""
    replace: bool
    """Whether a pyramid of this program that is there already is deleted."""


def labels_dtype(n_cells: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the dtype that can number so many cells.

    Parameters
    ----------
    n_cells : int
        How many there are, or may be.

    Returns
    -------
    dtype
        int32, or int64 beyond 2**31 - 1 cells.

    Examples
    --------
    >>> str(labels_dtype(2**31 - 1)), str(labels_dtype(2**31))
    ('int32', 'int64')
    """
    return np.dtype(np.int32 if n_cells <= MOST else np.int64)

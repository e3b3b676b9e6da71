"""Array aliases used in annotations."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[Any]
"""An image of any real dtype, (..., Y, X) or (..., Y, X, 3 or 4)."""

Probability: TypeAlias = NDArray[np.float32]
"""Probability of "cell" per pixel in [0, 1], (..., Y, X)."""

Labels: TypeAlias = NDArray[np.int32]
"""Label image (..., Y, X): 0 is background, 1..N are the cells."""

Indices: TypeAlias = NDArray[np.intp]
"""Places in arrays, such as rows, columns or where slices start."""

Mask: TypeAlias = NDArray[np.bool_]
"""True where there is a cell, (..., Y, X)."""

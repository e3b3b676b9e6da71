"""One level of a pyramid: an array of which only the part that is asked for is read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Level:
    """An array in a file, arranged (..., Y, X) or (..., Y, X, 3).

    Slices read only the chunks that they touch, from any thread. `numpy.asarray` reads
    it whole.

    Attributes
    ----------
    shape : tuple of int
        (..., Y, X) or (..., Y, X, 3).
    dtype : dtype
        As in the file.
    chunks : tuple of int
        What is read at once, along each axis.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]

    def __getitem__(self, where: Any) -> NDArray[Any]:
        """Read a part.

        Parameters
        ----------
        where : int, slice or Ellipsis, or a tuple of these
            Which part; steps must be positive.

        Returns
        -------
        ndarray
            As NumPy would return it.

        Raises
        ------
        InputError
            If that part of the file is damaged.
        """
        raise NotImplementedError

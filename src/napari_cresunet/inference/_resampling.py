"""Separable resampling as sparse matrices in coordinates of the whole image.

A row of a matrix knows all it needs, so any part of the result can be computed from the
part of the input that its rows touch, with the same numbers as the whole.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def resampling_matrix(n_in: int, n_out: int) -> Any:
    """Return the matrix that resamples `n_in` pixels of a line to `n_out`.

    Linear interpolation between pixel centers, the ends extended; when shrinking, the
    triangle filter is widened by the factor, so that nothing aliases. The same as
    `torch.nn.functional.interpolate(..., mode="bilinear", antialias=True)`.

    Parameters
    ----------
    n_in, n_out : int
        Numbers of pixels, at least 1.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_out, n_in) and dtype float32
        Every row sums to 1.

    Examples
    --------
    >>> resampling_matrix(2, 4).toarray()
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]], dtype=float32)
    """
    from scipy.sparse import csr_array

    factor = n_in / n_out
    reach = max(factor, 1.0)
    centers = (np.arange(n_out) + 0.5) * factor
    first = np.floor(centers - reach).astype(np.int64)
    columns = first[:, np.newaxis] + np.arange(int(np.ceil(2 * reach)) + 2)
    weights = 1 - np.abs(columns + 0.5 - centers[:, np.newaxis]) / reach
    is_used = (weights > 0) & (columns >= 0) & (columns < n_in)
    weights = np.where(is_used, weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.concatenate([[0], np.cumsum(is_used.sum(axis=1))])
    return csr_array(
        (weights[is_used].astype(np.float32), columns[is_used], starts),
        shape=(n_out, n_in),
    )


def support(matrix: Any, start: int, stop: int) -> tuple[int, int]:
    """Return the range of columns that the rows from `start` to `stop` touch.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        A resampling matrix.
    start, stop : int
        The rows, at least one.

    Returns
    -------
    tuple of int
        First column, and the one after the last.
    """
    touched = matrix.indices[matrix.indptr[start] : matrix.indptr[stop]]
    return int(touched.min()), int(touched.max()) + 1


def resample(
    channels: NDArray[np.float32], rows: Any, columns: Any
) -> NDArray[np.float32]:
    """Resample both axes of every channel.

    Parameters
    ----------
    channels : ndarray of shape (C, Y, X)
        Channels first.
    rows, columns : scipy.sparse.csr_array of shape (new Y, Y) and (new X, X)
        Resampling matrices, or parts of them.

    Returns
    -------
    ndarray of shape (C, new Y, new X)
        The resampled channels.
    """
    return np.stack([(columns @ (rows @ channel).T).T for channel in channels])

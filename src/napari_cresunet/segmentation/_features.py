"""What is known of each cell."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._label_images import as_label_image, check_signs
from napari_cresunet._typing import Labels
from napari_cresunet.errors import InputError


def cell_features(labels: Labels, probability: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Measure every cell.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        0 is background.
    probability : ndarray of shape (..., Y, X), float
        Probability of "cell".

    Returns
    -------
    dict of str to ndarray of shape (N,)
        Columns of a table; row i is label i + 1, N the highest label.

        - label
        - area, in px
        - mean_probability
        - centroid_y, centroid_x: row and column in px
        - plane, only where there are leading axes: index into the planes, counted
          through all leading axes; of a cell in several planes the middle one

        A label that no pixel has gets area 0, NaN and plane -1.

    Notes
    -----
    Raises `InputError` if the shapes differ, or the labels are not whole numbers of at
    least 0.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 1, 1], [2, 0, 0]])
    >>> features = cell_features(labels, np.array([[0, 0.5, 1.0], [0.75, 0, 0]]))
    >>> {name: column.tolist() for name, column in features.items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'label': [1, 2], 'area': [2, 1], 'mean_probability': [0.75, 0.75],
     'centroid_y': [0.0, 1.0], 'centroid_x': [1.5, 0.0]}
    """
    _check(labels, probability)
    flat = labels.ravel()
    pixels = np.flatnonzero(flat)
    numbers = flat[pixels]
    count = int(numbers.max()) if len(numbers) else 0
    areas = np.bincount(numbers, minlength=count + 1)[1:]

    def mean(weights: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(numbers, weights=weights, minlength=count + 1)[1:]
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = sums / areas
        return means

    rows, columns = np.divmod(pixels, labels.shape[-1])
    planes, rows = np.divmod(rows, labels.shape[-2])
    features = {
        "label": np.arange(1, count + 1),
        "area": areas,
        "mean_probability": mean(probability.ravel()[pixels]),
        "centroid_y": mean(rows),
        "centroid_x": mean(columns),
    }
    if labels.ndim > 2:
        middle = np.nan_to_num(np.floor(mean(planes) + 0.5), nan=-1)
        features["plane"] = middle.astype(np.intp)
    return features


def _check(labels: Labels, probability: NDArray[Any]) -> None:
    as_label_image(labels)
    if labels.shape != probability.shape:
        raise InputError(
            "`labels` and `probability` must have the same shape, got "
            f"{labels.shape} and {probability.shape}."
        )
    check_signs(labels)

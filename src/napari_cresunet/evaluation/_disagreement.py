"""Where networks disagree, and where one is right and the other wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation._comparison import Comparison

FOUND_BY_FIRST = "found by the first only"
FALSE_IN_SECOND = "false in the second only"


def disagreement(probabilities: Sequence[ArrayLike]) -> NDArray[np.float32]:
    """Return how much networks disagree about each pixel.

    Parameters
    ----------
    probabilities : sequence of ndarray of float, shape (..., Y, X)
        Probability of "cell" by each network, at least two.

    Returns
    -------
    ndarray of float32, shape (..., Y, X)
        Standard deviation between the networks (divided by their number, not by one
        less), from 0 to 0.5.

    Raises
    ------
    InputError
        If there are fewer than two, or they differ in shape.

    Examples
    --------
    >>> disagreement([[[0.0, 1.0]], [[0.0, 0.0]]]).tolist()
    [[0.0, 0.5]]
    """
    if len(probabilities) < 2:
        raise InputError("Disagreement needs the probabilities of two or more models.")
    shapes = {np.shape(one) for one in probabilities}
    if len(shapes) > 1:
        listed = " and ".join(map(str, sorted(shapes)))
        raise InputError(
            f"The probabilities differ in shape: {listed}; predict the same image."
        )
    # One after the other: no stack of all is held.
    n = len(probabilities)
    mean = np.zeros(shapes.pop())
    for one in probabilities:
        mean += np.asarray(one) / n
    variance = np.zeros_like(mean)
    for one in probabilities:
        variance += (np.asarray(one) - mean) ** 2 / n
    return np.sqrt(variance).astype(np.float32)


def strongest_places(
    values: NDArray[Any], n: int = 50, *, min_distance: int = 10, least: float = 0.05
) -> Indices:
    """Return the highest peaks of a map, such as a disagreement.

    Parameters
    ----------
    values : ndarray of shape (..., Y, X)
        The map.
    n : int, optional
        How many at most.
    min_distance : int, optional
        Least distance of two peaks in px (the larger of rows and columns).
    least : float, optional
        What is not higher is no peak.

    Returns
    -------
    ndarray of shape (N, 3)
        Plane, row and column, the highest first.
    """
    from skimage.feature import peak_local_max

    planes = np.asarray(values).reshape(-1, *np.shape(values)[-2:])
    found = [np.empty((0, 3), np.intp)]
    for number, plane in enumerate(planes):
        peaks = peak_local_max(
            plane,
            min_distance=min_distance,
            threshold_abs=least,
            exclude_border=False,
            num_peaks=n,
        )
        found.append(np.column_stack([np.full(len(peaks), number), peaks]))
    places = np.concatenate(found)
    order = np.argsort(-planes[tuple(places.T)], kind="stable")
    return places[order[:n]].astype(np.intp)


def right_and_wrong(first: Comparison, second: Comparison) -> dict[str, NDArray[Any]]:
    """Find where one model is right and another wrong.

    Parameters
    ----------
    first, second : Comparison
        Of the labels of two models with the same truth, by the same rule.

    Returns
    -------
    dict of str to ndarray of shape (N,)
        By plane, then row, then column:

        - what: "found by the first only", a true cell that only the first has a match
          for, or "false in the second only", a prediction of the second without a
          match that is not within the rule's `max_distance` of one of the first;
        - plane, row, column: where, in px.

    Raises
    ------
    InputError
        If the truths differ.

    Notes
    -----
    "Right" means matched, as in the scores.
    """
    true = first.true
    is_same = true.shape == second.true.shape and all(
        np.array_equal(getattr(true, name), getattr(second.true, name))
        for name in ("planes", "centers")
    )
    if not is_same:
        raise InputError("Compare two models with the same truth.")
    found = np.setdiff1d(first.matches.pairs[:, 1], second.matches.pairs[:, 1])
    false = _false_only(second, first)
    sides = ((true, found, FOUND_BY_FIRST), (second.pred, false, FALSE_IN_SECOND))
    what = np.concatenate([np.full(len(rows), name) for _, rows, name in sides])
    planes = np.concatenate([side.planes[rows] for side, rows, _ in sides])
    places = np.concatenate(
        [first.rule.centers_of(side)[rows] for side, rows, _ in sides]
    )
    order = np.lexsort((places[:, 1], places[:, 0], planes))
    return {
        "what": what[order],
        "plane": planes[order],
        "row": places[order, 0],
        "column": places[order, 1],
    }


def _false_only(one: Comparison, other: Comparison) -> Indices:
    """Return the rows of false predictions that the other does not make."""
    from scipy.spatial import KDTree

    own, others = (
        np.setdiff1d(np.arange(len(side.pred)), side.matches.pairs[:, 0])
        for side in (one, other)
    )
    if not len(own) or not len(others):
        return own
    far = 2 * one.rule.max_distance + 1.0  # no plane reaches another
    places = [
        np.column_stack(
            [
                side.pred.planes[rows] * far,
                side.rule.centers_of(side.pred)[rows] * side.rule.sides,
            ]
        )
        for side, rows in ((one, own), (other, others))
    ]
    distances, _ = KDTree(places[1]).query(places[0])
    far_off: Indices = own[distances > one.rule.max_distance]
    return far_off

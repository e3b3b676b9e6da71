"""Pairing predicted with true cell centers, one to one, within a distance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import KDTree

from napari_cresunet.config import check_bounds
from napari_cresunet.errors import InputError

_ROUNDING = 1e-9  # of the limit; a pair at the limit must not depend on the unit


@dataclass(frozen=True, slots=True)
class Matches:
    """Which prediction belongs to which true cell."""

    pairs: NDArray[np.intp]
    """(N, 2): index of the prediction and of the true cell, sorted by the first."""
    distances: NDArray[np.float64]
    """(N,): distance of each pair, in the unit of the centers."""


def match_centers(
    pred: ArrayLike, true: ArrayLike, max_distance: float, *, matching: str = "optimal"
) -> Matches:
    """Pair predicted centers with true centers, each used at most once.

    Parameters
    ----------
    pred : array_like of shape (P, D)
        Predicted centers, in (plane,) row, column order. `P` may be 0.
    true : array_like of shape (T, D)
        True centers, in the same order and unit as `pred`. `T` may be 0.
    max_distance : float
        Largest Euclidean distance of a pair, inclusive, in the unit of the centers.
        Distances that exceed it by rounding alone, by up to 1e-9 of it, count as equal.
    matching : {"optimal", "greedy"}, optional
        "optimal" makes as many pairs as possible and, among all ways to make that
        many, takes one with the smallest total distance. "greedy" is the rule of
        Morelli et al. 2021: each prediction, in order, takes the nearest true center
        that is still free.

    Returns
    -------
    Matches
        The pairs, sorted by their index into `pred`, and their distances.

    Raises
    ------
    InputError
        If an array is not 2-D, the two differ in `D`, a coordinate is not finite,
        `max_distance` is negative or `matching` is unknown.

    Notes
    -----
    Candidates come from a k-d tree, so time and memory grow with the number of pairs
    within reach, not with P x T.

    Examples
    --------
    The far prediction stays single; the other two are paired:

    >>> matches = match_centers([[0, 0], [9, 9], [50, 50]], [[9, 8], [1, 0]], 5)
    >>> matches.pairs.tolist()
    [[0, 1], [1, 0]]
    >>> matches.distances.tolist()
    [1.0, 1.0]
    """
    check_bounds("max_distance", max_distance, 0, None)
    pred, true = _as_centers("pred", pred), _as_centers("true", true)
    if pred.shape[1] != true.shape[1]:
        raise InputError(
            "Predicted and true centers differ in dimensions: "
            f"{pred.shape[1]} and {true.shape[1]}."
        )
    if matching not in _RULES:
        raise InputError(
            f"Unknown matching {matching!r}; choose from {', '.join(_RULES)}."
        )
    if not len(pred) or not len(true):
        return Matches(np.empty((0, 2), np.intp), np.empty(0))
    candidates = KDTree(pred).sparse_distance_matrix(
        KDTree(true), max_distance * (1 + _ROUNDING), output_type="ndarray"
    )
    pairs = _RULES[matching](candidates, len(pred), len(true), max_distance)
    pairs = pairs[np.argsort(pairs[:, 0])]
    return Matches(pairs, np.linalg.norm(pred[pairs[:, 0]] - true[pairs[:, 1]], axis=1))


def _as_centers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    centers = np.asarray(values, dtype=np.float64)
    if centers.ndim != 2:
        raise InputError(
            f"`{name}` must be 2-D, one row for each center, got {centers.ndim}-D."
        )
    if not np.isfinite(centers).all():
        raise InputError(f"`{name}` has a coordinate that is not finite.")
    return centers


def _optimal(
    candidates: NDArray[np.void], n_pred: int, n_true: int, max_distance: float
) -> NDArray[np.intp]:
    """Solve a sparse assignment in which staying single is possible but dear."""
    # Distances in parts of the limit: neither unit nor row order matters. Staying
    # single costs more than all pairs together; 1 is added because zeros would count
    # as absent edges.
    cost = 1 + candidates["v"] / (max_distance or 1.0)
    single = np.full(n_pred, 2.0 * min(n_pred, n_true) + 2)
    alone = np.arange(n_pred)
    graph = coo_array(
        (
            np.concatenate([cost, single]),
            (
                np.concatenate([candidates["i"], alone]),
                np.concatenate([candidates["j"], n_true + alone]),
            ),
        ),
        shape=(n_pred, n_true + n_pred),
    ).tocsr()
    rows, columns = min_weight_full_bipartite_matching(graph)
    paired = columns < n_true
    return np.stack([rows[paired], columns[paired]], axis=1).astype(np.intp)


def _greedy(
    candidates: NDArray[np.void], n_pred: int, n_true: int, max_distance: float
) -> NDArray[np.intp]:
    """Let each prediction in turn take the nearest true center still free."""
    order = np.lexsort((candidates["j"], candidates["v"], candidates["i"]))
    taken_by = np.full(n_true, -1)
    is_paired = np.zeros(n_pred, bool)
    for i, j in zip(candidates["i"][order], candidates["j"][order], strict=True):
        if not is_paired[i] and taken_by[j] < 0:
            is_paired[i] = True
            taken_by[j] = i
    taken = np.flatnonzero(taken_by >= 0)
    return np.stack([taken_by[taken], taken], axis=1).astype(np.intp)


_RULES = {"optimal": _optimal, "greedy": _greedy}

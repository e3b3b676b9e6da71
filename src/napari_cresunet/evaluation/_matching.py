"""Pairing predicted with true cell centers, one to one, within a distance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Indices
from napari_cresunet.config import check_bounds
from napari_cresunet.errors import InputError

_ROUNDING = 1e-9  # of the limit; a pair at the limit must not depend on the unit


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs that are possible."""

    pred: Indices
    """(K,): index of the prediction."""
    true: Indices
    """(K,): index of the true cell."""
    cost: NDArray[np.float64]
    """(K,): how bad the pair is, in [0, 1] but for rounding."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Which prediction belongs to which true cell."""

    pairs: Indices
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
    Candidates come from a k-d tree, so memory grows with the number of pairs within
    reach, not with P x T. The time of "optimal" grows faster, up to the square of the
    cells where chains of cells within reach run through the whole image: 20,000 cells
    take less than a second where they are few and far between, and several seconds
    where each has six others within reach (benchmarks/evaluation.py).

    Examples
    --------
    The far prediction stays single; the other two are paired:

    >>> matches = match_centers([[0, 0], [9, 9], [50, 50]], [[9, 8], [1, 0]], 5)
    >>> matches.pairs.tolist()
    [[0, 1], [1, 0]]
    >>> matches.distances.tolist()
    [1.0, 1.0]
    """
    from scipy.spatial import KDTree

    check_bounds("max_distance", max_distance, 0, None)
    pred, true = _as_centers("pred", pred), _as_centers("true", true)
    if pred.shape[1] != true.shape[1]:
        raise InputError(
            "Predicted and true centers differ in dimensions: "
            f"{pred.shape[1]} and {true.shape[1]}."
        )
    if matching not in RULES:
        raise InputError(
            f"Unknown matching {matching!r}; choose from {', '.join(RULES)}."
        )
    if not len(pred) or not len(true):
        return Matches(np.empty((0, 2), np.intp), np.empty(0))
    near = KDTree(pred).sparse_distance_matrix(
        KDTree(true), max_distance * (1 + _ROUNDING), output_type="ndarray"
    )
    # In parts of the limit: the unit must not matter.
    candidates = Candidates(
        pred=near["i"].astype(np.intp),
        true=near["j"].astype(np.intp),
        cost=near["v"] / (max_distance or 1.0),
    )
    pairs = RULES[matching](candidates, len(pred), len(true))
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


def assign(candidates: Candidates, n_pred: int, n_true: int) -> Indices:
    """Make as many pairs as possible and, of all ways to do so, take the cheapest.

    Parameters
    ----------
    candidates : Candidates
        The pairs to choose from.
    n_pred, n_true : int
        How many there are on each side.

    Returns
    -------
    ndarray of shape (N, 2)
        Indices of predictions and of true cells, sorted by the first.

    Notes
    -----
    A sparse assignment (scipy's `min_weight_full_bipartite_matching`) in which staying
    single is possible but dear. Pairs of which neither side has another candidate need
    no choice, and are left out of it.
    """
    pred, true = candidates.pred, candidates.true
    is_alone = (np.bincount(pred, minlength=n_pred)[pred] == 1) & (
        np.bincount(true, minlength=n_true)[true] == 1
    )
    chosen = [np.stack([pred[is_alone], true[is_alone]], axis=1)]
    if not is_alone.all():
        chosen.append(_solve(candidates, ~is_alone))
    pairs = np.concatenate(chosen)
    return pairs[np.argsort(pairs[:, 0])]


def _solve(candidates: Candidates, is_open: NDArray[np.bool_]) -> Indices:
    """Assign among those candidates that leave a choice."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    preds, rows = np.unique(candidates.pred[is_open], return_inverse=True)
    trues, columns = np.unique(candidates.true[is_open], return_inverse=True)
    n_pred, n_true = len(preds), len(trues)
    # Staying single costs more than all pairs together; 1 is added because zeros would
    # count as absent edges.
    cost = 1 + candidates.cost[is_open]
    single = np.full(n_pred, 2.0 * min(n_pred, n_true) + 2)
    alone = np.arange(n_pred)
    graph = coo_array(
        (
            np.concatenate([cost, single]),
            (
                np.concatenate([rows, alone]),
                np.concatenate([columns, n_true + alone]),
            ),
        ),
        shape=(n_pred, n_true + n_pred),
    ).tocsr()
    taken, given = min_weight_full_bipartite_matching(graph)
    is_pair = given < n_true
    return np.stack([preds[taken[is_pair]], trues[given[is_pair]]], axis=1)


def _greedy(candidates: Candidates, n_pred: int, n_true: int) -> Indices:
    """Let each prediction in turn take the nearest true center still free."""
    pred, true = candidates.pred, candidates.true
    order = np.lexsort((true, candidates.cost, pred))
    taken_by = np.full(n_true, -1)
    is_paired = np.zeros(n_pred, bool)
    for i, j in zip(pred[order].tolist(), true[order].tolist(), strict=True):
        if not is_paired[i] and taken_by[j] < 0:
            is_paired[i] = True
            taken_by[j] = i
    taken = np.flatnonzero(taken_by >= 0)
    pairs = np.stack([taken_by[taken], taken], axis=1).astype(np.intp)
    return pairs[np.argsort(pairs[:, 0])]


RULES = {"optimal": assign, "greedy": _greedy}
MATCHINGS = tuple(RULES)

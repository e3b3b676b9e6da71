"""Slow, direct ways to find what the package finds fast."""

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from tests.scenes import random_scene


def _is_no_mask(scene):
    """Tell whether no side has but one label: it would be taken as a mask."""
    return all(len(np.unique(side[side > 0])) != 1 for side in scene)


scenes = st.builds(
    random_scene,
    st.integers(0, 2**32 - 1),
    st.sampled_from(((24, 30), (40, 33), (64, 80))),
    st.sampled_from((0, 2, 3, 5, 8, 14)),
).filter(_is_no_mask)


def renumbered(labels, random):
    """Return the same cells by other numbers, up to 30 million, in another order."""
    known = np.unique(labels)
    numbers = random.sample(range(1, 30_000_000), len(known))
    numbers = np.where(known == 0, 0, numbers)
    return numbers[np.searchsorted(known, labels)]


def cells_of(labels):
    """Return (plane, label) and the set of pixels of each cell, by plane and label."""
    labels = np.asarray(labels)
    planes = labels.reshape(-1, *labels.shape[-2:])
    cells = {}
    for number, plane in enumerate(planes):
        for label in sorted(set(plane.ravel().tolist()) - {0}):
            pixels = np.argwhere(plane == label)
            cells[number, label] = {(number, *pixel) for pixel in pixels.tolist()}
    return cells


def shared_pixels(labels, truth):
    """Return how many pixels each prediction has in common with each true cell."""
    pred, true = cells_of(labels).values(), cells_of(truth).values()
    return np.array([[len(p & t) for t in true] for p in pred]).reshape(
        len(pred), len(true)
    )


def ious_of(labels, truth):
    """Return the intersection over union of each prediction with each true cell."""
    pred, true = cells_of(labels).values(), cells_of(truth).values()
    return np.array([[len(p & t) / len(p | t) for t in true] for p in pred]).reshape(
        len(pred), len(true)
    )


def dense_assignment(costs, is_allowed):
    """Return the number of pairs and the total cost: most pairs, then the cheapest."""
    if not is_allowed.any():
        return 0, 0.0
    reward = 1 + min(costs.shape) * costs[is_allowed].max()
    rows, columns = linear_sum_assignment(np.where(is_allowed, costs - reward, 0))
    chosen = is_allowed[rows, columns]
    return int(chosen.sum()), float(costs[rows, columns][chosen].sum())


def on_edge(pixels, shape):
    height, width = shape[-2:]
    return any(r in (0, height - 1) or c in (0, width - 1) for _, r, c in pixels)


def kinds_of(labels, truth, pairs):
    """Return the kinds of predictions and of true cells, cell by cell."""
    pred, true = (list(cells_of(side).values()) for side in (labels, truth))
    kinds = [None] * len(pred), [None] * len(true)
    _tell_merged(pred, true, *kinds)
    _tell_split(pred, true, *kinds)
    for i, j in pairs:
        if kinds[0][i] is None and kinds[1][j] is None:
            kinds[0][i] = kinds[1][j] = _kind_of_pair(pred[i], true[j], truth.shape)
    for cells, told, alone in zip(
        (pred, true), kinds, ("false positive", "missed"), strict=True
    ):
        for k, cell in enumerate(cells):
            told[k] = told[k] or ("border" if on_edge(cell, truth.shape) else alone)
    return kinds


def _tell_merged(pred, true, pred_kinds, true_kinds):
    for i, p in enumerate(pred):
        covered = [j for j, t in enumerate(true) if 2 * len(p & t) > len(t)]
        if len(covered) > 1:
            pred_kinds[i] = "merged"
            for j in covered:
                true_kinds[j] = "merged"


def _tell_split(pred, true, pred_kinds, true_kinds):
    for j, t in enumerate(true):
        inside = [i for i, p in enumerate(pred) if 2 * len(p & t) > len(p)]
        pieces = [i for i in inside if pred_kinds[i] is None]
        if true_kinds[j] is None and len(pieces) > 1:
            true_kinds[j] = "split"
            for i in pieces:
                pred_kinds[i] = "split"


def _kind_of_pair(p, t, shape):
    if 2 * len(p & t) >= len(p | t):
        return "hit"
    return "border" if on_edge(p, shape) or on_edge(t, shape) else "poor outline"


def has_one_best_matching(comparison, least=1e-6):
    """Tell whether no other pairs are as many and as near: then nothing is a tie."""
    rule, matches = comparison.rule, comparison.matches
    pred, true = (
        rule.centers_of(side) * rule.sides
        for side in (comparison.pred, comparison.true)
    )
    if not len(matches.pairs):
        return True
    distances = np.hypot(*(pred[:, None] - true).transpose(2, 0, 1))
    is_allowed = distances <= rule.max_distance
    best = (len(matches.pairs), -matches.distances.sum() - least)
    for i, j in matches.pairs.tolist():
        is_allowed[i, j] = False
        count, total = dense_assignment(distances, is_allowed)
        is_allowed[i, j] = True
        if (count, -total) >= best:
            return False
    return True

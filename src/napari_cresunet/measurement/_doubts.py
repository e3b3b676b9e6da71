"""Which cells a person should look at first."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

NEAR_THRESHOLD = "probability near the threshold"
DENTED = "dented outline, maybe two cells"
SMALL = "unusually small"
LARGE = "unusually large"
AT_BORDER = "at the border of the image"

_WEIGHTS = {NEAR_THRESHOLD: 0.9, DENTED: 0.9, SMALL: 0.7, LARGE: 0.7, AT_BORDER: 0.15}
"""The doubt that each reason alone can raise."""
_LEAST = 0.1
"""A reason that raises less is not named."""
_FEWEST_CELLS = 5
"""Of fewer it cannot be said what is usual."""
_LEAST_SPREAD = 0.1
"""Of the logarithm of areas: cells that are all alike make no others unusual."""
_THRESHOLD = 0.5
_ROUND = 0.93
"""Solidity of small discs and ellipses of pixels; of larger ones it is higher."""


def doubts(
    cells: Mapping[str, NDArray[Any]], *, threshold: float | None = None
) -> tuple[Column, list[str]]:
    """Tell how doubtful each cell is, and why.

    Parameters
    ----------
    cells : mapping of str to ndarray of shape (N,)
        The table of `measure`; mean_probability may be missing.
    threshold : float, optional
        Probability above which there was a cell; 0.5 if not given.

    Returns
    -------
    doubt : ndarray of float64, shape (N,)
        In [0, 1]; look at the highest first.
    reasons : list of str
        What raises it, the strongest first, joined by "; "; empty for nothing.

    Notes
    -----
    Each reason has a strength in [0, 1] and a weight; the doubt is
    1 - product of (1 - weight x strength).

    - Probability near the threshold t (weight 0.9): exp(-(m / 0.3)^2), where m is how
      far the mean probability is on its way from t to 1.
    - Dented outline (0.9): how far the solidity is below 0.93, or the median where that
      is less, in parts of 0.25, at most 1; times 1 / (1 + exp(-z)), which grows with
      the area, as two cells in one are large.
    - Unusually small or large (0.7 each): 1 - exp(-((|z| - 2) / 2)^2) beyond |z| = 2; a
      cell that the border cuts is small for a reason, and never unusually so.
    - At the border of the image (0.15).

    z is how far log(area) is from its median, in units of 1.4826 x the median of these
    distances, but at least 0.1. Of fewer than 5 cells it cannot be said what is usual:
    z is 0, and the median of the solidity does not count.

    What is NaN raises no doubt.
    """
    strengths = {
        NEAR_THRESHOLD: _near_threshold(cells, threshold),
        **_odd_shapes(cells),
        AT_BORDER: np.asarray(cells["touches_border"], np.float64),
    }
    names = list(strengths)
    raised = np.stack([_WEIGHTS[name] * strengths[name] for name in names])
    doubt: Column = 1 - np.prod(1 - raised, axis=0)
    order = np.argsort(-raised, axis=0, kind="stable").T
    reasons = [
        "; ".join(names[i] for i in ranks if column[i] >= _LEAST)
        for ranks, column in zip(order.tolist(), raised.T, strict=True)
    ]
    return doubt, reasons


def _near_threshold(
    cells: Mapping[str, NDArray[Any]], threshold: float | None
) -> Column:
    if "mean_probability" not in cells:
        return np.zeros(len(cells["label"]))
    low = min(_THRESHOLD if threshold is None else threshold, 1 - 1e-6)
    way = (np.asarray(cells["mean_probability"], np.float64) - low) / (1 - low)
    return np.nan_to_num(np.exp(-((np.clip(way, 0, None) / 0.3) ** 2)))


def _odd_shapes(cells: Mapping[str, NDArray[Any]]) -> dict[str, Column]:
    z = _unusual(np.asarray(cells["area_px"], np.float64))
    solidity = np.asarray(cells["solidity"], np.float64)
    is_many = len(solidity) >= _FEWEST_CELLS
    usual = min(_ROUND, float(np.median(solidity))) if is_many else _ROUND
    dent = np.clip((usual - solidity) / 0.25, 0, 1)
    is_whole = ~np.asarray(cells["touches_border"], np.bool_)
    beyond = np.clip(np.abs(z) - 2, 0, None) / 2
    strength = 1 - np.exp(-(beyond**2))
    return {
        DENTED: np.nan_to_num(dent) / (1 + np.exp(-z)),
        SMALL: np.where((z < 0) & is_whole, strength, 0.0),
        LARGE: np.where(z > 0, strength, 0.0),
    }


def _unusual(areas: Column) -> Column:
    """Return how far each area is from the usual, in robust standard deviations."""
    if len(areas) < _FEWEST_CELLS:
        return np.zeros(len(areas))
    logs = np.log(np.maximum(areas, 1))
    away = logs - np.median(logs)
    spread = max(1.4826 * float(np.median(np.abs(away))), _LEAST_SPREAD)
    found: Column = away / spread
    return found

"""Which of many images are unlike the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_IMAGES = 8
"""Of fewer nobody can tell which one is odd."""
LIMIT = 3.5
"""Of the robust z, as Iglewicz and Hoaglin advise."""
_PER_MAD = 1.4826
"""Standard deviations of a normal distribution in one median absolute deviation."""
_LEAST_SPREAD = 0.05
"""Of logarithms: what differs by less than some 5 % is not odd."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """An image that is unlike the others in one measure."""

    index: int
    """Which of the values it is."""
    measure: str
    value: float
    typical: float
    """The median of all."""
    z: float
    """Robust: how many standard deviations its logarithm is off the median."""


def find_outliers(
    measures: Mapping[str, Sequence[float | None]], counts: str = "cells"
) -> list[Outlier]:
    """Find values that are far off the others.

    Parameters
    ----------
    measures : mapping of str to sequence of float or None
        One value for each image, not negative; None where it is not known.
    counts : str, optional
        Which measure is a number of cells: it varies by chance at least as much as
        counts of so many rare things do.

    Returns
    -------
    list of Outlier
        The farthest first. None from fewer than 8 known values of a measure.

    Notes
    -----
    The logarithm of each value (of counts, plus 1; of others, plus 1 % of the median)
    is compared with the median of all; 1.4826 times the median absolute deviation, and
    at least what chance makes of counts or 5 % of others, is one standard deviation.
    Odd is what is more than 3.5 off.
    """
    found = []
    for name, values in measures.items():
        known = np.array([np.nan if v is None else v for v in values], np.float64)
        if np.count_nonzero(np.isfinite(known)) < LEAST_IMAGES:
            continue
        typical = float(np.nanmedian(known))
        z = _robust_z(known, typical, is_count=name == counts)
        found += [
            Outlier(int(i), name, float(known[i]), typical, float(z[i]))
            for i in np.flatnonzero(np.abs(z) > LIMIT)
        ]
    return sorted(found, key=lambda one: -abs(one.z))


def _robust_z(
    values: NDArray[np.float64], typical: float, *, is_count: bool
) -> NDArray[np.float64]:
    offset = 1.0 if is_count else max(0.01 * typical, 1e-12)
    logs = np.log(values + offset)
    middle = np.nanmedian(logs)
    spread = _PER_MAD * np.nanmedian(np.abs(logs - middle))
    least = (typical + 1) ** -0.5 if is_count else _LEAST_SPREAD
    z: NDArray[np.float64] = (logs - middle) / max(spread, least)
    return z

"""What failures have in common: "missed cells are dim", "merges sit in clumps"."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.evaluation._cases import CaseTable
from napari_cresunet.evaluation._comparison import (
    FALSE_POSITIVE,
    HIT,
    KINDS,
    MERGED,
    MISSED,
    POOR_OUTLINE,
    SPLIT,
)

TRAITS = {
    "contrast": ("dimmer", "brighter"),
    "background": ("on darker ground", "on brighter ground"),
    "area": ("smaller", "larger"),
    "mean_probability": ("less probable", "more probable"),
    "n_neighbors": ("less crowded", "more crowded"),
}
"""Columns that are compared, and what is said of lower and of higher values."""

_NAMES = {
    FALSE_POSITIVE: "False positives",
    MISSED: "Missed cells",
    MERGED: "Merged cells",
    SPLIT: "Split cells",
    POOR_OUTLINE: "Cells with a poor outline",
}
_LEAST = 5  # cases, below which nothing is said
_CLEAR = 0.7
"""Part of all pairs of a failure and a hit in which the failure has the higher value,
or in which it has the lower one."""
_SIGNIFICANCE = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Trait:
    """One property of one kind of failure, beside that of the hits."""

    kind: str
    name: str
    """Column of the table of cases."""
    n: int
    """Failures of this kind in which the property is known."""
    median: float
    hit_median: float
    probability_higher: float
    """That a failure has a higher value than a hit, ties count half (the area below
    the ROC curve)."""
    p_value: float
    """Of Mann and Whitney's test, two-sided, before any correction."""

    @property
    def is_clear(self) -> bool:
        """Whether there are enough cases, and the difference is large and no chance."""
        return (
            self.n >= _LEAST
            and abs(self.probability_higher - 0.5) >= _CLEAR - 0.5
            and self.p_value < _SIGNIFICANCE
        )

    @property
    def sentence(self) -> str:
        """What to say of it, such as "Missed cells are dimmer than hits: ..."."""
        lower, higher = TRAITS[self.name]
        word = higher if self.probability_higher > 0.5 else lower
        return (
            f"{_NAMES[self.kind]} are {word} than hits: {self.name.replace('_', ' ')} "
            f"{self.median:.3g} instead of {self.hit_median:.3g} (medians)."
        )


def find_traits(table: CaseTable) -> list[Trait]:
    """Compare each kind of failure with the hits.

    Parameters
    ----------
    table : mapping of str to ndarray
        From `list_cases`, of one image or of several joined.

    Returns
    -------
    list of Trait
        For each kind with at least one case and each column of `TRAITS` that is there,
        in the order of `KINDS`; failures at the border are left out. Empty without
        hits.

    Notes
    -----
    The test of Mann and Whitney (scipy) asks whether a failure tends to a higher or
    lower value than a hit, whatever the distribution. Cells of one image are not quite
    independent: take it as a hint where to look, not as a proof.
    """
    traits = []
    kinds = np.asarray(table["kind"])
    for kind in KINDS:
        if kind not in _NAMES or not (kinds == kind).any():
            continue
        for name in TRAITS:
            if name in table:
                values = np.asarray(table[name], np.float64)
                failures, hits = (_known(values[kinds == one]) for one in (kind, HIT))
                traits += _compare(kind, name, failures, hits)
    return traits


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[~np.isnan(values)]


def _compare(
    kind: str, name: str, failures: NDArray[np.float64], hits: NDArray[np.float64]
) -> list[Trait]:
    from scipy.stats import mannwhitneyu

    if not failures.size or not hits.size:
        return []
    test = mannwhitneyu(failures, hits, method="asymptotic")
    p_value = float(test.pvalue)
    return [
        Trait(
            kind=kind,
            name=name,
            n=failures.size,
            median=float(np.median(failures)),
            hit_median=float(np.median(hits)),
            probability_higher=float(test.statistic) / (failures.size * hits.size),
            p_value=p_value if isfinite(p_value) else 1.0,  # all values are equal
        )
    ]

"""How far a count can be trusted: matching and scores. Needs no torch."""

from napari_cresunet.evaluation._bootstrap import bootstrap_intervals
from napari_cresunet.evaluation._matching import Matches, match_centers
from napari_cresunet.evaluation._scores import Scores, aggregate, evaluate

__all__ = [
    "Matches",
    "Scores",
    "aggregate",
    "bootstrap_intervals",
    "evaluate",
    "match_centers",
]

"""How far a count can be trusted: scores, failures, sweeps. Needs no torch."""

from napari_cresunet.evaluation._bootstrap import (
    bootstrap_intervals,
    bootstrap_overlap_intervals,
)
from napari_cresunet.evaluation._cases import (
    Case,
    CaseTable,
    case_places,
    group_cases,
    list_cases,
)
from napari_cresunet.evaluation._comparison import (
    BORDER,
    FALSE_POSITIVE,
    HIT,
    KINDS,
    MERGED,
    MISSED,
    POOR_OUTLINE,
    SPLIT,
    Comparison,
    compare,
)
from napari_cresunet.evaluation._disagreement import (
    FALSE_IN_SECOND,
    FOUND_BY_FIRST,
    disagreement,
    right_and_wrong,
    strongest_places,
)
from napari_cresunet.evaluation._matching import MATCHINGS, Matches, match_centers
from napari_cresunet.evaluation._measuring import as_planes, surroundings_of
from napari_cresunet.evaluation._objects import Objects, objects_of, true_objects
from napari_cresunet.evaluation._overlaps import (
    IOU_THRESHOLDS,
    OverlapScores,
    aggregate_overlaps,
    evaluate_overlaps,
)
from napari_cresunet.evaluation._rule import CENTERS, MatchRule, usual_distance
from napari_cresunet.evaluation._scores import Scores, aggregate, evaluate, score_pairs
from napari_cresunet.evaluation._sweep import (
    SWEEP_THRESHOLDS,
    SweepRow,
    best_row,
    iter_sweep,
    sweep,
)
from napari_cresunet.evaluation._traits import TRAITS, Trait, find_traits

__all__ = [
    "BORDER",
    "CENTERS",
    "FALSE_IN_SECOND",
    "FALSE_POSITIVE",
    "FOUND_BY_FIRST",
    "HIT",
    "IOU_THRESHOLDS",
    "KINDS",
    "MATCHINGS",
    "MERGED",
    "MISSED",
    "POOR_OUTLINE",
    "SPLIT",
    "SWEEP_THRESHOLDS",
    "TRAITS",
    "Case",
    "CaseTable",
    "Comparison",
    "MatchRule",
    "Matches",
    "Objects",
    "OverlapScores",
    "Scores",
    "SweepRow",
    "Trait",
    "aggregate",
    "aggregate_overlaps",
    "as_planes",
    "best_row",
    "bootstrap_intervals",
    "bootstrap_overlap_intervals",
    "case_places",
    "compare",
    "disagreement",
    "evaluate",
    "evaluate_overlaps",
    "find_traits",
    "group_cases",
    "iter_sweep",
    "list_cases",
    "match_centers",
    "objects_of",
    "right_and_wrong",
    "score_pairs",
    "strongest_places",
    "surroundings_of",
    "sweep",
    "true_objects",
    "usual_distance",
]

"""What a dock knows and may do: plain objects with psygnal events, without Qt.

The engine's long work appears here as generators of `Progress`; a dock runs them in a
worker thread, a test drains them.
"""

from napari_cresunet.state._analysis import (
    CURVE_THRESHOLDS,
    Analysis,
    Area,
    Calibration,
    Curve,
    iter_analysis,
    iter_calibration,
)
from napari_cresunet.state._batch import MOST_MESSAGES, BatchState
from napari_cresunet.state._batch_review import (
    OpenedImage,
    ReviewSaved,
    ReviewSaver,
    iter_open_image,
    why_not_open,
)
from napari_cresunet.state._batch_run import (
    BatchRequest,
    Listing,
    iter_batch_report,
    iter_batch_run,
    iter_listing,
    iter_results,
)
from napari_cresunet.state._batch_table import (
    BATCH_COLUMNS,
    BATCH_STATES,
    DONE,
    OPEN_STATES,
    BatchTable,
    batch_cell,
    is_number,
)
from napari_cresunet.state._choices import (
    ENGINES,
    Choices,
    Settings,
    describe_engine,
)
from napari_cresunet.state._compare import DISAGREEMENT, CompareState
from napari_cresunet.state._compare_choices import CompareChoices
from napari_cresunet.state._compare_entries import CompareEntry, CompareRequest, Truth
from napari_cresunet.state._compare_run import CompareProgress, iter_compare
from napari_cresunet.state._compare_scores import (
    Disagreement,
    Scored,
    ScoreWork,
    iter_disagreement,
    iter_scores,
)
from napari_cresunet.state._compare_table import (
    COMPARE_COLUMNS,
    CompareColumn,
    CompareRow,
    best_rows,
    csv_text,
    save_table,
    table_lines,
)
from napari_cresunet.state._correct import CorrectState
from napari_cresunet.state._correct_log import save_log
from napari_cresunet.state._correct_pins import PIN_COLORS, PinnedCell
from napari_cresunet.state._correct_queue import ReviewQueue
from napari_cresunet.state._correct_review import (
    ReviewOrder,
    iter_review,
    review_progress,
)
from napari_cresunet.state._correct_tools import (
    ADD,
    JOIN,
    OUTLINE,
    TOOLS,
    Place,
    is_inside,
)
from napari_cresunet.state._corrections import HIGHEST, Corrections
from napari_cresunet.state._count import CountState
from napari_cresunet.state._errors import describe_error
from napari_cresunet.state._evaluate import METRICS, EvaluateState, ScoreRow
from napari_cresunet.state._judging import (
    Judgment,
    Study,
    TruthPair,
    iter_judgment,
    iter_new_labels,
    iter_study,
)
from napari_cresunet.state._measure import MeasureLayers, MeasureState, RegionLine
from napari_cresunet.state._measure_columns import (
    cell_text,
    column_text,
    column_title,
    sorted_rows,
    table_text,
)
from napari_cresunet.state._measure_export import (
    COUNT_EXPORTS,
    REGIONS_CSV,
    TRAINING_PAIR,
    CountExport,
    iter_count_export,
    iter_methods_text,
)
from napari_cresunet.state._measure_work import (
    CellTable,
    FrameCount,
    MeasureChoices,
    MeasureSource,
    Tally,
    iter_cells,
    iter_tally,
)
from napari_cresunet.state._run import (
    ModelCache,
    Progress,
    Request,
    Result,
    iter_devices,
    iter_relabel,
    iter_run,
)
from napari_cresunet.state._saving import (
    FIGURE,
    REPORT,
    TABLES,
    iter_gallery,
    iter_save,
)
from napari_cresunet.state._shelf import (
    LABELS_SHELF,
    MODEL_SHELF,
    LabelsShelf,
    ModelShelf,
)
from napari_cresunet.state._source import Source
from napari_cresunet.state._spots import Spot
from napari_cresunet.state._study import (
    ImageCandidate,
    OpenedStudy,
    StudyState,
    iter_match_image,
    iter_open_study,
)
from napari_cresunet.state._study_saving import (
    StudySaved,
    StudySaver,
    StudySnapshot,
    close_studies,
    iter_save_study,
)
from napari_cresunet.state._training import TrainState
from napari_cresunet.state._training_choices import (
    FROM_CARD,
    GROUPS,
    LAYERS,
    OWN_CONTROLS,
    TrainChoices,
)
from napari_cresunet.state._training_data import (
    Folders,
    LayerPair,
    Origin,
    PairChoice,
    Summary,
    check_sizes,
)
from napari_cresunet.state._training_folder import (
    Unfinished,
    find_unfinished,
    trainings_folder,
)
from napari_cresunet.state._training_material import (
    cut_pair,
    hold_out,
    iter_material,
    iter_summary,
)
from napari_cresunet.state._training_run import (
    Preview,
    Trained,
    TrainingProgress,
    TrainingRequest,
    iter_training,
)
from napari_cresunet.state._whole import (
    Whole,
    WholeRequest,
    WholeState,
    is_large,
    iter_whole,
    iter_whole_again,
    middle_of,
)
from napari_cresunet.state._words import Words

__all__ = [
    "ADD",
    "BATCH_COLUMNS",
    "BATCH_STATES",
    "COMPARE_COLUMNS",
    "COUNT_EXPORTS",
    "CURVE_THRESHOLDS",
    "DISAGREEMENT",
    "DONE",
    "ENGINES",
    "FIGURE",
    "FROM_CARD",
    "GROUPS",
    "HIGHEST",
    "JOIN",
    "LABELS_SHELF",
    "LAYERS",
    "METRICS",
    "MODEL_SHELF",
    "MOST_MESSAGES",
    "OPEN_STATES",
    "OUTLINE",
    "OWN_CONTROLS",
    "PIN_COLORS",
    "REGIONS_CSV",
    "REPORT",
    "TABLES",
    "TOOLS",
    "TRAINING_PAIR",
    "Analysis",
    "Area",
    "BatchRequest",
    "BatchState",
    "BatchTable",
    "Calibration",
    "CellTable",
    "Choices",
    "CompareChoices",
    "CompareColumn",
    "CompareEntry",
    "CompareProgress",
    "CompareRequest",
    "CompareRow",
    "CompareState",
    "CorrectState",
    "Corrections",
    "CountExport",
    "CountState",
    "Curve",
    "Disagreement",
    "EvaluateState",
    "Folders",
    "FrameCount",
    "ImageCandidate",
    "Judgment",
    "LabelsShelf",
    "LayerPair",
    "Listing",
    "MeasureChoices",
    "MeasureLayers",
    "MeasureSource",
    "MeasureState",
    "ModelCache",
    "ModelShelf",
    "OpenedImage",
    "OpenedStudy",
    "Origin",
    "PairChoice",
    "PinnedCell",
    "Place",
    "Preview",
    "Progress",
    "RegionLine",
    "Request",
    "Result",
    "ReviewOrder",
    "ReviewQueue",
    "ReviewSaved",
    "ReviewSaver",
    "ScoreRow",
    "ScoreWork",
    "Scored",
    "Settings",
    "Source",
    "Spot",
    "Study",
    "StudySaved",
    "StudySaver",
    "StudySnapshot",
    "StudyState",
    "Summary",
    "Tally",
    "TrainChoices",
    "TrainState",
    "Trained",
    "TrainingProgress",
    "TrainingRequest",
    "Truth",
    "TruthPair",
    "Unfinished",
    "Whole",
    "WholeRequest",
    "WholeState",
    "Words",
    "batch_cell",
    "best_rows",
    "cell_text",
    "check_sizes",
    "close_studies",
    "column_text",
    "column_title",
    "csv_text",
    "cut_pair",
    "describe_engine",
    "describe_error",
    "find_unfinished",
    "hold_out",
    "is_inside",
    "is_large",
    "is_number",
    "iter_analysis",
    "iter_batch_report",
    "iter_batch_run",
    "iter_calibration",
    "iter_cells",
    "iter_compare",
    "iter_count_export",
    "iter_devices",
    "iter_disagreement",
    "iter_gallery",
    "iter_judgment",
    "iter_listing",
    "iter_match_image",
    "iter_material",
    "iter_methods_text",
    "iter_new_labels",
    "iter_open_image",
    "iter_open_study",
    "iter_relabel",
    "iter_results",
    "iter_review",
    "iter_run",
    "iter_save",
    "iter_save_study",
    "iter_scores",
    "iter_study",
    "iter_summary",
    "iter_tally",
    "iter_training",
    "iter_whole",
    "iter_whole_again",
    "middle_of",
    "review_progress",
    "save_log",
    "save_table",
    "sorted_rows",
    "table_lines",
    "table_text",
    "trainings_folder",
    "why_not_open",
]

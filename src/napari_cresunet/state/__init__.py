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
from napari_cresunet.state._choices import Choices, Settings
from napari_cresunet.state._count import CountState
from napari_cresunet.state._errors import describe_error
from napari_cresunet.state._run import (
    ModelCache,
    Progress,
    Request,
    Result,
    iter_devices,
    iter_relabel,
    iter_run,
)
from napari_cresunet.state._source import Source
from napari_cresunet.state._words import Words

__all__ = [
    "CURVE_THRESHOLDS",
    "Analysis",
    "Area",
    "Calibration",
    "Choices",
    "CountState",
    "Curve",
    "ModelCache",
    "Progress",
    "Request",
    "Result",
    "Settings",
    "Source",
    "Words",
    "describe_error",
    "iter_analysis",
    "iter_calibration",
    "iter_devices",
    "iter_relabel",
    "iter_run",
]

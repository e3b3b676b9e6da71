"""From probability to labels: threshold, clean, split touching cells, count.

Only the table of presets loads at import; scipy and scikit-image come with the first
function that needs them, and torch never does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_cresunet.segmentation._presets import DEFAULT_PRESET, PRESETS, Preset

if TYPE_CHECKING:
    from napari_cresunet.segmentation._curves import (
        iter_count_curve,
        plateau,
        threshold_for_count,
    )
    from napari_cresunet.segmentation._features import cell_features
    from napari_cresunet.segmentation._joined import (
        JoinedCells,
        Runs,
        block_runs,
        iter_join_cells,
    )
    from napari_cresunet.segmentation._live import LiveSegmenter, segment

_HOME_OF = {
    "JoinedCells": "_joined",
    "LiveSegmenter": "_live",
    "Runs": "_joined",
    "block_runs": "_joined",
    "cell_features": "_features",
    "iter_count_curve": "_curves",
    "iter_join_cells": "_joined",
    "plateau": "_curves",
    "segment": "_live",
    "threshold_for_count": "_curves",
}

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "JoinedCells",
    "LiveSegmenter",
    "Preset",
    "Runs",
    "block_runs",
    "cell_features",
    "iter_count_curve",
    "iter_join_cells",
    "plateau",
    "segment",
    "threshold_for_count",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

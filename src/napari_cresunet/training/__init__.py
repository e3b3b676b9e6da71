"""Training: settings, losses, crops, augmentation and the loop.

Settings and what is known of a training need no torch; it is loaded with `train`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._folder import (
    CHECKPOINT,
    MODEL,
    draw_curves,
    is_first_process,
    open_folder,
    read_config,
    read_log,
)
from napari_cresunet.training._history import EpochRecord, TrainStep
from napari_cresunet.training._presets import PRESETS, fine_tuning, get_preset

if TYPE_CHECKING:
    from napari_cresunet.training._loop import iter_train
    from napari_cresunet.training._train import train
    from napari_cresunet.training._weight_maps import weight_map

_HOME_OF = {"iter_train": "_loop", "train": "_train", "weight_map": "_weight_maps"}

__all__ = [
    "CHECKPOINT",
    "MODEL",
    "PRESETS",
    "EpochRecord",
    "TrainConfig",
    "TrainStep",
    "draw_curves",
    "fine_tuning",
    "get_preset",
    "is_first_process",
    "iter_train",
    "open_folder",
    "read_config",
    "read_log",
    "train",
    "weight_map",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

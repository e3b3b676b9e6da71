"""Training: settings, losses, crops, augmentation and the loop. Needs torch."""

from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._distributed import is_first_process
from napari_cresunet.training._folder import (
    MODEL,
    draw_curves,
    open_folder,
    read_config,
)
from napari_cresunet.training._history import EpochRecord, TrainStep
from napari_cresunet.training._loop import iter_train
from napari_cresunet.training._presets import PRESETS, fine_tuning, get_preset
from napari_cresunet.training._train import train
from napari_cresunet.training._weight_maps import weight_map

__all__ = [
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
    "train",
    "weight_map",
]

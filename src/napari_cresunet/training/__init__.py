"""Training: losses, crops and the loop. Needs torch."""

from napari_cresunet.training._crops import CropOptions, parted_cells, random_crop
from napari_cresunet.training._loop import LoopOptions, Source, draw_batch, iter_train
from napari_cresunet.training._losses import weighted_cross_entropy

__all__ = [
    "CropOptions",
    "LoopOptions",
    "Source",
    "draw_batch",
    "iter_train",
    "parted_cells",
    "random_crop",
    "weighted_cross_entropy",
]

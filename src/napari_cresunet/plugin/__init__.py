"""What the plugin offers without a window: sample images and annotations, as layers.

Neither Qt nor napari is imported here.
"""

from napari_cresunet.plugin._reader import get_reader
from napari_cresunet.plugin._samples import (
    SAMPLES,
    Sample,
    neurons,
    nuclei,
    read_sample,
    synthetic,
)

__all__ = [
    "SAMPLES",
    "Sample",
    "get_reader",
    "neurons",
    "nuclei",
    "read_sample",
    "synthetic",
]

"""What the plugin offers without a window: samples, annotations and slides, as layers.

Neither Qt nor napari is imported here.
"""

from napari_cresunet.plugin._pyramids import (
    get_pyramid_reader,
    lazy_levels,
    pyramid_layer,
    read_pyramids,
)
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
    "get_pyramid_reader",
    "get_reader",
    "lazy_levels",
    "neurons",
    "nuclei",
    "pyramid_layer",
    "read_pyramids",
    "read_sample",
    "synthetic",
]

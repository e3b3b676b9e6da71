"""Images larger than memory: OME-Zarr and tiled TIFF in, OME-Zarr out.

zarr loads with the first image.
"""

from napari_cresunet.pyramids._axes import ChannelError
from napari_cresunet.pyramids._layout import WriteOptions, labels_dtype
from napari_cresunet.pyramids._level import Level
from napari_cresunet.pyramids._opening import (
    is_pyramid,
    labels_inside,
    open_channels,
    open_pyramid,
)
from napari_cresunet.pyramids._pyramid import Pyramid
from napari_cresunet.pyramids._writer import (
    PyramidWriter,
    create_pyramid,
    is_ours,
    open_writer,
)

__all__ = [
    "ChannelError",
    "Level",
    "Pyramid",
    "PyramidWriter",
    "WriteOptions",
    "create_pyramid",
    "is_ours",
    "is_pyramid",
    "labels_dtype",
    "labels_inside",
    "open_channels",
    "open_pyramid",
    "open_writer",
]

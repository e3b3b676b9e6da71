"""Many images, and images larger than memory: what is counted, where results go.

Nothing here loads torch, dask or zarr before work begins.
"""

from napari_cresunet.batch._counting import (
    Count,
    CountOptions,
    iter_count,
    segmentation_parameters,
    summary,
)
from napari_cresunet.batch._inputs import (
    IMAGE_SUFFIXES,
    find_images,
    result_names,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "Count",
    "CountOptions",
    "find_images",
    "iter_count",
    "result_names",
    "segmentation_parameters",
    "summary",
]

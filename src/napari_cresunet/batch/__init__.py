"""Many images, and images larger than memory: what is counted, where results go.

Nothing here loads torch, dask or zarr before work begins.
"""

from napari_cresunet.batch._batch import (
    BatchResult,
    BatchStep,
    iter_batch,
    plan_batch,
)
from napari_cresunet.batch._counting import (
    Count,
    CountOptions,
    iter_count,
    segmentation_parameters,
    summary,
)
from napari_cresunet.batch._entries import Batch, Entry, read_batch, read_entry
from napari_cresunet.batch._inputs import (
    IMAGE_SUFFIXES,
    ListedImage,
    find_images,
    list_images,
    result_names,
)
from napari_cresunet.batch._options import BatchOptions
from napari_cresunet.batch._pools import Pool, cluster_pool, local_pool, open_pool
from napari_cresunet.batch._reporting import write_batch_report
from napari_cresunet.batch._reviews import Reviewed, open_review, save_review
from napari_cresunet.batch._slides import (
    SlideCount,
    is_slide,
    iter_count_slide,
    iter_resegment_slide,
)
from napari_cresunet.batch._specs import ModelSpec
from napari_cresunet.batch._stages import write_count
from napari_cresunet.batch._tables import write_one

__all__ = [
    "IMAGE_SUFFIXES",
    "Batch",
    "BatchOptions",
    "BatchResult",
    "BatchStep",
    "Count",
    "CountOptions",
    "Entry",
    "ListedImage",
    "ModelSpec",
    "Pool",
    "Reviewed",
    "SlideCount",
    "cluster_pool",
    "find_images",
    "is_slide",
    "iter_batch",
    "iter_count",
    "iter_count_slide",
    "iter_resegment_slide",
    "list_images",
    "local_pool",
    "open_pool",
    "open_review",
    "plan_batch",
    "read_batch",
    "read_entry",
    "result_names",
    "save_review",
    "segmentation_parameters",
    "summary",
    "write_batch_report",
    "write_count",
    "write_one",
]

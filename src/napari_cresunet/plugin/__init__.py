"""What the plugin offers without a window: sample images, as arrays and layer tuples.

Neither Qt nor napari is imported here.
"""

from napari_cresunet.plugin._samples import (
    SAMPLES,
    Sample,
    neurons,
    nuclei,
    read_sample,
    synthetic,
)

__all__ = ["SAMPLES", "Sample", "neurons", "nuclei", "read_sample", "synthetic"]

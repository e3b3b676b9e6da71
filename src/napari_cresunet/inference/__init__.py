"""From an image to the probability of "cell" per pixel, on any device.

Nothing here loads torch before a model is loaded.
"""

from napari_cresunet._images import read_image
from napari_cresunet.inference._calibration import CalibrationImage
from napari_cresunet.inference._devices import (
    BACKENDS,
    PRECISIONS,
    available_devices,
    device_title,
    resolve_device,
)
from napari_cresunet.inference._files import write_labels, write_probability
from napari_cresunet.inference._model import Model, iter_load_model, load_model
from napari_cresunet.inference._places import is_out_of_memory
from napari_cresunet.inference._planes import plane_shape
from napari_cresunet.inference._prediction import Prediction, iter_predict, predict
from napari_cresunet.inference._quantization import iter_quantize
from napari_cresunet.inference._quantized import Quantized, read_quantized
from napari_cresunet.inference._resampling import resampling_matrix
from napari_cresunet.inference._scaling import (
    Scaling,
    apply_scaling,
    measure_scaling,
    select_channels,
)

__all__ = [
    "BACKENDS",
    "PRECISIONS",
    "CalibrationImage",
    "Model",
    "Prediction",
    "Quantized",
    "Scaling",
    "apply_scaling",
    "available_devices",
    "device_title",
    "is_out_of_memory",
    "iter_load_model",
    "iter_predict",
    "iter_quantize",
    "load_model",
    "measure_scaling",
    "plane_shape",
    "predict",
    "read_image",
    "read_quantized",
    "resampling_matrix",
    "resolve_device",
    "select_channels",
    "write_labels",
    "write_probability",
]

"""From an image to the probability of "cell" per pixel, on any device.

Nothing here loads torch before a model is loaded.
"""

from napari_cresunet.inference._devices import available_devices, resolve_device
from napari_cresunet.inference._files import (
    read_image,
    write_labels,
    write_probability,
)
from napari_cresunet.inference._model import Model, load_model
from napari_cresunet.inference._planes import plane_shape
from napari_cresunet.inference._prediction import Prediction, iter_predict, predict
from napari_cresunet.inference._resampling import resampling_matrix
from napari_cresunet.inference._scaling import Scaling, apply_scaling, measure_scaling

__all__ = [
    "Model",
    "Prediction",
    "Scaling",
    "apply_scaling",
    "available_devices",
    "iter_predict",
    "load_model",
    "measure_scaling",
    "plane_shape",
    "predict",
    "read_image",
    "resampling_matrix",
    "resolve_device",
    "write_labels",
    "write_probability",
]

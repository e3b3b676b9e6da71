"""Which layers of a viewer are compared, and what they hold now."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import Objects
from napari_cresunet.state import Settings, TruthPair
from napari_cresunet.widgets._belonging import (
    image_of,
    is_counted,
    pixels_on,
    probability_of,
)
from napari_cresunet.widgets._corrections import is_edited
from napari_cresunet.widgets._layers import (
    identity_of,
    layer_shape,
    placement_of,
    source_of,
)
from napari_cresunet.widgets._records import record_of
from napari_cresunet.widgets._truths import is_named_truth, is_truth, truth_of

_KEY = "cresunet"


def truth_layers(viewer: Any, prediction: Any) -> list[Any]:
    """Return the layers that may hold the truth, the most likely first."""
    # By identity: the viewer that a plugin gets wraps its layers anew each time.
    own = [
        identity_of(layer)
        for layer in (prediction, image_of(viewer, prediction))
        if layer is not None
    ]
    layers = [
        layer
        for layer in reversed(viewer.layers)
        if is_truth(layer) and not is_counted(layer) and identity_of(layer) not in own
    ]
    return sorted(layers, key=lambda layer: -_likelihood(layer, prediction))


def proposed_truth(viewer: Any, prediction: Any) -> Any:
    """Return the truth that is taken unless the user says otherwise, or None."""
    from napari.layers import Image

    # What was opened as an image may be one: it must be called a truth.
    likely = (
        layer
        for layer in truth_layers(viewer, prediction)
        if not isinstance(layer, Image) or is_named_truth(layer)
    )
    return next(likely, None)


def _likelihood(layer: Any, prediction: Any) -> int:
    """Return how much speaks for a layer being the truth."""
    from napari.layers import Image

    fits = prediction is not None and layer.ndim == prediction.ndim
    if fits and hasattr(layer, "dtype") and not hasattr(layer, "symbol"):
        fits = layer_shape(layer) == layer_shape(prediction)
    return 8 * fits + 4 * is_named_truth(layer) - 3 * isinstance(layer, Image)


def settings_of(prediction: Any) -> Settings | None:
    """Return what made the labels, unless somebody changed them since."""
    record = record_of(prediction)
    if not is_counted(prediction) or is_edited(prediction):
        return None
    return Settings(
        threshold=float(record["threshold"]),
        min_size=int(record["min_size"]),
        preset=str(record["preset"]),
        min_distance=record["min_distance"],
    )


def diameter_of(viewer: Any, prediction: Any) -> float | None:
    """Return the diameter of a usual cell in px, as far as anything tells it."""
    image = image_of(viewer, prediction)
    if image is not None:
        known = source_of(image).diameter
        if known is not None:
            return known
    diameter = record_of(prediction).get("diameter")
    return float(diameter) if isinstance(diameter, int | float) else None


def pair_of(
    viewer: Any, prediction: Any, truth: Any, known: Objects | None
) -> TruthPair:
    """Take what two layers hold now.

    Parameters
    ----------
    viewer : napari.Viewer
        Where image and probability are looked for.
    prediction : napari.layers.Labels
        The predicted cells; copied, for the user may go on painting.
    truth : napari.layers.Layer
        The truth, likewise.
    known : Objects or None
        The cells of the truth, if it has not changed since.

    Returns
    -------
    TruthPair
        The two, with all that is known of them.
    """
    image = image_of(viewer, prediction)
    probability = probability_of(viewer, prediction)
    labels = prediction.data[0] if prediction.multiscale else prediction.data
    return TruthPair(
        identity=identity_of(prediction),
        name=prediction.name,
        truth_identity=identity_of(truth),
        truth_name=truth.name,
        labels=np.array(labels),
        truth=np.array(truth_of(truth, prediction)) if known is None else known,
        image=_pixels(image, prediction),
        probability=None if probability is None else probability.data,
        settings=settings_of(prediction),
        pixel_um=None if image is None else source_of(image).pixel_um,
        record=dict(record_of(prediction)),
    )


def _pixels(image: Any, prediction: Any) -> Any:
    """Return the image, cut to the field of view that was counted, or None."""
    with suppress(InputError):  # labels of another image
        return None if image is None else pixels_on(image, prediction)
    return None


def add_truth(viewer: Any, prediction: Any, path: Path) -> Any:
    """Show the true cells of a file as a layer where predicted cells lie.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    prediction : napari.layers.Labels
        The predicted cells.
    path : Path
        Mask, label image or annotations.

    Returns
    -------
    napari.layers.Labels or Points
        The new layer.

    Raises
    ------
    InputError
        If the file cannot be read or is of another image, or the cells lie in a stack.
    """
    from napari_cresunet.datasets import TruthFile

    shape = layer_shape(prediction)
    if len(shape) != 2:
        raise InputError(
            f"{prediction.name!r} has {len(shape)} axes: open the truth of a stack "
            "with File > Open, and choose its layer here."
        )
    truth = TruthFile(path).read_truth((shape[0], shape[1]))
    look = {
        "name": path.name,
        "metadata": {_KEY: {"truth": True, "file": path.name}},
        **placement_of(prediction).spatial,
    }
    if truth.dtype.kind == "f":
        return viewer.add_points(
            truth, size=6, face_color="transparent", border_color="white", **look
        )
    layer = viewer.add_labels(truth, **look)
    layer.contour = 1
    return layer

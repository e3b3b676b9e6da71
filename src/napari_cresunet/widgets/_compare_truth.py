"""The layer that says where the true cells are, as long as it is looked at."""

import zlib
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_cresunet.widgets._layers import identity_of, layer_shape
from napari_cresunet.widgets._truths import is_named_truth, is_truth

_PATIENCE = 300
"""Milliseconds after the last stroke of a brush."""
_EVENTS = ("data", "paint", "set_data")  # an undo is told by the last one only


def likely_truth(viewer: Any, image: Any) -> Any:
    """Return the layer that most likely is the truth of an image.

    Parameters
    ----------
    viewer : napari.Viewer
        Where layers are.
    image : napari.layers.Image
        The image.

    Returns
    -------
    napari.layers.Layer or None
        One that says so of itself, and that fits; best one that is called after the
        image.
    """
    fitting = [
        layer
        for layer in reversed(viewer.layers)
        if identity_of(layer) != identity_of(image)
        and is_truth(layer)
        and is_named_truth(layer)
        and _fits(layer, image)
    ]
    named = [layer for layer in fitting if layer.name.startswith(image.name)]
    return next(iter((*named, *fitting)), None)


def _fits(layer: Any, image: Any) -> bool:
    from napari.layers import Points

    if isinstance(layer, Points):
        return bool(layer.ndim == image.ndim)
    return layer_shape(layer) == layer_shape(image)


class TruthWatch(QObject):
    """Tells when what a layer holds has changed and nobody paints any more."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.layer: Any = None
        self._sum = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE)
        self._timer.timeout.connect(self._look)

    def watch(self, layer: Any) -> None:
        """Follow another layer, or none."""
        for name in _EVENTS:
            for one, how in ((self.layer, "disconnect"), (layer, "connect")):
                if one is not None and hasattr(one.events, name):
                    getattr(getattr(one.events, name), how)(self._on_touched)
        self.layer = layer
        self._timer.stop()
        self._sum = _checksum(layer)

    def _on_touched(self, event: Any = None) -> None:
        self._timer.start()

    def _look(self) -> None:
        checksum = _checksum(self.layer)
        if checksum != self._sum:
            self._sum = checksum
            self.changed.emit()


def _checksum(layer: Any) -> int:
    if layer is None:
        return 0
    data = np.asarray(layer.data[0] if getattr(layer, "multiscale", 0) else layer.data)
    return zlib.crc32(np.ascontiguousarray(data).data, len(data))

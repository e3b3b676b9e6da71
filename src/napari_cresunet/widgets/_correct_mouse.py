"""Clicks and strokes in the canvas, in px of a layer of labels."""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STILL = 4.0
"""Px of the canvas: who moves no farther while the button is down has clicked."""
_PAUSE = 0.03  # s between two drawings of a stroke
_HOLD_KEY = "Space"


class Hand:
    """Takes the left button of the mouse from a layer while a tool is active.

    Parameters
    ----------
    on_click : callable
        Gets where the user clicked, as an array with a number for each axis.
    on_stroke : callable
        Gets where the mouse went, an array of shape (N, D), when the button is let go.
    on_moved : callable
        Gets the same now and then while the button is down.
    """

    def __init__(
        self,
        on_click: Callable[[NDArray[np.float64]], object],
        on_stroke: Callable[[NDArray[np.float64]], object],
        on_moved: Callable[[NDArray[np.float64]], object],
    ) -> None:
        self._on_click, self._on_stroke = on_click, on_stroke
        self._on_moved = on_moved
        self._layer: Any = None

    @property
    def is_in_use(self) -> bool:
        """Whether a tool has the mouse."""
        return self._layer is not None

    def take(self, layer: Any) -> None:
        """Take the mouse from a layer, and napari's brush out of it.

        Parameters
        ----------
        layer : napari.layers.Labels
            The layer; it gets the mouse only while it is selected.
        """
        self.let_go()
        layer.mode = "pan_zoom"
        layer.mouse_pan = False
        layer.mouse_drag_callbacks.append(self._drag)
        layer.bind_key(_HOLD_KEY, self._hold_to_pan, overwrite=True)
        self._layer = layer

    def let_go(self) -> None:
        """Give the mouse back, for moving the image or for napari's brush."""
        layer, self._layer = self._layer, None
        if layer is None:
            return
        layer.mouse_drag_callbacks.remove(self._drag)
        layer.bind_key(_HOLD_KEY, None)
        layer.mouse_pan = layer.mode == "pan_zoom"

    def _hold_to_pan(self, layer: Any) -> Iterator[None]:
        """Let the mouse move the image while the key is down."""
        layer.mouse_pan = True
        yield
        if self._layer is not None:  # else the tool was put away meanwhile
            layer.mouse_pan = False

    def _drag(self, layer: Any, event: Any) -> Iterator[None]:
        """Follow the mouse from press to release, as napari's callbacks do."""
        if event.button != 1 or layer.mouse_pan or not _is_flat(layer, event):
            return
        start, drawn, is_still = np.array(event.pos), monotonic(), True
        path = [_place(layer, event)]
        yield
        while event.type == "mouse_move":
            path.append(_place(layer, event))
            is_still = is_still and _is_near(start, event.pos)
            if not is_still and monotonic() - drawn > _PAUSE:
                drawn = monotonic()
                self._on_moved(np.array(path))
            yield
        path.append(_place(layer, event))
        if self._layer is None:
            return  # put out of the hand meanwhile
        if is_still and _is_near(start, event.pos):
            self._on_click(path[0])
        else:
            self._on_stroke(np.array(path))


def _is_near(start: NDArray[Any], place: Any) -> bool:
    return bool(np.abs(np.asarray(place) - start).max() <= _STILL)


def _is_flat(layer: Any, event: Any) -> bool:
    """Tell whether the canvas shows rows and columns of a layer."""
    n_axes = len(event.dims_point)
    return list(event.dims_displayed) == [n_axes - 2, n_axes - 1] and layer.ndim > 1


def _place(layer: Any, event: Any) -> NDArray[np.float64]:
    """Return where the mouse is, in px of the layer; planes are whole numbers."""
    place = np.asarray(layer.world_to_data(event.position), float)
    place[:-2] = np.round(place[:-2])
    return place

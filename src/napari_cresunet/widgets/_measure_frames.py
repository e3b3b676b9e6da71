"""The unbiased counting frame: a rectangle that the user moves, and its two lines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.measurement import CountingFrame
from napari_cresunet.widgets._drawing import (
    plane_map,
    plane_spatial,
    selection_kept,
)
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    layer_shape,
)
from napari_cresunet.widgets._measure_regions import draw_in
from napari_cresunet.widgets._records import record_of

_KEY = "cresunet"
FRAME, LINES = "frame", "frame lines"
_INCLUDED, _EXCLUDED = "#009e73", "#d55e00"  # Okabe-Ito; dashed and solid tell, too
_DASHES = 15
"""Of the longer side."""


def frame_of(viewer: Any, labels: Any) -> Any:
    """Return the layer with the frames of labels, or None."""
    for layer in reversed(viewer.layers):
        record = record_of(layer)
        if record.get("kind") == FRAME and record.get("of") == identity_of(labels):
            return layer
    return None


def add_frame(viewer: Any, labels: Any) -> Any:
    """Add a frame over the middle of the cells, which the user moves and resizes.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    labels : napari.layers.Labels
        The cells.

    Returns
    -------
    napari.layers.Shapes
        With one rectangle.
    """
    height, width = layer_shape(labels)[-2:]
    # Between pixels, so that the area is a whole number of them.
    top, bottom = (round(part * height) - 0.5 for part in (0.25, 0.75))
    left, right = (round(part * width) - 0.5 for part in (0.25, 0.75))
    layer = viewer.add_shapes(
        [np.array([(top, left), (top, right), (bottom, right), (bottom, left)])],
        shape_type="rectangle",
        name=f"{labels.name} frame",
        edge_color="transparent",
        edge_width=1,
        face_color="#ffffff0a",
        metadata={_KEY: {"kind": FRAME, "of": identity_of(labels)}},
        **plane_spatial(labels),
    )
    draw_in(viewer, layer, "select")
    return layer


def frames_of(layer: Any, labels: Any) -> tuple[CountingFrame, ...]:
    """Return the frames of a layer in px of the cells.

    Parameters
    ----------
    layer : napari.layers.Shapes
        Rectangles; of any other shape the box around it.
    labels : napari.layers.Labels
        The cells.

    Returns
    -------
    tuple of CountingFrame
        Without those that are outside of the image or have no area.
    """
    matrix, offset = plane_map(layer, labels)
    frames = []
    for data in layer.data:
        corners = np.asarray(data, float)[:, -2:] @ matrix.T + offset
        (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
        if bottom > top and right > left:
            frames.append(CountingFrame(top, left, bottom, right))
    return tuple(frames)


class FrameLines:
    """The lines of frames: dashed where cells may touch, solid where they may not.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to. The user may delete the layer at any time.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._identity = ""

    def show(self, frames: tuple[CountingFrame, ...], labels: Any) -> None:
        """Draw the lines of frames, in place of those before.

        Parameters
        ----------
        frames : tuple of CountingFrame
            In px of the cells.
        labels : napari.layers.Labels
            The cells, where they lie.
        """
        layer = find_layer(self._viewer, self._identity)
        if not frames:
            self.remove()
            return
        paths, colors = _paths(frames, layer_shape(labels)[-2:])
        width = max(1.0, max(layer_shape(labels)[-2:]) / 400)
        if layer is None:
            with selection_kept(self._viewer):
                layer = self._viewer.add_shapes(
                    paths,
                    shape_type="path",
                    edge_color=colors,
                    edge_width=width,
                    name=f"{labels.name} {LINES}",
                    metadata={_KEY: {"kind": LINES, "of": identity_of(labels)}},
                    **plane_spatial(labels),
                )
            layer.editable = False
            self._identity = identity_of(layer)
            return
        layer.selected_data = set()
        layer.data = [(path, "path") for path in paths]
        layer.edge_color = colors
        layer.edge_width = width
        for name, value in plane_spatial(labels).items():
            setattr(layer, name, value)

    def remove(self) -> None:
        """Take the layer away, if it is still there."""
        layer = find_layer(self._viewer, self._identity)
        self._identity = ""
        if layer is not None:
            self._viewer.layers.remove(layer)


def _paths(
    frames: tuple[CountingFrame, ...], shape: tuple[int, ...]
) -> tuple[list[NDArray[np.float64]], list[str]]:
    """Return solid and dashed lines of frames, and their colors."""
    paths, colors = [], []
    for frame in frames:
        top, left, bottom, right = frame.top, frame.left, frame.bottom, frame.right
        # The line that no cell may touch goes on above the frame and below it.
        excluded = [(min(-0.5, top), left), (top, left), (bottom, left)]
        excluded += [(bottom, right), (max(shape[0] - 0.5, bottom), right)]
        paths.append(np.array(excluded))
        colors.append(_EXCLUDED)
        step = max(bottom - top, right - left) / _DASHES
        for start, end in (
            ((top, left), (top, right)),
            ((top, right), (bottom, right)),
        ):
            for dash in _dashes(np.array(start), np.array(end), step):
                paths.append(dash)
                colors.append(_INCLUDED)
    return paths, colors


def _dashes(
    start: NDArray[np.float64], end: NDArray[np.float64], step: float
) -> list[NDArray[np.float64]]:
    """Return every other piece of a line."""
    n = max(round(float(np.abs(end - start).max()) / step), 1)
    pieces = np.linspace(0, 1, 2 * n)
    return [
        np.array([start + (end - start) * one, start + (end - start) * other])
        for one, other in zip(pieces[::2], pieces[1::2], strict=True)
    ]

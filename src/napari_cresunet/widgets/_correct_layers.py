"""Layers that show what is being corrected, and which cells are pinned."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.state import ADD, JOIN, OUTLINE, PIN_COLORS, PinnedCell
from napari_cresunet.widgets._drawing import move_marks, places_of, selection_kept
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    layer_shape,
    placement_of,
)

_KEY = "cresunet"
CORRECTION, PINS = "correction", "pins"
_NAMES = {CORRECTION: "Correction", PINS: "Pinned cells"}
PIN_SYMBOLS = {
    "added": ("cross", "\N{HEAVY PLUS SIGN}"),
    "edited": ("diamond", "\N{BLACK DIAMOND}"),
    "accepted": ("disc", "\N{BLACK CIRCLE}"),
    "deleted": ("x", "\N{MULTIPLICATION X}"),
}
"""napari's symbol of each reason, and the same for text: never color alone."""
_LINE_COLORS = {JOIN: "#56b4e9", ADD: "#009e73", OUTLINE: "#009e73"}
_CUT_COLOR = "#d55e00"
_LINE_WIDTH = 2.5  # px of the canvas
_PIN_SIZE = 0.3  # of the cell's width: the cell stays in sight
_LEAST_PIN, _MOST_PIN = 2.0, 10.0  # px


class CorrectionLayers:
    """A layer of lines for the tool in the hand, and one of marks on pinned cells.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to. The user may delete these layers at any time.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._identities: dict[str, str] = {}
        self._pinned: Any = None
        self.is_changing = False
        """Whether a layer just comes or goes: a new one is selected for a moment."""

    # Lines

    def draw(
        self, lines: Sequence[NDArray[np.float64]], tool: str, reference: Any
    ) -> None:
        """Show lines in place of those that were shown before.

        Parameters
        ----------
        lines : sequence of ndarray of shape (N, D), float
            In px of the reference.
        tool : str
            Which the lines are of.
        reference : napari.layers.Labels
            The cells, where they lie.
        """
        layer = self._layer(CORRECTION, reference)
        if not lines:
            if layer is not None:
                layer.visible = False  # ten times as fast as to take the lines away
            return
        if layer is None:
            layer = self._add(CORRECTION, reference, self._viewer.add_shapes)
        layer.data = []
        layer.add(
            [np.asarray(line) for line in lines if len(line) > 1],
            shape_type="path",
            edge_width=_LINE_WIDTH / self._px_per_px(reference),
            edge_color=_LINE_COLORS.get(tool, _CUT_COLOR),
            face_color="transparent",
        )
        layer.visible = True

    def _px_per_px(self, reference: Any) -> float:
        """Return how many px of the canvas a px of the labels is wide."""
        scale = float(np.abs(reference.scale[-2:]).mean())
        return max(float(self._viewer.scene.camera.zoom) * scale, 1e-6)

    # Marks

    def mark(self, pinned: Sequence[PinnedCell], reference: Any) -> None:
        """Show which cells are pinned, and why.

        Parameters
        ----------
        pinned : sequence of PinnedCell
            All of them.
        reference : napari.layers.Labels
            The cells, where they lie.
        """
        layer = self._layer(PINS, reference)
        known = [(one.reason, one.spot) for one in pinned], identity_of(reference)
        if layer is not None and known == self._pinned:
            return  # napari takes as long for this as for all else
        self._pinned = known
        if layer is None and not pinned:
            return
        look = {
            "symbol": [PIN_SYMBOLS[one.reason][0] for one in pinned] or "disc",
            "size": [_pin_size(one) for one in pinned] or _LEAST_PIN,
            "face_color": [PIN_COLORS[one.reason] for one in pinned] or "white",
        }
        places = places_of([one.spot for one in pinned], layer_shape(reference))
        if layer is None:
            layer = self._add(
                PINS,
                reference,
                self._viewer.add_points,
                data=places,
                border_color="black",
                border_width=0.1,
                **look,
            )
            layer.editable = False
            return
        move_marks(layer, places, look)

    def hide_marks(self) -> None:
        """Show no longer which cells are pinned."""
        self._pinned = None
        self._remove(PINS)

    # The layers

    def _add(
        self, kind: str, reference: Any, add: Callable[..., Any], **look: Any
    ) -> Any:
        with self._changing():
            layer = add(
                ndim=reference.ndim,
                name=_NAMES[kind],
                metadata={_KEY: {"kind": kind, "of": identity_of(reference)}},
                **look,
                **placement_of(reference).spatial,
            )
        self._identities[kind] = identity_of(layer)
        return layer

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let a layer come or go, which nobody is to take for a choice."""
        self.is_changing = True
        try:
            with selection_kept(self._viewer):
                yield
        finally:
            self.is_changing = False

    def _layer(self, kind: str, reference: Any) -> Any:
        """Return the layer of a kind, unless it is of other labels."""
        layer = find_layer(self._viewer, self._identities.get(kind, ""))
        if layer is not None and layer.metadata[_KEY]["of"] != identity_of(reference):
            self._remove(kind)
            return None
        return layer

    def remove(self) -> None:
        """Take the layers away, as far as they are still there."""
        self._pinned = None
        for kind in list(self._identities):
            self._remove(kind)

    def _remove(self, kind: str) -> None:
        layer = find_layer(self._viewer, self._identities.pop(kind, ""))
        if layer is not None:
            with self._changing():
                self._viewer.layers.remove(layer)


def _pin_size(pinned: PinnedCell) -> float:
    return float(np.clip(_PIN_SIZE * pinned.spot.size, _LEAST_PIN, _MOST_PIN))

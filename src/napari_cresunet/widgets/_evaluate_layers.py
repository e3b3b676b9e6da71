"""Layers that show which cells are right and which are wrong."""

from collections.abc import Collection
from typing import Any

import numpy as np

from napari_cresunet.evaluation import (
    BORDER,
    FALSE_POSITIVE,
    HIT,
    KINDS,
    MERGED,
    MISSED,
    POOR_OUTLINE,
    SPLIT,
)
from napari_cresunet.export import KIND_COLORS
from napari_cresunet.state import Judgment, Spot
from napari_cresunet.widgets._drawing import move_marks, places_of, selection_kept
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    layer_shape,
    placement_of,
)

_KEY = "cresunet"
OUTLINES, MARKS = "evaluation", "failures"
SYMBOLS = {
    HIT: ("disc", "\N{BLACK CIRCLE}"),
    FALSE_POSITIVE: ("x", "\N{MULTIPLICATION X}"),
    MISSED: ("ring", "\N{WHITE CIRCLE}"),
    MERGED: ("square", "\N{WHITE SQUARE}"),
    SPLIT: ("diamond", "\N{WHITE DIAMOND}"),
    POOR_OUTLINE: ("triangle_up", "\N{WHITE UP-POINTING TRIANGLE}"),
    BORDER: ("hbar", "\N{EM DASH}"),
}
"""napari's symbol of each kind, and the same for text: never color alone."""
_WIDER = 1.7  # a mark than its cell, so that the cell stays in sight
_LEAST_WIDTH = 12.0  # px


class EvaluationLayers:
    """Outlines of all cells, and marks of failures, in the colors of their kinds.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to. The user may delete these layers at any time.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._identities: dict[str, str] = {}
        self._shown: set[str] = set()
        self._marked: Any = None

    def show(
        self, judgment: Judgment, spots: list[Spot], kinds: list[str], reference: Any
    ) -> None:
        """Show what was found out about a pair, in place of what was shown before.

        Parameters
        ----------
        judgment : Judgment
            What was found out.
        spots : list of Spot
            The failures that are marked.
        kinds : list of str
            Their kinds.
        reference : napari.layers.Labels
            The predicted cells, where they lie.
        """
        spatial = placement_of(reference).spatial
        with selection_kept(self._viewer):
            outlines = self._layer(OUTLINES, reference.ndim)
            if outlines is None:
                self._add_outlines(judgment, reference, spatial)
            else:
                outlines.data = judgment.drawing
                self._move(outlines, spatial, reference)
            self._mark(spots, kinds, reference, spatial)

    def _add_outlines(
        self, judgment: Judgment, reference: Any, spatial: dict[str, Any]
    ) -> None:
        layer = self._viewer.add_labels(
            judgment.drawing,
            name=f"{reference.name} {OUTLINES}",
            colormap=_colormap(frozenset(KINDS)),
            opacity=1.0,
            metadata={_KEY: {"kind": OUTLINES, "of": identity_of(reference)}},
            **spatial,
        )
        layer.editable = False
        self._identities[OUTLINES] = identity_of(layer)
        self._shown = set(KINDS)

    def _mark(
        self,
        spots: list[Spot],
        kinds: list[str],
        reference: Any,
        spatial: dict[str, Any],
    ) -> None:
        """Show a symbol around each failure."""
        known = (spots, kinds, identity_of(reference))
        if known == self._marked and self._layer(MARKS, reference.ndim) is not None:
            return  # napari takes as long for this as for all else
        self._marked = known
        places = places_of(spots, layer_shape(reference))
        look = {
            "symbol": [SYMBOLS[kind][0] for kind in kinds] or "disc",
            "size": [max(_WIDER * spot.size, _LEAST_WIDTH) for spot in spots] or 10,
            "border_color": [spot.color for spot in spots] or "white",
        }
        layer = self._layer(MARKS, reference.ndim)
        if layer is None:
            layer = self._viewer.add_points(
                places,
                name=f"{reference.name} {MARKS}",
                face_color="transparent",
                border_width=0.05,
                metadata={_KEY: {"kind": MARKS, "of": identity_of(reference)}},
                **look,
                **spatial,
            )
            layer.editable = False
            self._identities[MARKS] = identity_of(layer)
            return
        move_marks(layer, places, look)
        layer.face_color = "transparent"
        self._move(layer, spatial, reference)

    def show_kinds(self, shown: Collection[str]) -> None:
        """Show the outlines of some kinds only.

        Parameters
        ----------
        shown : collection of str
            Kinds of `KINDS`.
        """
        outlines = find_layer(self._viewer, self._identities.get(OUTLINES, ""))
        if outlines is not None and self._shown != set(shown):
            outlines.colormap = _colormap(shown)
            self._shown = set(shown)

    def remove(self) -> None:
        """Take the layers away, as far as they are still there."""
        for kind in list(self._identities):
            self._remove(kind)

    def _remove(self, kind: str) -> None:
        layer = find_layer(self._viewer, self._identities.pop(kind, ""))
        if layer is not None:
            self._viewer.layers.remove(layer)

    def _layer(self, kind: str, ndim: int) -> Any:
        """Return the layer that shows a kind of thing, unless it has other axes."""
        layer = find_layer(self._viewer, self._identities.get(kind, ""))
        if layer is not None and layer.ndim != ndim:
            self._remove(kind)
            return None
        return layer

    @staticmethod
    def _move(layer: Any, spatial: dict[str, Any], reference: Any) -> None:
        # Each change has napari slice the layer again: only what is another.
        for name, value in spatial.items():
            if not _is_equal(getattr(layer, name), value):
                setattr(layer, name, value)
        record = layer.metadata[_KEY]
        if record["of"] != identity_of(reference):
            layer.name = f"{reference.name} {record['kind']}"
            record["of"] = identity_of(reference)


def _is_equal(one: Any, other: Any) -> bool:
    """Tell whether two spatial properties of layers are the same."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return bool(np.all(one == other))


def _colormap(shown: Collection[str]) -> Any:
    """Return a colormap in which the number n has the color of kind (n - 1) % 7."""
    from napari.utils.colormaps import CyclicLabelColormap
    from napari.utils.colormaps.standardize_color import transform_color

    colors = [np.zeros(4)]
    for kind in KINDS:
        color = transform_color(KIND_COLORS[kind])[0]
        color[3] = 1.0 if kind in shown else 0.0
        colors.append(color)
    return CyclicLabelColormap(colors=np.array(colors, np.float32))

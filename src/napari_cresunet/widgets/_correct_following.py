"""Which labels the dock Correct cells works on."""

from typing import Any

from qtpy.QtCore import QTimer

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import Corrections, CorrectState
from napari_cresunet.widgets._belonging import (
    image_of,
    pixel_size_of,
    proposed_cells,
    selected_cells,
)
from napari_cresunet.widgets._correct_runner import CorrectRunner
from napari_cresunet.widgets._corrections import corrections_of, why_not_editable
from napari_cresunet.widgets._dock import Dock
from napari_cresunet.widgets._layers import find_layer, identity_of

_LAYER_EVENTS = ("data", "editable", "scale", "units")
_NOT_FLAT = "Cells are corrected in 2D, with rows and columns shown: go back to that."


class LabelsDock(Dock):
    """Follows the user to the labels that are selected, and every change of them.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._watched: Any = None
        self.state = CorrectState()
        self.runner = CorrectRunner(viewer, self.state, self)
        # Who changes a layer has more to do after napari has told of it.
        self._refresh_timer = QTimer(self, singleShot=True)
        self._refresh_timer.timeout.connect(self._refresh)

    def _follow_viewer(self) -> None:
        viewer = self._viewer
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.layers.selection.events.active.connect(self._on_active_layer_changed)
        viewer.dims.events.ndisplay.connect(self._refresh)
        viewer.dims.events.order.connect(self._refresh)

    def _leave_viewer(self) -> None:
        viewer = self._viewer
        viewer.layers.events.removed.disconnect(self._on_layer_removed)
        viewer.layers.selection.events.active.disconnect(self._on_active_layer_changed)
        viewer.dims.events.ndisplay.disconnect(self._refresh)
        viewer.dims.events.order.disconnect(self._refresh)
        self._refresh_timer.stop()
        self._let_go()
        self.runner.shut_down()
        self._watch(None)
        self.state.choose_labels("")

    def _let_go(self) -> None:
        """Give the mouse back to the layer."""
        raise NotImplementedError

    def _offer_layers(self) -> None:
        """Show which layers there are to choose from."""
        raise NotImplementedError

    def _look_again(self) -> None:
        """Look again which layers there are."""
        if self.runner.layers.is_changing:
            return
        layer = find_layer(self._viewer, self.state.identity)
        if layer is None:
            layer = proposed_cells(self._viewer)
        self._choose("" if layer is None else identity_of(layer))
        self._offer_layers()

    def _choose(self, identity: str) -> None:
        """Correct the labels of a layer."""
        if identity != self.state.identity:
            self._let_go()
            self._watch(find_layer(self._viewer, identity))
            self._refresh()

    def _watch(self, layer: Any) -> None:
        """Follow changes of a layer, and no longer those of another."""
        for name in _LAYER_EVENTS:
            if self._watched is not None:
                getattr(self._watched.events, name).disconnect(self._on_layer_event)
            if layer is not None:
                getattr(layer.events, name).connect(self._on_layer_event)
        self._watched = layer

    def _on_layer_event(self, event: Any) -> None:
        self._refresh_timer.start(0)
        if event.type == "data":
            self.runner.order_soon()

    def _refresh(self, event: Any = None) -> None:
        """Look whether the labels can be corrected, and what was done to them."""
        layer, state = self._watched, self.state
        if layer is None:
            state.choose_labels("")
            return
        corrections, why_not = self._known_of(layer)
        known = (state.identity, state.corrections, state.why_not)
        if known == (identity_of(layer), corrections, why_not):
            return
        self._let_go()
        size = pixel_size_of(layer, image_of(self._viewer, layer))
        state.choose_labels(
            identity_of(layer),
            corrections,
            why_not=why_not,
            um2_per_px=None if size is None else size[0] * size[1],
        )

    def _known_of(self, layer: Any) -> tuple[Corrections | None, str]:
        """Return what was done to labels, or why they cannot be corrected."""
        dims = self._viewer.dims
        is_flat = dims.ndisplay == 2  # of two axes, 3D shows no more, but may turn them
        if not is_flat or tuple(dims.displayed) != (dims.ndim - 2, dims.ndim - 1):
            return None, _NOT_FLAT
        why_not = why_not_editable(layer)
        if why_not:
            return None, why_not
        try:
            return corrections_of(layer), ""
        except CResUNetError as error:
            return None, str(error)

    def _on_active_layer_changed(self, event: Any = None) -> None:
        """Follow the user to other cells; tools work on the selected layer alone."""
        active = self._viewer.layers.selection.active
        if active is None or self.runner.layers.is_changing:
            return
        if self.state.tool and identity_of(active) != self.state.identity:
            self.state.choose_tool("")
        cells = selected_cells(self._viewer)
        if cells is not None:
            self._choose(identity_of(cells))
            self._offer_layers()

    def _on_layer_removed(self, event: Any) -> None:
        if identity_of(event.value) == self.state.identity:
            self._choose("")

"""What docks share that work on the image that the user selects."""

from typing import Any

from napari_cresunet.widgets._dock import Dock
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    is_source,
    source_of,
)
from napari_cresunet.widgets._records import record_of

_WATCHED = ("data", "scale", "units", "metadata")


class ImageDock(Dock):
    """Follows the selected image layer, and every change of it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    state : CountState or CompareState
        Is told which image is chosen.
    """

    def __init__(self, viewer: Any, state: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._watched: Any = None
        self.state = state

    def _look_for_images(self) -> list[tuple[str, str]]:
        """Return images as (identity, name); take another if the chosen one is gone."""
        layers = self._viewer.layers
        images = [(identity_of(x), x.name) for x in layers if is_source(x)]
        source = self.state.source
        known = source is not None and source.identity in dict(images)
        if not known:
            self._choose(find_layer(self._viewer, images[-1][0]) if images else None)
        elif source.name != dict(images)[source.identity]:
            self._refresh_source()
        return images

    def _on_active_layer_changed(self, event: Any = None) -> None:
        layer = self._viewer.layers.selection.active
        if layer is None:
            return
        if not is_source(layer):
            layer = find_layer(self._viewer, record_of(layer).get("source", ""))
        if layer is not None:
            self._on_layer_chosen(identity_of(layer))
        elif self.state.source is None:
            self._choose(None)

    def _on_layer_chosen(self, identity: str) -> None:
        source = self.state.source
        if source is None or source.identity != identity:
            self._choose(find_layer(self._viewer, identity))
            self.reset_choices()

    def _choose(self, layer: Any) -> None:
        self._watch(layer)
        if layer is None:
            active = self._viewer.layers.selection.active
            self.state.choose_source(None, other="" if active is None else active.name)
            return
        self.state.choose_source(source_of(layer))

    def _watch(self, layer: Any) -> None:
        """Follow changes of the chosen layer, and no longer those of another."""
        for name in _WATCHED:
            if self._watched is not None:
                getattr(self._watched.events, name).disconnect(self._refresh_source)
            if layer is not None:
                getattr(layer.events, name).connect(self._refresh_source)
        self._watched = layer

    def _refresh_source(self, event: Any = None) -> None:
        if self._watched is not None:
            self.state.choose_source(source_of(self._watched))

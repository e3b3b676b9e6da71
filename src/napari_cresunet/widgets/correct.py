"""The dock "Correct cells"."""

from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_cresunet.correction import fill_holes, smooth
from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import TOOLS, CorrectState, save_log
from napari_cresunet.widgets._correct_actions import CorrectActions
from napari_cresunet.widgets._correct_keys import bind_actions
from napari_cresunet.widgets._correct_mouse import Hand
from napari_cresunet.widgets._correct_parts import (
    AddPart,
    CellPart,
    LabelsPart,
    ToolsPart,
)
from napari_cresunet.widgets._correct_review import PinsPart, ReviewPart
from napari_cresunet.widgets._correct_runner import CorrectRunner
from napari_cresunet.widgets._corrections import corrections_of, why_not_editable
from napari_cresunet.widgets._dock import Dock, framed, scrolling
from napari_cresunet.widgets._evaluate_pairs import (
    image_of,
    is_counted,
    prediction_layers,
    proposed_prediction,
)
from napari_cresunet.widgets._layers import find_layer, identity_of
from napari_cresunet.widgets._measure_layers import pixel_size_of
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._walking import bind_keys, unbind_keys

_LAYER_EVENTS = ("data", "editable", "scale", "units")
_NOT_FLAT = "Cells are corrected in 2D, with rows and columns shown: go back to that."


class Correct(Dock):
    """Mends by hand what the network got wrong, and looks through doubtful cells.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__()
        self._viewer: Any = viewer
        self._watched: Any = None
        self.state = CorrectState()
        self.runner = CorrectRunner(viewer, self.state, self)
        self.labels = LabelsPart(self.state)
        self.tools = ToolsPart(self.state)
        self.adding = AddPart(self.state)
        self.cell = CellPart(self.state, self.tools.undo, self.tools.redo)
        self.review = ReviewPart(self.state)
        self.pins = PinsPart()
        self.save = QPushButton("Save edit log…")
        self.save.setToolTip("<qt>Write what was done by hand as a CSV table.</qt>")
        self.acts = CorrectActions(self.state, self.runner, self.review.walk)
        self.hand = Hand(self.acts.click, self.acts.stroke, self.runner.draw_stroke)
        # Who changes a layer has more to do after napari has told of it.
        self._refresh_timer = QTimer(self, singleShot=True)
        self._lay_out(
            framed(self.labels, self.tools, self.adding, self.cell, spacing=6),
            scrolling(framed(self.review, self.pins, self.save, spacing=6)),
        )
        self._connect()
        self._on_theme_changed()
        self.reset_choices()
        for part in (self.labels, self.tools, self.adding, self.cell, self.review):
            part.render()

    def _connect(self) -> None:
        viewer, state, actions = self._viewer, self.state, self.acts
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.layers.selection.events.active.connect(self._on_active_layer_changed)
        viewer.dims.events.ndisplay.connect(self._refresh)
        viewer.dims.events.order.connect(self._refresh)
        viewer.events.theme.connect(self._on_theme_changed)
        self._refresh_timer.timeout.connect(self._refresh)
        state.tool_changed.connect(self._on_tool_changed)
        self.labels.chosen.connect(self._choose)
        self.tools.undo_wanted.connect(actions.undo)
        self.tools.redo_wanted.connect(actions.redo)
        self.adding.add_wanted.connect(actions.finish)
        self.cell.fill_wanted.connect(partial(actions.change_selected, fill_holes))
        self.cell.smooth_wanted.connect(partial(actions.change_selected, smooth))
        self.cell.number_wanted.connect(actions.number_anew)
        self.review.walk.went.connect(self._on_walked)
        self.review.accept_wanted.connect(actions.accept)
        self.review.reject_wanted.connect(actions.reject)
        self.review.split_wanted.connect(actions.split)
        self.review.order_wanted.connect(self.runner.order)
        self.runner.pinned_found.connect(self.pins.show_pinned)
        self.pins.went.connect(actions.look_at_pin)
        self.pins.released.connect(actions.release)
        self.pins.mark_wanted.connect(self.runner.mark)
        self.save.clicked.connect(self._on_save_clicked)
        self._bind_keys()

    def _disconnect(self) -> None:
        viewer = self._viewer
        viewer.layers.events.removed.disconnect(self._on_layer_removed)
        viewer.layers.selection.events.active.disconnect(self._on_active_layer_changed)
        viewer.dims.events.ndisplay.disconnect(self._refresh)
        viewer.dims.events.order.disconnect(self._refresh)
        viewer.events.theme.disconnect(self._on_theme_changed)
        self._refresh_timer.stop()
        self._let_go()
        self.runner.shut_down()
        self._watch(None)
        self.state.choose_labels("")
        unbind_keys(viewer, self.review.walk.step)

    # Keys

    def _bind_keys(self) -> None:
        actions = self.acts
        keys = {
            tool.key.lower(): partial(self._toggle, name)
            for name, tool in TOOLS.items()
        }
        keys |= {
            "h": partial(actions.change_hovered, fill_holes),
            "g": partial(actions.change_hovered, smooth),
            "y": actions.accept,
            "r": actions.reject,
            "k": actions.split,
        }
        # All have one owner, by which they are let go of together.
        bind_actions(self._viewer, keys, self.review.walk.step)
        bind_keys(self._viewer, self.review.walk.step)

    def _toggle(self, tool: str) -> None:
        self.state.choose_tool("" if self.state.tool == tool else tool)

    # The tool in the hand

    def _on_tool_changed(self) -> None:
        layer = self.runner.labels
        if layer is None or not self.state.tool:
            self._let_go()
        elif not self.hand.is_in_use:
            self._take(layer)

    def _take(self, layer: Any) -> None:
        """Give the mouse to the tool, and the keys that go with it."""
        layer.visible = True
        self._viewer.layers.selection.active = layer
        self.hand.take(layer)
        keys = {"Enter": self.acts.finish, "Escape": self.state.drop}
        bind_actions(layer, keys, self.review.walk.step)
        layer.events.mode.connect(self._on_mode_changed)

    def _let_go(self) -> None:
        if self.hand.is_in_use and self._watched is not None:
            self._watched.events.mode.disconnect(self._on_mode_changed)
            unbind_keys(self._watched, self.review.walk.step)
        self.hand.let_go()

    def _on_mode_changed(self, event: Any) -> None:
        """Put the tool away when the user takes one of napari's."""
        if self._watched is not None and self._watched.mode != "pan_zoom":
            self.state.choose_tool("")

    # The layers

    def reset_choices(self, event: Any = None) -> None:
        """Look again which layers there are; napari calls it.

        Parameters
        ----------
        event : napari event, optional
            Not looked at.
        """
        if self.runner.layers.is_changing:
            return
        layer = find_layer(self._viewer, self.state.identity)
        if layer is None:
            layer = proposed_prediction(self._viewer)
        self._choose("" if layer is None else identity_of(layer))
        self._offer_layers()

    def _offer_layers(self) -> None:
        layers = prediction_layers(self._viewer)
        self.labels.show_layers([(identity_of(x), x.name) for x in layers])

    def _choose(self, identity: str) -> None:
        """Correct the labels of a layer."""
        if identity == self.state.identity:
            return
        self._let_go()
        layer = find_layer(self._viewer, identity)
        self._watch(layer)
        self._show(layer)

    def _show(self, layer: Any) -> None:
        """Take what is known of the labels of a layer."""
        if layer is None:
            self.state.choose_labels("")
            return
        why_not, corrections = self._why_not(layer), None
        if not why_not:
            try:
                corrections = corrections_of(layer)
            except CResUNetError as error:
                why_not = str(error)
        size = pixel_size_of(layer, image_of(self._viewer, layer))
        self.state.choose_labels(
            identity_of(layer),
            corrections,
            why_not=why_not,
            um2_per_px=None if size is None else size[0] * size[1],
        )

    def _why_not(self, layer: Any) -> str:
        dims = self._viewer.dims
        is_flat = tuple(dims.displayed) == (dims.ndim - 2, dims.ndim - 1)
        return why_not_editable(layer) if is_flat else _NOT_FLAT

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
        """Look again whether and how the labels can be corrected."""
        layer = self._watched
        if layer is None:
            return
        why_not, state = self._why_not(layer), self.state
        is_known = not why_not and corrections_of(layer) is state.corrections
        if not is_known or why_not != state.why_not:
            self._let_go()
            self._show(layer)

    def _on_active_layer_changed(self, event: Any = None) -> None:
        """Follow the user to other cells; tools work on the selected layer alone."""
        active = self._viewer.layers.selection.active
        if active is None or self.runner.layers.is_changing:
            return
        if self.state.tool and identity_of(active) != self.state.identity:
            self.state.choose_tool("")
        for layer in prediction_layers(self._viewer):
            image = image_of(self._viewer, layer) if is_counted(layer) else None
            own = [identity_of(one) for one in (layer, image) if one is not None]
            if identity_of(active) in own:
                self._choose(identity_of(layer))
                self._offer_layers()
                return

    def _on_layer_removed(self, event: Any) -> None:
        if identity_of(event.value) == self.state.identity:
            self._let_go()
            self._watch(None)
            self.state.choose_labels("")

    # Review and log

    def _on_walked(self, number: int) -> None:
        self._bind_keys()
        self.acts.visit(number)

    def _on_save_clicked(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save edit log", "edits.csv", "CSV table (*.csv)"
        )
        if path:
            self.save_log(Path(path))

    def save_log(self, path: Path) -> None:
        """Write what was done by hand.

        Parameters
        ----------
        path : Path
            Where to.
        """
        corrections = self.state.corrections
        if corrections is None:
            return
        try:
            written = save_log(path, corrections.log)
        except CResUNetError as error:
            self.state.tell(tell_error(error), is_failure=True)
            return
        tell(f"Saved {written.name} in {written.resolve().parent}.")

    # Looks

    def _on_theme_changed(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.labels.set_text_size(float(str(theme.font_size).removesuffix("pt")))

"""The dock "Correct cells"."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_cresunet.correction import fill_holes, smooth
from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import TOOLS, save_log
from napari_cresunet.widgets._belonging import cell_layers
from napari_cresunet.widgets._correct_actions import CorrectActions
from napari_cresunet.widgets._correct_following import LabelsDock
from napari_cresunet.widgets._correct_mouse import Hand
from napari_cresunet.widgets._correct_parts import (
    AddPart,
    CellPart,
    LabelsPart,
    ToolsPart,
)
from napari_cresunet.widgets._correct_review import PinsPart, ReviewPart
from napari_cresunet.widgets._dock import framed, scrolling
from napari_cresunet.widgets._keys import bind_keys, unbind_keys
from napari_cresunet.widgets._layers import find_layer, identity_of
from napari_cresunet.widgets._notify import tell, tell_error
from napari_cresunet.widgets._study import StudyPart


class Correct(LabelsDock):
    """Mends by hand what the network got wrong, and looks through doubtful cells.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__(viewer)
        self.labels = LabelsPart(self.state)
        self.tools = ToolsPart(self.state)
        self.adding = AddPart(self.state)
        self.cell = CellPart(self.state, self.tools.undo, self.tools.redo)
        self.review = ReviewPart(self.state)
        self.pins = PinsPart()
        self.study = StudyPart(viewer, self)
        self.save = QPushButton("Save edit log…")
        self.save.setToolTip("<qt>Write what was done by hand as a CSV table.</qt>")
        self.acts = CorrectActions(self.state, self.runner, self.review.walk)
        self.hand = Hand(self.acts.click, self.acts.stroke, self.runner.draw_stroke)
        self._lay_out(
            # What was left behind is offered first.
            framed(self.study.offer, self.study.question, *self._fixed, spacing=6),
            scrolling(framed(self.review, self.pins, self.study, self.save, spacing=6)),
        )
        self._connect()
        self._on_theme_changed()
        self.reset_choices()
        for part in (*self._fixed, self.review, self.study):
            part.render()

    @property
    def _fixed(self) -> tuple[Any, ...]:
        return self.labels, self.tools, self.adding, self.cell

    def _connect(self) -> None:
        viewer, state, actions = self._viewer, self.state, self.acts
        self._follow_viewer()
        viewer.events.theme.connect(self._on_theme_changed)
        state.tool_changed.connect(self._on_tool_changed)
        state.layer_changed.connect(self._on_layer_changed)
        self.study.restored.connect(self._on_restored)
        self.labels.chosen.connect(self._on_labels_chosen)
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
        self.runner.pinned_found.connect(self.labels.render_bar)
        self.pins.went.connect(actions.look_at_pin)
        self.pins.released.connect(actions.release)
        self.pins.mark_wanted.connect(self.runner.mark)
        self.save.clicked.connect(self._on_save_clicked)
        self._bind_keys()

    def _disconnect(self) -> None:
        self._viewer.events.theme.disconnect(self._on_theme_changed)
        self.study.shut_down()
        self._leave_viewer()
        unbind_keys(self._viewer, self)
        self.review.walk.unbind_keys(self._viewer)

    # Keys

    def _bind_keys(self) -> None:
        actions = self.acts
        keys: dict[str, Callable[[], object]] = {
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
        bind_keys(self._viewer, keys, self)
        self.review.walk.bind_keys(self._viewer)

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
        bind_keys(layer, keys, self)
        layer.events.mode.connect(self._on_mode_changed)

    def _let_go(self) -> None:
        if self.hand.is_in_use and self._watched is not None:
            self._watched.events.mode.disconnect(self._on_mode_changed)
            unbind_keys(self._watched, self)
        self.hand.let_go()

    def _on_mode_changed(self, event: Any) -> None:
        """Put the tool away when the user takes one of napari's."""
        if self._watched is not None and self._watched.mode != "pan_zoom":
            self.state.choose_tool("")

    # The layers

    def _offer_layers(self) -> None:
        layers = cell_layers(self._viewer)
        self.labels.show_layers([(identity_of(x), x.name) for x in layers])

    def _on_labels_chosen(self, identity: str) -> None:
        """Select the layer, too: Ctrl+Z of the canvas is to undo what is done here."""
        self._choose(identity)
        layer = find_layer(self._viewer, identity)
        if layer is not None:
            self._viewer.layers.selection.active = layer

    def _on_layer_changed(self) -> None:
        self.study.follow(self.runner.labels)

    def _on_restored(self, layer: Any) -> None:
        """Go on with the labels of a study, of which more is known now."""
        self._choose(identity_of(layer))
        self._offer_layers()
        self._refresh()

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

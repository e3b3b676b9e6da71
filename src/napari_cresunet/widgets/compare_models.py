"""The dock "Compare models"."""

from dataclasses import replace
from typing import Any

from napari.utils.theme import get_theme

from napari_cresunet.state import DISAGREEMENT, CompareState, Spot
from napari_cresunet.widgets._compare_choosing import (
    NO_TRUTH,
    CompareAdvanced,
    ComparedPart,
)
from napari_cresunet.widgets._compare_grid import SideBySide
from napari_cresunet.widgets._compare_results import (
    DisagreementPart,
    ResultsPart,
    VersusPart,
)
from napari_cresunet.widgets._compare_runner import CompareRunner
from napari_cresunet.widgets._compare_running import ComparingPart
from napari_cresunet.widgets._compare_truth import likely_truth
from napari_cresunet.widgets._dock import framed, scrolling
from napari_cresunet.widgets._image_dock import ImageDock
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
)
from napari_cresunet.widgets._truths import is_truth
from napari_cresunet.widgets._walking import look_at


class CompareModels(ImageDock):
    """From an image layer to what several models make of it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    state: CompareState

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__(viewer, CompareState())
        self._looked: tuple[Any, ...] = ()
        self._truths: dict[str, str] = {}
        """Truth that the user chose, by image."""
        self.runner = CompareRunner(viewer, self.state, self)
        self.grid = SideBySide(viewer)
        self.choosing = ComparedPart(self.state)
        self.running = ComparingPart(self.state)
        self.results = ResultsPart(self.state)
        self.disagreement = DisagreementPart(self.state)
        self.versus = VersusPart(self.state)
        self.advanced = CompareAdvanced(self.state)
        self._lay_out(
            framed(self.choosing, self.running, spacing=8),
            scrolling(
                framed(
                    self.results,
                    self.disagreement,
                    self.versus,
                    self.advanced,
                    spacing=8,
                )
            ),
        )
        self._connect()
        self.state.refresh_models()
        self._on_theme_changed()
        self.reset_choices()
        self._on_active_layer_changed()
        for part in (self.choosing, self.running, self.results):
            part.render()
        self.disagreement.render()
        self.versus.render()

    def _connect(self) -> None:
        viewer, state = self._viewer, self.state
        viewer.layers.selection.events.active.connect(self._on_active_layer_changed)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.events.theme.connect(self._on_theme_changed)
        self.choosing.layer_chosen.connect(self._on_layer_chosen)
        self.choosing.truth_chosen.connect(self._on_truth_chosen)
        self.running.run_wanted.connect(self.runner.run)
        self.running.cancel_wanted.connect(self.runner.cancel)
        self.advanced.opened.connect(self.runner.look_for_devices)
        self.runner.devices_found.connect(self.advanced.show_devices)
        self.disagreement.went.connect(self._on_disagreement_went)
        self.disagreement.opened.connect(self._on_disagreement_opened)
        self.versus.went.connect(self._on_versus_went)
        self.versus.opened.connect(self._on_versus_opened)
        for signal in (state.entries_changed, state.truth_changed, state.shown_changed):
            signal.connect(self._look)

    def _disconnect(self) -> None:
        viewer = self._viewer
        viewer.layers.selection.events.active.disconnect(self._on_active_layer_changed)
        viewer.layers.events.removed.disconnect(self._on_layer_removed)
        viewer.events.theme.disconnect(self._on_theme_changed)
        self._watch(None)
        self.runner.shut_down()
        self.grid.turn_off()
        for part in (self.disagreement, self.versus):
            part.walk.unbind_keys(viewer)

    # The image

    def _look_again(self) -> None:
        """Look again which layers and models there are."""
        self._show_layers(self._look_for_images())

    def _show_layers(self, images: list[tuple[str, str]]) -> None:
        image, truth = self._watched, self._truth_layer()
        truths = [
            (identity_of(x), x.name)
            for x in self._viewer.layers
            if is_truth(x) and (image is None or identity_of(x) != identity_of(image))
        ]
        key = NO_TRUTH if truth is None else identity_of(truth)
        self.choosing.show_layers(images, truths, key)
        before = self.runner.truth.layer
        if (before is None) != (truth is None) or (
            truth is not None and identity_of(before) != key
        ):
            self.runner.choose_truth(truth)

    def _truth_layer(self) -> Any:
        """Return the truth of the image: that chosen by hand, or the likely one."""
        if self._watched is None:
            return None
        chosen = self._truths.get(identity_of(self._watched))
        if chosen == NO_TRUTH:
            return None
        layer = None if chosen is None else find_layer(self._viewer, chosen)
        return likely_truth(self._viewer, self._watched) if layer is None else layer

    def _on_truth_chosen(self, identity: str) -> None:
        if self._watched is not None:
            self._truths[identity_of(self._watched)] = identity
            self.reset_choices()

    def _on_active_layer_changed(self, event: Any = None) -> None:
        if not self.runner.layers.is_adding:
            super()._on_active_layer_changed()

    def _on_layer_removed(self, event: Any) -> None:
        self.runner.on_layer_removed(event.value)

    # What is looked at

    @property
    def _to_look_at(self) -> tuple[Any, ...]:
        state, truth = self.state, self.runner.truth.layer
        image = "" if state.source is None else state.source.identity
        if not state.is_side_by_side:
            return image, state.shown
        return image, tuple(state.findings.results), truth and identity_of(truth)

    def _look(self) -> None:
        # What the user shows or hides by hand stays so until something else is shown.
        if self._to_look_at == self._looked:
            return
        state, source = self.state, self.state.source
        self._looked = self._to_look_at
        self.grid.turn_off()
        if source is None:
            return
        layers = self.runner.layers
        layers.look_at(source.identity, state.shown)
        if state.is_side_by_side:
            order = [entry.card.name for entry in state.entries]
            models = sorted(
                (x for x in layers.models(source.identity) if x.name in order),
                key=lambda one: order.index(one.name),
            )
            self.grid.turn_on(self._watched, self.runner.truth.layer, models)

    # Walking

    def _on_disagreement_opened(self) -> None:
        self.disagreement.walk.bind_keys(self._viewer)

    def _on_versus_opened(self) -> None:
        self.versus.walk.bind_keys(self._viewer)

    def _on_disagreement_went(self, number: int) -> None:
        self.disagreement.walk.bind_keys(self._viewer)
        self._go(self.disagreement.walk.spots[number], DISAGREEMENT)

    def _on_versus_went(self, number: int) -> None:
        self.versus.walk.bind_keys(self._viewer)
        self._go(self.versus.walk.spots[number], self.state.versus[1])

    def _go(self, spot: Spot, shown: str) -> None:
        if self._watched is None:
            return
        if self.state.shown != shown:
            self.state.show(shown)
        size = spot.size / self.grid.scale if self.grid.is_on else spot.size
        look_at(self._viewer, self._watched, replace(spot, size=size))

    # Looks

    def _on_theme_changed(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.running.set_primary_color(theme.current.as_hex(), theme.text.as_hex())

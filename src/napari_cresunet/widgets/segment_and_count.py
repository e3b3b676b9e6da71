"""The dock "Segment and count"."""

from typing import Any

import numpy as np
from napari.utils.theme import get_theme

from napari_cresunet.state import Area, CountState, WholeState
from napari_cresunet.widgets._advanced import AdvancedPart
from napari_cresunet.widgets._calibrating import VIEW, WHOLE, CalibratingPart
from napari_cresunet.widgets._choosing import ChoosingPart
from napari_cresunet.widgets._counting import CountPart
from napari_cresunet.widgets._dock import framed, scrolling
from napari_cresunet.widgets._drawing import polygons_of
from napari_cresunet.widgets._image_dock import ImageDock
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    is_area,
    shown_plane,
    visible_region,
)
from napari_cresunet.widgets._runner import Runner
from napari_cresunet.widgets._running import RunningPart
from napari_cresunet.widgets._tuning import TuningPart
from napari_cresunet.widgets._whole import WholePart
from napari_cresunet.widgets._whole_runner import WholeRunner


class SegmentAndCount(ImageDock):
    """From an image layer to labeled cells and their count.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    state: CountState

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__(viewer, CountState())
        self.whole_state = WholeState(self.state)
        self.whole_runner = WholeRunner(viewer, self.state, self.whole_state, self)
        self.runner = Runner(viewer, self.state, self.whole_runner, self)
        self.choosing = ChoosingPart(self.state)
        self.running = RunningPart(self.state)
        self.counting = CountPart(self.state)
        self.whole = WholePart(self.whole_state)
        self.tuning = TuningPart(self.state)
        self.calibrating = CalibratingPart(self.state)
        self.advanced = AdvancedPart(self.state)
        self._lay_out(
            framed(*self._fixed_parts, spacing=8),
            scrolling(framed(*self._scrolling_parts, spacing=8)),
        )
        self._connect()
        self.state.refresh_models()
        self._on_theme_changed()
        self.reset_choices()
        self._on_active_layer_changed()
        for part in (*self._fixed_parts, *self._scrolling_parts):
            part.render()

    @property
    def _fixed_parts(self) -> tuple[ChoosingPart, RunningPart, CountPart, WholePart]:
        return self.choosing, self.running, self.counting, self.whole

    @property
    def _scrolling_parts(self) -> tuple[TuningPart, CalibratingPart, AdvancedPart]:
        return self.tuning, self.calibrating, self.advanced

    def _connect(self) -> None:
        viewer = self._viewer
        viewer.layers.selection.events.active.connect(self._on_active_layer_changed)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.dims.events.current_step.connect(self._on_step_changed)
        viewer.events.theme.connect(self._on_theme_changed)
        self.choosing.layer_chosen.connect(self._on_layer_chosen)
        self.running.run_wanted.connect(self.runner.run)
        self.running.cancel_wanted.connect(self.runner.cancel)
        self.whole.apply_wanted.connect(self.whole_runner.apply)
        self.calibrating.calibration_wanted.connect(self._on_calibration_wanted)
        self.advanced.opened.connect(self.runner.look_for_devices)
        self.runner.devices_found.connect(self.advanced.device.show_devices)

    def _disconnect(self) -> None:
        viewer = self._viewer
        viewer.layers.selection.events.active.disconnect(self._on_active_layer_changed)
        viewer.layers.events.removed.disconnect(self._on_layer_removed)
        viewer.dims.events.current_step.disconnect(self._on_step_changed)
        viewer.events.theme.disconnect(self._on_theme_changed)
        self._watch(None)
        self.runner.shut_down()
        self.whole_runner.shut_down()

    # The image

    def _look_again(self) -> None:
        """Look again which layers and models there are."""
        layers = self._viewer.layers
        shapes = [(identity_of(x), x.name) for x in layers if is_area(x)]
        images = self._look_for_images()
        self.choosing.show_layers(images)
        self.calibrating.show_shapes(shapes)

    def _choose(self, layer: Any) -> None:
        super()._choose(layer)
        self._on_step_changed()

    def _on_layer_removed(self, event: Any) -> None:
        self.state.forget(identity_of(event.value))

    def _on_step_changed(self, event: Any = None) -> None:
        if self._watched is not None:
            self.state.show_plane(shown_plane(self._viewer, self._watched))

    # Calibration

    def _on_calibration_wanted(self, wanted: int, key: str) -> None:
        image = self._watched
        if image is None:
            return
        plane = shown_plane(self._viewer, image)
        shapes = find_layer(self._viewer, key)
        if key == WHOLE:
            area = Area(title="the whole image")
        elif key == VIEW:
            region = visible_region(self._viewer, image)
            polygons = () if region is None else (_corners(region),)
            area = Area(title="the current view", polygons=polygons, plane=plane)
        elif shapes is not None:
            title = f"the shapes in {shapes.name!r}"
            area = Area(title=title, polygons=polygons_of(shapes, image), plane=plane)
        else:
            return
        self.runner.calibrate(wanted, area)

    # Looks

    def _on_theme_changed(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.tuning.set_theme(theme)
        self.counting.set_text_size(float(str(theme.font_size).removesuffix("pt")))
        self.running.set_primary_color(theme.current.as_hex(), theme.text.as_hex())


def _corners(region: tuple[slice, slice]) -> Any:
    """Return the corners of a rectangle of pixels."""
    top, bottom = region[0].start - 0.5, region[0].stop - 0.5
    left, right = region[1].start - 0.5, region[1].stop - 0.5
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])

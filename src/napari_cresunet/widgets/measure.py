"""The dock "Measure and export"."""

import weakref
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from napari.utils.theme import get_theme

from napari_cresunet.errors import InputError
from napari_cresunet.state import MeasureLayers, MeasureState, Spot
from napari_cresunet.widgets._belonging import cell_layers, image_of, selected_cells
from napari_cresunet.widgets._dock import Dock, framed, scrolling
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
)
from napari_cresunet.widgets._measure_exporting import ExportPart
from napari_cresunet.widgets._measure_frames import add_frame, frame_of
from napari_cresunet.widgets._measure_layers import (
    image_layers,
    set_pixel_size,
)
from napari_cresunet.widgets._measure_parts import (
    CountedPart,
    FramePart,
    StackPart,
    SubjectPart,
)
from napari_cresunet.widgets._measure_region_list import RegionsPart
from napari_cresunet.widgets._measure_regions import (
    add_regions,
    draw_in,
    is_drawn,
    region_layers,
    regions_for,
    rename,
)
from napari_cresunet.widgets._measure_runner import MeasureRunner
from napari_cresunet.widgets._measure_table import CellsPart
from napari_cresunet.widgets._truths import is_named_truth
from napari_cresunet.widgets._walking import look_at


class Measure(Dock):
    """Counts, regions and measures of cells, and files of them.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__()
        self._viewer: Any = viewer
        self._by_user: dict[str, str] = {}  # layers that were chosen by hand
        self._watched: Any = None  # the labels whose selected label is followed
        self.state = MeasureState()
        self.runner = MeasureRunner(viewer, self.state, self)
        self.subject = SubjectPart(self.state)
        self.counted = CountedPart(self.state)
        self.stack = StackPart(self.state)
        self.regions = RegionsPart(self.state)
        self.frame = FramePart(self.state)
        self.cells = CellsPart(self.state)
        self.exporting = ExportPart(self.state, self.runner)
        rest = framed(*self._scrolling_parts, spacing=8)
        self._lay_out(
            framed(self.subject, self.counted, spacing=6),
            scrolling(rest),
            framed(self.exporting),
        )
        # The table takes what is left, not the space below it.
        rest.layout().setStretchFactor(self.cells, 1000)
        self._connect()
        self._on_theme_changed()
        self.reset_choices()
        self._on_active_layer_changed()
        for part in (
            *(self.subject, self.counted, self.exporting),
            *self._scrolling_parts,
        ):
            part.render()

    @property
    def _scrolling_parts(self) -> tuple[Any, ...]:
        return self.stack, self.regions, self.frame, self.cells

    def _connect(self) -> None:
        viewer = self._viewer
        viewer.layers.selection.events.active.connect(self._on_active_layer_changed)
        viewer.events.theme.connect(self._on_theme_changed)
        self.cells.model.color_of = _colorist(self)
        self._click = _clicker(self)
        viewer.mouse_drag_callbacks.append(self._click)
        self.subject.labels_chosen.connect(self._on_labels_chosen)
        self.subject.image_chosen.connect(self._on_image_chosen)
        self.subject.pixel_size_wanted.connect(self._on_pixel_size_wanted)
        self.regions.draw_wanted.connect(self._on_draw_wanted)
        self.regions.layer_chosen.connect(self._on_regions_chosen)
        self.regions.renamed.connect(self._on_renamed)
        self.frame.frame_wanted.connect(self._on_frame_wanted)
        self.cells.went.connect(self._on_row_chosen)

    def _disconnect(self) -> None:
        viewer = self._viewer
        viewer.layers.selection.events.active.disconnect(self._on_active_layer_changed)
        viewer.events.theme.disconnect(self._on_theme_changed)
        if self._click in viewer.mouse_drag_callbacks:
            viewer.mouse_drag_callbacks.remove(self._click)
        self._watch(None)
        self.runner.shut_down()

    # The layers

    def _look_again(self) -> None:
        """Look again which layers there are."""
        labels = find_layer(self._viewer, self.state.layers.labels)
        if labels is None:
            labels = next(iter(cell_layers(self._viewer)), None)
        self._choose(labels)

    def _choose(self, labels: Any) -> None:
        """Take labels with the layers that go with them, unless others were chosen."""
        viewer = self._viewer
        if labels is None:
            layers = MeasureLayers()
        else:
            if identity_of(labels) != self.state.layers.labels:
                self._by_user = {}
            frame = frame_of(viewer, labels)
            layers = MeasureLayers(
                labels=identity_of(labels),
                image=self._kept("image", image_of(viewer, labels)),
                regions=self._kept("regions", regions_for(viewer, labels)),
                frame="" if frame is None else identity_of(frame),
            )
        self.state.choose_layers(layers)
        self._watch(labels)
        self.subject.show_layers(
            [(identity_of(x), x.name) for x in cell_layers(viewer)],
            [(identity_of(x), x.name) for x in image_layers(viewer)],
        )
        self.regions.show_layers(
            [(identity_of(x), x.name) for x in region_layers(viewer, labels)]
        )

    def _kept(self, name: str, proposed: Any) -> str:
        """Return which layer the user chose, or else the proposed one."""
        identity = self._by_user.get(name)
        is_there = identity and find_layer(self._viewer, identity) is not None
        if identity is not None and (is_there or not identity):
            return identity
        return "" if proposed is None else identity_of(proposed)

    def _on_labels_chosen(self, identity: str) -> None:
        self._choose(find_layer(self._viewer, identity))

    def _on_image_chosen(self, identity: str) -> None:
        self._by_user["image"] = identity
        self._choose(self.runner.labels)

    def _on_regions_chosen(self, identity: str) -> None:
        self._by_user["regions"] = identity
        self._choose(self.runner.labels)

    def _on_active_layer_changed(self, event: Any = None) -> None:
        """Follow the user to the cells of another image."""
        active = self._viewer.layers.selection.active
        chosen = self.state.layers
        known = (chosen.labels, chosen.image, chosen.regions)
        if active is None or identity_of(active) in known:
            return
        cells = selected_cells(self._viewer)
        if cells is not None and not is_named_truth(cells):
            self._choose(cells)

    def _on_pixel_size_wanted(self, um: float) -> None:
        labels = self.runner.labels
        if labels is not None:
            set_pixel_size(self._viewer, labels, self.runner.image, um)

    # Regions and frame

    def _on_draw_wanted(self) -> None:
        labels, regions = self.runner.labels, self.runner.regions
        if labels is None:
            return
        if regions is not None and is_drawn(regions):
            draw_in(self._viewer, regions, "add_polygon")
            return
        layer = add_regions(self._viewer, labels)
        draw_in(self._viewer, layer, "add_polygon")
        self._on_regions_chosen(identity_of(layer))

    def _on_renamed(self, old: str, new: str) -> None:
        regions = self.runner.regions
        if regions is None:
            return
        try:
            rename(regions, old, new)
        except InputError as error:
            self.state.tell(str(error), is_failure=True)
        self.runner.follow()

    def _on_frame_wanted(self) -> None:
        labels, frame = self.runner.labels, self.runner.frame
        if labels is None:
            return
        if frame is not None and len(frame.data):
            draw_in(self._viewer, frame, "select")
            return
        add_frame(self._viewer, labels)
        self._choose(labels)

    # One cell

    def _watch(self, labels: Any) -> None:
        """Follow the selected label of the counted layer."""
        if self._watched is not None:
            self._watched.events.selected_label.disconnect(self._on_label_selected)
        self._watched = labels
        if labels is not None:
            labels.events.selected_label.connect(self._on_label_selected)

    def _on_label_selected(self, event: Any) -> None:
        tally = self.state.tally
        if tally is not None:
            self.state.mark(tally.counted_label(int(event.source.selected_label)))

    def _on_row_chosen(self, label: int) -> None:
        labels, tally = self.runner.labels, self.state.tally
        place = None if tally is None else tally.cell_at(label)
        if labels is None or tally is None or place is None:
            return
        self.state.mark(label)
        plane, y, x, area = place
        shown = tally.shown_label(label)
        if shown:
            labels.selected_label = shown
        self.state.mark(label)
        size = 2 * (area / np.pi) ** 0.5
        spot = Spot(text="", plane=plane, row=y, column=x, size=size, color="")
        look_at(self._viewer, labels, spot)

    def mark_at(self, event: Any) -> None:
        """Mark the cell under the mouse.

        Parameters
        ----------
        event : napari mouse event
            Of a click.
        """
        labels, tally = self.runner.labels, self.state.tally
        if labels is None or tally is None or not labels.visible:
            return
        value = labels.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        label = value[1] if isinstance(value, tuple) else value  # of a pyramid
        if label:
            self.state.mark(tally.counted_label(int(label)))

    # Looks

    def _on_theme_changed(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.counted.set_text_size(float(str(theme.font_size).removesuffix("pt")))
        self.exporting.set_primary_color(theme.current.as_hex(), theme.text.as_hex())


def _colorist(dock: Measure) -> Callable[[int], Any]:
    """Return a function from a cell to its color, which keeps no dock alive."""
    there = weakref.ref(dock)

    def color_of(label: int) -> Any:
        dock = there()
        labels = None if dock is None else dock.runner.labels
        tally = None if dock is None else dock.state.tally
        if labels is None or tally is None:
            return None
        return labels.get_color(tally.shown_label(label))

    return color_of


def _clicker(dock: Measure) -> Callable[[Any, Any], Generator[None, None, None]]:
    """Return what a click in the canvas does, which keeps no dock alive."""
    there = weakref.ref(dock)

    def click(_viewer: Any, event: Any) -> Generator[None, None, None]:
        is_drag = False
        yield
        while event.type == "mouse_move":
            is_drag = True
            yield
        dock = there()
        if dock is not None and not is_drag:
            dock.mark_at(event)

    return click

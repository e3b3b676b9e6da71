"""The layers of the image of a batch that is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_cresunet.batch import Reviewed
from napari_cresunet.measurement import Region
from napari_cresunet.state import OpenedImage
from napari_cresunet.studies import StudyContent
from napari_cresunet.widgets._layers import find_layer, identity_of, placement_of
from napari_cresunet.widgets._measure_regions import regions_for, show_regions
from napari_cresunet.widgets._records import BATCH, record_of
from napari_cresunet.widgets._study_layers import layer_of, snapshot_of

_KEY = "cresunet"


class BatchLayers:
    """Shows one image after the other; the user may delete any layer at any time.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._identities: list[str] = []
        self.cells = ""
        """Identity of the labels that are corrected; empty if there are none."""
        self.is_changing = False
        """Whether layers come and go that are not the user's doing."""

    def show(self, opened: OpenedImage, regions: tuple[Region, ...]) -> Any:
        """Show an image instead of the one that was open.

        Parameters
        ----------
        opened : OpenedImage
            The image.
        regions : tuple of Region
            Areas to draw over it.

        Returns
        -------
        napari.layers.Labels
            Its cells.
        """
        with self._changing():
            before = [find_layer(self._viewer, one) for one in self._identities]
            before.append(self._regions_of(find_layer(self._viewer, self.cells)))
            image = self._add_image(opened)
            shown = [image, *self._add_probability(opened, image)]
            cells = self._add_cells(opened, image)
            shown.append(cells)
            show_regions(self._viewer, cells, regions)
            self._identities = [identity_of(layer) for layer in shown]
            self.cells = "" if opened.reviewed is None else identity_of(cells)
            self._remove([layer for layer in before if layer is not None])
            self._viewer.layers.selection.active = cells
            self._viewer.reset_view(layers=[image])
        return cells

    def _regions_of(self, cells: Any) -> Any:
        return None if cells is None else regions_for(self._viewer, cells)

    def _add_image(self, opened: OpenedImage) -> Any:
        is_pyramid = len(opened.image) > 1
        record = {"pyramid": str(opened.entry.path)} if is_pyramid else {}
        return self._viewer.add_image(
            _levels(opened.image),
            multiscale=is_pyramid,
            rgb=opened.is_rgb,
            name=opened.entry.name,
            metadata={_KEY: record},
            **_spatial(opened),
        )

    def _add_probability(self, opened: OpenedImage, image: Any) -> list[Any]:
        if not opened.probability:
            return []
        record = dict(opened.record)
        record |= {"source": identity_of(image), "kind": "probability"}
        layer = self._viewer.add_image(
            _levels(opened.probability),
            multiscale=len(opened.probability) > 1,
            name=f"{opened.entry.name} probability",
            colormap="magma",
            blending="additive",
            opacity=0.4,
            contrast_limits=(0, 1),
            visible=False,
            metadata={_KEY: record},
            **placement_of(image).spatial,
        )
        return [layer]

    def _add_cells(self, opened: OpenedImage, image: Any) -> Any:
        reviewed = opened.reviewed
        if reviewed is None:
            record = dict(opened.record)
            record |= {"source": identity_of(image), "kind": "cells"}
            return self._viewer.add_labels(
                _levels(opened.labels),
                multiscale=len(opened.labels) > 1,
                name=f"{opened.entry.name} cells",
                opacity=0.7,
                metadata={_KEY: record},
                **placement_of(image).spatial,
            )
        pins = reviewed.pins
        content = StudyContent(
            name=opened.entry.name,
            labels=reviewed.labels,
            pins=pins,
            log=reviewed.log,
            reviewed=reviewed.reviewed,
            record={**opened.record, "edited": not pins.is_empty, BATCH: True},
            pixel_size=reviewed.pixel_size,
        )
        return self._viewer.add_layer(layer_of(content, image))

    def reviewed(self) -> Reviewed | None:
        """Return the labels as they are now.

        Returns
        -------
        Reviewed or None
            With pins, log and regions; None if they are gone.
        """
        snapshot = snapshot_of(self._viewer, self.cells) if self.cells else None
        if snapshot is None:
            return None
        content = snapshot.content
        return Reviewed(
            labels=content.labels,
            pins=content.pins,
            log=content.log,
            reviewed=content.reviewed,
            regions=content.regions,
            pixel_size=content.pixel_size,
            record=content.record,
        )

    def let_go(self) -> None:
        """Leave the layers to the user, and their labels to who saves studies."""
        cells = find_layer(self._viewer, self.cells)
        if cells is not None:
            record = record_of(cells)
            cells.metadata[_KEY] = {x: y for x, y in record.items() if x != BATCH}
        self._identities, self.cells = [], ""

    def _remove(self, layers: list[Any]) -> None:
        """Take layers away, the topmost first."""
        if not layers:
            return
        # napari 0.9 frees what a layer has on the graphics card while another of its
        # contexts may be current, and crashes when it draws next; drawing prevents it.
        screenshot = getattr(self._viewer, "screenshot", None)
        if screenshot is not None:
            screenshot(flash=False)
        for layer in reversed(list(self._viewer.layers)):
            if layer in layers:
                self._viewer.layers.remove(layer)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self.is_changing = True
        try:
            yield
        finally:
            self.is_changing = False


def _levels(levels: tuple[Any, ...]) -> Any:
    return list(levels) if len(levels) > 1 else levels[0]


def _spatial(opened: OpenedImage) -> dict[str, Any]:
    """Return the size of a pixel, where it is known."""
    if opened.pixel_size is None:
        return {}
    n_leading = opened.labels[0].ndim - 2
    return {
        "scale": (1.0,) * n_leading + tuple(opened.pixel_size),
        "units": ("pixel",) * n_leading + ("micrometer",) * 2,
    }

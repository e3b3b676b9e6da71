"""Models side by side in napari's grid, and the way back to the view of before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.widgets._compare_layers import ModelLayers

_STRIDE = 2  # layers in a cell: heatmap and cells, or image and truth
_GAP = 4  # px of the canvas
_MARGIN = 0.05  # of the image, around it
_LINE = 1.0  # px of the canvas, the least width of an outline
_MOST_CONTOUR = 4  # px of the image
_NAME_SIZES = (6.0, 10.0)  # pt, smallest and largest
_LETTER = 0.95  # px of width for each pt, about
_KEPT = ("visible", "opacity", "blending", "contour")


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A view that is to come back."""

    order: list[Any]
    looks: list[tuple[Any, dict[str, Any]]]
    """Layers and what they looked like."""
    names: list[tuple[Any, bool, float]]
    """Layers, whether their names were shown, and how large."""
    grid: dict[str, Any]
    zoom: float
    center: tuple[float, ...]


class SideBySide:
    """Arranges layers in napari's grid until it is turned off.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose grid.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._before: _View | None = None
        self._set: tuple[float, tuple[float, ...]] = (0.0, ())
        self._ratio = 1.0
        """Of the zoom now to that of before."""

    @property
    def is_on(self) -> bool:
        """Whether layers are side by side."""
        return self._before is not None

    @property
    def scale(self) -> float:
        """How wide a cell of the grid is, as a part of the canvas."""
        canvas = self._viewer.canvas
        part = np.divide(canvas.viewbox_size(self._viewer.layers), canvas.size)
        return float(part.min())

    def turn_on(self, image: Any, truth: Any, models: Sequence[ModelLayers]) -> None:
        """Show the image with its truth, and each model, in a cell of its own.

        Parameters
        ----------
        image : napari.layers.Image
            The image.
        truth : napari.layers.Layer or None
            Shown over the image.
        models : sequence of ModelLayers
            In the order of the cells.
        """
        if self.is_on:
            self.turn_off()
        self._before = self._remember()
        cells = [[image, truth], *([one.heatmap, one.cells] for one in models)]
        groups = [[x for x in cell if x is not None] for cell in cells]
        groups = [group for group in groups if group]
        grid, camera = self._viewer.canvas.grid, self._viewer.scene.camera
        seen, zoom = self._seen(image), camera.zoom
        shape = _best_shape(len(groups), self._viewer.canvas.size, seen)
        # What is changed while it is hidden is drawn only once.
        px = np.divide(np.divide(self._viewer.canvas.size, shape), seen).min()
        self._dress(truth, models, float(px))
        self._place(groups)
        grid.stride, grid.spacing, grid.shape = _STRIDE, _GAP, shape
        grid.enabled = True
        cell = self._viewer.canvas.viewbox_size(self._viewer.layers)
        camera.zoom = float(np.divide(cell, seen).min())
        self._ratio = camera.zoom / zoom
        self._set = self._camera()
        self._name([image, *(one.cells or one.heatmap for one in models)])

    def _place(self, groups: Sequence[list[Any]]) -> None:
        """Put layers that share a cell beside each other, and hide all others."""
        layers = self._viewer.layers
        shown = {id(_plain(layer)) for group in groups for layer in group}
        spare = [layer for layer in layers if id(_plain(layer)) not in shown]
        for layer in layers:
            layer.visible = id(_plain(layer)) in shown
        # The grid takes layers two by two from the bottom, hidden ones included: one
        # that is alone gets a hidden one, or comes last.
        full = [list(group) for group in groups]
        for group in full:
            while len(group) < _STRIDE and spare:
                group.append(spare.pop())
        full.sort(key=lambda group: len(group) < _STRIDE)
        self._reorder([*(layer for group in full for layer in group), *spare])

    def _seen(self, image: Any) -> NDArray[np.float64]:
        """Return height and width of what the canvas shows of an image."""
        viewer = self._viewer
        seen: NDArray[np.float64] = np.divide(
            viewer.canvas.size, viewer.scene.camera.zoom
        )
        displayed = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
        if image is not None and displayed == [-2, -1]:
            low, high = image.extent.world[:, -2:]
            seen = np.minimum(seen, (high - low) * (1 + _MARGIN))
        return np.maximum(seen, 1e-9)

    def _dress(self, truth: Any, models: Sequence[ModelLayers], zoom: float) -> None:
        for one in models:
            if one.heatmap is not None:
                one.heatmap.opacity, one.heatmap.blending = 1.0, "opaque"
        for layer in (truth, *(one.cells for one in models)):
            if layer is not None and hasattr(layer, "contour"):
                # Thinner lines are drawn with gaps.
                px = zoom * abs(layer.scale[-1])
                widest = max(layer.contour, _MOST_CONTOUR)
                layer.contour = min(max(layer.contour, round(_LINE / px)), widest)
                layer.opacity = 1.0

    def _name(self, layers: Sequence[Any]) -> None:
        """Show in each cell whose it is, in letters that fit."""
        named = [layer for layer in layers if layer is not None]
        _, width = self._viewer.canvas.viewbox_size(self._viewer.layers)
        longest = max((len(layer.name) for layer in named), default=1)
        smallest, largest = _NAME_SIZES
        size = min(max(0.9 * width / (_LETTER * longest), smallest), largest)
        for layer in named:
            layer.name_overlay.font_size = size  # while it is hidden
            layer.name_overlay.visible = True

    def turn_off(self) -> None:
        """Bring back grid, order, visibility and looks as they were before."""
        before, self._before = self._before, None
        if before is None:
            return
        viewer, here = self._viewer, self._camera()
        grid, camera = viewer.canvas.grid, viewer.scene.camera
        for layer, is_visible, size in before.names:
            layer.name_overlay.visible = is_visible
            layer.name_overlay.font_size = size
        for name in ("enabled", "stride", "shape", "spacing"):
            setattr(grid, name, before.grid[name])
        present = [x for x in before.order if x in viewer.layers]
        known = {id(_plain(layer)) for layer in present}
        added = [x for x in viewer.layers if id(_plain(x)) not in known]
        self._reorder([*present, *added])
        for layer, looks in before.looks:
            for name, value in looks.items():
                setattr(layer, name, value)
        if here == self._set:
            camera.center, camera.zoom = before.center, before.zoom
        else:
            # What the user looked at stays in the middle.
            camera.zoom = here[0] / self._ratio

    def _camera(self) -> tuple[float, tuple[float, ...]]:
        camera = self._viewer.scene.camera
        return float(camera.zoom), tuple(camera.center)

    def _remember(self) -> _View:
        layers, grid = list(self._viewer.layers), self._viewer.canvas.grid
        zoom, center = self._camera()
        return _View(
            order=layers,
            looks=[
                (x, {name: getattr(x, name) for name in _KEPT if hasattr(x, name)})
                for x in layers
            ],
            names=[
                (x, x.name_overlay.visible, x.name_overlay.font_size) for x in layers
            ],
            grid={
                name: getattr(grid, name)
                for name in ("enabled", "stride", "shape", "spacing")
            },
            zoom=zoom,
            center=center,
        )

    def _reorder(self, wanted: Sequence[Any]) -> None:
        """Put the layers into an order, from the bottom."""
        layers = self._viewer.layers
        for place, layer in enumerate(wanted):
            index = layers.index(layer)
            if index != place:
                layers.move(index, place)


def _best_shape(
    n_cells: int, canvas: tuple[int, int], seen: NDArray[np.float64]
) -> tuple[int, int]:
    """Return the rows and columns in which things are shown largest."""
    shapes = [(-(-n_cells // n), n) for n in range(1, n_cells + 1)]
    return max(
        shapes, key=lambda shape: np.divide(np.divide(canvas, shape), seen).min()
    )


def _plain(layer: Any) -> Any:
    """Return the layer itself: a viewer may hand out a new proxy each time."""
    return getattr(layer, "__wrapped__", layer)

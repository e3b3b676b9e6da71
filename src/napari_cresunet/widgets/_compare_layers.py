"""Layers of a comparison: heatmaps on one scale, cells, where models disagree."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from napari_cresunet.state import DISAGREEMENT, CompareEntry, Corrections
from napari_cresunet.widgets._corrections import (
    forget_edits,
    is_edited,
    set_labels,
    start_corrections,
)
from napari_cresunet.widgets._drawing import selection_kept
from napari_cresunet.widgets._layers import Placement
from napari_cresunet.widgets._records import record_of

_KEY = "cresunet"
_HEATMAP, _CELLS = "compared probability", "compared cells"
_LINKED = ("contrast_limits", "gamma", "colormap")
_CONTOUR_PART = 15  # of a cell's diameter
_OUTLINE = (0.0, 0.9, 1.0, 1.0)  # is not in the heatmap's colors


class ModelLayers(NamedTuple):
    """What shows one model; a layer that the user deleted is None."""

    name: str
    heatmap: Any
    cells: Any


class CompareLayers:
    """Puts results into layers, and looks at one model or another.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to. The user may delete any layer at any time; none is deleted here.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.is_adding = False
        """Whether a layer is being added, which selects it for a moment."""

    # What there is

    def models(self, source: str) -> list[ModelLayers]:
        """Return the layers of all models of an image, from the bottom.

        Parameters
        ----------
        source : str
            Identity of the image.

        Returns
        -------
        list of ModelLayers
            By heatmap, then those that have only cells.
        """
        names: dict[str, None] = {}
        for kind in (_HEATMAP, _CELLS):
            for layer in self._viewer.layers:
                record = record_of(layer)
                if record.get("source") == source and record.get("kind") == kind:
                    names[record["model"]] = None
        return [
            ModelLayers(
                name,
                self._find(source, _HEATMAP, name),
                self._find(source, _CELLS, name),
            )
            for name in names
        ]

    def disagreement(self, source: str) -> Any:
        """Return the layer that shows where the models of an image disagree, or None.

        Parameters
        ----------
        source : str
            Identity of the image.

        Returns
        -------
        napari.layers.Image or None
            The layer.
        """
        return self._find(source, DISAGREEMENT)

    def _find(self, source: str, kind: str, model: str = "") -> Any:
        """Return the topmost layer of a kind."""
        wanted = {"source": source, "kind": kind} | ({"model": model} if model else {})
        for layer in reversed(self._viewer.layers):
            if wanted.items() <= record_of(layer).items():
                return layer
        return None

    # What is put into them

    def show(self, entry: CompareEntry, placement: Placement) -> str:
        """Show what a model gave, in its layers of before or in new ones.

        Parameters
        ----------
        entry : CompareEntry
            With a result.
        placement : Placement
            Where the image lies.

        Returns
        -------
        str
            Name of a labels layer that was edited by hand and stays, or "".
        """
        result = entry.result
        if result is None:
            return ""
        source, model = entry.request.source.identity, entry.card.name
        record = result.record | {"source": source, "kind": _HEATMAP, "model": model}
        heatmap = self._find(source, _HEATMAP, model)
        with self._adding():
            if heatmap is None:
                self._add_heatmap(result.probability, model, record, placement)
            else:
                heatmap.data = result.probability
                _move(heatmap, placement)
                heatmap.metadata[_KEY] = record
            return self.show_cells(entry, placement, is_new=True)

    def _add_heatmap(
        self, data: Any, model: str, record: dict[str, Any], placement: Placement
    ) -> None:
        others = [x.heatmap for x in self.models(record["source"]) if x.heatmap]
        looks: dict[str, Any] = {"colormap": "magma", "contrast_limits": (0, 1)}
        if others:
            looks = {name: getattr(others[0], name) for name in _LINKED}
        with self._adding():
            heatmap = self._viewer.add_image(
                data,
                name=f"{model} probability",
                blending="additive",
                opacity=0.6,
                visible=False,
                metadata={_KEY: record},
                **looks,
                **placement.spatial,
            )
        heatmap.contrast_limits_range = (0, 1)
        if others:
            self._viewer.layers.link_layers([*others, heatmap], _LINKED)

    def show_cells(
        self, entry: CompareEntry, placement: Placement, *, is_new: bool = False
    ) -> str:
        """Show the labels of a model as they are now.

        Parameters
        ----------
        entry : CompareEntry
            With a result.
        placement : Placement
            Where the image lies.
        is_new : bool, optional
            Whether they are of another run, so that nothing can be undone.

        Returns
        -------
        str
            Name of a layer that was edited by hand and stays, or "".
        """
        result = entry.result
        if result is None:
            return ""
        source, model = entry.request.source.identity, entry.card.name
        record = result.provenance() | {"kind": _CELLS, "model": model, "edited": False}
        cells = self._find(source, _CELLS, model)
        if cells is not None and not is_edited(cells):
            if cells.data is not result.labels:
                set_labels(cells, result.labels, record)
            if is_new:
                forget_edits(cells)
                _move(cells, placement)
            return ""
        kept = ""
        if cells is not None:
            cells.visible = False
            kept = cells.name
        diameter = entry.request.choices.diameter or entry.card.diameter
        with self._adding():
            layer = self._viewer.add_labels(
                result.labels,
                name=f"{model} cells",
                colormap=_outline_colors(),
                opacity=1.0,
                visible=False,
                metadata={_KEY: record},
                **placement.spatial,
            )
        start_corrections(layer, Corrections(layer.data))
        layer.contour = max(1, round(diameter / _CONTOUR_PART))
        return kept

    def show_disagreement(self, values: Any, source: str, placement: Placement) -> None:
        """Show where models disagree.

        Parameters
        ----------
        values : ndarray of float32
            From 0 to 0.5.
        source : str
            Identity of the image.
        placement : Placement
            Where the image lies.
        """
        layer = self.disagreement(source)
        if layer is not None:
            layer.data = values
            _move(layer, placement)
            return
        with self._adding():
            self._viewer.add_image(
                values,
                name="disagreement",
                colormap="cyan",
                contrast_limits=(0, 0.5),
                blending="additive",
                visible=False,
                metadata={_KEY: {"source": source, "kind": DISAGREEMENT}},
                **placement.spatial,
            )

    @contextmanager
    def _adding(self) -> Iterator[None]:
        """Let layers come, which nobody is to take for a choice of the user."""
        if self.is_adding:  # several at once: napari's controls change only once
            yield
            return
        self.is_adding = True
        try:
            with selection_kept(self._viewer):
                yield
        finally:
            self.is_adding = False

    # What is looked at

    def look_at(self, source: str, shown: str) -> None:
        """Show one model, or where they disagree, and hide the others.

        Parameters
        ----------
        source : str
            Identity of the image.
        shown : str
            Name of the model, or `DISAGREEMENT`.
        """
        disagreement = self.disagreement(source)
        if disagreement is not None:
            disagreement.visible = shown == DISAGREEMENT
        for model in self.models(source):
            for layer in model[1:]:
                if layer is not None:
                    layer.visible = model.name == shown

    def unlink(self, layer: Any) -> None:
        """Let go of a layer that was removed: links would keep its pixels for ever.

        Parameters
        ----------
        layer : napari.layers.Layer
            The layer.
        """
        if record_of(layer).get("kind") == _HEATMAP:
            from napari.experimental import unlink_layers

            unlink_layers([layer])


def _outline_colors() -> Any:
    """Return one color for all cells: it is their outlines that are looked at."""
    from napari.utils.colormaps import CyclicLabelColormap

    # Not a DirectLabelColormap: with that, napari 0.9.2 crashes when it is closed.
    return CyclicLabelColormap(name="outlines", colors=[_OUTLINE, _OUTLINE])


def _move(layer: Any, placement: Placement) -> None:
    for name, value in placement.spatial.items():
        setattr(layer, name, value)

"""The layers of images larger than memory: levels in files, of which parts are read."""

from typing import Any

from napari_cresunet.plugin import lazy_levels
from napari_cresunet.pyramids import open_pyramid
from napari_cresunet.state import Whole
from napari_cresunet.widgets._corrections import is_edited
from napari_cresunet.widgets._layers import Placement, latest_result

CELLS = "whole cells"
PROBABILITY = "whole probability"


def show_whole(viewer: Any, whole: Whole, placement: Placement) -> Any:
    """Put the count of a whole image into layers: those of the last one, or new ones.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    whole : Whole
        What to show.
    placement : Placement
        Where the image lies.

    Returns
    -------
    napari.layers.Labels
        The cells.
    """
    source = whole.request.source.identity
    record = whole.record | {"source": source, "source_name": placement.name}
    # Below the field of view, which is looked at more closely.
    where = len(viewer.layers)
    first = latest_result(viewer, source, "probability")
    if first is not None:
        where = viewer.layers.index(first)
    looks: dict[str, Any] = {
        "colormap": "magma",
        "blending": "additive",
        "opacity": 0.4,
        "contrast_limits": (0, 1),
        "visible": False,
    }
    for kind, path in ((PROBABILITY, whole.probability), (CELLS, whole.labels)):
        levels = lazy_levels(open_pyramid(path))
        layer = latest_result(viewer, source, kind)
        if layer is not None:
            layer.data = levels
        else:
            add = viewer.add_labels if kind == CELLS else viewer.add_image
            options = {"opacity": 0.7} if kind == CELLS else looks
            layer = add(
                levels,
                name=f"{placement.name} {kind}",
                multiscale=isinstance(levels, list),
                **options,
                **placement.spatial,
            )
            viewer.layers.move(viewer.layers.index(layer), where)
            where += 1
        layer.metadata["cresunet"] = record | {"kind": kind, "pyramid": str(path)}
    _turn(viewer, source, is_whole=True)
    return layer


def show_view(viewer: Any, source: str) -> None:
    """Show the field of view, whose labels follow the sliders, instead of the whole.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    source : str
        Identity of the image.
    """
    if latest_result(viewer, source, CELLS) is not None:
        _turn(viewer, source, is_whole=False)


def _turn(viewer: Any, source: str, *, is_whole: bool) -> None:
    whole = latest_result(viewer, source, CELLS)
    whole.visible = is_whole
    for kind in ("probability", "cells"):
        layer = latest_result(viewer, source, kind)
        # What a person is working on is not taken out of sight.
        if layer is not None and not (is_whole and is_edited(layer)):
            layer.visible = not is_whole

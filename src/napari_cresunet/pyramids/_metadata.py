"""What is written beside the pixels, so that programs know them as OME-Zarr."""

from typing import Any

from napari_cresunet.pyramids._documents import OURS
from napari_cresunet.pyramids._layout import Layout

_TYPES = {"t": "time", "c": "channel"}
_COLORS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF"}


def unfinished_attributes(layout: Layout) -> dict[str, Any]:
    """Return the attributes of a group of which not all levels are there.

    Parameters
    ----------
    layout : Layout
        What is written.

    Returns
    -------
    dict
        Only for this program: no other takes it for an image.
    """
    return {OURS: layout.to_dict()}


def finished_attributes(layout: Layout) -> dict[str, Any]:
    """Return the attributes of a group that is there whole.

    Parameters
    ----------
    layout : Layout
        What was written.

    Returns
    -------
    dict
        As OME-Zarr of this version has it, and `unfinished_attributes`.
    """
    ome: dict[str, Any] = {"multiscales": [_multiscales(layout)]}
    if layout.kind == "labels":
        ome["image-label"] = _versioned({}, layout)
    if layout.rgb:
        ome["omero"] = _omero()
    if layout.version == "0.4":
        return {**ome, **unfinished_attributes(layout)}
    return {"ome": {"version": layout.version, **ome}, **unfinished_attributes(layout)}


def _versioned(document: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """Up to 0.4, each part says the version; from 0.5 on it stands once above all."""
    return (
        {"version": layout.version, **document} if layout.version == "0.4" else document
    )


def _multiscales(layout: Layout) -> dict[str, Any]:
    return _versioned(
        {
            "name": layout.name,
            "axes": [_axis(name, layout) for name in layout.axes],
            "datasets": [
                {
                    "path": str(number),
                    "coordinateTransformations": _scale(layout, number),
                }
                for number in range(layout.n_levels)
            ],
            "type": "nearest" if layout.kind == "labels" else "mean",
        },
        layout,
    )


def _axis(name: str, layout: Layout) -> dict[str, str]:
    axis = {"name": name, "type": _TYPES.get(name, "space")}
    if name in ("y", "x") and layout.pixel_size:
        axis["unit"] = "micrometer"
    return axis


def _scale(layout: Layout, number: int) -> list[dict[str, Any]]:
    """Return how large a pixel of a level is, and where the center of the first is."""
    factor = float(2**number)
    size = layout.pixel_size or (1.0, 1.0)
    ones = [1.0] * (len(layout.axes) - 2)
    scale = {"type": "scale", "scale": [*ones, *(side * factor for side in size)]}
    if number == 0:
        return [scale]
    shift = [*(0.0 for _ in ones), *(side * (factor - 1) / 2 for side in size)]
    return [scale, {"type": "translation", "translation": shift}]


def _omero() -> dict[str, Any]:
    window = {"min": 0, "max": 255, "start": 0, "end": 255}
    return {
        "channels": [
            {"label": label, "color": color, "active": True, "window": window}
            for label, color in _COLORS.items()
        ],
        "rdefs": {"model": "color"},
    }

"""A count drawn over its image: outlines, numbers, regions and a scale bar."""

from collections.abc import Sequence
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._label_images import checked_labels, planes_of
from napari_cresunet.annotations import box_of, outlines_of
from napari_cresunet.errors import InputError
from napari_cresunet.export._counted import Counted
from napari_cresunet.export._figures import (
    FIGURE_DPI,
    figure_bytes,
    write_figure,
)
from napari_cresunet.export._galleries import shrunk
from napari_cresunet.export._pictures import Picture, is_color, stretched
from napari_cresunet.measurement import Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST = 8192
"""Px of a picture's longer side; larger images are shrunk by a whole number."""
_LEAST_WIDTH = 1000
"""Px to which small images are enlarged, by a whole number."""
_CELLS, _REGIONS = "#56b4e9", "#e69f00"
"""Okabe and Ito's colors, told apart with any color vision."""
_LINE = 1.6
"""Px of the picture that an outline is wide."""
_TEXT = 22
"""Px of the picture that names and the scale bar's text are high, of 1000 px width."""
_NUMBER = 15
_LABEL_BOX = {"facecolor": "#000000a0", "edgecolor": "none", "pad": 1.5}


class ScaleBar(NamedTuple):
    """A bar of a round length."""

    px: float
    """Its length in px of the image."""
    text: str
    """Its length in words, such as "50 µm"."""


def scale_bar(width_px: int, pixel_width_um: float) -> ScaleBar:
    """Choose the bar for an image.

    Parameters
    ----------
    width_px : int
        Width of the image.
    pixel_width_um : float
        Width of a pixel in µm.

    Returns
    -------
    ScaleBar
        1, 2 or 5 times a power of ten, the closest to a fifth of the width.

    Examples
    --------
    >>> scale_bar(1600, 0.65)
    ScaleBar(px=307.6923076923077, text='200 µm')
    """
    wanted = width_px * pixel_width_um / 5
    power = floor(log10(wanted))
    lengths = [
        step * 10.0**exponent for exponent in (power, power + 1) for step in (1, 2, 5)
    ]
    length = min(lengths, key=lambda one: abs(log10(one / wanted)))
    units = (("mm", 1e3), ("µm", 1.0), ("nm", 1e-3))
    unit, size = next((one for one in units if length >= one[1] * 0.999), units[-1])
    return ScaleBar(length / pixel_width_um, f"{length / size:.6g} {unit}")


def overlay_figure(
    counted: Counted,
    *,
    plane: int | None = None,
    numbers: bool = False,
    largest: int = LARGEST,
) -> "Figure":
    """Draw the outlines of all cells of one plane over the image.

    Parameters
    ----------
    counted : Counted
        The count. Without an image the ground is black; without the size of a pixel
        there is no scale bar.
    plane : int, optional
        Which one of a stack, counted through all leading axes from 0; by default the
        one with the most cells.
    numbers : bool, optional
        Whether the label of each cell is written into it.
    largest : int, optional
        Px of the longer side; larger images are shrunk by a whole number.

    Returns
    -------
    Figure
        Of matplotlib, without a window; 200 dpi give every pixel of the image one or,
        where it is small, several. The image has its contrast stretched from
        percentile 0.5 to 99.9. Regions have their outlines and names. Of a stack it is
        said which plane it is.

    Raises
    ------
    InputError
        If there is no such plane, or labels and image differ in shape.
    """
    from matplotlib.figure import Figure

    labels = checked_labels(counted.labels)
    if not labels.size:
        raise InputError(f"{counted.name} has no pixel: there is nothing to draw.")
    stack = planes_of(labels)
    number = _fullest(stack) if plane is None else plane
    if not 0 <= number < len(stack):
        raise InputError(f"There is no plane {number}: the image has {len(stack)}.")
    height, width = stack.shape[1:]
    shrink = -(-max(height, width) // largest)
    ground = shrunk(_ground(counted, labels.shape, number), shrink)
    zoom = max(1, _LEAST_WIDTH // width)
    size = np.array([ground.shape[1], ground.shape[0]]) * zoom
    figure = Figure(figsize=tuple(size / FIGURE_DPI), dpi=FIGURE_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    # Shrinking makes the last row and column whole blocks.
    right, bottom = (side * shrink - 0.5 for side in (ground.shape[1], ground.shape[0]))
    axes.imshow(ground, extent=(-0.5, right, bottom, -0.5), interpolation="none")
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="auto")
    axes.axis("off")
    scale = float(np.clip(size.max() / 1000, 0.7, 3))
    _draw_cells(axes, stack[number], scale if numbers else None)
    _draw_regions(axes, counted.regions, (height, width), number, scale)
    if counted.pixel_size is not None:
        _draw_scale_bar(axes, width, height, counted.pixel_size[1], scale)
    if len(stack) > 1:
        _say(axes, f"plane {number} of 0 to {len(stack) - 1}", (0.02, 0.98), scale)
    return figure


def write_overlay(
    path: str | Path,
    counted: Counted,
    *,
    plane: int | None = None,
    numbers: bool = False,
) -> None:
    """Write a count drawn over its image as PNG, SVG or PDF, by the file's ending.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    counted : Counted
        The count.
    plane : int, optional
        As for `overlay_figure`.
    numbers : bool, optional
        As for `overlay_figure`.

    Notes
    -----
    In SVG and PDF outlines are lines and text is text. `InputError` for another ending
    and as `overlay_figure`; a file that cannot be written is an `EngineError`.
    """
    write_figure(path, overlay_figure(counted, plane=plane, numbers=numbers))


def overlay_picture(counted: Counted, *, largest: int) -> Picture:
    """Return a count drawn over its image as pixels.

    Parameters
    ----------
    counted : Counted
        The count.
    largest : int
        As for `overlay_figure`.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        The picture.
    """
    import imageio.v3 as iio

    content = figure_bytes(overlay_figure(counted, largest=largest), "png")
    pixels: Picture = iio.imread(content, extension=".png")[..., :3]
    return pixels


def _fullest(stack: NDArray[Any]) -> int:
    """Return the plane with the most cells."""
    if len(stack) == 1:
        return 0
    return int(np.argmax([len(np.unique(plane)) for plane in stack]))


def _ground(counted: Counted, shape: tuple[int, ...], number: int) -> Picture:
    """Return a plane of the image with its contrast stretched; black without image."""
    height, width = shape[-2:]
    if counted.image is None:
        return np.zeros((height, width, 3), np.uint8)
    image = np.asarray(counted.image)
    if image.shape[1:] == shape:  # channels first
        channels = image.reshape(len(image), -1, height, width)[:, number]
        return _gray(np.max([stretched(channel) for channel in channels], axis=0))
    has_colors = is_color(image, shape, counted.name)
    plane = image.reshape(-1, height, width, *image.shape[len(shape) :])[number]
    return stretched(plane[..., :3]) if has_colors else _gray(stretched(plane))


def _gray(plane: NDArray[np.uint8]) -> Picture:
    return np.stack([plane] * 3, axis=-1)


def _draw_cells(axes: "Axes", plane: NDArray[Any], scale: float | None) -> None:
    """Draw outlines and, at a scale, numbers."""
    outlines = outlines_of(plane)
    _draw_rings(
        axes, [ring for rings in outlines.values() for ring in rings], _CELLS, "solid"
    )
    for label, rings in outlines.items() if scale is not None else ():
        row, column = _middle(plane, label, rings)
        axes.text(
            column,
            row,
            str(label),
            color="white",
            fontsize=_points(_NUMBER * (scale or 1)),
            ha="center",
            va="center",
            clip_on=True,
        )


def _middle(
    plane: NDArray[Any], label: int, rings: Sequence[NDArray[np.float64]]
) -> tuple[float, float]:
    """Return the cell's pixel that is closest to its centroid."""
    top, left, bottom, right = box_of(rings)
    pixels = np.argwhere(plane[top:bottom, left:right] == label)
    distances = ((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1)
    row, column = pixels[distances.argmin()] + (top, left)
    return float(row), float(column)


def _draw_rings(
    axes: "Axes", rings: Sequence[NDArray[np.float64]], color: str, style: str
) -> None:
    from matplotlib.collections import LineCollection

    closed = [np.vstack([ring, ring[:1]])[:, ::-1] for ring in rings]
    axes.add_collection(
        LineCollection(
            closed, colors=color, linewidths=_points(_LINE), linestyles=style
        ),
        autolim=False,
    )


def _draw_regions(
    axes: "Axes",
    regions: Sequence[Region],
    shape: tuple[int, int],
    plane: int,
    scale: float,
) -> None:
    for region in regions:
        if region.plane not in (None, plane):
            continue
        rings = list(region.polygons)
        if region.mask is not None:
            rings += outlines_of(region.mask.astype(np.uint8)).get(1, [])
        if not rings:
            continue
        _draw_rings(axes, rings, _REGIONS, "dashed")
        height_px = 1.5 * _TEXT * scale * shape[1] / axes.bbox.width
        place = _place_of_name(region, shape, height_px)
        if place is None:
            continue
        axes.annotate(
            region.name,
            place[::-1],
            xytext=(4, 0),
            textcoords="offset points",
            color=_REGIONS,
            fontsize=_points(_TEXT * scale),
            ha="left",
            va="center",
            bbox=_LABEL_BOX,
        )


def _place_of_name(
    region: Region, shape: tuple[int, int], height: float
) -> tuple[float, float] | None:
    """Return row and column where a name fits into a region, as far up as it can."""
    from napari_cresunet.measurement import region_mask

    mask = region_mask(region, shape)
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return None
    wanted = 0.55 * height * len(region.name)
    lowest = max(rows[-1] - height / 2, rows[0])
    best = (0, float(rows[0]), 0.0)
    for middle in np.arange(min(rows[0] + height, lowest), lowest + 1, height / 2):
        column, length = _longest_run(mask[int(middle)])
        best = max(best, (length, float(middle), float(column)), key=lambda one: one[0])
        if length >= wanted:
            break
    return best[1:]


def _longest_run(line: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of True begins, and its length."""
    edges = np.diff(np.concatenate([[0], line.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    if not starts.size:
        return 0, 0
    longest = int((ends - starts).argmax())
    return int(starts[longest]), int(ends[longest] - starts[longest])


def _draw_scale_bar(
    axes: "Axes", width: int, height: int, pixel_width_um: float, scale: float
) -> None:
    from matplotlib.patches import Rectangle

    bar = scale_bar(width, pixel_width_um)
    right, bottom = 0.97 * width - 0.5, height - 0.5 - 0.03 * width
    thickness = max(0.008 * width, 0.5)
    place = (right - bar.px, bottom - thickness)
    axes.add_patch(Rectangle(place, bar.px, thickness, facecolor="white", linewidth=0))
    axes.annotate(
        bar.text,
        (right - bar.px / 2, bottom - thickness),
        xytext=(0, 3 * scale),
        textcoords="offset points",
        color="white",
        fontsize=_points(_TEXT * scale),
        ha="center",
        va="bottom",
        bbox=_LABEL_BOX,
    )


def _say(axes: "Axes", text: str, place: tuple[float, float], scale: float) -> None:
    axes.text(
        *place,
        text,
        transform=axes.transAxes,
        color="white",
        fontsize=_points(_TEXT * scale),
        ha="left",
        va="top",
        bbox=_LABEL_BOX,
    )


def _points(px: float) -> float:
    """Return the points of so many px of the picture."""
    return px * 72 / FIGURE_DPI

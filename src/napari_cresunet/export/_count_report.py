"""A count as one web page."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._wording import list_names
from napari_cresunet._writing import write_bytes
from napari_cresunet.errors import InputError
from napari_cresunet.export._count_methods import count_methods
from napari_cresunet.export._count_overlay import overlay_picture
from napari_cresunet.export._counted import Counted, cell_rows, measured, record_of
from napari_cresunet.export._figures import INK, figure_of
from napari_cresunet.export._hand_edits import hand_edits
from napari_cresunet.export._html import (
    card,
    cell,
    chart,
    facts,
    flat_record,
    page,
    picture,
    several,
    table,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CELLS = 500
"""Rows of the table of cells, all images together."""
MOST_OVERLAYS = 20
_LARGEST = 1600
"""Px above which pictures are shrunk."""
_MOST_BARS = 60
_REGION_COLUMNS = {
    "image": "Image",
    "region": "Region",
    "count": "Cells",
    "planes": "Planes",
    "area_px": "Area in px",
    "area_mm2": "Area in mm²",
    "density_per_mm2": "Cells per mm²",
    "overlaps": "Shares area with",
}


def count_report(counted: Sequence[Counted], title: str = "Cell count") -> str:
    """Return counts as one web page that needs no other file.

    Parameters
    ----------
    counted : sequence of Counted
        At least one.
    title : str, optional
        What stands above.

    Returns
    -------
    str
        HTML without scripts: counts, regions with densities, pictures of at most 20
        images, sizes, what was corrected by hand, a paragraph with references for the
        methods of a paper, how it was made, and the first 500 cells.

    Raises
    ------
    InputError
        If there is no count.
    """
    if not counted:
        raise InputError("There is no count to report: give at least one.")
    images = [measured(one) for one in counted]
    return page(
        title,
        [
            f"<header><h1>{escape(title)}</h1>{_subtitle(images)}</header>",
            _headline(images),
            *_warnings(images),
            _region_table(images),
            _overlays(images),
            _sizes(images),
            _corrections(images),
            _methods(images),
            _provenance(images),
            _cell_table(images),
        ],
    )


def write_count_report(path: str | Path, counted: Counted) -> None:
    """Write the report of one image.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    counted : Counted
        The count.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    text = count_report([counted], title=f"Cells of {counted.name}")
    write_bytes(Path(path), text.encode(errors="backslashreplace"))


def _subtitle(images: Sequence[Counted]) -> str:
    said = [images[0].name if len(images) == 1 else several(len(images), "image")]
    models = dict.fromkeys(
        str(one.record["model"]) for one in images if one.record.get("model")
    )
    said += [f"model {name}" for name in models]
    times = [str(one.record["time"]) for one in images if one.record.get("time")]
    said += [max(times)] if times else []
    return f'<p class="soft">{escape(" · ".join(said))}</p>'


def _headline(images: Sequence[Counted]) -> str:
    n_cells = sum(one.n_cells for one in images)
    of = f"in {several(len(images), 'image')}" if len(images) > 1 else ""
    cards = [card("Cells", str(n_cells), of)]
    totals = [one.region_rows[-1] for one in images]
    area = _sum(row.get("area_mm2") for row in totals)
    if area:
        cards.append(card("Cells per mm²", cell(n_cells / area), f"{area:.4g} mm²"))
    sizes, unit = _diameters(images)
    if sizes.size:
        middle = f"{np.median(sizes):.3g} {unit}"
        low, high = np.percentile(sizes, (5, 95))
        below = f"{low:.3g} to {high:.3g}: 90 % of the cells"
        cards.append(card("Median diameter", middle, below))
    pinned = [one.n_pinned for one in images if one.n_pinned is not None]
    if pinned:
        below = "changed, added or accepted"
        cards.append(card("Touched by hand", str(sum(pinned)), below))
    return f'<div class="cards">{"".join(cards)}</div>'


def _sum(values: Any) -> float | None:
    """Return the sum; None if one is not known."""
    numbers = list(values)
    return None if any(one is None for one in numbers) else float(sum(numbers))


def _warnings(images: Sequence[Counted]) -> list[str]:
    from napari_cresunet.measurement import why_no_density

    why = {one.name: why_no_density(one.pixel_size) for one in images}
    lacking = [name for name, text in why.items() if text]
    said = list(dict.fromkeys(why[name] for name in lacking))
    if len(lacking) < len(images):
        said = [f"{list_names(lacking)}: {text}" for text in said]
    if any(row.get("overlaps") for one in images for row in one.region_rows):
        said.append("Regions overlap: cells in what they share count in each of them.")
    return [f'<p class="warning">{escape(text)}</p>' for text in said]


def _region_table(images: Sequence[Counted]) -> str:
    rows = [
        {"image": one.name} | dict(row) for one in images for row in one.region_rows
    ]
    columns = {
        name: text
        for name, text in _REGION_COLUMNS.items()
        if any(row.get(name) not in (None, "", [], ()) for row in rows)
    }
    if len(images) == 1:
        columns.pop("image", None)
    if all(one.n_planes == 1 for one in images):
        columns.pop("planes", None)
    shown = [{name: _text(row.get(name), name) for name in columns} for row in rows]
    title = "Regions" if any(one.regions for one in images) else "Areas"
    return f"<h2>{title}</h2>{table(columns, shown, has_total=len(images) == 1)}"


def _text(value: Any, name: str) -> str:
    """Return a number of the table of regions as people read it."""
    if isinstance(value, list | tuple):
        return escape(", ".join(map(str, value)))
    if name == "area_mm2" and value is not None:
        return f"{value:.4g}"
    if name == "area_px" and value is not None:
        return f"{value:.0f}"
    return cell(value)


def _overlays(images: Sequence[Counted]) -> str:
    shown = images[:MOST_OVERLAYS]
    n_more = len(images) - len(shown)
    more = f"<p>{several(n_more, 'more image')} not shown.</p>" if n_more else ""
    figures = "".join(_overlay(one) for one in shown)
    return f"<h2>Every cell</h2>{figures}{more}"


def _overlay(counted: Counted) -> str:
    if not np.size(counted.labels):
        return ""
    pixels = overlay_picture(counted, largest=_LARGEST)
    said = f"{counted.name}: {several(counted.n_cells, 'cell')}"
    if counted.regions:
        said += "; dashed: regions"
    if counted.image is None:
        said += "; without its image"
    alt = f"{counted.name} with the outlines of the counted cells"
    return (
        f'<figure class="picture">{picture(pixels, alt)}'
        f"<figcaption>{escape(said)}</figcaption></figure>"
    )


def _diameters(images: Sequence[Counted]) -> tuple[NDArray[np.float64], str]:
    """Return the diameters of all cells, in µm if they are known for all."""
    name, unit = "equivalent_diameter_um", "µm"
    if not all(name in one.table for one in images):
        name, unit = "equivalent_diameter_px", "px"
    columns = [np.asarray(one.table.get(name, ()), np.float64) for one in images]
    sizes = np.concatenate(columns)
    return sizes[np.isfinite(sizes)], unit


def _sizes(images: Sequence[Counted]) -> str:
    sizes, unit = _diameters(images)
    if sizes.size < 2:
        return ""

    def draw(axes: "Axes") -> None:
        edges = np.histogram_bin_edges(sizes, "auto")
        # One giant among many small cells would make thousands of bars.
        n_bars = min(len(edges) - 1, _MOST_BARS)
        axes.hist(sizes, bins=n_bars, color=INK["bar"])
        axes.set(xlabel=f"diameter of the disc of equal area ({unit})", ylabel="cells")

    figure = figure_of([draw])
    return f"<h2>Sizes</h2>{chart(figure, 'Histogram of the diameters of all cells')}"


def _corrections(images: Sequence[Counted]) -> str:
    rows = [
        {
            "image": escape(one.name),
            "kind": escape(edits.kind),
            "steps": str(edits.n_steps),
            "words": escape(edits.words),
        }
        for one in images
        for edits in hand_edits(one.log)
    ]
    if not rows:
        return ""
    columns = {"kind": "Kind", "steps": "Steps", "words": "What was done"}
    if len(images) > 1:
        columns = {"image": "Image"} | columns
    return (
        f"<h2>Corrected by hand</h2>{table(columns, rows)}"
        '<p class="soft">Without what was undone. A cell that was changed twice counts '
        "twice.</p>"
    )


def _methods(images: Sequence[Counted]) -> str:
    parts = ["<h2>Methods</h2>"]
    found = count_methods(images)
    for one in found:
        if len(found) > 1:
            parts.append(f"<h3>{escape(', '.join(one.names))}</h3>")
        parts.append(f"<p>{escape(one.text)}</p>")
        cited = "".join(f"<li>{escape(text)}</li>" for text in one.references)
        parts.append(f"<ol>{cited}</ol>" if cited else "")
    return "".join(parts)


def _cell_table(images: Sequence[Counted]) -> str:
    rows: list[Mapping[str, Any]] = [
        {"image": one.name} | row
        for one in images
        for row in (cell_rows(one) if one.n_cells else [])
    ]
    if not rows:
        return ""
    names = dict.fromkeys(name for row in rows[:MOST_CELLS] for name in row)
    columns = {name: _heading(name) for name in names}
    if len(images) == 1:
        columns.pop("image")
    shown = [
        {name: _value(row.get(name)) for name in columns} for row in rows[:MOST_CELLS]
    ]
    n_more = len(rows) - len(shown)
    more = f"<p>{several(n_more, 'more cell')} not shown.</p>" if n_more else ""
    return f"<h2>Cells</h2>{table(columns, shown)}{more}"


def _heading(column: str) -> str:
    """Return a column's name with the unit as people write it."""
    for ending, unit in (("_um2", " µm²"), ("_um", " µm")):
        if column.endswith(ending):
            column = column.removesuffix(ending) + unit
    return column.replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cell(value)


def _provenance(images: Sequence[Counted]) -> str:
    parts = ["<h2>How this was made</h2>"]
    for one in images:
        parts.append(f"<h3>{escape(one.name)}</h3>" if len(images) > 1 else "")
        parts.append(facts(flat_record(record_of(one))))
    return "".join(parts)

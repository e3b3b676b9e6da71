"""The counts of many images as one web page."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from statistics import mean, median, stdev
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from napari_cresunet.export._count_methods import count_methods
from napari_cresunet.export._counted import Counted
from napari_cresunet.export._figures import INK, figure_of
from napari_cresunet.export._html import (
    DASH,
    card,
    cell,
    chart,
    facts,
    flat_record,
    page,
    several,
    table,
)
from napari_cresunet.export._outliers import LEAST_IMAGES, Outlier, find_outliers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_EMBEDDED = 300
"""Thumbnails that are in the page itself; others are loaded from beside it when they
come into sight."""
_MOST_BARS = 60
_MOST_NAMED = 10
_STYLE = """<style>
.gallery { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.gallery figure { content-visibility: auto; contain-intrinsic-size: 9.5rem 10rem; }
.gallery .odd img { border-bottom-color: var(--edge); }
.gallery b { font-variant-numeric: tabular-nums; }
</style>"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportedImage:
    """What a report says of one image."""

    name: str
    image: str
    """The image as the user named it."""
    state: str
    """"waiting", "done", "failed" or "reviewed"."""
    count: int | None = None
    corrected: int | None = None
    error: str = ""
    group: str = ""
    density: float | None = None
    """Cells per mm² of the whole image."""
    regions: tuple[Mapping[str, Any], ...] = ()
    """As from `measure_regions`; last the whole image."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """With shape, foreground and brightness."""
    pixel_size: tuple[float, float] | None = None
    n_pinned: int | None = None
    """Cells touched by hand; None if nobody looked."""
    thumbnail: Path | None = None
    """A JPEG file, in a folder below that of the report."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Names of result files beside the report, by what they are."""

    @property
    def best(self) -> int | None:
        """The corrected count, else the automatic one."""
        return self.count if self.corrected is None else self.corrected


def batch_report(
    images: Sequence[ReportedImage],
    *,
    title: str = "Cell counts",
    settings: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
) -> str:
    """Return the counts of many images as one web page.

    Parameters
    ----------
    images : sequence of ReportedImage
        In the order in which they are to be shown.
    title : str, optional
        What stands above.
    settings : mapping, optional
        The options of the batch, ready for JSON.
    model : mapping, optional
        The card of the model, ready for JSON.

    Returns
    -------
    str
        HTML without scripts. The first 300 thumbnails are in it; results and further
        thumbnails are links to files beside it.
    """
    counted = [one for one in images if one.best is not None]
    odd = find_outliers(_measures(counted))
    return page(
        title,
        [
            _STYLE,
            f"<header><h1>{escape(title)}</h1>",
            f"{_subtitle(counted, len(images))}</header>",
            _headline(images, counted),
            _failures(images),
            _histogram(counted),
            _groups(counted),
            _oddities(counted, odd),
            _gallery(counted, odd),
            _table(images),
            _methods(counted),
            _settings(settings or {}, model or {}),
        ],
    )


def _subtitle(counted: Sequence[ReportedImage], n_images: int) -> str:
    said = [several(n_images, "image")]
    models = dict.fromkeys(str(one.record.get("model") or "") for one in counted)
    said += [f"model {name}" for name in models if name]
    times = [str(one.record["time"]) for one in counted if one.record.get("time")]
    said += [max(times)] if times else []
    return f'<p class="soft">{escape(" · ".join(said))}</p>'


def _best(images: Sequence[ReportedImage]) -> list[int]:
    return [one.best for one in images if one.best is not None]


def _headline(images: Sequence[ReportedImage], counted: Sequence[ReportedImage]) -> str:
    counts = _best(counted)
    cards = [card("Cells", f"{sum(counts):,}", f"in {several(len(counts), 'image')}")]
    if counts:
        low, high = min(counts), max(counts)
        cards.append(card("Median", f"{median(counts):g}", f"from {low:,} to {high:,}"))
    states = [one.state for one in images]
    texts = {
        "reviewed": ("Reviewed", "corrected by hand"),
        "failed": ("Failed", "not in the sums"),
        "waiting": ("Waiting", "not counted yet"),
    }
    for state, (name, below) in texts.items():
        if state in states:
            cards.append(card(name, f"{states.count(state):,}", below))
    return f'<div class="cards">{"".join(cards)}</div>'


def _failures(images: Sequence[ReportedImage]) -> str:
    failed = {one.image: escape(one.error) for one in images if one.state == "failed"}
    return f"<h2>Failed</h2>{facts(failed)}" if failed else ""


def _histogram(counted: Sequence[ReportedImage]) -> str:
    counts = _best(counted)
    if len(counts) < 2:
        return ""

    def draw(axes: "Axes") -> None:
        n_bars = min(len(np.histogram_bin_edges(counts, "auto")) - 1, _MOST_BARS)
        axes.hist(counts, bins=max(n_bars, 1), color=INK["bar"])
        axes.set(xlabel="cells in an image", ylabel="images")

    figure = figure_of([draw])
    return f"<h2>Counts</h2>{chart(figure, 'Histogram of the counts of all images')}"


def _groups(counted: Sequence[ReportedImage]) -> str:
    if not any(one.group for one in counted):
        return ""
    groups: dict[str, list[ReportedImage]] = {}
    for one in counted:
        groups.setdefault(one.group, []).append(one)
    rows = []
    for group, members in groups.items():
        counts = _best(members)
        dense = [one.density for one in members if one.density is not None]
        rows.append(
            {
                "group": escape(group) or DASH,
                "images": str(len(members)),
                "cells": f"{sum(counts):,}",
                "mean": cell(float(mean(counts))),
                "sd": cell(stdev(counts) if len(counts) > 1 else None),
                "density": cell(mean(dense) if len(dense) == len(members) else None),
            }
        )
    columns = {
        "group": "Group",
        "images": "Images",
        "cells": "Cells",
        "mean": "Mean",
        "sd": "SD",
        "density": "Mean cells per mm²",
    }
    return f"<h2>Groups</h2>{table(columns, rows)}"


def _measures(
    counted: Sequence[ReportedImage],
) -> dict[str, list[float | None]]:
    """Return what odd images are told by."""
    measures: dict[str, list[float | None]] = {"cells": [*_best(counted)]}
    areas = {row.get("area_mm2") for one in counted for row in one.regions[-1:]}
    # Where all images are of one size, densities say what counts say.
    if len(areas) > 1:
        measures["cells per mm²"] = [one.density for one in counted]
    names = {"foreground": "share of the image in cells", "brightness": "brightness"}
    for name, text in names.items():
        values = [one.record.get(name) for one in counted]
        measures[text] = [None if v is None or v < 0 else v for v in values]
    return measures


def _oddities(counted: Sequence[ReportedImage], odd: Sequence[Outlier]) -> str:
    rule = (
        "An image is listed if the logarithm of its count, density, share in cells or "
        "mean brightness is more than 3.5 robust standard deviations (1.4826 times the "
        "median absolute deviation, and at least the chance of counting) off the "
        "median of all. It need not be wrong: it is worth a look."
    )
    if len(counted) < LEAST_IMAGES:
        return ""
    if not odd:
        found = "<p>No image is unlike the others.</p>"
    else:
        rows = [
            {
                "image": _link(counted[one.index]),
                "measure": escape(one.measure),
                "value": _number(one.value),
                "typical": _number(one.typical),
                "z": f"{one.z:+.1f}",
            }
            for one in odd
        ]
        columns = {
            "image": "Image",
            "measure": "What is odd",
            "value": "Here",
            "typical": "Median of all",
            "z": "Robust z",
        }
        found = table(columns, rows)
    return f'<h2>To look at</h2>{found}<p class="soft">{escape(rule)}</p>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _link(image: ReportedImage) -> str:
    """Return the name, as a link to the picture of the image."""
    target = f"#{quote(image.name)}" if image.thumbnail else ""
    name = escape(image.name)
    return f'<a href="{target}">{name}</a>' if target else name


def _gallery(counted: Sequence[ReportedImage], odd: Sequence[Outlier]) -> str:
    shown = [one for one in counted if one.thumbnail is not None]
    if not shown:
        return ""
    names = {counted[one.index].name for one in odd}
    figures = "".join(
        _figure(one, is_odd=one.name in names, is_embedded=number < MOST_EMBEDDED)
        for number, one in enumerate(shown)
    )
    return (
        f'<h2>Images</h2><p class="soft">Cells are tinted blue; odd images have an '
        f'orange edge.</p><div class="gallery">{figures}</div>'
    )


def _figure(image: ReportedImage, *, is_odd: bool, is_embedded: bool) -> str:
    said = f"<b>{image.best}</b> {escape(image.name)}"
    if image.corrected is not None:
        said += f" (was {image.count})"
    kind = ' class="odd"' if is_odd else ""
    source = _source(image.thumbnail, is_embedded=is_embedded)
    alt = escape(f"{image.name} with its cells")
    picture = f'<img alt="{alt}" loading="lazy" src="{source}">'
    overlay = image.files.get("overlay")
    if overlay:
        picture = f'<a href="{quote(overlay)}">{picture}</a>'
    return (
        f'<figure id="{escape(image.name)}"{kind}>{picture}'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _source(path: Path | None, *, is_embedded: bool) -> str:
    if path is None:
        return ""
    if not is_embedded:
        return "/".join(quote(part) for part in path.parts[-3:])
    try:
        content = path.read_bytes()
    except OSError:  # deleted since
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _table(images: Sequence[ReportedImage]) -> str:
    columns = {
        "name": "Image",
        "group": "Group",
        "state": "State",
        "count": "Cells",
        "corrected": "Corrected",
        "density": "Cells per mm²",
        "files": "Files",
    }
    for name in ("group", "corrected", "density"):
        if not any(getattr(one, name) not in (None, "") for one in images):
            columns.pop(name)
    rows = [
        {
            "name": escape(one.name),
            "group": escape(one.group),
            "state": escape(one.state),
            "count": cell(one.count),
            "corrected": cell(one.corrected),
            "density": cell(one.density),
            "files": ", ".join(
                f'<a href="{quote(name)}">{escape(kind)}</a>'
                for kind, name in one.files.items()
            ),
        }
        for one in images
    ]
    return f"<h2>All images</h2>{table(columns, rows)}"


def _methods(counted: Sequence[ReportedImage]) -> str:
    found = count_methods([_as_counted(one) for one in counted])
    parts = ["<h2>Methods</h2>"] if found else []
    for one in found:
        if len(found) > 1:
            names = ", ".join(one.names[:_MOST_NAMED])
            n_more = len(one.names) - _MOST_NAMED
            more = f" and {several(n_more, 'more image')}" if n_more > 0 else ""
            parts.append(f"<h3>{escape(names + more)}</h3>")
        parts.append(f"<p>{escape(one.text)}</p>")
        cited = "".join(f"<li>{escape(text)}</li>" for text in one.references)
        parts.append(f"<ol>{cited}</ol>" if cited else "")
    return "".join(parts)


def _as_counted(image: ReportedImage) -> Counted:
    """Return what is known of a count, without the labels themselves."""
    shape = tuple(image.record.get("shape") or (1, 1))
    return Counted(
        name=image.name,
        labels=np.broadcast_to(np.int32(0), shape),
        pixel_size=image.pixel_size,
        cells={"label": np.arange(image.best or 0)},
        region_rows=image.regions,
        record=image.record,
        n_pinned=image.n_pinned,
    )


def _settings(settings: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        parts = value if isinstance(value, Mapping) else {name: value}
        flat |= {k: v for k, v in parts.items() if v is not None}
    named = {"model": model.get("name"), "weights": model.get("weights_hash")}
    known = {k: v for k, v in (named | flat).items() if v is not None}
    known.pop("again", None)
    return f"<h2>How this was made</h2>{facts(flat_record(known))}" if known else ""

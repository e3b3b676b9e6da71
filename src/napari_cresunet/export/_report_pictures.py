"""The pictures of a report: overlays and a gallery of failures, with their legend."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from napari_cresunet.evaluation import (
    BORDER,
    FALSE_POSITIVE,
    HIT,
    KINDS,
    MERGED,
    MISSED,
    POOR_OUTLINE,
    SPLIT,
)
from napari_cresunet.export._colors import KIND_COLORS
from napari_cresunet.export._evaluated import Evaluated, Evaluation
from napari_cresunet.export._galleries import case_overlay, crops_at, usual_size
from napari_cresunet.export._html import cell, picture, several

MOST_OVERLAYS = 20
MOST_CROPS = 60
"""Of each kind."""
_WIDTH = 1000
"""Px to which small images are enlarged, by a whole number."""
_LARGEST = 1600
"""Px above which images are shrunk."""

_TITLES = {
    HIT: "Hits",
    FALSE_POSITIVE: "False positives",
    MISSED: "Missed cells",
    MERGED: "Merged cells",
    SPLIT: "Split cells",
    POOR_OUTLINE: "Poor outlines",
    BORDER: "Cut by the edge",
}
_MEANINGS = {
    HIT: "a prediction with its true cell",
    FALSE_POSITIVE: "a prediction without a true cell",
    MISSED: "a true cell without a prediction",
    MERGED: "one prediction that covers several true cells",
    SPLIT: "one true cell in which several predictions lie",
    POOR_OUTLINE: "a pair that shares less than half of its pixels (IoU below 0.5)",
    BORDER: "alone or with a poor outline at the edge of the image, where nobody can "
    "judge",
}


def swatch(kind: str) -> str:
    color = KIND_COLORS[kind]
    return (
        f'<span class="legend"><i style="background:{color}"></i>{_TITLES[kind]}</span>'
    )


def legend() -> str:
    """Return what the colors and lines mean."""
    items = "".join(
        f'<li><i style="background:{KIND_COLORS[kind]}"></i>{_TITLES[kind]}: '
        f"{_MEANINGS[kind]}</li>"
        for kind in KINDS
    )
    return (
        f'<ul class="legend">{items}</ul><p class="soft">Predictions have solid '
        "outlines, true cells dashed ones; true points are rings.</p>"
    )


def overlays(evaluation: Evaluation) -> str:
    """Return the first images with all outlines."""
    shown = evaluation.images[:MOST_OVERLAYS]
    n_more = len(evaluation.images) - len(shown)
    more = f"<p>{several(n_more, 'more image')} not shown.</p>" if n_more else ""
    figures = "".join(_overlay(one) for one in shown)
    return f'<h2>Every cell</h2>{legend()}<div class="pair">{figures}</div>{more}'


def _overlay(evaluated: Evaluated) -> str:
    plane, n_planes = _worst_plane(evaluated)
    height, width = evaluated.comparison.pred.shape[-2:]
    pixels = case_overlay(
        evaluated,
        plane,
        zoom=max(1, _WIDTH // width),
        shrink=-(-max(height, width) // _LARGEST),
    )
    scores = evaluated.comparison.scores
    where = f", plane {plane} of 0 to {n_planes - 1}" if n_planes > 1 else ""
    said = (
        f"{escape(evaluated.name)}{where}: {scores.predicted_count} predicted, "
        f"{scores.true_count} true, F1 {cell(scores.f1)}"
    )
    alt = f"{evaluated.name} with outlines of predicted and true cells"
    return (
        f'<figure class="picture">{picture(pixels, alt)}'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _worst_plane(evaluated: Evaluated) -> tuple[int, int]:
    """Return the plane with the most failures, and how many planes there are."""
    n_planes = int(np.prod(evaluated.comparison.pred.shape[:-2], dtype=np.intp))
    planes = evaluated.cases["plane"][evaluated.cases["kind"] != HIT]
    return int(np.bincount(planes, minlength=1).argmax()), n_planes


def gallery(evaluation: Evaluation) -> str:
    size = int(np.median([usual_size(one) for one in evaluation.images]))
    parts = [
        _kind_gallery(evaluation.images, kind, size) for kind in KINDS if kind != HIT
    ]
    found = "".join(parts)
    if not found:
        return "<h2>Failures</h2><p>There is none.</p>"
    return (
        f"<h2>Failures</h2><p>All at one scale; each crop is {size} px of the image "
        f"wide.</p>{found}"
    )


def _kind_gallery(images: Sequence[Evaluated], kind: str, size: int) -> str:
    """Return the crops of one kind, spread over all images where there are many."""
    places = [
        (number, row)
        for number, one in enumerate(images)
        for row in np.flatnonzero(one.cases["kind"] == kind).tolist()
    ]
    if not places:
        return ""
    n_shown = min(len(places), MOST_CROPS)
    steps = np.linspace(0, len(places) - 1, n_shown).round().astype(int)
    chosen: dict[int, list[int]] = {}
    for step in steps.tolist():
        number, row = places[step]
        chosen.setdefault(number, []).append(row)
    figures = "".join(
        _crop(images[number], row, pixels)
        for number, rows in chosen.items()
        for row, pixels in zip(
            rows,
            crops_at(images[number], np.array(rows, np.intp), size),
            strict=True,
        )
    )
    n_more = len(places) - n_shown
    more = f"<p>{n_more} more not shown; the shown ones are spread evenly.</p>"
    return (
        f"<h3>{_TITLES[kind]} ({len(places)})</h3>"
        f'<p class="soft">{_MEANINGS[kind].capitalize()}.</p>'
        f'<div class="gallery" style="--kind:{KIND_COLORS[kind]}">{figures}</div>'
        f"{more if n_more else ''}"
    )


def _crop(evaluated: Evaluated, row: int, pixels: Any) -> str:
    cases = evaluated.cases
    y, x = (round(float(cases[name][row])) for name in ("row", "column"))
    plane = f", plane {cases['plane'][row]}" if _worst_plane(evaluated)[1] > 1 else ""
    where = f"row {y}, column {x}{plane}"
    alt = f"{cases['kind'][row]} in {evaluated.name} at {where}"
    return (
        f"<figure>{picture(pixels, alt)}<figcaption>{escape(evaluated.name)}<br>"
        f"{where}</figcaption></figure>"
    )

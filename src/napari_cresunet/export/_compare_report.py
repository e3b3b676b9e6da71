"""A comparison of models as one web page, image by image."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.evaluation import (
    FOUND_BY_FIRST,
    disagreement,
    right_and_wrong,
    strongest_places,
)
from napari_cresunet.export._compared import (
    ComparedImage,
    ComparedModel,
    model_rows,
    models_figure,
)
from napari_cresunet.export._evaluated import Evaluated
from napari_cresunet.export._galleries import (
    Ground,
    crops_at,
    cut_out,
    ground_of,
    scaled,
    shrunk,
    usual_size,
)
from napari_cresunet.export._html import (
    cell,
    chart,
    facts,
    flat_record,
    page,
    percent,
    picture,
    several,
    table,
)
from napari_cresunet.export._pictures import Picture, heat_colors
from napari_cresunet.export._report_pictures import legend

_WIDTH, _LARGEST = 400, 600
"""Px that pictures have at least, and at most."""
_MOST_PLACES = 5
_MOST_CROPS = 6
"""Of each pair of models and each image."""
_PLACE_SIDE = 40
"""Px of the image that a crop of a place shows."""
_CROP_SIDE = 120
"""Px that the crop has at least."""
_LEAST_DISAGREEMENT = 0.1
_COLORS = (
    "Heatmaps: the probability of cell, from black (0) to light yellow (1). "
    "Disagreement: the standard deviation between the models, from black (0) to light "
    "yellow (0.5, its largest value)."
)
_SCORE_COLUMNS = {
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "mae": "MAE",
    "mpe": "MPE",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
}


def compare_report(
    models: Sequence[ComparedModel],
    sections: Iterable[str],
    *,
    title: str = "Comparison of models",
    record: Mapping[str, Any] | None = None,
) -> str:
    """Return a comparison as one web page that needs no other file.

    Parameters
    ----------
    models : sequence of ComparedModel
        At least one, all on the same images.
    sections : iterable of str
        From `compare_section`, one for each image that is shown.
    title : str, optional
        What stands above.
    record : mapping, optional
        How it came about, ready for JSON.

    Returns
    -------
    str
        HTML without scripts; all pictures are inside.
    """
    shown = list(sections)
    n_images = len(models[0].counts)
    n_more = n_images - len(shown)
    more = f"<p>{several(n_more, 'more image')} not shown.</p>" if n_more else ""
    has_truth = all(model.scores for model in models)
    said = f"{several(len(models), 'model')} · {several(n_images, 'image')}"
    parts = [
        f'<header><h1>{escape(title)}</h1><p class="soft">{said}</p></header>',
        f"<h2>Models</h2>{_model_table(models)}",
        chart(models_figure(models), "What each model reaches"),
        f"<h2>Images</h2><p>{_COLORS}</p>",
        legend() if has_truth else "",
        *shown,
        more,
        f"<h2>How this was made</h2>{facts(flat_record(record or {}))}",
        *(
            f"<h3>{escape(model.name)}</h3>{facts(flat_record(model.record))}"
            for model in models
        ),
    ]
    return page(title, parts)


def _model_table(models: Sequence[ComparedModel]) -> str:
    columns = {"model": "Model", "count": "Cells", "seconds": "Seconds"}
    if all(model.scores for model in models):
        columns |= _SCORE_COLUMNS
    rows = []
    for model, row in zip(models, model_rows(models), strict=True):
        shown = {name: cell(row[name]) for name in columns}
        shown["seconds"] = f"{model.seconds:.1f}"
        if "mpe" in columns:
            shown["mpe"] = percent(row["mpe"])
        for name, (low, high) in model.intervals.items():
            if name in shown and name != "mpe":
                shown[name] += f'<br><span class="soft">{low:.2f} to {high:.2f}</span>'
        rows.append(shown)
    said = "Below the scores: 95 % intervals, by resampling the images."
    below = f'<p class="soft">{said}</p>' if models[0].intervals else ""
    return table(columns, rows) + below


def compare_section(image: ComparedImage) -> str:
    """Return one image with the heatmaps of all models side by side.

    Parameters
    ----------
    image : ComparedImage
        At least one model.

    Returns
    -------
    str
        HTML: image, heatmaps, the disagreement, the places where it is strongest, and
        with truth where one model is right and another wrong. Of a stack the plane
        where models disagree most.
    """
    probabilities = list(image.probabilities.values())
    shape = probabilities[0].shape
    ground = ground_of(image.image, shape, image.name)
    spread = _spread(probabilities)
    plane = int(spread.max(axis=(1, 2)).argmax())
    where = f", plane {plane} of 0 to {len(spread) - 1}" if len(spread) > 1 else ""
    size = (shape[-2], shape[-1])
    views = [_view(ground.gray(plane, (0, 0), size), "image", image.name)]
    for name, probability in image.probabilities.items():
        values = probability.reshape(spread.shape)[plane]
        said = f"{name}: {several(image.counts[name], 'cell')}"
        views.append(_view(heat_colors(values), said, f"heatmap of {name}"))
    if len(probabilities) > 1:
        colors = heat_colors(2 * spread[plane])
        views.append(_view(colors, "disagreement", "disagreement"))
    return (
        f"<h3>{escape(image.name)}{where}</h3>"
        f'<div class="side">{"".join(views)}</div>'
        f"{_strongest(image, ground, spread)}{_rights(image)}"
    )


def _spread(probabilities: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return the disagreement as (planes, Y, X); 0 for a single model."""
    shape = probabilities[0].shape
    if len(probabilities) == 1:
        return np.zeros((int(np.prod(shape[:-2])), *shape[-2:]), np.float32)
    return disagreement(probabilities).reshape(-1, *shape[-2:])


def _view(colors: Picture, said: str, alt: str) -> str:
    height, width = colors.shape[:2]
    shrink = -(-max(height, width) // _LARGEST)
    pixels = scaled(shrunk(colors, shrink), max(1, _WIDTH // width))
    return (
        f'<figure class="picture">{picture(pixels, alt)}'
        f"<figcaption>{escape(said)}</figcaption></figure>"
    )


def _strongest(
    image: ComparedImage, ground: Ground, spread: NDArray[np.float32]
) -> str:
    """Return the places where models disagree most, as crops."""
    places = strongest_places(spread, _MOST_PLACES, least=_LEAST_DISAGREEMENT)
    if not len(places):
        return ""
    size = (_PLACE_SIDE, _PLACE_SIDE)
    rows = []
    for plane, row, column in places.tolist():
        corner = (row - _PLACE_SIDE // 2, column - _PLACE_SIDE // 2)
        cuts = [(ground.gray(plane, corner, size), "image")]
        for name, probability in image.probabilities.items():
            values = probability.reshape(spread.shape)[plane]
            cut = cut_out(values, corner, size, fill=0)
            cuts.append((heat_colors(cut), f"{name}: {values[row, column]:.2f}"))
        at = f"plane {plane}, row {row}" if len(spread) > 1 else f"row {row}"
        figures = "".join(_crop(*cut) for cut in cuts)
        rows.append(
            f'<p class="soft">{at}, column {column}: disagreement '
            f"{spread[plane, row, column]:.2f}</p>"
            f'<div class="gallery">{figures}</div>'
        )
    return f"<h4>Where the models disagree most</h4>{''.join(rows)}"


def _crop(colors: Picture, said: str) -> str:
    pixels = scaled(colors, -(-_CROP_SIDE // colors.shape[0]))
    return (
        f"<figure>{picture(pixels, said)}<figcaption>{escape(said)}</figcaption>"
        "</figure>"
    )


def _rights(image: ComparedImage) -> str:
    """Return for each two models where the first is right and the second wrong."""
    parts = []
    for first, second in permutations(image.comparisons, 2):
        found = right_and_wrong(image.comparisons[first], image.comparisons[second])
        if not len(found["what"]):
            continue
        n_found = int((found["what"] == FOUND_BY_FIRST).sum())
        n_false = len(found["what"]) - n_found
        shown = Evaluated(
            name=image.name,
            comparison=image.comparisons[second],
            cases=found,
            image=image.image,
        )
        numbers = np.arange(min(len(found["what"]), _MOST_CROPS))
        figures = "".join(
            f"<figure>{picture(pixels, what)}<figcaption>{what}</figcaption></figure>"
            for pixels, what in zip(
                crops_at(shown, numbers, usual_size(shown)),
                (_what(found, number) for number in numbers.tolist()),
                strict=True,
            )
        )
        parts.append(
            f"<p>{escape(first)} is right, {escape(second)} wrong: "
            f"{several(n_found, 'cell')} that only the first finds, "
            f"{several(n_false, 'false one')} that only the second has. Outlines are "
            f'those of {escape(second)}.</p><div class="gallery">{figures}</div>'
        )
    if not parts:
        return ""
    return f"<h4>Where one is right and another wrong</h4>{''.join(parts)}"


def _what(found: Mapping[str, NDArray[Any]], number: int) -> str:
    is_found = found["what"][number] == FOUND_BY_FIRST
    row, column = (round(float(found[name][number])) for name in ("row", "column"))
    what = "found by the first only" if is_found else "false in the second only"
    return f"{what}, row {row}, column {column}"

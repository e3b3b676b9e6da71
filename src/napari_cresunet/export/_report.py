"""An evaluation as one web page."""

from html import escape
from typing import Any

import numpy as np

from napari_cresunet.evaluation import KINDS, SPLIT, TRAITS, find_traits
from napari_cresunet.export._evaluated import Evaluation, score_rows
from napari_cresunet.export._figures import evaluation_figure
from napari_cresunet.export._html import (
    card,
    cell,
    chart,
    facts,
    flat_record,
    page,
    percent,
    several,
    table,
)
from napari_cresunet.export._methods import methods_text, references
from napari_cresunet.export._report_pictures import gallery, overlays, swatch

_COLUMNS = {
    "name": "Image",
    "true_count": "True",
    "predicted_count": "Predicted",
    "error": "Error",
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
}


def html_report(evaluation: Evaluation, title: str = "Evaluation") -> str:
    """Return an evaluation as one web page that needs no other file.

    Parameters
    ----------
    evaluation : Evaluation
        At least one image.
    title : str, optional
        What stands above.

    Returns
    -------
    str
        HTML without scripts: scores with their intervals, one row for each image,
        figures, what failures have in common, overlays of at most 20 images, at most 60
        failures of each kind, and how it was made. All pictures are inside.

    Notes
    -----
    A large report has some MB: pictures are JPEG, of at most 1600 px.
    """
    return page(
        title,
        [
            f"<header><h1>{escape(title)}</h1>{_subtitle(evaluation)}</header>",
            _headline(evaluation),
            *_warnings(evaluation),
            _figures(evaluation),
            _image_table(evaluation),
            _failures(evaluation),
            overlays(evaluation),
            gallery(evaluation),
            how_made(evaluation),
        ],
    )


def _subtitle(evaluation: Evaluation) -> str:
    scores = evaluation.scores
    said = [
        several(scores.n_images, "image"),
        several(scores.true_count, "true cell"),
        several(scores.predicted_count, "predicted cell"),
    ]
    model = evaluation.record.get("model")
    said += [f"model {escape(str(model))}"] if model else []
    time = evaluation.record.get("time")
    said += [escape(str(time))] if time else []
    return f'<p class="soft">{" · ".join(said)}</p>'


def _headline(evaluation: Evaluation) -> str:
    scores, intervals = evaluation.scores, evaluation.intervals
    cards = []
    for name, title in (
        ("f1", "F1"),
        ("precision", "Precision"),
        ("recall", "Recall"),
        ("accuracy", "Accuracy"),
        ("mae", "Error of counts (MAE)"),
        ("mpe", "Error of counts (MPE)"),
    ):
        show = percent if name == "mpe" else cell
        low, high = intervals.get(name, (None, None))
        below = f"{show(low)} to {show(high)}" if low is not None else ""
        cards.append(card(title, show(getattr(scores, name)), below))
    counts = f"{scores.fp} false, {scores.fn} missed"
    cards.append(card("True positives", str(scores.tp), counts))
    overlaps = evaluation.overlaps
    if overlaps is not None:
        mean = f"mAP {cell(overlaps.mean_average_precision)}"
        ap = overlaps.average_precision[0]
        cards.append(card("Outlines (AP 0.5)", cell(ap), mean))
    below = (
        "Below the numbers: 95 % intervals, by resampling the images."
        if intervals
        else "One image gives no intervals."
    )
    return f'<div class="cards">{"".join(cards)}</div><p class="soft">{below}</p>'


def _warnings(evaluation: Evaluation) -> list[str]:
    """Say what makes the numbers doubtful."""
    said = []
    masks = [one for one in evaluation.images if one.comparison.true.is_mask]
    if masks:
        n_split = sum(int((one.comparison.true_kinds == SPLIT).sum()) for one in masks)
        held = "no true object holds"
        if n_split:
            verb = "holds" if n_split == 1 else "hold"
            held = f"{several(n_split, 'true object')} {verb}"
        said.append(
            f"The truth of {several(len(masks), 'image')} is a mask, in which cells "
            "that touch count as one, so the true count may be too low: "
            f"{held} several predictions (kind split)."
        )
    if not evaluation.scores.true_count:
        said.append(
            "There is no true cell at all: recall and percentage error are undefined."
        )
    if evaluation.sweep:
        said.append(
            "If the setting was chosen on these images, it looks better on them than "
            "it is: choose on some images and report the scores of others."
        )
    return [f'<p class="warning">{text}</p>' for text in said]


def _figures(evaluation: Evaluation) -> str:
    alt = "Predicted against true counts"
    if evaluation.sweep:
        alt += ", and scores against the threshold"
    return f"<h2>Figures</h2>{chart(evaluation_figure(evaluation), alt)}"


def _image_table(evaluation: Evaluation) -> str:
    rows = score_rows(evaluation)
    columns = dict(_COLUMNS)
    if "dice" in rows[0]:
        columns |= {"ap_0.5": "AP 0.5", "dice": "Dice"}
    shown = []
    for row in rows:
        error = row["predicted_count"] - row["true_count"]
        shown.append({name: cell(row.get(name)) for name in columns})
        shown[-1]["error"] = f"{error:+d}" if error else "0"
    return f"<h2>Images</h2>{table(columns, shown, has_total=True)}"


def _failures(evaluation: Evaluation) -> str:
    cases = evaluation.cases
    traits = find_traits(cases)
    sentences = [f"<li>{escape(one.sentence)}</li>" for one in traits if one.is_clear]
    names = [name for name in TRAITS if name in cases]
    clear = {(one.kind, one.name) for one in traits if one.is_clear}
    rows = []
    for kind in KINDS:
        is_kind = cases["kind"] == kind
        row = {"kind": swatch(kind), "n": str(int(is_kind.sum()))}
        for name in names:
            value = cell(_median(cases[name][is_kind]))
            row[name] = f"<b>{value}</b>" if (kind, name) in clear else value
        rows.append(row)
    columns = {"kind": "Kind", "n": "Cases"}
    columns |= {name: name.replace("_", " ") for name in names}
    common = (
        f"<ul>{''.join(sentences)}</ul>"
        if sentences
        else "<p>Nothing stands out: no property differs clearly from that of the "
        "hits.</p>"
    )
    return (
        f"<h2>What failures have in common</h2>{common}{table(columns, rows)}"
        '<p class="soft">Medians of each kind. Bold: at least 5 failures, clearly '
        "different from the hits (Mann and Whitney's test). A hint where to look, not "
        "a proof.</p>"
    )


def _median(values: Any) -> float | None:
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(np.median(known)) if known.size else None


def how_made(evaluation: Evaluation) -> str:
    """Return methods, references and record as HTML.

    Parameters
    ----------
    evaluation : Evaluation
        Whose.

    Returns
    -------
    str
        HTML.
    """
    cited = "".join(f"<li>{escape(text)}</li>" for text in references(evaluation))
    known = flat_record({**evaluation.record, **_setting(evaluation)})
    return (
        f"<h2>Methods</h2><p>{escape(methods_text(evaluation))}</p><ol>{cited}</ol>"
        f"<h2>How this was made</h2>{facts(known)}"
    )


def _setting(evaluation: Evaluation) -> dict[str, Any]:
    rule = evaluation.images[0].comparison.rule
    return {
        **evaluation.chosen,
        "max_distance": f"{rule.max_distance:g} {evaluation.unit}",
        "matching": rule.matching,
        "center": rule.center,
    }

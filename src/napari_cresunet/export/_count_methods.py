"""How cells were counted, in words for a paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cresunet.export._counted import Counted
from napari_cresunet.export._hand_edits import (
    edits_in_words,
    hand_edits,
    joined_edits,
)
from napari_cresunet.export._html import several
from napari_cresunet.export._methods import MORELLI, TASHFEEN

if TYPE_CHECKING:
    from napari_cresunet.weights import ModelCard

_HASH_DIGITS = 12
_OF_PRESETS = {"morelli2021": MORELLI, "tashfeen2025": TASHFEEN}
_OF_SETUP = (
    *("version", "model", "weights_hash", "scaling", "channels", "zoom", "diameter"),
    *("threshold", "min_size", "min_distance", "preset"),
)
"""What must be equal for images to be described together."""
_SCALINGS = {
    "unit": "divided by the largest value of their type",
    "adaptive": "divided by 255 where they have 8 bits, else scaled from their 1st to "
    "their 99.8th percentile",
}


@dataclass(frozen=True, slots=True)
class CountMethods:
    """A paragraph and what it cites."""

    names: tuple[str, ...]
    """Of the images that it is about."""
    text: str
    references: tuple[str, ...]
    """In the order of the numbers in brackets."""


def count_methods_text(*counted: Counted) -> str:
    """Say how cells were counted, as a paragraph for a paper with its references.

    Parameters
    ----------
    *counted : Counted
        The counts of one or more images.

    Returns
    -------
    str
        Plain text; where images were counted in different ways, one paragraph for each
        way, after the names of the images. What is not known is not said.
    """
    found = count_methods(counted)
    parts = []
    for one in found:
        names = f"{', '.join(one.names)}: " if len(found) > 1 else ""
        cited = [f"[{n}] {text}" for n, text in enumerate(one.references, start=1)]
        parts.append("\n".join([names + one.text, *(["", *cited] if cited else [])]))
    return "\n\n".join(parts)


def count_methods(counted: Sequence[Counted]) -> list[CountMethods]:
    """Say how cells were counted.

    Parameters
    ----------
    counted : sequence of Counted
        The counts of one or more images.

    Returns
    -------
    list of CountMethods
        One for all images that were counted in the same way.
    """
    groups: dict[str, list[Counted]] = {}
    for one in counted:
        setup = [one.record.get(name) for name in _OF_SETUP]
        setup += [
            one.pixel_size,
            bool(one.regions or one.region_rows),
            one.n_planes > 1,
        ]
        groups.setdefault(repr(setup), []).append(one)
    return [_described(group) for group in groups.values()]


def _described(group: Sequence[Counted]) -> CountMethods:
    record = group[0].record
    references: list[str] = []
    sentences = [
        *_model_sentences(record, references),
        *_recipe_sentences(record, references),
        *_plane_sentences(group),
        *_hand_sentences(group),
        *_region_sentences(group[0]),
    ]
    names = tuple(one.name for one in group)
    return CountMethods(names, " ".join(sentences), tuple(references))


def _cite(reference: str, references: list[str]) -> str:
    if reference not in references:
        references.append(reference)
    return f"[{references.index(reference) + 1}]"


def _model_sentences(record: Mapping[str, Any], references: list[str]) -> list[str]:
    model = record.get("model")
    tool = f"napari-cresunet {record.get('version') or version('napari-cresunet')}"
    if not model:
        return [
            f"Cells were counted with {tool}; how they were outlined is not recorded."
        ]
    known = []
    card = _card_of(record)
    if card is not None:
        numbers = [_cite(one, references) for one in _references_of(card)]
        known.append(" ".join([card.title, *numbers]))
    if record.get("weights_hash"):
        known.append(f"weights SHA-256 {str(record['weights_hash'])[:_HASH_DIGITS]}")
    told = f" ({'; '.join(known)})" if known else ""
    sentences = [f"Cells were found with {tool} and its model {model}{told}."]
    if card is not None and card.data:
        cited = f" {_cite(card.citation, references)}" if card.citation else ""
        sentences.append(f"It was trained on {card.data}{cited}.")
    return [*sentences, *_input_sentences(record)]


def _card_of(record: Mapping[str, Any]) -> "ModelCard | None":
    """Return the card of the very weights that were used, if they are still there."""
    from napari_cresunet.weights import list_models

    name, weights = record.get("model"), record.get("weights_hash")
    return next(
        (
            card
            for card in list_models()
            if weights and (card.name, card.weights_hash) == (name, weights)
        ),
        None,
    )


def _references_of(card: "ModelCard") -> list[str]:
    if "c-resunet" not in card.variant and "attention" not in card.variant:
        return []
    is_plain = card.variant in ("c-resunet", "simple-c-resunet")
    return [MORELLI] if is_plain else [MORELLI, TASHFEEN]


def _input_sentences(record: Mapping[str, Any]) -> list[str]:
    scaling = record.get("scaling")
    method = scaling.get("method") if isinstance(scaling, Mapping) else None
    said = [_SCALINGS[method]] if method in _SCALINGS else []
    zoom = record.get("zoom")
    if isinstance(zoom, int | float) and not np.isclose(zoom, 1):
        wide = record.get("diameter")
        cells = f", as cells were {wide:g} px wide" if wide else ""
        said.append(f"resampled by a factor of {zoom:.3g}{cells}")
    return [f"For it, images were {' and '.join(said)}."] if said else []


def _recipe_sentences(record: Mapping[str, Any], references: list[str]) -> list[str]:
    threshold = record.get("threshold")
    if threshold is None or not record.get("model"):
        return []
    said = f"A pixel was part of a cell where the probability was above {threshold:g}"
    if record.get("min_size"):
        said += f"; parts of fewer than {record['min_size']} px were removed"
    preset = record.get("preset")
    if preset is None:
        return [f"{said}."]
    cited = (
        f" {_cite(_OF_PRESETS[preset], references)}" if preset in _OF_PRESETS else ""
    )
    said += f"; touching cells were divided by watershed (recipe {preset}{cited}"
    distance = record.get("min_distance")
    if distance is not None:
        said += f", centers at least {distance:g} px apart"
    return [f"{said})."]


def _plane_sentences(group: Sequence[Counted]) -> list[str]:
    if group[0].n_planes < 2:
        return []
    from napari_cresunet.measurement import goes_through_planes

    if any(goes_through_planes(one.table) for one in group):
        return ["A cell that is on several planes was counted once, seen from above."]
    return ["Each plane was counted by itself, and the counts were summed."]


def _hand_sentences(group: Sequence[Counted]) -> list[str]:
    edits = joined_edits([hand_edits(one.log) for one in group])
    pinned = [one.n_pinned for one in group]
    n_pinned = None if None in pinned else sum(n for n in pinned if n)
    n_cells = sum(one.n_cells for one in group)
    said = []
    if edits:
        said.append(f"Cells were corrected by hand: {edits_in_words(edits)}.")
    if n_pinned:
        verb = "was" if n_pinned == 1 else "were"
        of_all = f"{n_pinned} of {several(n_cells, 'cell')}"
        said.append(f"{of_all} {verb} changed, added or accepted by hand.")
    if n_pinned == 0 and not edits and group[0].record.get("model"):
        said.append("No cell was corrected by hand.")
    return said


def _region_sentences(counted: Counted) -> list[str]:
    sentences = []
    if counted.pixel_size is not None:
        height, width = counted.pixel_size
        sentences.append(f"A pixel is {width:.4g} µm wide and {height:.4g} µm high.")
    if counted.regions or len(counted.region_rows) > 1:
        sentences.append(
            "A cell belongs to the region in which its centroid lies; where regions "
            "overlap, it counts in each."
        )
        if counted.pixel_size is not None:
            sentences.append(
                "Density is the count over the area of the region within the image."
            )
    return sentences

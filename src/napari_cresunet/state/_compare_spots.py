"""Places to walk through: where models disagree, where one is right and one wrong."""

from collections.abc import Sequence

from napari_cresunet.evaluation import (
    FALSE_POSITIVE,
    FOUND_BY_FIRST,
    MISSED,
    right_and_wrong,
)
from napari_cresunet.export import KIND_COLORS
from napari_cresunet.state._compare_entries import CompareEntry
from napari_cresunet.state._compare_scores import Disagreement
from napari_cresunet.state._spots import Spot


def disagreement_spots(
    disagreement: Disagreement, names: Sequence[str], size: float
) -> list[Spot]:
    """Say of each place who sees most and who sees least.

    Parameters
    ----------
    disagreement : Disagreement
        Of the models.
    names : sequence of str
        What they are called, in the order of its results.
    size : float
        Of a cell in px.

    Returns
    -------
    list of Spot
        The strongest disagreement first.
    """
    values = disagreement.values
    planes = values.reshape(-1, *values.shape[-2:])
    probabilities = [
        result.probability.reshape(planes.shape) for result in disagreement.results
    ]
    spots = []
    for place in disagreement.places.tolist():
        found = sorted(
            (float(one[tuple(place)]), name)
            for one, name in zip(probabilities, names, strict=True)
        )
        (low, who_low), (high, who_high) = found[0], found[-1]
        spots.append(
            Spot(
                text=f"{high:.2f} {who_high}, {low:.2f} {who_low}",
                plane=place[0],
                row=place[1],
                column=place[2],
                size=size,
            )
        )
    return spots


def versus_spots(first: CompareEntry, second: CompareEntry, size: float) -> list[Spot]:
    """List where one model is right and another wrong.

    Parameters
    ----------
    first, second : CompareEntry
        Who is right, and who is wrong. Both are compared with the same truth by the
        same rule, or nothing is listed.
    size : float
        Of a cell in px.

    Returns
    -------
    list of Spot
        By plane, then row, then column.
    """
    ours, theirs = first.comparison, second.comparison
    if ours is None or theirs is None or not _same_truth(first, second):
        return []
    table = right_and_wrong(ours, theirs)
    missed = f"missed by {second.card.name}"
    false = f"false in {second.card.name}"
    return [
        Spot(
            text=missed if what == FOUND_BY_FIRST else false,
            plane=int(plane),
            row=float(row),
            column=float(column),
            size=size,
            color=KIND_COLORS[MISSED if what == FOUND_BY_FIRST else FALSE_POSITIVE],
        )
        for what, plane, row, column in zip(
            *(table[name] for name in ("what", "plane", "row", "column")), strict=True
        )
    ]


def _same_truth(first: CompareEntry, second: CompareEntry) -> bool:
    if first.scored is None or second.scored is None:
        return False
    return first.scored[:2] == second.scored[:2]

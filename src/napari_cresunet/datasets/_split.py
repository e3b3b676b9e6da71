"""Whether pairs can be learned from, and which are held apart for validation."""

from collections.abc import Sequence

import numpy as np

from napari_cresunet._wording import list_names
from napari_cresunet.datasets._pairs import Pair
from napari_cresunet.errors import InputError


def check_pairs(pairs: Sequence[Pair]) -> None:
    """Check that there is something to learn from.

    Images without cells are welcome beside others: they teach what is no cell.

    Parameters
    ----------
    pairs : sequence of Pair
        All pairs, before they are split.

    Raises
    ------
    InputError
        If there is no pair, no image has a cell, or all cells are single pixels.
    """
    if not pairs:
        raise InputError(
            "There is no image with truth to learn from: choose images and their masks."
        )
    areas = [np.bincount(pair.labels.ravel())[1:] for pair in pairs]
    largest = max(int(area.max(initial=0)) for area in areas)
    names = list_names([pair.name for pair in pairs])
    if largest == 0:
        raise InputError(
            f"No cell is marked in any of the {len(pairs)} images ({names}): choose "
            "masks that have some."
        )
    if largest == 1:
        raise InputError(
            f"All cells are single pixels ({names}): outline them, dots do not show "
            "which pixels belong to a cell."
        )


def split_pairs(
    pairs: Sequence[Pair], *, validation: float = 0.2, seed: int = 0
) -> tuple[list[Pair], list[Pair]]:
    """Hold some pairs apart, to choose settings and the best moment of training on.

    Parameters
    ----------
    pairs : sequence of Pair
        Two or more. Pictures of one field or tissue are better kept together: then
        split by hand.
    validation : float, optional
        Share that is held apart, between 0 and 1, both exclusive; rounded to whole
        images.
    seed : int, optional
        The same seed and names give the same split, in whatever order they come.

    Returns
    -------
    train, validation : list of Pair
        In the given order; each has one pair or more, and about the same share of
        images without cells. With two or more images with cells both sides have one.

    Raises
    ------
    InputError
        If there are fewer than two pairs, or `validation` is no such share.
    """
    if not 0 < validation < 1:
        raise InputError(f"`validation` must be between 0 and 1, got {validation:g}.")
    if len(pairs) < 2:
        raise InputError(
            "Two images or more are needed to hold one apart for validation, got "
            f"{len(pairs)}: add some, or cut one into parts."
        )
    order = sorted(range(len(pairs)), key=lambda index: pairs[index].name)
    order = [
        order[place] for place in np.random.default_rng(seed).permutation(len(order))
    ]
    with_cells = [index for index in order if pairs[index].labels.any()]
    empty = [index for index in order if not pairs[index].labels.any()]
    n_cells, n_empty = _shares(len(with_cells), len(empty), validation)
    held = {*with_cells[:n_cells], *empty[:n_empty]}
    return (
        [pair for index, pair in enumerate(pairs) if index not in held],
        [pair for index, pair in enumerate(pairs) if index in held],
    )


def _shares(n_cells: int, n_empty: int, share: float) -> tuple[int, int]:
    """Return how many images with and without cells are held apart."""
    n_all = n_cells + n_empty
    n_held = min(max(round(share * n_all), 1), n_all - 1)
    held_cells = round(n_held * n_cells / n_all)
    # Both sides need cells; if there is only one image with cells, it is learned from.
    held_cells = min(
        max(held_cells, min(1, n_cells - 1), n_held - n_empty), n_cells - 1
    )
    held_cells = max(held_cells, 0)
    return held_cells, min(n_held - held_cells, n_empty)

"""Named scenes, each a predicted label image and its truth, and what to say of them.

The docs draw the same ones.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Scene = tuple[Labels, Labels]
Circle = tuple[float, float, float]
"""Row, column and radius in px."""

SHAPE = (60, 90)
THREE: tuple[Circle, ...] = ((20, 18, 9), (40, 45, 10), (20, 72, 8))


def paint(*circles: Circle, shape: tuple[int, int] = SHAPE) -> Labels:
    """Return filled circles, numbered from 1 in their order."""
    rows, columns = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number, (row, column, radius) in enumerate(circles, start=1):
        labels[np.hypot(rows - row, columns - column) <= radius] = number
    return labels


def perfect() -> Scene:
    """Three cells, found to the pixel."""
    return paint(*THREE), paint(*THREE)


def empty_both() -> Scene:
    """No cell, and none found."""
    return paint(), paint()


def all_missed() -> Scene:
    """Three cells, and none found."""
    return paint(), paint(*THREE)


def all_false() -> Scene:
    """No cell, and three found."""
    return paint(*THREE), paint()


def missed_and_false() -> Scene:
    """One cell found, one missed, and one found where there is none.

    All are out of reach of each other, or as many pairs as possible would be made of
    them: see `chained`.
    """
    return paint((30, 45, 9), (10, 9, 7)), paint((30, 45, 9), (50, 80, 7))


def chained() -> Scene:
    """One cell found to the pixel, but two pairs are possible without that pair.

    The false prediction and the missed cell are each within reach of the found cell.
    """
    return paint((30, 45, 9), (30, 15, 9)), paint((30, 45, 9), (30, 75, 9))


def split() -> Scene:
    """One cell of which a prediction has the left part, and another the right one."""
    truth = paint((30, 45, 16))
    labels = truth.copy()
    labels[:, 42] = 0
    labels[:, 43:] *= 2
    return labels, truth


def merged() -> Scene:
    """Two cells that touch, and one prediction over both."""
    truth = paint((30, 36, 10), (30, 54, 10))
    return (truth > 0).astype(np.int32), truth


def merged_three() -> Scene:
    """Three cells in a row, and one prediction over all of them."""
    truth = paint((30, 27, 9), (30, 44, 9), (30, 61, 9))
    return (truth > 0).astype(np.int32), truth


def merged_with_speck() -> Scene:
    """Two cells in one prediction, and a second prediction within one of them.

    The second one takes less than half of the cell, so that it is no merge's member.
    """
    labels, truth = merged()
    return np.where(paint((30, 33, 4)) > 0, np.int32(2), labels), truth


def poor_outline() -> Scene:
    """A prediction with a quarter of a cell's pixels, in its middle."""
    return paint((30, 45, 7)), paint((30, 45, 14))


def apart() -> Scene:
    """A prediction beside a cell: in reach, without a shared pixel."""
    return paint((30, 32, 9)), paint((30, 56, 9))


def border() -> Scene:
    """At the edges: one missed, one false, and one with a poor outline."""
    return paint((0, 70, 8), (54, 88, 3)), paint((2, 10, 8), (50, 84, 12))


def border_hit() -> Scene:
    """A cell that the edge cuts, found to the pixel."""
    return paint((2, 45, 10)), paint((2, 45, 10))


def touching() -> Scene:
    """Two cells that touch, told apart."""
    return paint((30, 36, 10), (30, 54, 10)), paint((30, 36, 10), (30, 54, 10))


def crowded() -> Scene:
    """Twelve cells, each within reach of several predictions, which are 2 px off."""
    places = [(row, column) for row in (12, 30, 48) for column in (15, 35, 55, 75)]
    return (
        paint(*((row + 1, column + 2, 7) for row, column in places)),
        paint(*((row, column, 7) for row, column in places)),
    )


SCENES: dict[str, Callable[[], Scene]] = {
    scene.__name__: scene
    for scene in (
        *(perfect, empty_both, all_missed, all_false, missed_and_false),
        *(chained, split, merged, merged_three, merged_with_speck, poor_outline),
        *(apart, border, border_hit, touching, crowded),
    )
}

EXPECTED_KINDS: dict[str, tuple[list[str], list[str]]] = {
    "perfect": (["hit"] * 3, ["hit"] * 3),
    "empty_both": ([], []),
    "all_missed": ([], ["missed"] * 3),
    "all_false": (["false positive"] * 3, []),
    "missed_and_false": (["hit", "false positive"], ["hit", "missed"]),
    "chained": (["hit", "false positive"], ["hit", "missed"]),
    "split": (["split"] * 2, ["split"]),
    "merged": (["merged"], ["merged"] * 2),
    "merged_three": (["merged"], ["merged"] * 3),
    "merged_with_speck": (["merged", "false positive"], ["merged"] * 2),
    "poor_outline": (["poor outline"], ["poor outline"]),
    "apart": (["poor outline"], ["poor outline"]),
    "border": (["border"] * 2, ["border"] * 2),
    "border_hit": (["hit"], ["hit"]),
    "touching": (["hit"] * 2, ["hit"] * 2),
    "crowded": (["hit"] * 12, ["hit"] * 12),
}
"""Of the predictions and of the true cells, by label, at the default rule."""


def random_scene(
    seed: int, shape: tuple[int, int] = (64, 80), count: int = 12
) -> Scene:
    """Return cells that touch and hide parts of each other, found more or less well.

    Some are missed, moved, shrunk, split or joined with the one painted next; some
    predictions are false. Labels have gaps. Only `Generator.random` is drawn from.
    """
    rng = np.random.default_rng(seed)
    circles = [
        (row * shape[0], column * shape[1], 2.5 + 6 * radius)
        for row, column, radius in rng.random((count, 3)).tolist()
    ]
    truth = paint(*circles, shape=shape)
    labels = np.zeros_like(truth)
    for number in range(1, count + 1):
        what, dy, dx = rng.random(3).tolist()
        own = truth == number
        if what < 0.15:
            continue
        if what < 0.3:  # a false one or a second try, somewhere
            labels[paint((dy * shape[0], dx * shape[1], 5), shape=shape) > 0] = number
        if what < 0.75:
            own = np.roll(own, (int(5 * dy) - 2, int(5 * dx) - 2), (0, 1))
        labels[own] = 3 * number
        if what > 0.9:
            labels[own & (np.indices(shape)[1] > circles[number - 1][1])] += 1
        elif what > 0.8 and number > 1:
            labels[truth == number - 1] = 3 * number
    return labels, np.where(truth, 2 * truth + 5, 0).astype(np.int32)

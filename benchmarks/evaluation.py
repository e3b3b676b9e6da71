"""Measure how evaluation grows with the number of cells, beside a dense matrix.

    python benchmarks/evaluation.py

Prints two Markdown tables: pairing of centers within 40 px, and comparing the cells of
one image with its truth. "Growth" is the exponent of time between this row and the one
above it of the same density: 1 is in proportion to the cells, 2 to their square.
Medians are wall time, of one process.
"""

import math
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from napari_cresunet.evaluation import (
    Comparison,
    compare,
    evaluate,
    evaluate_overlaps,
    find_traits,
    group_cases,
    list_cases,
    match_centers,
)

REACH = 40.0  # px
N_CELLS = 20_000
SIDES = {"sparse": 16_000, "dense": 4_000}
"""Of an image with so many cells, in px: 0.4 and 6.3 others within reach of each."""
SMALLER = (2_000, 4_000, 8_000, N_CELLS)
MOST_DENSE = 4_000  # cells, above which a matrix of all pairs takes too long

COLUMNS = (
    *("image", "cells on each side", "within reach", "dense matrix ms", "growth"),
    *("`match_centers` ms", "growth", "times faster", "MB of pairs, dense and ours"),
)

Centers = NDArray[np.float64]


def main() -> None:
    print(
        "| image | cells on each side | within reach | dense matrix ms | growth ",
        end="",
    )
    print("| `match_centers` ms | growth | times faster | MB, dense and ours |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for density, side in SIDES.items():
        before: tuple[int, float, float] | None = None
        for count in SMALLER:
            before = measure_matching(density, side, count, before)
    print()
    print("| 1600×1200, 200 cells | median ms |")
    print("|---|---:|")
    for what, taken in measure_comparison():
        print(f"| {what} | {1e3 * median(taken):.1f} |", flush=True)


def measure_matching(
    density: str, side: int, count: int, before: tuple[int, float, float] | None
) -> tuple[int, float, float]:
    """Print one row; return the number of cells, and the times of both ways."""
    side = round(side * math.sqrt(count / N_CELLS))  # the same density
    pred, true = draw_centers(count, side)
    ours = median(clock(lambda: match_centers(pred, true, REACH), 3.0))
    matches = match_centers(pred, true, REACH)
    n_near = KDTree(pred).count_neighbors(KDTree(true), REACH)
    dense = math.nan
    if count <= MOST_DENSE:
        dense = median(clock(lambda: match_densely(pred, true), 3.0))
        n_pairs, total = match_densely(pred, true)
        if n_pairs != len(matches.pairs) or not math.isclose(
            total, matches.distances.sum(), rel_tol=1e-9
        ):
            raise SystemExit("The two ways differ.")
    growths = ["–", "–"]
    if before is not None:
        ratio = math.log(count / before[0])
        growths = [
            f"{math.log(now / then) / ratio:.1f}" if now == now else "–"
            for now, then in ((dense, before[1]), (ours, before[2]))
        ]
    shown = (
        [f"{1e3 * dense:.0f}", f"{dense / ours:.0f}"] if dense == dense else ["–"] * 2
    )
    megabytes = 8 * count**2 / 1e6, 24 * n_near / 1e6
    print(
        f"| {density}, {side}×{side} | {count} | {n_near / count:.1f} | {shown[0]} "
        f"| {growths[0]} | {1e3 * ours:.1f} | {growths[1]} | {shown[1]} "
        f"| {megabytes[0]:.0f}, {megabytes[1]:.1f} |",
        flush=True,
    )
    return count, dense, ours


def draw_centers(count: int, side: int) -> tuple[Centers, Centers]:
    """Return predicted and true centers; one in ten has nothing to do with a cell."""
    rng = np.random.default_rng(0)
    true = rng.uniform(0, side, (count, 2))
    pred = true + rng.normal(0, 6, true.shape)
    is_false = rng.random(count) < 0.1
    pred[is_false] = rng.uniform(0, side, (is_false.sum(), 2))
    return rng.permutation(pred), true


def match_densely(pred: Centers, true: Centers) -> tuple[int, float]:
    """Pair by a matrix of all distances; return the number of pairs and their total."""
    distances = cdist(pred, true)
    is_near = distances <= REACH
    reward = REACH * (len(pred) + 1)
    rows, columns = linear_sum_assignment(np.where(is_near, distances - reward, 0))
    chosen = is_near[rows, columns]
    return int(chosen.sum()), float(distances[rows, columns][chosen].sum())


def measure_comparison() -> list[tuple[str, list[float]]]:
    labels, truth, image = draw_image(1200, 1600, 200)
    probability = image / 255
    comparison: Comparison = compare(labels, truth)
    table = list_cases(comparison, image=image)
    return [
        (what, clock(work, 1.5))
        for what, work in (
            ("`evaluate`", lambda: evaluate(labels, truth)),
            ("`evaluate_overlaps`", lambda: evaluate_overlaps(labels, truth)),
            (
                "`compare` and `group_cases`",
                lambda: group_cases(compare(labels, truth)),
            ),
            ("`group_cases` alone", lambda: group_cases(comparison)),
            ("`list_cases` without an image", lambda: list_cases(comparison)),
            (
                "`list_cases` with image and probability",
                lambda: list_cases(comparison, image=image, probability=probability),
            ),
            ("`find_traits`", lambda: find_traits(table)),
        )
    ]


def draw_image(
    height: int, width: int, count: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return predicted labels, true labels and an image of cells of about 36 px.

    One in ten is missed, one split, one joined with its neighbor, one has but half.
    """
    rng = np.random.default_rng(0)
    truth = np.zeros((height, width), np.int32)
    labels = np.zeros_like(truth)
    rows, columns = np.indices((80, 80)) - 40
    for number in range(1, count + 1):
        top, left = rng.integers(0, (height - 80, width - 80))
        place = np.s_[top : top + 80, left : left + 80]
        inside = np.hypot(rows, columns / rng.uniform(0.8, 1.2)) <= rng.uniform(15, 21)
        truth[place][inside] = number
        found = inside & (np.roll(inside, rng.integers(0, 4), 1))
        fate = rng.random()
        if fate < 0.1:
            continue
        labels[place][found & ((columns < 0) if fate < 0.2 else True)] = 2 * number
        if 0.2 < fate < 0.3:
            labels[place][found & (columns > 0)] = 2 * number + 1
        elif 0.3 < fate < 0.4:
            labels[place][(truth[place] > 0) & (labels[place] > 0)] = 2 * number
    image = np.where(truth > 0, 120.0, 20.0) + rng.normal(0, 8, truth.shape)
    return labels, truth, image


def clock(work: Callable[[], object], seconds: float) -> list[float]:
    """Return wall times of one or more calls, the first one (warming up) left out."""
    work()
    taken: list[float] = []
    while not taken or (sum(taken) < seconds and len(taken) < 300):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


if __name__ == "__main__":
    main()

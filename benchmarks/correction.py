"""Measure corrections by hand on a label image of 1600×1200 px.

    python benchmarks/correction.py

Prints a Markdown table: the time of each edit, for many cells, beside that of a plain
formulation on the whole image in the same run, where there is one. Then how well cells
are grown and split whose truth is known.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon
from skimage.measure import label as connect
from skimage.segmentation import find_boundaries, relabel_sequential, watershed

from napari_cresunet import correction
from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.errors import InputError

Edits = list[Callable[[], object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=200, help="to draw")
    parser.add_argument("--edits", type=int, default=60, help="per kind of edit")
    arguments = parser.parse_args()
    scene = NeuronScene(n_cells=arguments.cells, diameter=32, clumping=0.6)
    image, labels = synthesize_neurons(scene, seed=1)
    brightness = image[..., :2].mean(axis=-1).astype(np.float32) / 255
    print(f"{labels.max()} cells in {labels.shape[1]}×{labels.shape[0]} px\n")
    print("| edit | median ms | 95th percentile ms | whole image, median ms | ratio |")
    print("|---|---:|---:|---:|---:|")
    for name, ours, plain in edits(labels, brightness, arguments.edits):
        times, reference = clock(ours), clock(plain[:5])
        row = f"| {name} | {1e3 * median(times):.2f} "
        row += f"| {1e3 * np.percentile(times, 95):.2f} "
        if reference:
            row += f"| {1e3 * median(reference):.1f} "
            row += f"| {median(reference) / median(times):.1f} |"
        else:
            row += "| – | – |"
        print(row, flush=True)
    print()
    report_grown(labels, brightness)
    report_split(labels, brightness)


def edits(
    labels: NDArray[np.int32], brightness: NDArray[np.float32], count: int
) -> list[tuple[str, Edits, Edits]]:
    """List every kind of edit for many cells, ours and on the whole image."""
    rng = np.random.default_rng(0)
    cells = rng.permutation(np.unique(labels)[1:])[:count].tolist()
    centers = dict(
        zip(cells, ndimage.center_of_mass(labels > 0, labels, cells), strict=True)
    )
    pairs = rng.permutation(touching(labels))[:count].tolist()
    merged = [correction.merge(labels, pair).applied_to(labels) for pair in pairs]
    without = [correction.delete(labels, [cell]).applied_to(labels) for cell in cells]
    lines = {cell: across(center) for cell, center in centers.items()}
    seeds = [
        ndimage.center_of_mass(labels > 0, labels, pair) for pair in pairs
    ]  # of round enough cells the centers are inside
    is_in = [
        all(one[tuple(np.round(seed).astype(int))] == min(pair) for seed in both)
        for one, pair, both in zip(merged, pairs, seeds, strict=True)
    ]
    c = correction
    return [
        (
            "merge two",
            [lambda p=p: c.merge(labels, p) for p in pairs],
            [lambda p=p: plain_merge(labels, p) for p in pairs],
        ),
        (
            "split at a line",
            [lambda x=x: c.split_at_line(labels, x) for x in lines.values()],
            [lambda x=x: plain_cut(labels, x) for x in lines.values()],
        ),
        ("trim", [lambda x=x: c.trim(labels, x) for x in lines.values()], []),
        (
            "split at a line through the whole image",
            [
                lambda y=y: c.split_at_line(labels, [[y, -1], [y + 9, 1601]])
                for y in rng.integers(200, 1000, 9)
            ],
            [],
        ),
        (
            "split at seeds",
            [
                lambda x=x: c.split_at_seeds(*x)
                for x, ok in zip(zip(merged, seeds, strict=True), is_in, strict=True)
                if ok
            ],
            [
                lambda x=x: plain_seeds(*x)
                for x, ok in zip(zip(merged, seeds, strict=True), is_in, strict=True)
                if ok
            ],
        ),
        (
            "split in two, by the distance",
            [
                lambda one=one, p=p: c.split_in_two(one, min(p))
                for one, p in zip(merged, pairs, strict=True)
            ],
            [],
        ),
        (
            "split in two, by the brightness",
            [
                lambda one=one, p=p: c.split_in_two(one, min(p), brightness)
                for one, p in zip(merged, pairs, strict=True)
            ],
            [],
        ),
        (
            "delete",
            [lambda k=k: c.delete(labels, [k]) for k in cells],
            [lambda k=k: np.where(np.isin(labels, [k]), 0, labels) for k in cells],
        ),
        (
            "delete a box of cells",
            [
                lambda y=y: c.delete(
                    labels, c.cells_in_box(labels, [[y, 200], [y + 500, 1000]])
                )
                for y in rng.integers(200, 600, 20)
            ],
            [],
        ),
        (
            "grow",
            [
                lambda one=one, x=centers[k]: c.grow(brightness, one, x).edit()
                for one, k in zip(without, cells, strict=True)
                if not one[tuple(np.round(centers[k]).astype(int))]
            ],
            [],
        ),
        (
            "add an outline",
            [lambda x=x: c.add_outline(labels, around(x)) for x in free(labels)],
            [lambda x=x: plain_outline(labels, around(x)) for x in free(labels)],
        ),
        (
            "fill holes",
            [lambda k=k: c.fill_holes(labels, [k]) for k in cells],
            [lambda k=k: ndimage.binary_fill_holes(labels == k) for k in cells],
        ),
        (
            "smooth",
            [lambda k=k: c.smooth(labels, [k]) for k in cells],
            [lambda k=k: ndimage.median_filter(labels == k, 5) for k in cells],
        ),
        (
            "relabel",
            [lambda one=one: c.relabel(one) for one in without[:20]],
            [lambda one=one: relabel_sequential(one) for one in without[:20]],
        ),
        (
            "which cells a line crosses",
            [lambda x=x: c.cells_on_path(labels, x) for x in lines.values()],
            [],
        ),
    ]


def clock(works: Edits) -> list[float]:
    """Return the wall time of each; the first one is done twice, to warm up."""
    taken = []
    for work in [*works[:1], *works]:
        start = time.perf_counter()
        try:
            work()
        except InputError:
            continue  # such as two cells that look like one
        taken.append(time.perf_counter() - start)
    return taken[1:]


def touching(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    found = set()
    for here, there in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        is_edge = (here != there) & (here > 0) & (there > 0)
        pairs = np.sort([here[is_edge], there[is_edge]], axis=0).T
        found |= {tuple(pair) for pair in pairs.tolist()}
    return np.array(sorted(found))


def across(center: tuple[float, float]) -> NDArray[np.float64]:
    return np.add(center, [[-40, -12], [0, 0], [40, 12]])


def around(center: NDArray[np.float64]) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, 60)
    return center + 18 * np.column_stack([np.sin(angles), np.cos(angles)])


def free(labels: NDArray[np.int32]) -> NDArray[np.intp]:
    places = np.argwhere(labels == 0)
    return places[np.random.default_rng(2).permutation(len(places))[:60]]


def plain_merge(labels: NDArray[np.int32], cells: tuple[int, int]) -> NDArray[np.int32]:
    mask = ndimage.binary_closing(np.isin(labels, cells), np.ones((3, 3)))
    return np.where(mask & (np.isin(labels, (0, *cells))), min(cells), labels)


def plain_cut(
    labels: NDArray[np.int32], path: NDArray[np.float64]
) -> NDArray[np.int32]:
    line = np.zeros(labels.shape, bool)
    steps = np.linspace(path[0], path[-1], 400).round().astype(int)
    line[tuple(steps.clip(0, np.array(labels.shape) - 1).T)] = True
    line = ndimage.binary_dilation(line)
    parts = connect(np.where(line, 0, labels), connectivity=1)
    return watershed(find_boundaries(labels), parts, mask=labels > 0)


def plain_seeds(
    labels: NDArray[np.int32], seeds: list[tuple[float, float]]
) -> NDArray[np.int32]:
    places = np.round(seeds).astype(int)
    mask = labels == labels[tuple(places[0])]
    markers = np.zeros(labels.shape, int)
    markers[tuple(places.T)] = np.arange(1, len(places) + 1)
    return watershed(-ndimage.distance_transform_edt(mask), markers, mask=mask)


def plain_outline(
    labels: NDArray[np.int32], path: NDArray[np.float64]
) -> NDArray[np.int32]:
    mask = np.zeros(labels.shape, bool)
    mask[polygon(*path.T, labels.shape)] = True
    return np.where(mask & (labels == 0), labels.max() + 1, labels)


def report_grown(labels: NDArray[np.int32], brightness: NDArray[np.float32]) -> None:
    """Delete cells and grow them again from a random pixel."""
    truth = labels > 0
    depth = ndimage.distance_transform_edt(truth)
    depth -= ndimage.distance_transform_edt(~truth)
    probability = 1 / (1 + np.exp(-ndimage.gaussian_filter(depth, 1) / 1.5))
    rng = np.random.default_rng(3)
    for name, landscape in (("brightness", brightness), ("probability", probability)):
        found = {"best": [], "of any size": []}
        for cell in np.unique(labels)[1::2].tolist():
            pixels = np.flatnonzero(labels == cell)
            without = np.where(labels == cell, 0, labels)
            place = np.unravel_index(rng.choice(pixels), labels.shape)
            try:
                grown = correction.grow(landscape, without, place)
            except InputError:
                found["best"].append(0.0)
                found["of any size"].append(0.0)
                continue
            scores = [
                iou(grown.pixels(index), pixels) for index in range(len(grown.levels))
            ]
            found["best"].append(scores[grown.best])
            found["of any size"].append(max(scores))
        for which, scores in found.items():
            low, middle = np.percentile(scores, (10, 50))
            print(
                f"Grown by {name}, {which}: median IoU {middle:.2f}, 10th percentile "
                f"{low:.2f} ({len(scores)} cells)."
            )


def report_split(labels: NDArray[np.int32], brightness: NDArray[np.float32]) -> None:
    """Merge cells that touch and split them again, and try to split single ones."""
    pairs = touching(labels).tolist()
    for name, landscape in (("distance", None), ("brightness", brightness)):
        n_found = n_right = 0
        for pair in pairs:
            merged = correction.merge(labels, pair).applied_to(labels)
            try:
                edit = correction.split_in_two(merged, min(pair), landscape)
            except InputError:
                continue
            n_found += 1
            parts = [
                np.flatnonzero(edit.applied_to(merged) == part) for part in edit.after
            ]
            cells = [np.flatnonzero(labels == cell) for cell in pair]
            n_right += any(
                min(map(iou, order, cells)) > 0.7 for order in (parts, parts[::-1])
            )
        print(
            f"Pairs that touch, split by {name}: {n_found} of {len(pairs)}, "
            f"{n_right} of them with IoU above 0.7 for both cells."
        )
    singles = sorted(
        set(np.unique(labels)[1:].tolist()) - {n for p in pairs for n in p}
    )
    n_found = 0
    for cell in singles:
        try:
            correction.split_in_two(labels, cell)
        except InputError:
            continue
        n_found += 1
    print(f"Single cells that look like two by distance: {n_found} of {len(singles)}.")


def iou(one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    shared = np.intersect1d(one, other, assume_unique=True).size
    return shared / (one.size + other.size - shared)


if __name__ == "__main__":
    main()

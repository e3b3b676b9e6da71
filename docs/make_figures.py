"""Draw the figures of docs/images that need no window.

    python docs/make_figures.py

synthetic_neurons.png: the bundled real sample (left) beside a synthetic image of the
same size and cell diameter (right), both three times as bright, true cells outlined.

failures.png: scenes that the tests use, each with what is said of its cells.
"""

import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from skimage.segmentation import find_boundaries

from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.evaluation import compare
from napari_cresunet.export import KIND_COLORS, write_figure
from napari_cresunet.plugin import read_sample

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
SHOWN = ("touching", "merged", "split", "poor_outline", "missed_and_false", "border")
ENLARGE, BRIGHTEN = 3, 3
CYAN = (0, 255, 255)
DARK = "#222222"


def outlined(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the image enlarged and brightened, its cells outlined."""
    large, cells = (
        array.repeat(ENLARGE, axis=0).repeat(ENLARGE, axis=1)
        for array in (image, labels)
    )
    picture = np.clip(large.astype(np.uint16) * BRIGHTEN, 0, 255).astype(np.uint8)
    picture[find_boundaries(cells, mode="outer")] = CYAN
    return picture


def draw_failures() -> None:
    """Draw scenes: predictions filled, true cells dashed, colored by their kind."""
    sys.path.insert(0, str(ROOT))
    from tests.scenes import SCENES

    figure = Figure(figsize=(8, 4), layout="constrained", facecolor=DARK)
    for axes, name in zip(figure.subplots(2, 3).flat, SHOWN, strict=True):
        found = compare(*SCENES[name]())
        axes.set_facecolor(DARK)
        axes.set(xticks=[], yticks=[], aspect="equal")
        axes.set(xlim=(0, found.pred.shape[1]), ylim=(found.pred.shape[0], 0))
        for cells, kinds, is_true in (
            (found.pred, found.pred_kinds, False),
            (found.true, found.true_kinds, True),
        ):
            for row, kind in enumerate(kinds.tolist()):
                # One px more on each side, so that the edge of the image is drawn.
                mask = np.pad(cells.index[0] == row + 1, 1)
                outline(axes, mask, KIND_COLORS[kind], is_true=is_true)
        told = dict.fromkeys([*found.pred_kinds.tolist(), *found.true_kinds.tolist()])
        for number, kind in enumerate(told):
            place = ((number + 0.5) / len(told), 1.04)
            axes.text(
                *place,
                kind,
                color=KIND_COLORS[kind],
                ha="center",
                weight="bold",
                transform=axes.transAxes,
            )
    write_figure(IMAGES / "failures.png", figure)


def outline(axes: Axes, mask: np.ndarray, color: str, *, is_true: bool) -> None:
    """Draw one cell, whose mask has one px more on each side."""
    rows, columns = (np.arange(side) - 1 for side in mask.shape)
    values = mask.astype(float)
    place = (columns, rows, values)
    if not is_true:
        axes.contourf(*place, levels=[0.5, 1.5], colors=color, alpha=0.35)
    style = "dashed" if is_true else "solid"
    line = axes.contour(*place, levels=[0.5], colors=color, linestyles=style)
    line.set_linewidth(1.8 if is_true else 1.0)


def draw_synthetic() -> None:
    """Draw a synthetic image beside a real one."""
    real = read_sample("neurons")
    height, width = real.labels.shape
    scene = NeuronScene(
        height=height,
        width=width,
        diameter=real.diameter,
        n_cells=int(real.labels.max()),
        clumping=0.6,
        n_filaments=12,
        n_faint=20,
        brightness=0.4,
        tissue=0.01,
        edge=False,
    )
    pair = [outlined(real.image, real.labels)]
    pair.append(outlined(*synthesize_neurons(scene, seed=3)))
    gap = np.full((height * ENLARGE, 12, 3), 255, np.uint8)
    iio.imwrite(IMAGES / "synthetic_neurons.png", np.hstack([pair[0], gap, pair[1]]))


def main() -> None:
    """Draw all of them."""
    IMAGES.mkdir(exist_ok=True)
    draw_synthetic()
    draw_failures()


if __name__ == "__main__":
    main()

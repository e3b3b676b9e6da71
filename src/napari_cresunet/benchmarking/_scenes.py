"""What the benchmarks work on: drawn, with as many pixels and cells as wanted."""

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Probability
from napari_cresunet.errors import InputError

DIAMETER = 36
"""Mean diameter of a drawn cell in px, that of the Fluorescent Neuronal Cells."""
ROOM = 3000
"""px of the image for each cell at least: with less, drawing finds no free place."""


def draw_probability(
    height: int, width: int, n_cells: int, diameter: int = DIAMETER
) -> Probability:
    """Draw soft ellipses; one in five touches another.

    Parameters
    ----------
    height, width : int
        Size in px.
    n_cells : int
        How many cells.
    diameter : int, optional
        Of a cell on average, in px; at most `DIAMETER`.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Probability of "cell"; the same at every call.

    Raises
    ------
    InputError
        If there is no room for so many cells.
    """
    if n_cells * ROOM > height * width:
        raise InputError(
            f"{n_cells} cells have no room in {width}×{height} px: draw at most "
            f"{height * width // ROOM}."
        )
    rng = np.random.default_rng(0)
    probability = np.zeros((height, width), dtype=np.float32)
    centers = np.empty((n_cells, 2))
    n_drawn = 0
    while n_drawn < n_cells:
        others = centers[:n_drawn]
        if n_drawn % 10 == 9:
            touched = rng.integers(n_drawn)
            angle = rng.uniform(0, 2 * np.pi)
            step = 0.85 * diameter * np.array([np.sin(angle), np.cos(angle)])
            center = others[touched] + step
            others = np.delete(others, touched, axis=0)
        else:
            center = rng.uniform((0, 0), (height, width))
        if (center < 0).any() or (center >= (height, width)).any():
            continue
        near = np.hypot(*(others - center).T) < 1.15 * diameter
        if near.any():
            continue
        centers[n_drawn] = center
        n_drawn += 1
        _paint_cell(probability, center, diameter, rng)
    return probability


def _paint_cell(
    probability: Probability,
    center: NDArray[np.float64],
    diameter: int,
    rng: np.random.Generator,
) -> None:
    top, left = np.maximum(center.astype(int) - 2 * diameter, 0)
    window = probability[top : top + 4 * diameter, left : left + 4 * diameter]
    rows, columns = np.indices(window.shape)
    y, x = rows + top - center[0], columns + left - center[1]
    angle, stretch = rng.uniform(0, np.pi), rng.uniform(1, 1.3)
    along = (y * np.sin(angle) + x * np.cos(angle)) / stretch
    across = (y * np.cos(angle) - x * np.sin(angle)) * stretch
    radius = diameter / 2 * rng.uniform(0.85, 1.15)
    soft = 1 / (1 + np.exp((np.hypot(along, across) - radius) / 1.5))
    np.maximum(window, soft, out=window)


def draw_image(height: int, width: int, n_cells: int) -> NDArray[np.uint8]:
    """Draw an image whose cells the default model sees at the size it was trained on.

    Parameters
    ----------
    height, width : int
        Size in px.
    n_cells : int
        How many cells; fewer if they have no room.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        RGB, the same at every call.
    """
    from napari_cresunet.datasets import NeuronScene, synthesize_neurons
    from napari_cresunet.weights import DEFAULT_MODEL, find_weights, read_card

    diameter = read_card(find_weights(DEFAULT_MODEL)).diameter
    scene = NeuronScene(height=height, width=width, n_cells=n_cells, diameter=diameter)
    image, _ = synthesize_neurons(scene)
    return image

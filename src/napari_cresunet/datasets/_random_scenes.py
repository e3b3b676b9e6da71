"""Scenes of any microscope: the domain randomization of the default model."""

import numpy as np

from napari_cresunet.datasets._neurons import STAINS, NeuronScene

DIAMETERS = (10.0, 60.0)
"""Range of cell sizes in px."""
_EMPTY = 0.12
"""Part of the scenes that hold no cell."""


def random_scene(
    rng: np.random.Generator,
    *,
    diameter: float | None = None,
    height: int = 384,
    width: int = 512,
) -> NeuronScene:
    """Draw a scene with brightness, color, size, blur, noise and background at random.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    diameter : float, optional
        Mean diameter of a cell in px; between 10 and 60 if not given.
    height, width : int, optional
        Size of the image in px where cells are 20 px wide; it grows and shrinks with
        the cells, so that a scene always shows about the same.

    Returns
    -------
    NeuronScene
        For `synthesize_neurons`. About one in eight is empty of cells, not of what
        could be taken for cells.
    """
    size = diameter or float(np.exp(rng.uniform(*np.log(DIAMETERS))))
    scale = size / 20
    brightness = float(np.exp(rng.uniform(np.log(0.15), np.log(0.9))))
    tissue = brightness * float(np.clip(rng.lognormal(np.log(0.09), 0.8), 0.005, 0.4))
    is_crowded = rng.random() < 0.2
    return NeuronScene(
        height=round(height * scale),
        width=round(width * scale),
        diameter=size,
        n_cells=_n_cells(rng, is_crowded=is_crowded),
        brightness=brightness,
        tissue=tissue,
        clumping=float(rng.uniform(0, 0.8)),
        n_unfocused=int(rng.integers(0, 25)),
        n_faint=int(rng.integers(0, 25)),
        n_filaments=int(rng.integers(0, 10) ** (1 + (rng.random() < 0.15))),
        n_dotted=int(rng.integers(0, 8)),
        edge=bool(rng.random() < 0.4),
        noise=float(np.exp(rng.uniform(np.log(0.002), np.log(0.03)))),
        blur=float(rng.uniform(0, 0.08)) if rng.random() < 0.5 else 0.0,
        background=brightness * float(rng.uniform(0, 0.2)) * (rng.random() < 0.4),
        stain=str(rng.choice(list(STAINS), p=_stain_shares())),
    )


def _n_cells(rng: np.random.Generator, *, is_crowded: bool) -> int:
    if rng.random() < _EMPTY:
        return 0
    return int(rng.integers(40, 90) if is_crowded else rng.integers(1, 40))


def _stain_shares() -> list[float]:
    """Return how often each stain comes: yellow most, for most neurons here are."""
    shares = [0.4 if stain == "yellow" else 0.1 for stain in STAINS]
    return [share / sum(shares) for share in shares]

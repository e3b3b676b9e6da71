"""Pixels inside of outlines, found by a library that draws in another way."""

import numpy as np
from matplotlib.path import Path as Outline

SHAPE = (20, 24)
MIDDLE = np.array([12, 10])
"""x, y."""


def random_ring(seed, n_corners=7):
    """Corners x, y around the middle of an image, none on the center of a pixel."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, n_corners))
    radii = rng.uniform(3, 11, n_corners)
    around = radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.float32(around + MIDDLE).astype(float)


def inside(ring):
    """Tell which pixels have their center in a ring; the first one is at 0.5, 0.5."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    centers = np.column_stack([columns.ravel(), rows.ravel()])
    return Outline(ring).contains_points(centers).reshape(SHAPE)

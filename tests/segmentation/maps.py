"""Probability maps that the tests segment."""

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage


def disk(shape, center, radius, value=0.9):
    rows, columns = np.indices(shape)
    inside = np.hypot(rows - center[0], columns - center[1]) < radius
    return np.where(inside, value, 0.0)


def disks(shape, *centers_and_radii):
    return np.max([disk(shape, *each) for each in centers_and_radii], axis=0)


def noise(shape, smoothing, seed, levels=0):
    """Return smoothed noise in [0, 1], in steps if `levels` is given."""
    field = np.random.default_rng(seed).random(shape)
    if smoothing:
        field = ndimage.gaussian_filter(field, smoothing)
    field = (field - field.min()) / max(np.ptp(field), 1e-9)
    return np.round(field * levels) / levels if levels else field


def soft_cells(shape, count, seed):
    """Return disks of about 30 px with soft edges, many of them touching."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    field = np.zeros(shape, dtype=np.float32)
    for _ in range(count):
        y, x = rng.uniform((0, 0), shape)
        distance = np.hypot(rows - y, columns - x)
        soft = 1 / (1 + np.exp((distance - rng.uniform(11, 18)) / 1.5))
        np.maximum(field, soft, out=field)
    return field


@st.composite
def noise_fields(draw, longest=48):
    """Draw blobs, specks and mazes: touching borders, diagonal, with nested holes."""
    shape = draw(st.tuples(*[st.integers(1, longest)] * 2))
    return noise(
        shape,
        draw(st.sampled_from((0, 0.7, 1.5, 3, 6))),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from((0, 0, 3, 6))),
    )


THRESHOLDS = st.sampled_from((0.0, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 1.0))
MIN_SIZES = st.sampled_from((0, 1, 5, 20, 40, 100, 200))

"""Small label images with all that outlines find hard: holes, pieces, corners."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

SIDES = st.integers(1, 9)
PLANE = st.just(())
STACK = PLANE | st.tuples(st.integers(1, 3)) | st.tuples(*[st.integers(1, 2)] * 2)
"""Leading axes."""


@st.composite
def label_images(draw, leading=PLANE):
    """Draw label images whose numbers are 1..N, every third pixel a cell or more."""
    shape = (*draw(leading), draw(SIDES), draw(SIDES))
    few = st.sampled_from([0, 0, 1, 1, 1, 2, 3])
    labels = draw(arrays(np.int32, shape, elements=few))
    _, numbers = np.unique(np.append(0, labels), return_inverse=True)
    return numbers[1:].reshape(shape).astype(np.int32)


def planes(labels):
    return labels.reshape(-1, *labels.shape[-2:])


def ring():
    """A ring of pixels around a hole, in whose middle is another cell."""
    labels = np.zeros((9, 11), np.int32)
    labels[1:8, 2:9] = 1
    labels[3:6, 4:7] = 0
    labels[4, 5] = 2
    return labels


def steps():
    """Three pixels of one cell that touch at corners only, and a lonely one."""
    labels = np.zeros((6, 8), np.int32)
    labels[[0, 1, 2], [0, 1, 2]] = 1
    labels[5, 7] = 1
    return labels

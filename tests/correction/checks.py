"""What holds for every edit."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

DTYPES = (np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)),
)
LABELS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays(dtype, SHAPES, elements=st.integers(0, 4))
)
"""Cells in several pieces and planes, with holes, at the border, one px wide."""


def cells_of(labels):
    return [int(label) for label in np.unique(labels) if label]


def apply(labels, make):
    """Make an edit of read-only labels, check what holds for all, return new labels."""
    original = labels.copy()
    labels.setflags(write=False)
    edit = make(labels)
    new = edit.applied_to(labels)
    np.testing.assert_array_equal(labels, original)
    assert new.dtype == labels.dtype
    assert new.shape == labels.shape
    assert edit.values.dtype == labels.dtype
    # Only what changes, in order, each pixel once.
    np.testing.assert_array_equal(edit.pixels, np.flatnonzero(new != labels))
    restored = new.copy()
    restored.ravel()[edit.pixels] = original.ravel()[edit.pixels]
    assert restored.tobytes() == original.tobytes()
    assert list(edit.before) == sorted(set(edit.before))
    assert list(edit.after) == sorted(set(edit.after))
    assert set(edit.before) <= set(cells_of(labels))
    assert set(edit.after) <= set(cells_of(new))
    assert all(type(label) is int for label in edit.before + edit.after)
    changed = set(original[new != labels].tolist()) | set(new[new != labels].tolist())
    assert changed - {0} <= set(edit.before) | set(edit.after)
    # What came of nothing and what went altogether is told.
    assert set(cells_of(new)) - set(cells_of(labels)) <= set(edit.after)
    assert set(cells_of(labels)) - set(cells_of(new)) <= set(edit.before)
    return new

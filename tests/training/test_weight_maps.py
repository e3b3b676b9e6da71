"""Weight maps equal the direct formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cresunet.training import weight_map
from napari_cresunet.training._weight_maps import clean_cells


def _direct(labels, sigma):
    """Loop over pixels and cells; distances by brute force."""
    weights = np.zeros(labels.shape)
    cells = [
        np.argwhere(labels == number) for number in np.unique(labels) if number > 0
    ]
    for place in np.ndindex(labels.shape):
        total = 0.0
        for pixels in cells:
            squared = ((pixels - place) ** 2).sum(axis=1).min()
            total += np.exp(-squared / (2 * sigma**2))
        weights[place] = 1.5 if labels[place] else max(total, 1)
    return weights


@given(seed=st.integers(0, 2**31), sigma=st.floats(0.7, 12))
def test_it_equals_the_direct_formula(seed, sigma):
    rng = np.random.default_rng(seed)
    labels = np.zeros((17, 23), np.int32)
    for number in range(1, rng.integers(1, 6)):
        row, column = rng.integers(0, 15), rng.integers(0, 20)
        labels[row : row + rng.integers(1, 5), column : column + 3] = number
    np.testing.assert_allclose(
        weight_map(labels, sigma=sigma), _direct(labels, sigma), atol=2e-6
    )


def test_between_two_cells_it_weighs_most():
    labels = np.zeros((9, 30), np.int32)
    labels[:, 2:10], labels[:, 12:20] = 1, 2
    weights = weight_map(labels, sigma=4)
    assert weights[4, 10] == pytest.approx(
        np.exp(-(1**2) / 32) + np.exp(-(2**2) / 32), abs=1e-6
    )
    assert weights[4, 25] == 1  # one cell alone never adds up to more than 1
    assert (weights[labels > 0] == 1.5).all()


def test_without_cells_all_weigh_alike():
    assert (weight_map(np.zeros((5, 6), np.int32)) == 1).all()


def test_numbers_may_be_missing():
    labels = np.array([[0, 7, 7, 0, 3]], np.int32)
    np.testing.assert_allclose(weight_map(labels), _direct(labels, 25), atol=2e-6)


def test_small_cells_are_dropped_and_small_holes_filled():
    labels = np.zeros((60, 90), np.int32)
    labels[2:11, 2:13] = 1  # 99 px
    labels[20:30, 2:12] = 2  # 100 px
    labels[5:45, 30:70] = 3
    labels[10:24, 40:54] = 0  # a hole of 196 px
    labels[28:43, 40:55] = 0  # a hole of 225 px
    labels[33:35, 46:48] = 4  # inside it, too small
    cleaned = clean_cells(labels)
    assert set(np.unique(cleaned)) == {0, 2, 3}
    assert (cleaned[10:24, 40:54] == 3).all()
    assert (cleaned[28:43, 40:55] == 0).all()


def test_what_is_small_grows_with_the_cells():
    labels = np.zeros((40, 40), np.int32)
    labels[:20, :20] = 1  # 400 px, as 100 px at half the size
    assert clean_cells(labels, diameter=73.0).any()
    assert not clean_cells(labels, diameter=73.1).any()

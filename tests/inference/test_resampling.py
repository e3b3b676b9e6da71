import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.inference import resampling_matrix
from napari_cresunet.inference._resampling import resample, support


@settings(deadline=None, max_examples=30)
@given(n_in=st.integers(1, 60), n_out=st.integers(1, 60), seed=st.integers(0, 99))
def test_resampling_is_that_of_torch(n_in, n_out, seed):
    line = np.random.default_rng(seed).random(n_in)  # torch in float32 is less exact
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(line)[None, None, None],
        size=(1, n_out),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    )[0, 0, 0]
    result = resampling_matrix(n_in, n_out) @ line
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-6)


def test_both_axes_of_every_channel_are_resampled():
    channels = np.random.default_rng(0).random((3, 37, 50))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(channels)[None],
        size=(80, 21),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    )[0]
    result = resample(channels, resampling_matrix(37, 80), resampling_matrix(50, 21))
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-6)


def test_twice_the_size_by_hand():
    expected = [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    assert resampling_matrix(2, 4).toarray().tolist() == expected


@pytest.mark.parametrize(("n_in", "n_out"), [(5, 5), (1, 7), (7, 1)])
def test_special_sizes(n_in, n_out):
    matrix = resampling_matrix(n_in, n_out).toarray()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
    if n_in == n_out:
        assert np.array_equal(matrix, np.eye(5))


def test_the_support_is_what_the_rows_touch():
    matrix = resampling_matrix(100, 40)
    touched = np.flatnonzero(matrix.toarray()[10:13].any(axis=0))
    assert support(matrix, 10, 13) == (touched[0], touched[-1] + 1)

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.errors import InputError
from napari_cresunet.inference import (
    Scaling,
    apply_scaling,
    measure_scaling,
    select_channels,
)
from napari_cresunet.inference._scaling import SAMPLE_PIXELS, sample_brightness


@pytest.mark.parametrize(
    ("dtype", "value", "span"),
    [
        (np.uint8, 3, 255),
        (np.uint16, 3, 65535),
        (np.float32, 0.5, 1),
        (np.float64, 7.0, 1),
        (np.int64, 255, 255),
        (np.int32, 256, 65535),
        (np.uint32, 65536, 2**32 - 1),
    ],
)
def test_unit_scaling_divides_by_the_full_range(dtype, value, span):
    image = np.full((4, 5), value, dtype)
    assert measure_scaling(image, "unit") == Scaling(low=0, span=span)


@pytest.mark.parametrize(
    "image",
    [
        np.full((4, 5), 9, np.uint8),
        np.linspace(0, 0.01, 20, dtype=np.float32).reshape(4, 5),
    ],
)
def test_adaptive_scaling_leaves_a_dim_image_of_known_range_dim(image):
    known = measure_scaling(image, "unit")
    assert measure_scaling(image, "adaptive") == known


def test_adaptive_scaling_goes_from_percentile_to_percentile():
    # 0, 1, ..., 1000 down the columns: no difference between horizontal neighbors.
    image = np.repeat(np.arange(1001.0)[:, np.newaxis], 5, axis=1)
    scaling = measure_scaling(image, "adaptive")
    assert scaling.low == pytest.approx(10)
    assert scaling.span == pytest.approx(998 - 10)


def test_adaptive_scaling_is_bounded_by_the_noise():
    # Differences alternate between +2 and -2, so their deviation is 2 around 0.
    image = np.tile([100.0, 102.0], (8, 51))[:, :101]
    scaling = measure_scaling(image, "adaptive")
    assert scaling.low == 100
    assert scaling.span == pytest.approx(25 * 1.4826 * (2 + 0.5) / np.sqrt(2))
    finer = measure_scaling(image + 0.25, "adaptive")  # no integers: no rounding
    assert finer.span == pytest.approx(25 * 1.4826 * 2 / np.sqrt(2))


def test_adaptive_scaling_of_color_takes_the_largest_channel():
    image = np.zeros((1001, 5, 4), np.float64)
    image[..., 1] = np.arange(1001.0)[:, np.newaxis]
    image[..., 3] = 1e9  # transparency does not count
    scaling = measure_scaling(image, "adaptive")
    assert (scaling.low, scaling.span) == pytest.approx((10, 988))


def test_rounding_to_integers_counts_as_noise():
    image = np.full((50, 50), 100, np.uint16)
    image[::3, ::7] = 101
    scaled = apply_scaling(image, measure_scaling(image, "adaptive"))
    assert scaled.max() == pytest.approx(np.sqrt(2) / (25 * 1.4826 * 0.5))


@pytest.mark.parametrize("shape", [(6, 7), (6, 1), (1, 1)])
@pytest.mark.parametrize("value", [np.uint16(500), np.int32(-5), np.float32(500.3)])
def test_a_constant_image_becomes_zero(shape, value):
    image = np.full(shape, value)
    scaled = apply_scaling(image, measure_scaling(image, "adaptive"))
    assert np.array_equal(scaled, np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.uint16(500), np.float32(500.3)])
def test_a_tiny_cell_on_an_even_background_stays_visible(value):
    image = np.full((100, 100), value)
    image[50, 50] = 3000
    scaled = apply_scaling(image, measure_scaling(image, "adaptive"))
    assert scaled[50, 50] == 1
    assert scaled.sum() == 1


@settings(deadline=None, max_examples=20)
@given(
    offset=st.floats(200, 50_000),
    deviation=st.floats(0.1, 60),
    seed=st.integers(0, 1000),
    dtype=st.sampled_from([np.uint16, np.float32]),
)
def test_pure_noise_is_never_stretched_into_signal(offset, deviation, seed, dtype):
    noise = np.random.default_rng(seed).normal(offset, deviation, (200, 300))
    image = np.clip(noise.round(), 0, 65535).astype(dtype)
    assert apply_scaling(image, measure_scaling(image, "adaptive")).max() < 0.3


def test_bright_cells_reach_white_in_spite_of_noise():
    image = np.random.default_rng(0).normal(500, 10, (200, 200))
    image[50:70, 50:70] += 3000
    scaled = apply_scaling(image.astype(np.uint16), measure_scaling(image, "adaptive"))
    assert scaled[55:65, 55:65].min() > 0.95
    assert np.median(scaled) < 0.05


def test_values_beyond_the_ends_are_clipped_and_no_numbers_are_black():
    image = np.array([[-1, 2, 12, 99, np.nan, np.inf, -np.inf]])
    scaled = apply_scaling(image, Scaling(low=2, span=20))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[0, 0, 0.5, 1, 0, 0, 0]]


def test_numbers_at_the_end_of_their_type_do_not_overflow():
    image = np.array([[-1.7e308, 0, 1.7e308]])
    scaled = apply_scaling(image, measure_scaling(image, "adaptive"))
    assert np.isfinite(scaled).all()


def test_values_that_are_no_numbers_do_not_disturb_the_measurement():
    image = np.repeat(np.arange(1001.0)[:, np.newaxis], 5, axis=1)
    expected = measure_scaling(image[:, 1:], "adaptive")
    image[:, 0] = np.nan
    assert measure_scaling(image, "adaptive") == expected


def test_the_sample_is_bounded_whatever_the_size():
    # Broadcast arrays: a stack of 9 billion pixels without the memory.
    stack = np.broadcast_to(np.uint16(7), (300, 5000, 6000))
    sample = sample_brightness(stack)
    assert SAMPLE_PIXELS / 4 < sample.size <= 1.2 * SAMPLE_PIXELS
    assert sample_brightness(np.zeros((1, 3), np.uint16)).shape == (1, 3)


def test_a_small_image_is_sampled_whole():
    image = np.random.default_rng(0).integers(0, 9, (3, 20, 30))
    assert np.array_equal(sample_brightness(image), image.reshape(60, 30))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("method", ["unit", "adaptive"])
def test_an_image_without_a_number_is_refused(value, method):
    message = "The image has only NaN or infinite values: check how it was made."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure_scaling(np.full((5, 5), value), method)


def test_an_unknown_scaling_is_refused():
    message = "Unknown scaling 'zscore'; choose unit or adaptive."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure_scaling(np.zeros((5, 5)), "zscore")


def test_a_network_sees_all_channels_or_the_brightest():
    scaled = np.array([[[0.1, 0.9]], [[0.5, 0.2]], [[0.3, 0.3]]], np.float32)
    np.testing.assert_array_equal(select_channels(scaled, "rgb"), scaled)
    brightest = select_channels(scaled, "brightest")
    np.testing.assert_array_equal(brightest, [[[np.float32(0.5), np.float32(0.9)]]])
    np.testing.assert_array_equal(select_channels(scaled[:1], "brightest"), scaled[:1])

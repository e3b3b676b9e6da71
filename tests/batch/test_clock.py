import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cresunet.batch._clock import Clock


def clock_of(times):
    clock = Clock(0.0)
    for time in times:
        clock.tick(time)
    return clock


def test_nothing_is_known_before_the_second_image():
    assert clock_of([]).rate is None
    assert clock_of([7.0]).seconds_left(3) is None


def test_the_first_image_which_waits_for_the_model_does_not_count():
    clock = clock_of([30.0, 32.0, 34.0])
    assert clock.rate == pytest.approx(0.5)
    assert clock.seconds_left(10) == pytest.approx(20)


def test_images_that_alternate_are_estimated_by_their_mean():
    times, now = [0.0], 0.0
    for seconds in (1.0, 3.0) * 10:
        now += seconds
        times.append(now)
    assert clock_of(times).seconds_left(10) == pytest.approx(20)


def test_a_computer_that_slept_does_not_spoil_the_estimate():
    times = [*range(20), *range(3620, 3640)]
    assert clock_of(times).seconds_left(10) == pytest.approx(10, rel=0.15)


def test_what_was_long_ago_does_not_matter():
    now, times = 0.0, []
    for seconds in [9.0] * 100 + [1.0] * 60:
        now += seconds
        times.append(now)
    assert clock_of(times).rate == pytest.approx(1)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=100), st.integers(0, 1000))
def test_the_time_left_is_never_negative(intervals, n_images):
    now, times = 0.0, []
    for seconds in intervals:
        now += seconds
        times.append(now)
    left = clock_of(times).seconds_left(n_images)
    assert left is None or left >= 0

"""Intervals beside a direct loop and beside scipy."""

import re
from math import isnan

import numpy as np
import pytest
from scipy import stats
from tests.scenes import random_scene

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import (
    Scores,
    aggregate,
    aggregate_overlaps,
    bootstrap_intervals,
    bootstrap_overlap_intervals,
    evaluate_overlaps,
)

NAMES = ("f1", "precision", "recall", "accuracy", "mae", "medae", "mpe")


def draw_scores(n_images, seed=3):
    """Return scores of images of which some hold no cell, some no prediction."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.exponential(4, (n_images, 3)))
    counts[::5] = 0
    return [Scores(tp=int(tp), fp=int(fp), fn=int(fn)) for tp, fp, fn in counts]


def looped_intervals(scores, n_resamples, level, seed):
    """Call `aggregate` on one list of images after another."""
    n = len(scores)
    times = np.random.default_rng(seed).multinomial(n, [1 / n] * n, size=n_resamples)
    pooled = [
        aggregate([scores[index] for index in np.repeat(np.arange(n), row)])
        for row in times
    ]
    ends = [50 - 50 * level, 50 + 50 * level]
    return {
        name: np.nanpercentile([getattr(one, name) for one in pooled], ends)
        for name in NAMES
    }


@pytest.mark.parametrize("n_images", [2, 7, 30, 31])
def test_intervals_are_those_of_a_direct_loop(n_images):
    scores = draw_scores(n_images)
    found = bootstrap_intervals(scores, n_resamples=300, level=0.8, seed=5)
    expected = looped_intervals(scores, 300, 0.8, 5)
    assert tuple(found) == NAMES
    for name in NAMES:
        assert found[name] == pytest.approx(expected[name], abs=1e-12), name


def test_the_interval_of_the_mae_is_that_of_scipy():
    scores = draw_scores(40)
    errors = [abs(one.predicted_count - one.true_count) for one in scores]
    expected = stats.bootstrap(
        (errors,), np.mean, n_resamples=20_000, method="percentile", rng=1
    ).confidence_interval
    found = bootstrap_intervals(scores, n_resamples=20_000)["mae"]
    assert found == pytest.approx(tuple(expected), rel=0.02)


def test_one_image_has_equal_ends():
    (one,) = scores = [Scores(tp=3, fp=1, fn=2)]
    pooled = aggregate(scores)
    found = bootstrap_intervals(scores, n_resamples=50)
    assert found == {name: (getattr(pooled, name),) * 2 for name in NAMES}
    assert found["f1"] == (one.f1, one.f1)


def test_the_same_seed_gives_the_same_intervals():
    scores = draw_scores(12)
    assert bootstrap_intervals(scores) == bootstrap_intervals(scores)
    assert bootstrap_intervals(scores) != bootstrap_intervals(scores, seed=1)


def test_a_higher_level_gives_wider_intervals():
    scores = draw_scores(12)
    narrow, wide = (bootstrap_intervals(scores, level=p)["f1"] for p in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_an_undefined_score_has_no_interval():
    found = bootstrap_intervals([Scores(tp=0, fp=0, fn=2)] * 3)
    assert all(map(isnan, found["precision"]))
    assert found["recall"] == (0, 0)
    assert found["mpe"] == (-1, -1)


def test_resamples_in_which_a_score_is_undefined_are_left_out():
    # Both images are drawn once in half of the resamples, the empty one twice in a
    # quarter: then there is no F1.
    found = bootstrap_intervals([Scores(tp=1, fp=0, fn=0), Scores(tp=0, fp=0, fn=0)])
    assert found["f1"] == (1, 1)
    assert found["mpe"] == (0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_resamples": 0}, "`n_resamples` must be at least 1, got 0."),
        ({"level": 1.5}, "`level` must be between 0 and 1, got 1.5."),
    ],
)
def test_numbers_out_of_their_bounds_are_refused(changes, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_intervals(draw_scores(3), **changes)


def test_no_image_is_refused():
    message = "There are no scores to pool; evaluate at least one image."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_intervals([])


def draw_overlap_scores(n_images):
    """Return scores of random scenes; of each third one there is nothing."""
    empty = np.zeros((4, 4), int)
    return [
        evaluate_overlaps(*(random_scene(k) if k % 3 else (empty, empty)))
        for k in range(n_images)
    ]


@pytest.mark.parametrize("n_images", [1, 2, 9])
def test_intervals_by_shared_pixels_are_those_of_a_direct_loop(n_images):
    scores = draw_overlap_scores(n_images + 1)[1:]
    found = bootstrap_overlap_intervals(scores, n_resamples=200, level=0.9, seed=4)
    times = np.random.default_rng(4).multinomial(
        n_images, [1 / n_images] * n_images, size=200
    )
    pooled = [
        aggregate_overlaps([scores[k] for k in np.repeat(np.arange(n_images), row)])
        for row in times
    ]
    assert list(found) == list(pooled[0].to_dict())
    for name, ends in found.items():
        values = [one.to_dict()[name] for one in pooled]
        assert ends == pytest.approx(np.nanpercentile(values, [5, 95]), abs=1e-12), name


def test_one_image_has_equal_ends_by_shared_pixels():
    one = draw_overlap_scores(2)[1]
    found = bootstrap_overlap_intervals([one], n_resamples=20)
    assert found == {
        name: (pytest.approx(value),) * 2 for name, value in one.to_dict().items()
    }


def test_images_without_cells_have_no_interval_by_shared_pixels():
    scores = [draw_overlap_scores(1)[0]] * 3
    found = bootstrap_overlap_intervals(scores, n_resamples=20)
    assert all(isnan(end) for ends in found.values() for end in ends)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_resamples": 0}, "`n_resamples` must be at least 1, got 0."),
        ({"level": -0.5}, "`level` must be between 0 and 1, got -0.5."),
    ],
)
def test_numbers_out_of_bounds_are_refused_by_shared_pixels(changes, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_overlap_intervals(draw_overlap_scores(2), **changes)


def test_no_image_is_refused_by_shared_pixels():
    message = "There are no scores to pool; evaluate at least one image."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_overlap_intervals([])


def test_scores_pooled_before_are_refused():
    message = "Pool the scores of single images, not scores pooled before."
    pooled = aggregate(draw_scores(3))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bootstrap_intervals([pooled])

"""Where crops lie and how often each is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.squares import squares

from napari_cresunet.datasets import Pair
from napari_cresunet.training import TrainConfig
from napari_cresunet.training._crops import (
    Crops,
    draw_epoch,
    find_artifacts,
    find_crops,
    grid_starts,
)
from napari_cresunet.training._prepare import prepare


def test_a_full_size_image_gives_the_papers_twelve_crops():
    blank = np.zeros((1200, 1600), np.uint8)
    labels = np.zeros(blank.shape, np.int32)
    samples = prepare([Pair(name="a", image=blank, labels=labels)], TrainConfig(), 36.5)
    places = find_crops(samples, TrainConfig()).places
    assert [tuple(place) for place in places] == [
        (0, row, column) for row in (0, 400, 688) for column in (0, 400, 800, 1088)
    ]


@given(st.integers(1, 900), st.integers(16, 300), st.integers(8, 300))
def test_crops_cover_an_axis(length, size, step):
    starts = grid_starts(length, size, step)
    if length <= size:
        assert starts == [(length - size) // 2]
        return
    assert starts[0] == 0
    assert starts[-1] == length - size
    gaps = np.diff(starts)
    assert ((gaps > 0) & (gaps <= step)).all()


def _artifact(pair):
    """Add a bright bar in the lower right corner, away from all cells."""
    image, labels = pair.image.copy(), pair.labels.copy()
    labels[60:, 70:] = 0
    image[60:, 70:] = 0
    image[80:90, 90:110] = 250
    return replace(pair, image=image, labels=labels)


def test_artifacts_are_bright_and_no_cells():
    pair = _artifact(squares())
    (sample,) = prepare([pair], TrainConfig(), 12.0)
    found = find_artifacts(sample)
    assert found[82:88, 93:107].all()
    assert not found[:60].any()
    assert not find_artifacts(prepare([squares()], TrainConfig(), 12.0)[0]).any()


def test_in_an_image_without_cells_artifacts_stand_out_from_the_background():
    pair = _artifact(squares(n_cells=0))
    (sample,) = prepare([pair], TrainConfig(), 12.0)
    found = find_artifacts(sample)
    assert found[82:88, 93:107].all()
    assert found[:60].mean() < 0.01


def test_crops_with_cells_and_artifacts_are_repeated():
    config = TrainConfig(crop_size=48, crop_step=48, cell_repeats=3, artifact_repeats=5)
    pair = replace(_artifact(squares(n_cells=1, seed=1)), weight=2.0)
    samples = prepare([pair], config, 12.0)
    crops = find_crops(samples, config)
    artifact = find_artifacts(samples[0])
    for (_, row, column), share in zip(crops.places, crops.shares, strict=True):
        part = np.s_[row : row + 48, column : column + 48]
        times = 5 if artifact[part].any() else 3 if pair.labels[part].any() else 1
        assert share == 2.0 * times
    assert set(crops.shares) == {2.0, 6.0, 10.0}


def test_a_subset_is_chosen_once():
    config = TrainConfig(crop_size=32, crop_step=16, subset=7, seed=3)
    samples = prepare([squares(0), squares(1)], config, 12.0)
    first, again = (find_crops(samples, config).places for _ in range(2))
    assert first.shape == (7, 3)
    np.testing.assert_array_equal(first, again)
    other = find_crops(samples, replace(config, seed=4)).places
    assert not np.array_equal(first, other)


def test_an_epoch_takes_each_crop_as_often_as_its_share():
    crops = Crops(np.zeros((3, 3), np.intp), np.array([1.0, 2.0, 4.0]))
    drawn = draw_epoch(crops, 0, np.random.default_rng(0))
    assert np.bincount(drawn).tolist() == [1, 2, 4]
    assert drawn.tolist() != sorted(drawn)


def test_a_drawn_epoch_is_true_to_the_shares():
    crops = Crops(np.zeros((3, 3), np.intp), np.array([1.0, 2.0, 5.0]))
    for seed in range(20):
        drawn = draw_epoch(crops, 800, np.random.default_rng(seed))
        counts = np.bincount(drawn, minlength=3)
        assert counts == pytest.approx([100, 200, 500], abs=1)


def test_a_short_epoch_repeats_nothing():
    crops = Crops(np.zeros((50, 3), np.intp), np.ones(50))
    drawn = draw_epoch(crops, 20, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == 20

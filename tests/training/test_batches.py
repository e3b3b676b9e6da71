"""Batches of an epoch."""

from dataclasses import replace

import numpy as np
import torch
from tests.training.squares import quick, squares

from napari_cresunet.training._batches import epoch_batches, iter_batches
from napari_cresunet.training._crops import Crops, find_crops
from napari_cresunet.training._distributed import Processes
from napari_cresunet.training._prepare import prepare

ALONE = Processes(0, 1, "cpu")


def _crops(n):
    places = np.stack([np.zeros(n), np.arange(n), np.arange(n)], axis=1)
    return Crops(places.astype(np.intp), np.ones(n))


def test_an_epoch_is_cut_into_batches():
    batches = epoch_batches(_crops(10), quick(samples=0), 0)
    assert [len(batch) for batch in batches] == [4, 4, 2]
    rows = sorted(row for batch in batches for row in batch[:, 1])
    assert rows == list(range(10))


def test_a_single_crop_at_the_end_is_left_out():
    sizes = [len(batch) for batch in epoch_batches(_crops(9), quick(samples=0), 0)]
    assert sizes == [4, 4]


def test_epochs_differ_and_a_seed_repeats_them():
    config = quick(samples=0)
    one, again, next_one = (epoch_batches(_crops(30), config, n)[0] for n in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, next_one)
    other = epoch_batches(_crops(30), replace(config, seed=1), 0)[0]
    assert not np.array_equal(one, other)


def _images(first, processes=ALONE):
    config = quick(rotation=90.0, noise=0.1, samples=20)
    samples = prepare([squares()], config, 12.0)
    batches = epoch_batches(find_crops(samples, config), config, 3)
    source = iter_batches(samples, batches, config, 3, first, processes)
    return [batch.image for batch in source]


def test_a_batch_does_not_depend_on_those_before():
    whole, rest = _images(0), _images(2)
    assert len(whole) == 5
    assert len(rest) == 3
    for expected, image in zip(whole[2:], rest, strict=True):
        assert torch.equal(expected, image)


def test_processes_share_each_batch():
    halves = [_images(0, Processes(rank, 2, "cpu")) for rank in (0, 1)]
    assert [len(image) for image in halves[0]] == [2] * 5
    assert not torch.equal(halves[0][0], halves[1][0])


def test_an_abandoned_epoch_leaves_no_thread():
    import threading

    config = quick(samples=40)
    samples = prepare([squares()], config, 12.0)
    batches = epoch_batches(find_crops(samples, config), config, 0)
    before = set(threading.enumerate())
    source = iter_batches(samples, batches, config, 0, 0, ALONE)
    next(source)
    assert set(threading.enumerate()) - before
    source.close()
    assert set(threading.enumerate()) <= before

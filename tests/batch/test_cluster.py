"""A cluster of separate processes: the same results, whatever dies."""

import os
import re
import signal
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.batch import cluster_tasks

from napari_cresunet.batch import (
    BatchOptions,
    CountOptions,
    ModelSpec,
    cluster_pool,
    iter_batch,
    iter_count_slide,
)
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.pyramids import create_pyramid, open_pyramid
from napari_cresunet.steps import drain

pytest.importorskip("distributed")
pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture(scope="module")
def pool():
    """Two processes, which give a task up when two workers have died on it."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        cluster_pool("local:2") as pool,
    ):
        yield pool


def results_of(items):
    """Return what is more than a sign of life, by task."""
    return dict(item for item in items if item is not None)


def runs_of(folder):
    """Return how often each number left a file."""
    numbers = [int(path.name.split(".")[0]) for path in folder.iterdir()]
    return {number: numbers.count(number) for number in sorted(set(numbers))}


def test_all_workers_run_tasks_in_processes_of_their_own(pool):
    processes = set()
    while len(processes) < 2:
        results = results_of(pool.map_unordered(cluster_tasks.process, range(20)))
        assert len(results) == 20
        processes |= set(results.values())
    assert os.getpid() not in processes
    assert pool.workers == 2


@pytest.mark.skipif(os.name == "nt", reason="sends a signal to one process")
def test_workers_of_ours_outlive_ctrl_c(pool):
    first, second = (
        results_of(pool.map_unordered(interrupt, range(20)))
        for interrupt in (cluster_tasks.interrupt, cluster_tasks.process)
    )
    assert set(second.values()) <= set(first.values())


@pytest.mark.parametrize(
    "task", [[1, (2, "x")], {"a": Path("b")}, ("x", 1), "task-0", None]
)
def test_tasks_arrive_as_they_are(pool, task):
    (item,) = (item for item in pool.map_unordered(cluster_tasks.keep, [task]) if item)
    assert item == (task, (task, type(task).__name__))


def test_tasks_are_taken_only_a_little_ahead(pool):
    taken = []

    def tasks():
        for number in range(100_000):
            taken.append(number)
            yield number

    with closing(pool.map_unordered(cluster_tasks.double, tasks())) as results:
        for _ in range(5):
            assert next(item for item in results if item)
            assert len(taken) <= 4 + 5
    assert len(taken) <= 4 + 5


def test_an_error_of_one_task_spoils_no_other_and_only_some_are_tried_again(
    pool, tmp_path
):
    fail = partial(cluster_tasks.fail, tmp_path)
    results = results_of(pool.map_unordered(fail, range(5)))
    assert [results[0], results[4]] == [0, 4]
    kinds = [type(results[number]) for number in (1, 2, 3)]
    assert kinds == [InputError, EngineError, ZeroDivisionError]
    assert [str(results[1]), str(results[2])] == [
        "The image is bad.",
        "The disk is full.",
    ]
    assert runs_of(tmp_path) == {0: 1, 1: 1, 2: 3, 3: 3, 4: 1}


def test_closing_cancels_what_has_not_begun(pool, tmp_path):
    release = tmp_path / "release"
    task = partial(cluster_tasks.await_file, release)
    results = pool.map_unordered(task, range(1000), beat=0.3)
    assert next(results) is None
    results.close()
    release.touch()
    # One more task each runs when the workers are free again.
    assert len(results_of(pool.map_unordered(cluster_tasks.double, range(8)))) == 8
    assert len(list(tmp_path.glob("ran-*"))) <= pool.workers


def test_a_worker_that_is_killed_costs_no_result(pool, tmp_path):
    news = pool.news()
    die_once = partial(cluster_tasks.die_once, tmp_path)
    results = results_of(pool.map_unordered(die_once, range(20)))
    assert results == {number: 2 * number for number in range(20)}
    assert (tmp_path / "died").exists()
    while not news:
        results_of(pool.map_unordered(cluster_tasks.double, range(2)))
        news = pool.news()
    assert re.fullmatch(
        r"Lost 1 worker \(tcp://127\.0\.0\.1:\d+\); what was in work there is done "
        r"again\.",
        news[0],
    )


@pytest.mark.slow
def test_a_task_on_which_workers_die_is_an_error_and_the_others_go_on(pool):
    results = results_of(pool.map_unordered(cluster_tasks.always_die, range(6)))
    assert str(results.pop(1)) == (
        "2 workers died on this one after the other, as when memory runs out: give "
        "each worker more memory, or use smaller images or blocks."
    )
    assert results == {number: 2 * number for number in (0, 2, 3, 4, 5)}


def test_each_worker_loads_a_model_once_and_needs_no_file(pool, stored_model, tmp_path):
    import dask.system

    spec = ModelSpec(stored_model, "cpu", "torch")
    weights_hash = spec.card().weights_hash
    log = tmp_path / "log"
    load = partial(cluster_tasks.load, spec, log)
    processes = set()
    while len(processes) < 2:
        loaded = results_of(pool.map_unordered(load, range(10))).values()
        processes |= {process for process, _, _ in loaded}
    assert {found for _, _, found in loaded} == {weights_hash}
    share = max(1, dask.system.CPU_COUNT // 2)
    assert {threads for _, threads, _ in loaded} == {share}
    assert sorted(map(int, log.read_text().split())) == sorted(processes)


def test_looking_for_files_leaves_none(pool, tmp_path):
    pool.check_files(tmp_path, [tmp_path])
    pool.check_files(None)
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_is_nowhere_is_left_to_its_task(pool, tmp_path):
    pool.check_files(None, [tmp_path / "gone.tif"])


def labels_in(output):
    return {
        path.name: tifffile.imread(path) for path in sorted(output.glob("*_labels.tif"))
    }


def counts_of(result):
    return [(entry.name, entry.state, entry.count) for entry in result.entries]


@pytest.mark.slow
def test_a_batch_gives_what_it_gives_here_though_a_worker_is_killed(
    pool, options, write_images, tmp_path
):
    paths = write_images(*(f"{number}.tif" for number in range(8)))
    paths[3].write_bytes(b"")
    here = drain(iter_batch(paths, tmp_path / "here", options))
    (victim, *_) = set(
        results_of(pool.map_unordered(cluster_tasks.process, range(9))).values()
    )
    steps = iter_batch(paths, tmp_path / "there", options, pool=pool)
    next(step for step in steps if step.done > 0)
    os.kill(victim, signal.SIGKILL)
    there = drain(steps)
    assert counts_of(there) == counts_of(here)
    assert (there.n_counted, there.n_failed) == (7, 1)
    assert there.entries[3].error == here.entries[3].error
    expected, found = labels_in(tmp_path / "here"), labels_in(tmp_path / "there")
    assert list(found) == list(expected)
    assert len(found) == 7
    for name, labels in expected.items():
        np.testing.assert_array_equal(found[name], labels)


def test_what_a_cluster_counted_is_skipped_here(pool, options, write_images, tmp_path):
    paths = write_images("a.tif", "b.tif")
    there = drain(iter_batch(paths, tmp_path / "out", options, pool=pool))
    here = drain(iter_batch(paths, tmp_path / "out", options))
    assert (there.n_counted, here.n_counted, here.n_skipped) == (2, 0, 2)
    assert counts_of(here) == counts_of(there)


def write_slide(path):
    """Write an OME-Zarr image of bright disks, a few blocks large."""
    random = np.random.default_rng(5)
    image = random.integers(0, 40, (72, 136))
    rows, columns = np.mgrid[:72, :136]
    for row, column in random.integers(6, 66, (9, 2)):
        image[np.hypot(rows - row, columns - 2 * column) < 6] += 170
    writer = create_pyramid(path, image.shape, np.uint8, kind="image", chunk=64)
    writer.array[...] = image.astype(np.uint8)
    drain(writer.finish())
    return path


@pytest.mark.slow
def test_a_slide_gives_what_it_gives_here_though_a_worker_is_killed(
    pool, stored_model, tmp_path
):
    slide = write_slide(tmp_path / "slide.ome.zarr")
    spec = ModelSpec(stored_model, "cpu", "torch")
    options, sizes = CountOptions(), {"tile": 64, "block": 64}
    here = drain(iter_count_slide(slide, spec, options, tmp_path / "here", **sizes))
    (victim, *_) = set(
        results_of(pool.map_unordered(cluster_tasks.process, range(9))).values()
    )
    steps = iter_count_slide(
        slide, spec, options, tmp_path / "there", **sizes, pool=pool
    )
    next(step for step in steps if step.done > 0)
    os.kill(victim, signal.SIGKILL)
    there = drain(steps)
    assert there.count == here.count
    expected, found = (open_pyramid(one.labels).image[...] for one in (here, there))
    np.testing.assert_array_equal(found, expected)
    assert there.cells.read_text() == here.cells.read_text()


def test_a_model_that_workers_cannot_use_ends_the_batch(pool, write_images, tmp_path):
    paths = write_images("a.tif")
    gone = BatchOptions(model=ModelSpec(tmp_path / "gone.safetensors"))
    with pytest.raises(Exception, match=r"gone\.safetensors"):
        drain(iter_batch(paths, tmp_path / "out", gone, pool=pool))

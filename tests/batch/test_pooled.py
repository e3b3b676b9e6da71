"""A batch whose images are counted by the workers of a pool."""

import csv
import pickle
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_cresunet.batch import iter_batch
from napari_cresunet.errors import InputError, WeightsError
from napari_cresunet.steps import drain


class Elsewhere:
    """Runs tasks here, but sends them as to another process, and backwards."""

    is_local = False
    workers = 1

    def map_unordered(self, function, tasks, *, beat=1.0):
        for task in reversed(list(tasks)):
            yield None
            sent_function, sent = pickle.loads(pickle.dumps((function, task)))
            try:
                outcome = sent_function(sent)
            except Exception as error:  # noqa: BLE001  # as pools do
                outcome = pickle.loads(pickle.dumps(error))
            yield task, outcome

    def news(self):
        return []

    def check_files(self, output, images=()):
        assert output.is_dir()
        assert all(path.is_absolute() for path in images)


def rows(output):
    with (output / "counts.csv").open(newline="") as file:
        kept = list(csv.DictReader(file))
    return [
        {name: text for name, text in row.items() if name not in ("seconds", "time")}
        for row in kept
    ]


@pytest.fixture
def paths(write_images):
    paths = write_images("a.tif", "b.tif", "c.tif", "d.tif")
    paths[1].write_bytes(b"")
    return paths


def check_same(output, whole):
    assert rows(output) == rows(whole)
    for path in whole.glob("*.tif"):
        assert np.array_equal(
            tifffile.imread(path), tifffile.imread(output / path.name)
        )


def test_a_pool_gives_the_files_and_tables_of_one_process(paths, tmp_path, options):
    drain(iter_batch(paths, tmp_path / "whole", options))
    result = drain(iter_batch(paths, tmp_path / "out", options, pool=Elsewhere()))
    assert (result.n_counted, result.n_failed) == (3, 1)
    check_same(tmp_path / "out", tmp_path / "whole")
    again = drain(iter_batch(paths, tmp_path / "out", options, pool=Elsewhere()))
    assert (again.n_counted, again.n_skipped, again.n_failed) == (0, 3, 1)


def test_workers_that_cannot_use_the_model_stop_the_batch(paths, tmp_path, options):
    model = replace(options.model, precision="half")
    with pytest.raises(WeightsError, match="Half precision") as caught:
        drain(
            iter_batch(
                paths,
                tmp_path / "out",
                replace(options, model=model),
                pool=Elsewhere(),
            )
        )
    with pytest.raises(InputError) as here:
        model.load()
    assert str(caught.value) == str(here.value)

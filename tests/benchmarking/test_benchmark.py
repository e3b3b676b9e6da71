import re

import pytest

from napari_cresunet.benchmarking import (
    QUICK,
    BenchmarkOptions,
    Growth,
    iter_benchmark,
)
from napari_cresunet.errors import InputError
from napari_cresunet.steps import drain

TINY = BenchmarkOptions(
    device="cpu",
    height=64,
    width=96,
    n_cells=2,
    rounds=1,
    memory=False,
    scales=(1.0, 4.0),
    cell_counts=(1, 4),
    field=192,
)


@pytest.mark.slow
def test_every_way_is_measured_beside_the_reference():
    seen = []
    report = drain(iter_benchmark(TINY), seen.append)
    assert [step.done for step in seen] == list(range(1, len(seen) + 1))
    assert {step.total for step in seen} == {len(seen)}
    assert all(step.message for step in seen)
    prediction, segmentation, count = report.comparisons
    for comparison in report.comparisons:
        assert comparison.rows[0].times_faster == 1
        assert all(row.seconds > 0 for row in comparison.rows)
    assert prediction.rows[1].title == "predict: CPU"
    assert prediction.rows[1].difference < 1e-5
    assert [row.cells for row in segmentation.rows] == [2, 2, 2]
    assert count.rows[0].cells == count.rows[1].cells
    pixels, drawn, cells = report.growths
    assert isinstance(pixels, Growth)
    assert pixels.sizes == drawn.sizes == (64 * 96 / 1e6, 4 * 64 * 96 / 1e6)
    assert cells.sizes == (1, 4)
    assert all(len(times) == 2 for times in cells.seconds.values())
    assert report.machine["device"] == "cpu"


def test_it_may_be_closed_after_any_step():
    steps = iter_benchmark(TINY)
    next(steps)
    steps.close()


def test_a_device_that_is_not_there_is_refused():
    message = "There is no device 'cuda:77' on this computer; choose auto or"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        next(iter_benchmark(BenchmarkOptions(device="cuda:77")))


def test_the_quick_one_is_smaller():
    assert QUICK.height * QUICK.width < BenchmarkOptions().height ** 2
    assert max(QUICK.cell_counts) < max(BenchmarkOptions().cell_counts)

import json

import pytest

from napari_cresunet.benchmarking import (
    Comparison,
    Growth,
    Measured,
    Report,
    as_markdown,
    describe_machine,
    exponent,
    tables_of,
)

MACHINE = {
    "processor": "Example 9000",
    "cores": 2,
    "threads": 2,
    "memory_gb": 16.0,
    "gpus": [],
    "system": "Linux 6",
    "python": "3.12.1",
    "versions": {"torch": "2.9.0"},
}


@pytest.fixture
def report():
    plain = Measured(title="plain", seconds=2.0, times_faster=1.0, megabytes=900.4)
    ours = Measured(
        title="ours",
        seconds=0.0125,
        times_faster=160.0,
        megabytes=None,
        difference=2.34e-6,
    )
    growth = Growth(
        title="Growth",
        of="Mpx",
        sizes=(0.48, 1.92),
        seconds={"plain": (1.0, None), "ours": (0.5, 2.0)},
    )
    comparison = Comparison(title="Speed", rows=(plain, ours), remarks=("No GPU.",))
    return Report(machine=MACHINE, comparisons=(comparison,), growths=(growth,))


def test_markdown_shows_everything(report):
    assert as_markdown(report) == (
        "Example 9000, 2 cores, 16 GB, no GPU, Linux 6  \n"
        "torch 2.9.0, Python 3.12.1, 2 threads\n"
        "\n"
        "Speed:\n"
        "\n"
        "|  | time | times faster | peak memory, MB | largest difference |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| plain | 2 s | 1.00 | 900 | – |\n"
        "| ours | 12.5 ms | 160 | – | 2e-06 |\n"
        "\n"
        "No GPU.\n"
        "\n"
        "Growth:\n"
        "\n"
        "|  | 0.48 Mpx | 1.92 Mpx | exponent |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| plain | 1 s | – | – |\n"
        "| ours | 500 ms | 2 s | 1.00 |\n"
    )


def test_columns_of_nothing_are_left_out(report):
    (table, _) = tables_of(report)
    assert "cells" not in table.columns


def test_json_holds_the_exponents(report):
    told = json.loads(json.dumps(report.to_dict()))
    assert told["growths"][0]["exponents"] == {
        "plain": None,
        "ours": pytest.approx(1.0),
    }
    assert told["comparisons"][0]["rows"][1]["times_faster"] == 160.0
    assert told["machine"] == MACHINE


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.7])
def test_the_exponent_is_that_of_a_power_law(power):
    sizes = [50.0, 500.0, 5000.0]
    times = [3 * size**power for size in sizes]
    assert exponent(sizes, times) == pytest.approx(power, abs=1e-9)
    assert exponent(sizes, [*times[:2], None]) == pytest.approx(power, abs=1e-9)
    assert exponent(sizes, [times[0], None, None]) is None


def test_this_computer_is_described():
    machine = describe_machine()
    assert machine["processor"]
    assert machine["cores"] >= 1
    assert {"napari-cresunet", "torch", "numpy"} <= set(machine["versions"])
    json.dumps(machine)

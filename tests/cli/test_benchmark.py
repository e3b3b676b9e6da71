import json

import pytest

from napari_cresunet import benchmarking
from napari_cresunet.benchmarking import BenchmarkOptions

TINY = BenchmarkOptions(
    height=64,
    width=64,
    n_cells=1,
    rounds=1,
    memory=False,
    scales=(1.0,),
    cell_counts=(1,),
    field=128,
)


@pytest.fixture
def tiny(monkeypatch):
    """Make the quick benchmark one of seconds."""
    monkeypatch.setattr(benchmarking, "QUICK", TINY)


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_tables_are_printed_and_written(run, tmp_path):
    file = tmp_path / "new" / "speed.md"
    outcome = run("benchmark", "--quick", "--device", "cpu", "-o", file)
    assert outcome.status == 0
    assert outcome.err == ""
    for told in ("plain torch, whole image", "predict: CPU", "live, a new", "exponent"):
        assert told in outcome.out
        assert told in file.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_json_goes_to_programs_and_into_a_file(run, tmp_path):
    file = tmp_path / "speed.json"
    outcome = run("benchmark", "--quick", "--device", "cpu", "--json", "-o", file)
    assert outcome.status == 0
    told = json.loads(outcome.out)
    assert told == json.loads(file.read_text("utf-8"))
    assert told["comparisons"][0]["rows"][0]["times_faster"] == 1


def test_what_cannot_be_written_is_said_before_the_work(run, tmp_path):
    outcome = run("benchmark", "-o", tmp_path / "speed.txt")
    assert outcome.status == 1
    assert outcome.err == (
        "Error: The benchmark is written as .json or .md, not as speed.txt.\n"
    )
    folder = tmp_path / "speed.md"
    folder.mkdir()
    outcome = run("benchmark", "-o", folder)
    assert outcome.status == 1
    assert outcome.err == f"Error: {folder} is a folder; name a file in it.\n"


def test_an_unknown_device_is_a_wrong_argument(run):
    outcome = run("benchmark", "--device", "gpu")
    assert outcome.status == 2
    assert "'gpu' is not one of auto, cpu, cuda, cuda:1, mps; see " in outcome.err

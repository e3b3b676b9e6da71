import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import napari_cresunet

COMMAND = (sys.executable, "-c", "from napari_cresunet.cli import main; main()")


def test_version_is_that_of_the_package(run):
    outcome = run("--version")
    assert (outcome.status, outcome.out) == (0, f"{napari_cresunet.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        *[(), ("count",), ("demo",), ("models",)],
        *[("models", "list"), ("models", "info"), ("models", "import")],
    ],
)
def test_every_command_has_help(run, arguments):
    outcome = run(*arguments, "--help")
    assert outcome.status == 0
    assert "Usage: napari-cresunet" in outcome.out


@pytest.mark.parametrize("arguments", [(), ("models",)])
def test_no_command_shows_the_help_and_counts_as_wrong_arguments(run, arguments):
    outcome = run(*arguments)
    assert outcome.status == 2
    assert "Commands" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cuont",), "'count'"),
        (("count",), "Missing argument"),
        (("count", "a.png", "--threshold", "1.5"), "--threshold"),
        (("count", "a.png", "--threshold", "nan"), "threshold"),
        (("count", "a.png", "--diameter", "0"), "--diameter"),
        (("count", "a.png", "--diameter", "inf"), "diameter"),
        (("count", "a.png", "--min-size", "-1"), "--min-size"),
        (("count", "a.png", "--min-size", "big"), "--min-size"),
        (("count", "a.png", "--device", "gpu"), "'gpu' is not one of auto, cpu"),
        (("count", "a.png", "--preset", "x"), "'x' is not one of tashfeen2025"),
        (("count", "a.png", "--jsn"), "--jsn"),
    ],
)
def test_wrong_arguments_are_told_in_one_line_with_status_2(run, arguments, words):
    outcome = run(*arguments)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert words in outcome.err
    assert "--help'." in outcome.err


def test_help_costs_half_a_second_of_processor_time_and_nothing_heavy():
    code = (
        "import sys, time\n"
        "from napari_cresunet.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'scipy', 'skimage', 'numba', 'h5py', 'napari', 'qtpy'}\n"
        "print(time.process_time(), *sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    # The least of several: other programs can only make it slower.
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        seconds, *heavy = done.stderr.split()
        assert heavy == []
        times.append(float(seconds))
    assert min(times) < 0.5


def test_a_reader_that_leaves_early_gets_no_traceback(model):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*COMMAND, "models", "list", "--json"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_ctrl_c_keeps_what_was_counted_and_says_so(model, image, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:04}.png").write_bytes(image.read_bytes())
    output = tmp_path / "out"
    process = subprocess.Popen(
        [*COMMAND, "count", folder, "--model", model, "-o", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for(output / "0001_labels.tif")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=180)
    assert (process.returncode, out, err) == (130, "", "Error: Interrupted.\n")
    rows = (output / "counts.csv").read_text().splitlines()
    assert 2 <= len(rows) < 300


def _wait_for(path: Path) -> None:
    give_up = time.monotonic() + 180
    while not path.exists():
        assert time.monotonic() < give_up
        time.sleep(0.05)

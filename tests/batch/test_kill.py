"""A batch that is killed again and again loses nothing that was done."""

import csv
import os
import signal
import subprocess
import sys
from random import Random

import numpy as np
import pytest
import tifffile

# Forks a run for each line that it is sent: torch is imported only once.
SERVER = """
import os, sys
import torch
import numpy as np
import PIL.Image, tifffile
import napari_cresunet.inference, napari_cresunet.export, napari_cresunet.measurement
from napari_cresunet.segmentation import segment
from pathlib import Path
from napari_cresunet.batch import BatchOptions, ModelSpec, find_images, iter_batch
torch.set_num_threads(1)
# What else takes long to load is loaded here, too.
segment(np.pad(np.ones((9, 9), np.float32), 9))
ModelSpec().card()
model, images = sys.argv[1:]
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        options = BatchOptions(model=ModelSpec(Path(model), "cpu", "torch"))
        for step in iter_batch(find_images([images]), line.strip(), options):
            print("step", flush=True)
        os._exit(0)
    print("child", child, flush=True)
    os.waitpid(child, 0)
    print("end", flush=True)
"""


@pytest.fixture
def server(stored_model, write_images):
    """Return the process that runs batches, and an image folder for it."""
    paths = write_images(*(f"{number}.tif" for number in range(6)))
    paths[3].write_bytes(b"")
    arguments = [sys.executable, "-c", SERVER, str(stored_model), str(paths[0].parent)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()
        process.wait()


def run(server, output, n_steps=None):
    """Run a batch, and kill it after so many steps; tell whether it ended by itself."""
    server.stdin.write(f"{output}\n")
    server.stdin.flush()
    child = int(server.stdout.readline().split()[1])
    for number, line in enumerate(server.stdout, start=1):
        if line == "end\n":
            return True
        if number == n_steps:
            os.kill(child, signal.SIGKILL)
            break
    while server.stdout.readline() != "end\n":
        pass
    return False


def records(output):
    folder = output / ".batch" / "records"
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.json")}


def rows(output):
    """Return counts.csv without what differs from run to run."""
    with (output / "counts.csv").open(newline="") as file:
        kept = list(csv.DictReader(file))
    return [
        {name: text for name, text in row.items() if name not in ("seconds", "time")}
        for row in kept
    ]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_what_is_done_when_a_run_is_killed_stays_done(server, tmp_path):
    whole, output = tmp_path / "whole", tmp_path / "killed"
    assert run(server, whole)
    random = Random(5)
    for _ in range(4):
        before = records(output)
        run(server, output, n_steps=random.randint(1, 11))
        after = records(output)
        # That of the empty image is written by every run.
        stays = before.keys() - {"3.json"}
        assert {name: after[name] for name in stays} == {
            name: before[name] for name in stays
        }
    assert run(server, output)
    assert rows(output) == rows(whole)
    assert [row["name"] for row in rows(output)] == [str(n) for n in range(6)]
    for path in whole.glob("*.tif"):
        assert np.array_equal(
            tifffile.imread(path), tifffile.imread(output / path.name)
        )
    left = {path.name for path in output.iterdir() if not path.name.endswith(".tmp")}
    assert left == {path.name for path in whole.iterdir()}

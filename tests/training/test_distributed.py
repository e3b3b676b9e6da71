"""Two processes, started by torchrun, train one network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_cresunet.training._distributed import joined_processes
from napari_cresunet.weights import load_network

SCRIPT = """
import sys
from napari_cresunet.datasets import Pair
from napari_cresunet.steps import drain
from napari_cresunet.training import iter_train
from napari_cresunet.weights import save_weights
from tests.training.squares import quick, squares
import os
config = quick(epochs=2, samples=16, noise=0.05)
steps = iter_train(
    config, [squares(0), squares(1)], [squares(2)], folder=sys.argv[1], device="cpu"
)
model = drain(steps)
rank = os.environ["RANK"]
save_weights(f"{sys.argv[1]}/rank{rank}.safetensors", model.network, model.card)
"""


def test_without_torchrun_there_is_one_process():
    with joined_processes("cpu") as processes:
        assert (processes.rank, processes.count, processes.device) == (0, 1, "cpu")
        assert processes.shared([0.25, 3.0]) == [0.25, 3.0]


@pytest.mark.slow
def test_two_processes_end_with_the_same_network(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*command, "--nproc-per-node", "2", str(script), str(tmp_path / "run")],
        env=environment,
        check=True,
        timeout=300,
        capture_output=True,
    )
    states = [
        load_network(tmp_path / "run" / f"rank{rank}.safetensors")[1].state_dict()
        for rank in (0, 1)
    ]
    learned = [name for name in states[0] if name.endswith(("weight", "bias"))]
    for name in learned:
        assert torch.equal(states[0][name], states[1][name]), name
    assert (tmp_path / "run" / "log.csv").read_text().count("\n") == 3

"""A model as plain data, here and in another process."""

import os
import pickle
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_cresunet.batch import ModelSpec
from napari_cresunet.batch._cluster_worker import gpu_for_worker, visible_gpus
from napari_cresunet.errors import WeightsError
from napari_cresunet.inference import load_model, predict
from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import DEFAULT_MODEL, ModelCard, save_weights

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def save(path: Path, seed: int = 0, name: str = "own") -> Path:
    """Write the weights of an untrained network."""
    torch.manual_seed(seed)
    card = ModelCard(
        name=name,
        title="Own",
        variant="simple-c-resunet",
        scaling="unit",
        diameter=36.5,
        threshold=0.5,
        min_size=40,
        min_distance=10,
    )
    save_weights(path, VARIANTS["simple-c-resunet"].build().eval(), card)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save(tmp_path_factory.mktemp("weights") / "own.safetensors")


def cpu(path, **options):
    return ModelSpec(path, "cpu", "torch", **options)


def test_a_spec_says_the_default_and_loads_no_torch():
    program = (
        "import sys; from napari_cresunet.batch import ModelSpec; spec = ModelSpec();"
        "print(spec.card().name, spec.device, 'torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [DEFAULT_MODEL, "auto", "False"]


def test_files_are_kept_by_their_absolute_paths_and_names_as_they_are(
    weights, monkeypatch
):
    monkeypatch.chdir(weights.parent)
    absolute = str(weights.absolute())
    assert ModelSpec(Path("own.safetensors")).name_or_path == absolute
    assert ModelSpec("own.safetensors").name_or_path == absolute
    assert ModelSpec("./own.safetensors").name_or_path == absolute
    assert ModelSpec("own").name_or_path == "own"
    assert ModelSpec(Path("own.safetensors")) == ModelSpec(absolute)


def test_a_model_is_loaded_once_whatever_asks_for_it(weights):
    other_name = save(weights.parent / "same.safetensors")
    model = cpu(weights).load()
    assert cpu(weights).load() is model
    assert cpu(other_name).load() is model


def test_threads_that_ask_at_once_get_one_model(weights):
    ModelSpec(device="cpu", backend="torch").load()
    models = []
    threads = [
        threading.Thread(target=lambda: models.append(cpu(weights).load()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 4
    assert len({id(model) for model in models}) == 1


def test_a_file_that_has_changed_is_loaded_anew(tmp_path):
    path = save(tmp_path / "changing.safetensors")
    spec = cpu(path)
    before = spec.load()
    save(path, seed=1)
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 1_000_000_000))
    after = spec.load()
    assert after.card.weights_hash != before.card.weights_hash
    assert after.card == spec.card()


def test_a_loaded_model_predicts_as_load_model_does(weights):
    expected = predict(IMAGE, load_model(weights, "cpu", backend="torch"))
    np.testing.assert_array_equal(predict(IMAGE, cpu(weights).load()), expected)


def test_a_pickled_spec_brings_its_weights_along(tmp_path):
    path = save(tmp_path / "travels.safetensors", seed=3)
    spec = cpu(path)
    card = spec.card()
    expected = predict(IMAGE, spec.load())
    sent = pickle.dumps(spec)
    path.unlink()
    ModelSpec(device="cpu", backend="torch").load()  # the process forgets the other
    arrived = pickle.loads(sent)
    assert arrived == spec
    assert arrived.card() == card
    np.testing.assert_array_equal(predict(IMAGE, arrived.load()), expected)
    assert arrived.load().card == card


def test_a_spec_may_be_pickled_on(tmp_path):
    path = save(tmp_path / "travels.safetensors", seed=4)
    sent = pickle.dumps(cpu(path))
    path.unlink()
    again = pickle.loads(pickle.dumps(pickle.loads(sent)))
    assert again.load().card.name == "own"


def test_what_comes_with_the_package_stays_at_home():
    assert len(pickle.dumps(ModelSpec())) < 20_000


def test_a_spec_of_a_file_that_is_gone_cannot_be_sent(tmp_path):
    path = tmp_path / "gone.safetensors"
    with pytest.raises(WeightsError) as local:
        ModelSpec(path).load()
    with pytest.raises(WeightsError, match=f"^{re.escape(str(local.value))}$"):
        pickle.dumps(ModelSpec(path))


def test_a_bundled_model_with_other_weights_is_refused():
    arrived = pickle.loads(pickle.dumps(ModelSpec(device="cpu", backend="torch")))
    luggage = arrived._luggage
    card = replace(luggage.card, weights_hash="of another release")
    object.__setattr__(arrived, "_luggage", replace(luggage, card=card))
    message = (
        f"The model {DEFAULT_MODEL} of this worker has other weights: install the same "
        "napari-cresunet on all computers."
    )
    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        arrived.load()


class Watched:
    """A runner that notes how many threads are in it."""

    def __init__(self, runner):
        self.runner = runner
        self.inside = 0
        self.most_inside = 0
        self.runs = 0

    def __getattr__(self, name):
        return getattr(self.runner, name)

    def run(self, batch):
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            return self.runner.run(batch)
        finally:
            self.runs += 1
            self.inside -= 1


def test_threads_that_share_a_model_run_it_one_at_a_time(weights):
    model = cpu(weights).load()
    watched = Watched(model.runner._runner)
    shared = replace(model, runner=type(model.runner)(watched))
    threads = [threading.Thread(target=predict, args=(IMAGE, shared)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (watched.runs, watched.most_inside) == (4, 1)


@pytest.mark.gpu
def test_on_a_gpu_batches_of_all_threads_queue(weights):
    import torch

    from napari_cresunet.inference._cuda import CudaRunner

    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    model = ModelSpec(weights, "cuda").load()
    assert isinstance(model.runner, CudaRunner)


def seats():
    """Claims as several workers of one computer see them."""
    taken = set()

    def claim(name, seat):
        is_free = (name, seat) not in taken
        taken.add((name, seat))
        return is_free

    return claim


def test_workers_that_see_the_same_gpus_take_one_each():
    claim = seats()
    assert [gpu_for_worker(["0", "1", "2"], claim) for _ in range(3)] == [0, 1, 2]


def test_workers_that_see_gpus_in_turned_order_take_their_first():
    claim = seats()
    orders = (["0", "1", "2"], ["1", "2", "0"], ["2", "0", "1"])
    assert [gpu_for_worker(order, claim) for order in orders] == [0, 0, 0]


def test_more_workers_than_gpus_share_them_evenly():
    claim = seats()
    chosen = [gpu_for_worker(["7", "3"], claim) for _ in range(6)]
    assert chosen == [0, 1, 0, 1, 0, 1]


def test_a_worker_whose_seats_are_all_taken_uses_the_first_gpu():
    assert gpu_for_worker(["0", "1"], lambda name, seat: False) == 0


@pytest.mark.parametrize(
    ("variable", "n", "names"),
    [
        (None, 2, ["0", "1"]),
        ("", 1, ["0"]),
        ("3,1", 2, ["3", "1"]),
        (" GPU-a , GPU-b ", 2, ["GPU-a", "GPU-b"]),
        ("0,1,9", 2, ["0", "1"]),  # CUDA stops at the first that is not there
    ],
)
def test_gpus_have_the_names_that_the_system_gives(variable, n, names):
    assert visible_gpus(variable, n) == names


CLAIMING = """
import sys, tempfile
from napari_cresunet.batch import _cluster_worker as worker
tempfile.tempdir = sys.argv[1]
print(worker.gpu_for_worker(["0", "1"], worker._claim), flush=True)
sys.stdin.read()
"""


def test_processes_claim_gpus_and_free_them_when_they_end(tmp_path):
    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIMING, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return process, int(process.stdout.readline())

    first, gpu_of_first = start()
    second, gpu_of_second = start()
    assert (gpu_of_first, gpu_of_second) == (0, 1)
    first.kill()
    first.communicate()
    third, gpu_of_third = start()
    assert gpu_of_third == 0
    for process in (second, third):
        process.communicate()

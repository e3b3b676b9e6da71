import os
import re
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.inference.conftest import settled
from torch import nn

from napari_cresunet.errors import InputError
from napari_cresunet.inference import load_model, predict
from napari_cresunet.inference._model_cache import cache_folder
from napari_cresunet.inference._openvino import (
    CannotConvertError,
    openvino_runner,
    read_network,
)
from napari_cresunet.inference._prediction import iter_predict
from napari_cresunet.models import VARIANTS
from napari_cresunet.steps import drain
from napari_cresunet.weights import list_models, save_weights

pytest.importorskip("openvino")

# Exporting the transformer takes long.
VARIANT_PARAMETERS = [
    pytest.param(name, marks=[pytest.mark.slow] if "transformer" in name else [])
    for name in VARIANTS
]
BUNDLED = [card.name for card in list_models() if card.source == "bundled"]


def noise(height, width, channels=3, seed=0):
    shape = (channels, height, width)
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def torch_gives(network, channels):
    with torch.no_grad():
        batch = torch.from_numpy(channels).expand(3, -1, -1)[np.newaxis]
        return network(batch.contiguous())[0, 0].numpy()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_CRESUNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def card(model):
    return replace(model.card, weights_hash="a1" * 32)


@pytest.mark.parametrize("name", VARIANT_PARAMETERS)
def test_every_variant_gives_the_probability_of_torch_at_any_size(name, model):
    network = settled(replace(VARIANTS[name], features=2))
    runner = openvino_runner(model.card, network)
    for height, width, channels in ((96, 64, 3), (128, 144, 1)):
        height, width = (side // 16 * network.stride for side in (height, width))
        image = noise(height, width, channels)
        np.testing.assert_allclose(
            runner.run([image])[0], torch_gives(network, image), rtol=0, atol=1e-4
        )


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_model_gives_the_probability_of_torch(name):
    image = np.random.default_rng(1).integers(0, 256, (120, 136, 3), dtype=np.uint8)
    quick = load_model(name, "cpu", backend="openvino")
    plain = load_model(name, "cpu", backend="torch")
    assert (quick.backend, quick.title, quick.notes) == (
        "openvino",
        "CPU, OpenVINO",
        (),
    )
    np.testing.assert_allclose(
        predict(image, quick), predict(image, plain), rtol=0, atol=1e-4
    )


def test_the_same_input_gives_the_same_bits_whatever_else_runs(card, c_resunet):
    torch.set_num_threads(4)
    runner = openvino_runner(card, c_resunet)
    tile, other = noise(192, 256), noise(264, 200, seed=1)
    (expected,) = runner.run([tile])
    runner.run([other])
    runner.release()
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(runner.run([tile, other, tile])))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 9
    for index in (0, 2, 3, 5, 6, 8):
        np.testing.assert_array_equal(found[index], expected)
    again = openvino_runner(card, c_resunet)
    np.testing.assert_array_equal(again.run([tile])[0], expected)


def test_memory_can_be_released_between_images(image):
    for backend in ("openvino", "torch"):
        quick = load_model(device="cpu", backend=backend)
        expected = predict(image, quick)
        quick.release()
        np.testing.assert_array_equal(predict(image, quick), expected)


def test_tiles_give_the_numbers_of_the_whole(tmp_path, model, c_resunet):
    path = tmp_path / "a.safetensors"
    save_weights(path, c_resunet, model.card)
    quick = load_model(path, "cpu", backend="openvino")
    image = np.random.default_rng(0).integers(0, 256, (300, 280), dtype=np.uint8)
    np.testing.assert_allclose(
        predict(image, quick, tile=128), predict(image, quick), rtol=0, atol=1e-5
    )


def test_a_network_is_exported_once(own_cache, card, c_resunet):
    openvino_runner(card, c_resunet)
    (path,) = own_cache.iterdir()
    assert path.name.startswith(f"{card.weights_hash}-onnx-")
    before = path.stat().st_mtime_ns
    # The file alone decides, so another network in its place shows that it is read.
    other = settled(VARIANTS["attention-relu"])
    with pytest.raises(CannotConvertError, match=r"^probabilities would differ by "):
        openvino_runner(card, other)
    assert path.stat().st_mtime_ns == before


def test_another_version_replaces_what_was_kept(own_cache, card, small_network):
    own_cache.mkdir()
    old = own_cache / f"{card.weights_hash}-onnx-9-1.0-0.0.zip"
    stranger = own_cache / f"{'b2' * 32}-onnx-9-1.0-0.0.zip"
    for path in (old, stranger):
        path.write_bytes(b"old")
    openvino_runner(card, small_network)
    assert not old.exists()
    assert stranger.exists()


@pytest.mark.parametrize("where", [60, -40, None])
def test_a_damaged_file_is_made_anew(own_cache, card, small_network, where):
    image = noise(64, 72)
    (expected,) = openvino_runner(card, small_network).run([image])
    (path,) = own_cache.iterdir()
    whole = path.read_bytes()
    content = bytearray(whole)
    if where is None:
        del content[len(content) // 2 :]
    else:
        content[where] ^= 0xFF
    path.write_bytes(content)
    found = openvino_runner(card, small_network).run([image])[0]
    np.testing.assert_array_equal(found, expected)
    assert len(path.read_bytes()) == len(whole)
    (again,) = openvino_runner(card, small_network).run([image])
    np.testing.assert_array_equal(again, expected)


def test_a_folder_that_cannot_be_written_to_only_costs_time(
    tmp_path, monkeypatch, card, small_network
):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NAPARI_CRESUNET_CACHE", str(tmp_path / "file"))
    image = noise(64, 72)
    np.testing.assert_allclose(
        openvino_runner(card, small_network).run([image])[0],
        torch_gives(small_network, image),
        rtol=0,
        atol=1e-4,
    )


def test_networks_without_a_hash_are_not_kept(own_cache, model, small_network):
    openvino_runner(model.card, small_network)
    assert not own_cache.exists()


def test_networks_are_kept_in_the_users_cache_folder(monkeypatch):
    monkeypatch.delenv("NAPARI_CRESUNET_CACHE")
    assert cache_folder().parts[-2:] == ("napari-cresunet", "networks")


class Fixed(nn.Module):
    """Knows the size that it was exported with by heart."""

    stride, receptive_radius = 8, 8

    def forward(self, x):
        return torch.sigmoid(x.mean(1, keepdim=True) * int(x.shape[3]))


class Exotic(nn.Module):
    """Has an operation that ONNX lacks."""

    stride, receptive_radius = 8, 8

    def forward(self, x):
        return torch.linalg.svdvals(x)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Fixed(), "probabilities would differ by 0"),
        (Exotic(), "Exporting the operator 'aten::linalg_svd"),
    ],
)
def test_a_network_that_openvino_cannot_take_is_refused(model, network, reason):
    with pytest.raises(CannotConvertError, match=f"^{re.escape(reason)}"):
        openvino_runner(model.card, network.eval())


def test_torch_takes_over_where_openvino_cannot_and_the_record_says_so(
    tmp_path, monkeypatch, model, c_resunet
):
    path = tmp_path / "a.safetensors"
    save_weights(path, c_resunet, model.card)
    monkeypatch.setattr("napari_cresunet.inference._openvino.TOLERANCE", -1.0)
    loaded = load_model(path, "cpu")
    assert (loaded.backend, loaded.title) == ("torch", "CPU")
    record = drain(iter_predict(np.zeros((16, 16), np.uint8), loaded)).record
    (message,) = record["messages"]
    assert re.fullmatch(
        r"OpenVINO could not take this network \(probabilities would differ by \S+\), "
        r"so PyTorch runs it, which takes longer\.",
        message,
    )
    assert (record["backend"], record["precision"]) == ("torch", "full")


@pytest.mark.parametrize("missing", ["openvino", "onnx"])
def test_without_openvino_torch_is_used_unless_it_is_asked_for(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    model = load_model(device="cpu")
    assert (model.backend, model.notes) == ("torch", ())
    message = (
        "OpenVINO is not installed: choose another backend and precision, or install "
        'it with: pip install "napari-cresunet[fast]"'
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_model(device="cpu", backend="openvino")
    with pytest.raises(InputError, match=r'pip install "napari-cresunet\[int8\]"$'):
        load_model(device="cpu", precision="int8")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            {"backend": "tensorflow"},
            "Unknown backend 'tensorflow'; choose auto or torch or openvino.",
        ),
        (
            {"precision": "double"},
            "Unknown precision 'double'; choose auto or full or half or int8.",
        ),
        (
            {"backend": "torch", "precision": "int8"},
            "8 bits need OpenVINO: choose the backend openvino.",
        ),
        (
            {"backend": "openvino", "precision": "half"},
            "OpenVINO has no half precision here: choose the precision full or int8.",
        ),
        (
            {"precision": "half"},
            "Half precision needs a GPU with CUDA: choose the precision full.",
        ),
    ],
)
def test_choices_that_do_not_go_together_are_refused(choices, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_model(device="cpu", **choices)


@pytest.mark.slow
def test_neither_openvino_nor_nncf_reports_its_use(tmp_path):
    pytest.importorskip("nncf")
    code = (
        "import sys\n"
        "from napari_cresunet.inference import load_model\n"
        "load_model(device='cpu', backend='openvino')\n"
        "from napari_cresunet.inference._openvino import without_telemetry\n"
        "with without_telemetry():\n    import nncf\n"
        "print([name for name in sys.modules if name == 'openvino_telemetry'])\n"
        "import openvino_telemetry\n"
    )
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | home,
    )
    assert shown.stdout.strip().endswith("[]")
    assert not (tmp_path / "intel").exists()


def test_a_model_that_is_read_from_the_cache_takes_any_size(card, c_resunet):
    first = read_network(card, c_resunet)
    second = read_network(card, c_resunet)
    for model in (first, second):
        assert str(model.input(0).partial_shape) == "[?,3,?,?]"

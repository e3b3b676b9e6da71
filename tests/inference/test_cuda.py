"""What runs on a GPU; on the CPU the same is done without streams."""

import numpy as np
import pytest
import torch

from napari_cresunet.inference import (
    Model,
    Scaling,
    apply_scaling,
    iter_predict,
    load_model,
    predict,
    select_channels,
)
from napari_cresunet.inference._cuda import CudaRunner
from napari_cresunet.inference._cuda_network import prepared
from napari_cresunet.inference._pieces import (
    Piece,
    Preparation,
    scaled_there,
    to_send,
)
from napari_cresunet.models import VARIANTS
from napari_cresunet.steps import drain

GPU = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
    ],
)
DEVICES = ["cpu", GPU]


def on(device, model, precision="full", network=None):
    network = (network or model.network).to(device)
    runner = CudaRunner(network, device, precision)
    return Model(model.card, network, device, "torch", precision, runner)


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("channels", ["rgb", "brightest"])
@pytest.mark.parametrize(
    "scaling",
    [
        Scaling(low=0.0, span=255.0),
        Scaling(low=3.3, span=97.7),
        Scaling(low=7.0, span=0.0),
    ],
    ids=["unit", "stretched", "even"],
)
@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "f2", "f4", ">u2", "f8", "i4", "u4"]
)
def test_pixels_are_scaled_there_to_the_very_numbers_of_here(
    device, dtype, scaling, channels
):
    rng = np.random.default_rng(0)
    high = min(70_000, np.iinfo(dtype).max) if dtype[-2] in "iu" else 300
    pixels = (rng.random((3, 40, 50)) * high).astype(dtype)
    if pixels.dtype.kind == "f":
        pixels[0, 0, :3] = np.nan, np.inf, -np.inf
    preparation = Preparation(scaling, channels)
    sent = to_send(Piece(pixels, None, None), preparation)
    there = torch.from_numpy(sent.copy()).to(device)
    found = scaled_there(there, pixels.dtype, preparation).cpu().numpy()
    expected = select_channels(apply_scaling(pixels, scaling), channels)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("diameter", [None, 22.0, 80.0])
@pytest.mark.parametrize("tile", [None, 64])
def test_the_numbers_are_those_of_the_cpu(model, picture, device, diameter, tile):
    expected = predict(picture, model, diameter=diameter)
    found = predict(picture, on(device, model), diameter=diameter, tile=tile)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_planes_share_batches(model, picture, device):
    stack = np.stack([np.roll(picture, 7 * n, axis=0) for n in range(20)])
    stack = stack[:, :120, :136, 0]
    seen = []
    steps = iter_predict(stack, on(device, model), tile=96)
    found = drain(steps, seen.append).probability
    expected = predict(stack, model)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert [step.done for step in seen] == list(range(1, 81))
    assert {step.total for step in seen} == {80}


@pytest.mark.parametrize("device", DEVICES)
def test_work_may_end_after_any_step(model, picture, device):
    there = on(device, model)
    stack = np.stack([picture] * 6)
    for n in (1, 4):
        steps = iter_predict(stack, there, tile=64)
        for _ in range(n):
            next(steps)
        steps.close()
    found = predict(picture, there)
    np.testing.assert_allclose(found, predict(picture, model), rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("variant", ["simple-c-resunet", "attention-elu", "unet"])
def test_folded_batch_norms_change_nothing(make_settled, device, variant):
    network = make_settled(VARIANTS[variant])
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(std=0.1)
    batch = torch.rand(1, 3, 64, 48)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
        expected = network(batch)
        found = prepared(network.to(device), "full")(batch.to(device)).cpu()
    assert expected.std() > 1e-3
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    for name, value in network.cpu().state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


@pytest.mark.parametrize("device", DEVICES)
def test_half_precision_changes_the_probability_a_little(picture, device):
    model = load_model(device="cpu", backend="torch")
    expected = predict(picture, model)
    steps = iter_predict(picture, on(device, model, "half"))
    prediction = drain(steps)
    assert prediction.probability.dtype == np.float32
    difference = abs(prediction.probability - expected)
    assert 0 < difference.max() < 0.05
    assert prediction.record["precision"] == "half"


class Huge(torch.nn.Module):
    """Its activations go beyond what float16 can hold."""

    stride = 8
    receptive_radius = 0

    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Conv2d(3, 1, 1)
        torch.nn.init.constant_(self.weights.weight, 4e4)

    def forward(self, x):
        return self.weights(x) / 2e5


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("diameter", [None, 20.0])
def test_what_overflows_half_precision_is_computed_in_full(
    make_model, picture, caplog, device, diameter
):
    model = make_model(Huge().eval())
    expected = predict(picture, model, diameter=diameter)
    assert expected.max() > 0.4
    found = predict(picture, on(device, model, "half"), diameter=diameter)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert caplog.messages == ["Half precision overflowed: went on in full precision."]


@pytest.mark.parametrize("device", DEVICES)
def test_prepared_inputs_can_be_run_too(model, device):
    batch = [np.random.default_rng(n).random((1, 32, 40), np.float32) for n in (0, 1)]
    found = on(device, model).runner.run(batch)
    expected = [model.runner.run([one])[0] for one in batch]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
class TestOnTheGpu:
    def test_the_default_model_gives_the_numbers_of_the_cpu(self, picture):
        expected = predict(picture, load_model(device="cpu", backend="torch"))
        found = predict(picture, load_model(device="cuda", precision="full"))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)

    def test_recorded_kernels_give_each_image_its_own_result(self, picture):
        model = load_model(device="cuda", precision="full")
        images = [np.roll(picture, 11 * n, axis=1) for n in range(8)]
        plain = load_model(device="cpu", backend="torch")
        for image in images:
            found = predict(image, model)
            np.testing.assert_allclose(found, predict(image, plain), rtol=0, atol=1e-4)
        assert model.runner._graphs

    def test_threads_may_share_a_runner(self, picture):
        from concurrent.futures import ThreadPoolExecutor

        model = load_model(device="cuda", precision="full")
        images = [np.roll(picture, 11 * n, axis=1) for n in range(24)]
        expected = [predict(image, model) for image in images]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda image: predict(image, model), images))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)

    def test_a_real_lack_of_memory_halves_the_batch_and_the_tiles(self, picture):
        model = load_model(device="cuda", precision="full")
        large = np.tile(picture, (15, 10, 1))
        expected = predict(large, model, tile=512)
        torch.cuda.empty_cache()
        _, total = torch.cuda.mem_get_info()
        torch.cuda.set_per_process_memory_fraction(1.5e9 / total)
        try:
            prediction = drain(iter_predict(large, model, tile=3000))
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        assert prediction.record["messages"][0].startswith(
            "Not enough memory on cuda for tiles of 3000 px; went on with "
        )
        np.testing.assert_allclose(prediction.probability, expected, rtol=0, atol=1e-4)

    def test_a_stack_in_half_precision_is_what_its_planes_are(self, picture):
        model = load_model(device="cuda", precision="half")
        stack = np.stack([np.roll(picture, 5 * n, axis=0) for n in range(18)])
        found = predict(stack, model)
        for plane, image in zip(found, stack, strict=True):
            np.testing.assert_allclose(plane, predict(image, model), atol=0.02, rtol=0)

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from napari_cresunet.errors import EngineError
from napari_cresunet.inference import Model, iter_predict, predict
from napari_cresunet.inference._cuda import CudaRunner
from napari_cresunet.inference._places import (
    Place,
    automatic_tile,
    is_out_of_memory,
    side_for_room,
    tiles_at_once,
)
from napari_cresunet.steps import drain


class LittleMemory(nn.Module):
    """A network on a device that holds so many pixels, until it is moved."""

    def __init__(self, network, pixels, error=torch.cuda.OutOfMemoryError):
        super().__init__()
        self.network = network
        self.pixels = pixels
        self.error = error
        self.stride = network.stride
        self.receptive_radius = network.receptive_radius

    def to(self, device):
        self.pixels = float("inf")
        return super().to(device)

    def forward(self, x):
        if x.shape[-1] * x.shape[-2] > self.pixels:
            raise self.error("DefaultCPUAllocator: can't allocate memory: 9 bytes.")
        return self.network(x)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (300, 500), dtype=np.uint8)


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, RuntimeError])
def test_tiles_are_halved_until_they_fit(model, make_model, picture, error):
    little = make_model(LittleMemory(model.network, 200 * 200, error))
    seen = []
    prediction = drain(iter_predict(picture, little), seen.append)
    np.testing.assert_allclose(
        prediction.probability, predict(picture, model), rtol=0, atol=1e-5
    )
    messages = [
        "Not enough memory on cpu for tiles of 504 px; went on with 248 px.",
        "Not enough memory on cpu for tiles of 248 px; went on with 128 px.",
    ]
    assert prediction.record["messages"] == messages
    assert prediction.record["tile"] == 128
    assert seen[0].message == " ".join(messages)
    assert [step.done for step in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].done == seen[-1].total
    assert {step.message for step in seen[1:]} == {""}


def test_where_no_tile_fits_the_cpu_takes_over(model, make_model, picture):
    card = model.card
    little = Model(card, LittleMemory(model.network, 1000).eval(), "mps")
    seen = []
    steps = iter_predict(np.stack([picture, picture]), little, tile=128)
    prediction = drain(steps, seen.append)
    expected = predict(picture, model)
    for plane in prediction.probability:
        np.testing.assert_allclose(plane, expected, rtol=0, atol=1e-5)
    message = "Not enough memory on mps even for tiles of 128 px; went on with the CPU."
    assert prediction.record["messages"] == [message]
    assert prediction.record["device"] == "cpu"
    assert seen[-1].done == seen[-1].total
    assert little.network.pixels == 1000  # the user's model stays where it was


class LittleRoom(LittleMemory):
    """Holds so many pixels of all images of a batch."""

    calls = 0
    fails_at = 0

    def to(self, *where, **how):
        return torch.nn.Module.to(self, *where, **how)

    def forward(self, x):
        LittleRoom.calls += 1
        if x.numel() > 3 * self.pixels or LittleRoom.calls == self.fails_at:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return self.network(x)


@pytest.fixture
def stack(picture):
    return np.stack([np.roll(picture[:40, :56], 3 * n, axis=1) for n in range(20)])


def queued(model, network):
    """Return the model as a GPU would run it, batch by batch."""
    runner = CudaRunner(network.eval(), "cpu")
    return Model(model.card, network, "cpu", runner=runner)


def test_batches_are_halved_until_they_fit(model, stack):
    LittleRoom.calls = 0
    little = queued(model, LittleRoom(model.network, 5 * 40 * 56))
    seen = []
    prediction = drain(iter_predict(stack, little), seen.append)
    np.testing.assert_allclose(
        prediction.probability, predict(stack, model), rtol=0, atol=1e-5
    )
    assert prediction.record["messages"] == [
        "Not enough memory on cpu for 16 tiles of 56 px at once; went on with 8.",
        "Not enough memory on cpu for 8 tiles of 56 px at once; went on with 4.",
    ]
    assert prediction.record["tile"] is None
    assert LittleRoom.calls == 2 + 5
    assert [step.done for step in seen] == list(range(1, 21))
    assert {step.total for step in seen} == {20}


def test_what_is_on_its_way_lands_before_less_is_tried(model, stack):
    LittleRoom.calls = 0
    network = LittleRoom(model.network, float("inf"))
    network.fails_at = 2
    prediction = drain(iter_predict(stack, queued(model, network)))
    np.testing.assert_allclose(
        prediction.probability, predict(stack, model), rtol=0, atol=1e-5
    )
    assert prediction.record["messages"] == []
    assert LittleRoom.calls == 3


def test_a_batch_is_bounded_by_its_pixels(model):
    place = Place(CudaRunner(model.network, "cpu"), 512, 1.0)
    assert tiles_at_once(place, (64, 64)) == 16
    assert tiles_at_once(place, (1200, 1600)) == 4
    assert tiles_at_once(place, (4096, 4096)) == 1
    assert tiles_at_once(replace(place, batch=100_000), (200, 250)) == 2
    assert tiles_at_once(replace(place, most=3), (64, 64)) == 3
    assert tiles_at_once(Place(model.runner, 512, 1.0), (64, 64)) == 1


def test_where_nothing_fits_it_is_one_sentence(model, make_model, picture):
    little = make_model(LittleMemory(model.network, 1000))
    message = (
        "There is not enough memory even for tiles of 128 px: close other programs "
        "and try again."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        predict(picture, little)


def test_other_errors_of_torch_are_not_taken_for_a_lack_of_memory(model, picture):
    class Broken(LittleMemory):
        def forward(self, x):
            raise RuntimeError("shapes do not match")

    broken = Model(model.card, Broken(model.network, 1), "cpu")
    with pytest.raises(RuntimeError, match=r"^shapes do not match$"):
        predict(picture, broken)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried"),
        torch.cuda.OutOfMemoryError(),
    ],
)
def test_every_lack_of_memory_is_known(error):
    assert is_out_of_memory(error)


def test_a_real_lack_of_memory_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    ("extent", "zoom", "tile"),
    [
        ((1, 1), 1.0, 8),
        ((1000, 1500), 1.0, 1504),
        ((1200, 1600), 1.0, 1200),
        ((1200, 1600), 0.5, 1600),
        ((20_000, 20_000), 1.0, 1200),
        ((20_000, 20_000), 0.0625, 4096),
        ((500, 500), 16.0, 72),
        ((4, 20_000), 1.0, 1200),
    ],
)
def test_the_automatic_tile_is_the_whole_or_bounded(extent, zoom, tile):
    assert automatic_tile(extent, zoom) == tile


@pytest.mark.parametrize(
    ("megapixels", "side"), [(0, 128), (1, 776), (5.3, 2072), (50, 4096)]
)
def test_more_memory_makes_larger_tiles(megapixels, side):
    room = round(1e6 * megapixels)
    assert side_for_room(room) == side
    assert automatic_tile((9000, 9000), 1.0, room) == side
    assert automatic_tile((100, 90), 1.0, room) == 104

import json
import re
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

import numpy as np
import pytest
import torch

from napari_cresunet.errors import InputError
from napari_cresunet.inference import iter_predict, predict
from napari_cresunet.models import VARIANTS
from napari_cresunet.steps import drain


@pytest.mark.parametrize("diameter", [None, 22.0, 80.0])
@pytest.mark.parametrize("tile", [32, 40, 64, 96, 128])
def test_tiles_give_the_whole(model, image, diameter, tile):
    whole = predict(image, model, diameter=diameter, tile=1024)
    assert whole.shape == (101, 133)
    assert whole.std() > 0.005
    tiled = predict(image, model, diameter=diameter, tile=tile)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "variant",
    ["simple-c-resunet", "attention-elu", "c-resunet-transformer", "resunet", "unet"],
)
@pytest.mark.parametrize("diameter", [None, 30.0])
def test_tiles_of_the_real_networks_give_the_whole(make_real_model, variant, diameter):
    # U-Net's many features would take long; they make no difference to the geometry.
    row = VARIANTS[variant]
    model = make_real_model(replace(row, features=min(row.features, 16)))
    image = np.random.default_rng(0).integers(0, 256, (37, 413, 3), dtype=np.uint8)
    whole = predict(image, model, diameter=diameter, tile=1024)
    tiled = predict(image, model, diameter=diameter, tile=136)
    assert whole.std() > 0.01
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("diameter", [None, 30.0])
def test_a_region_is_the_crop_of_the_whole(model, image, diameter):
    whole = predict(image, model, diameter=diameter)
    region = (slice(13, 70), slice(-60, None))
    part = drain(iter_predict(image, model, diameter=diameter, region=region, tile=32))
    np.testing.assert_allclose(part.probability, whole[region], rtol=0, atol=1e-5)
    assert part.record["region"] == [[13, 70], [73, 133]]


def test_the_network_gets_what_the_definition_says(model, image):
    padded = np.pad(image / 255, ((0, 3), (0, 3), (0, 0)), mode="symmetric")
    batch = torch.from_numpy(padded.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        expected = model.network(batch)[0, 0, :101, :133].numpy()
    np.testing.assert_allclose(predict(image, model), expected, rtol=0, atol=1e-6)


def test_with_a_diameter_the_network_sees_cells_of_its_own_size(make_model):
    class Identity(torch.nn.Module):
        stride = 8
        receptive_radius = 0
        seen = ()

        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(1))

        def forward(self, x):
            self.seen = tuple(x.shape)
            return x[:, :1] * self.scale

    image = np.random.default_rng(0).random((64, 96), dtype=np.float32)
    model = make_model(Identity(), diameter=20)
    prediction = drain(iter_predict(image, model, diameter=40))
    assert model.network.seen == (1, 3, 32, 48)
    assert prediction.record["zoom"] == 0.5
    assert prediction.record["diameter"] == 40.0

    def resize(values, size):
        return torch.nn.functional.interpolate(
            values, size=size, mode="bilinear", antialias=True
        )

    there = resize(torch.from_numpy(image)[None, None], (32, 48))
    expected = resize(there, (64, 96))[0, 0].numpy()
    np.testing.assert_allclose(prediction.probability, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("diameter", "zoom"), [(10.0, 2.0), (20.0, 1.0), (31.0, 1.0), (80.0, 0.5)]
)
def test_cells_in_the_range_of_the_training_are_seen_as_they_are(
    make_model, small_network, image, diameter, zoom
):
    model = make_model(small_network, diameter=20, largest_diameter=40)
    prediction = drain(iter_predict(image, model, diameter=diameter))
    assert prediction.record["zoom"] == zoom


def test_the_models_own_diameter_changes_nothing(model, image):
    assert np.array_equal(predict(image, model, diameter=36.5), predict(image, model))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 7), (9, 1, 4), (17, 8)])
@pytest.mark.parametrize("dtype", ["uint8", ">u2", "int32", "float16", "float64"])
def test_any_size_and_type_is_predicted(model, shape, dtype):
    image = (np.random.default_rng(0).random(shape) * 100).astype(dtype)
    probability = predict(image, model)
    assert probability.shape == shape[:2]
    assert probability.dtype == np.float32
    assert ((probability >= 0) & (probability <= 1)).all()


def test_gray_is_repeated_and_transparency_is_left_out(model, image):
    gray = image[..., 0]
    expected = predict(np.stack([gray, gray, gray], axis=-1), model)
    np.testing.assert_allclose(predict(gray, model), expected, rtol=0, atol=1e-6)
    noise = np.random.default_rng(1).integers(0, 256, (101, 133, 1), dtype=np.uint8)
    rgba = np.concatenate([image, noise], axis=-1)
    assert np.array_equal(predict(rgba, model), predict(image, model))


def test_planes_of_a_stack_are_predicted_one_by_one(model, image):
    stack = np.stack([image, image[::-1], image[:, ::-1]]).reshape(3, 1, 101, 133, 3)
    probability = predict(stack, model)
    assert probability.shape == (3, 1, 101, 133)
    np.testing.assert_allclose(
        probability[1, 0], predict(image[::-1], model), rtol=0, atol=1e-6
    )


def test_a_stack_is_scaled_as_one(small_network, make_model):
    model = make_model(small_network, scaling="adaptive")
    dim = np.random.default_rng(0).normal(500, 5, (64, 64)).astype(np.float32)
    bright = dim * 20
    stack = np.stack([dim, bright])
    together = drain(iter_predict(stack, model))
    assert together.record["scaling"]["method"] == "adaptive"
    alone = predict(dim, model)
    assert abs(together.probability[0] - alone).max() > 1e-3


def test_steps_count_planes_times_tiles_outside_of_any_torch_context(model, image):
    steps = iter_predict(np.stack([image, image]), model, tile=64)
    seen = []
    try:
        while True:
            seen.append(next(steps))
            assert not torch.is_inference_mode_enabled()
            assert torch.is_grad_enabled()
    except StopIteration as stop:
        record = stop.value.record
    assert [step.done for step in seen] == list(range(1, 13))
    assert {step.total for step in seen} == {12}
    assert {step.message for step in seen} == {""}
    assert record["tile"] == 64


def test_a_prediction_may_be_closed_at_any_step(model, image):
    steps = iter_predict(image, model, tile=32)
    next(steps)
    next(steps)
    steps.close()
    assert not torch.is_inference_mode_enabled()
    assert predict(image, model).shape == (101, 133)


def test_progress_is_called_with_every_step(model, image):
    seen = []
    predict(image, model, tile=64, progress=seen.append)
    assert [(step.done, step.total) for step in seen] == [
        (number, 6) for number in range(1, 7)
    ]


def test_the_record_says_how_it_came_about_and_goes_to_json(model, image):
    record = json.loads(json.dumps(drain(iter_predict(image, model)).record))
    moment = datetime.fromisoformat(record.pop("time"))
    assert moment.utcoffset().total_seconds() == 0
    assert record.pop("seconds") >= 0
    assert record == {
        "version": version("napari-cresunet"),
        "model": "test",
        "weights_hash": "",
        "device": "cpu",
        "backend": "torch",
        "precision": "full",
        "diameter": None,
        "zoom": 1.0,
        "scaling": {"method": "unit", "low": 0.0, "span": 255.0},
        "channels": "rgb",
        "tile": None,
        "region": [[0, 101], [0, 133]],
        "messages": [],
    }


def test_values_that_are_no_numbers_are_black_and_said_once(model):
    image = np.random.default_rng(0).random((80, 70), dtype=np.float32)
    black = image.copy()
    image[40, 10], image[41, 60] = np.nan, -np.inf
    black[40, 10] = black[41, 60] = 0
    seen = []
    steps = iter_predict(image, model, tile=32)
    prediction = drain(steps, seen.append)
    np.testing.assert_allclose(
        prediction.probability, predict(black, model), rtol=0, atol=1e-6
    )
    message = "Some values are NaN or infinite and were taken as black."
    assert prediction.record["messages"] == [message]
    assert [step.message for step in seen].count(message) == 1


class Recorder:
    """An array that is not in memory, and remembers the largest part read."""

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.ndim = len(shape)
        self.largest = 0

    def __getitem__(self, key):
        part = np.broadcast_to(self.dtype.type(9), self.shape)[key]
        self.largest = max(self.largest, part.size)
        return part

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("The image was read whole.")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_large_image_is_never_read_whole(small_network, make_model, dtype):
    image = Recorder((3, 5000, 4000), dtype)
    model = make_model(small_network, scaling="adaptive")
    steps = iter_predict(image, model, tile=256, region=(slice(9), slice(9)))
    assert drain(steps).probability.shape == (3, 9, 9)
    assert image.largest < 1.2e6


def test_dask_arrays_are_read_tile_by_tile(model, image):
    dask_array = pytest.importorskip("dask.array")
    lazy = dask_array.from_array(image, chunks=(50, 50, 3))
    np.testing.assert_allclose(
        predict(lazy, model, tile=64), predict(image, model), rtol=0, atol=1e-5
    )


def refused(message, image, model, **options):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_predict(image, model, **options))


@pytest.mark.parametrize(
    ("tile", "way_out"),
    [(500, "496 or 504"), (100, "96 or 104"), (8, "32 or more"), (-64, "32 or more")],
)
def test_a_tile_that_does_not_fit_is_refused(model, image, tile, way_out):
    message = (
        f"`tile` must be a multiple of 8 and at least 32, got {tile}; use {way_out}."
    )
    refused(message, image, model, tile=tile)


@pytest.mark.parametrize(
    ("diameter", "shown"),
    [(0, "0"), (-3.0, "-3"), (float("nan"), "nan"), (float("inf"), "inf")],
)
def test_a_diameter_that_is_none_is_refused(model, image, diameter, shown):
    message = f"`diameter` must be a positive number of px, got {shown}."
    refused(message, image, model, diameter=diameter)


@pytest.mark.parametrize("diameter", [2.2, 585.0])
def test_a_diameter_out_of_reach_is_refused(model, image, diameter):
    message = (
        f"`diameter` must be between 2.281 and 584 px for this model, got {diameter:g}."
    )
    refused(message, image, model, diameter=diameter)


def test_a_region_outside_of_the_image_is_refused(model, image):
    message = (
        "`region` holds no pixel of the image, whose Y, X are (101, 133): choose a "
        "part of it."
    )
    refused(message, image, model, region=(slice(200, 300), slice(None)))


def test_a_region_with_gaps_is_refused(model, image):
    message = "`region` must be slices without a step."
    refused(message, image, model, region=(slice(None), slice(0, 50, 2)))


def test_a_result_larger_than_any_memory_is_one_sentence(model):
    from napari_cresunet.errors import EngineError

    planes = np.broadcast_to(np.uint8(0), (10**6, 10**5, 10**5))
    message = (
        "The probability would need 40000000.0 GB, which are not free: predict a "
        "smaller region or fewer planes at a time."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        predict(planes, model)


def test_a_model_of_the_brightest_channel_takes_color_for_gray(model, image):
    gray = replace(model, card=replace(model.card, channels="brightest"))
    colored = np.zeros((*image.shape[:2], 3), np.uint8)
    colored[..., 2] = image[..., 0]
    expected = predict(image[..., 0], model)
    np.testing.assert_array_equal(predict(colored, gray), expected)
    np.testing.assert_array_equal(
        predict(image.max(axis=-1), gray), predict(image, gray)
    )
    prediction = drain(iter_predict(colored, gray))
    assert prediction.record["channels"] == "brightest"

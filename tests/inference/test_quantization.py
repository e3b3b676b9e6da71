"""8 bits: a small network is quantized once, all tests look at what came of it."""

import io
import re
import sys
from contextlib import redirect_stdout
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.inference.conftest import SmallNetwork, as_model

from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import aggregate, evaluate
from napari_cresunet.inference import (
    CalibrationImage,
    Model,
    Quantized,
    iter_quantize,
    predict,
    read_quantized,
)
from napari_cresunet.inference._calibration import bundled_images
from napari_cresunet.inference._model_cache import keep, read_cached
from napari_cresunet.inference._quantized import stored_name
from napari_cresunet.plugin import read_sample
from napari_cresunet.segmentation import segment
from napari_cresunet.steps import drain

pytest.importorskip("openvino")

RESULT = Quantized(
    calibration="c",
    is_bundled=True,
    n_images=2,
    count=143,
    full_count=145,
    f1=0.979,
    full_f1=0.98,
    difference=0.0016,
    speed=1.84,
)


def spots(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 40, (104, 128, 3), dtype=np.uint8)
    truth = np.zeros((104, 128), np.int32)
    for number, (row, column) in enumerate(((20, 30), (60, 90), (80, 20)), start=1):
        image[row : row + 12, column : column + 12] += 180
        truth[row : row + 12, column : column + 12] = number
    return CalibrationImage(image=image, truth=truth)


IMAGES = [spots(0), spots(1), replace(spots(2), truth=None)]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = SmallNetwork().eval()
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[[[3.0]], [[1.0]]]]))
        network.fine.weight.abs_()
        network.head.bias.fill_(-2.5)
    return network


@pytest.fixture(scope="module")
def card():
    return replace(as_model(SmallNetwork()).card, weights_hash="c3" * 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("networks"))


@pytest.fixture(autouse=True)
def _own_cache(folder, monkeypatch):
    monkeypatch.setenv("NAPARI_CRESUNET_CACHE", folder)


@pytest.fixture(scope="module")
def quantized(card, network, folder):
    """The runner, what it changes, the steps, and what went to stdout."""
    pytest.importorskip("nncf")
    steps, out = [], io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setenv("NAPARI_CRESUNET_CACHE", folder)
        runner, result = drain(iter_quantize(card, network, IMAGES), steps.append)
    return runner, result, steps, out.getvalue()


@pytest.mark.slow
def test_what_it_changes_is_what_can_be_counted_without_it(quantized, card, network):
    runner, result, _, _ = quantized
    short = Model(card, network, "cpu", "openvino", "int8", runner)
    plain = Model(card, network, "cpu")
    counts, scores, difference, size = [0, 0], [[], []], 0.0, 0
    for item in IMAGES:
        both = [predict(item.image, model) for model in (short, plain)]
        difference += np.abs(both[0] - both[1]).sum()
        size += both[0].size
        for which, probability in enumerate(both):
            labels = segment(probability, threshold=0.5, min_size=40, min_distance=10)
            counts[which] += labels.max()
            if item.truth is not None:
                score = evaluate(labels, item.truth, max_distance=36.5)
                scores[which].append(score)
    assert (result.count, result.full_count) == tuple(counts)
    assert result.f1 == pytest.approx(aggregate(scores[0]).f1)
    assert result.full_f1 == pytest.approx(aggregate(scores[1]).f1)
    assert result.difference == pytest.approx(difference / size, abs=1e-6)
    assert 0 < result.difference < 0.05
    assert counts[1] > 0


@pytest.mark.slow
def test_steps_come_after_every_image_and_nothing_is_printed(quantized):
    _, _, steps, printed = quantized
    assert [(step.done, step.total) for step in steps] == [(n, 6) for n in range(7)]
    assert steps[0].message == "Bringing the network to 8 bits once."
    assert printed == ""


@pytest.mark.slow
def test_it_is_kept_with_its_measure_and_gives_the_same_again(
    quantized, card, network, monkeypatch
):
    runner, result, _, _ = quantized
    assert read_quantized(card.weights_hash) == result
    assert read_quantized("d4" * 32) is None
    monkeypatch.setitem(sys.modules, "nncf", None)  # is not needed any more
    image = np.random.default_rng(0).random((3, 64, 80), dtype=np.float32)
    for images in (IMAGES, None):
        again, known = drain(iter_quantize(card, network, images))
        assert known == result
        np.testing.assert_array_equal(again.run([image])[0], runner.run([image])[0])


@pytest.mark.slow
def test_what_is_damaged_is_made_anew(quantized, card, network):
    runner, result, _, _ = quantized
    name = stored_name(card.weights_hash)
    whole = read_cached(name)
    keep(name, {"measured.json": whole["measured.json"]})
    assert read_quantized(card.weights_hash) == result
    again, measured = drain(iter_quantize(card, network, IMAGES))
    assert replace(measured, speed=result.speed) == result
    image = np.random.default_rng(0).random((3, 64, 80), dtype=np.float32)
    np.testing.assert_array_equal(again.run([image])[0], runner.run([image])[0])
    keep(name, whole)


@pytest.mark.slow
def test_without_nncf_the_message_names_the_command(
    quantized, card, network, monkeypatch
):
    monkeypatch.setitem(sys.modules, "nncf", None)
    message = (
        "Going on to 8 bits needs the package nncf, which is not installed; install it "
        'with: pip install "napari-cresunet[int8]"'
    )
    other = replace(card, weights_hash="e5" * 32)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_quantize(other, network, IMAGES[:1]))


def test_no_image_is_refused(card, network):
    message = "There is no image to quantize with: give at least one."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_quantize(card, network, []))


def test_the_change_is_one_sentence():
    assert RESULT.text == (
        "8 bits on 2 sample images: 143 cells in place of 145, F1 0.979 in place of "
        "0.980, probability 0.0016 off on average, 1.8 times as fast."
    )
    own = replace(RESULT, is_bundled=False, n_images=1, f1=None, full_f1=None)
    assert own.text == (
        "8 bits on 1 calibration image: 143 cells in place of 145, probability 0.0016 "
        "off on average, 1.8 times as fast."
    )


def test_the_images_are_the_samples_of_the_package():
    for item, name in zip(bundled_images(), ("neurons", "nuclei"), strict=True):
        sample = read_sample(name)
        assert np.array_equal(item.image, sample.image)
        assert np.array_equal(item.truth, sample.labels)
        assert item.diameter == sample.diameter

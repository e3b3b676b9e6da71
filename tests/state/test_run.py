import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.inference import Quantized
from napari_cresunet.segmentation import segment
from napari_cresunet.state import (
    ModelCache,
    Source,
    describe_engine,
    iter_devices,
    iter_relabel,
    iter_run,
)
from napari_cresunet.steps import drain


def run(state, source, region=None):
    state.choose_source(source)
    return drain(iter_run(state.request(region), state.cache))


def test_a_run_gives_the_labels_of_segment(state, source):
    result = run(state, source)
    expected = segment(result.probability, threshold=0.5, min_size=200, min_distance=18)
    assert np.array_equal(result.labels, expected)
    assert result.count == expected.max() == 3
    assert result.device_title.startswith("CPU")


def test_the_field_of_view_gives_the_crop_of_the_whole(state, source):
    whole = run(state, source)
    crop = run(state, source, region=(slice(10, 60), slice(4, 64)))
    assert crop.offset == (10, 4)
    assert np.allclose(crop.probability, whole.probability[10:60, 4:64], atol=1e-5)
    assert crop.count == 1


def test_a_stack_counts_every_plane(state, discs):
    stack = np.stack([discs, np.zeros_like(discs), discs[:, ::-1]])
    result = run(state, Source(identity="s", name="stack", image=stack))
    assert result.plane_counts == (3, 0, 3)
    assert result.count == 6


def test_the_diameter_reaches_the_network(state, source):
    state.choose(diameter=73.0)
    assert run(state, source).record["zoom"] == pytest.approx(0.5)


def test_large_results_and_other_presets_take_long(state, source, monkeypatch):
    result = run(state, source)
    assert not result.takes_long(replace(result.settings, threshold=0.7))
    assert result.takes_long(replace(result.settings, preset="morelli2021"))
    monkeypatch.setattr("napari_cresunet.state._run.LARGE", 1000)
    assert result.takes_long(result.settings)


def test_the_progress_says_what_happens(state, source):
    segment(np.eye(9), min_size=0)  # so that this is not the first count
    state.choose(engine="torch")
    state.choose_source(source)
    texts = []
    drain(iter_run(state.request(), state.cache), lambda step: texts.append(step.text))
    texts = [text for text in texts if text != "Loading PyTorch…"]
    assert texts == [
        "Loading the model…",
        "Predicting on CPU…",
        "Tile 1 of 1 on CPU",
        "Finding cells…",
    ]


def test_the_first_count_of_a_session_says_why_it_may_take_long(
    state, source, monkeypatch
):
    segment(np.eye(9), min_size=0)
    monkeypatch.delitem(sys.modules, "napari_cresunet.segmentation._split")
    state.choose_source(source)
    texts = []
    drain(iter_run(state.request(), state.cache), lambda step: texts.append(step.text))
    assert texts[-1] == (
        "Finding cells… The first time after an installation takes some seconds."
    )


def test_a_run_can_be_stopped_between_tiles(state, source):
    state.choose_source(source)
    state.choose(tile=32)
    steps = iter_run(state.request(), state.cache)
    step = next(step for step in steps if step.total)
    assert (step.done, step.total) == (1, 12)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


def test_the_model_is_loaded_once(state, models):
    cache = ModelCache()

    def load(**choices):
        return drain(cache.iter_load(state.card, replace(state.choices, **choices)))

    first = load()
    assert load() is first
    assert load(device="cpu") is not first
    other = load(device="cpu", engine="torch")
    assert (other.backend, other.title) == ("torch", "CPU")


def test_the_title_says_what_ran_the_network(state, source):
    pytest.importorskip("openvino")
    result = run(state, source)
    assert result.device_title == "CPU, OpenVINO"
    state.choose(engine="torch")
    slower = run(state, source)
    assert slower.device_title == "CPU"
    assert np.allclose(slower.probability, result.probability, rtol=0, atol=1e-4)
    assert result.quantized_text == slower.quantized_text == ""


@pytest.mark.slow
def test_8_bits_say_what_they_change(state, source):
    pytest.importorskip("nncf")
    assert describe_engine(state.choices, state.card) == ""
    state.choose(engine="int8")
    assert describe_engine(state.choices, state.card) == (
        "What 8 bits change is measured when you press Run."
    )
    state.choose_source(source)
    texts = []
    result = drain(iter_run(state.request(), state.cache), lambda p: texts.append(p))
    assert "Going on to 8 bits…" in [progress.text for progress in texts]
    assert result.device_title == "CPU, OpenVINO, 8 bit"
    assert result.quantized_text.startswith("8 bits on 2 sample images: ")
    assert describe_engine(state.choices, state.card) == result.quantized_text
    known = Quantized(**result.provenance()["quantized"])
    assert known.text == result.quantized_text


def test_the_provenance_goes_into_json(state, source):
    record = run(state, source).provenance()
    back = json.loads(json.dumps(record))
    assert back["model"] == "brightness"
    assert back["source"] == "a"
    assert back["count"] == 3
    assert back["threshold"] == 0.5
    assert back["min_size"] == 200
    assert back["preset"] == "tashfeen2025"
    assert back["weights_hash"] == state.card.weights_hash


def test_an_image_without_any_number_is_refused(state):
    image = np.full((20, 20), np.nan, np.float32)
    message = "The image has only NaN or infinite values: check how it was made."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        run(state, Source(identity="n", name="nan", image=image))


def test_relabeling_gives_the_labels_of_segment_at_other_settings(state, source):
    result = run(state, source)
    state.choose(threshold=0.7, min_size=10, min_distance=3)
    drain(iter_relabel(result, state.settings))
    expected = segment(result.probability, threshold=0.7, min_size=10, min_distance=3)
    assert np.array_equal(result.labels, expected)
    assert result.count == 2


def test_the_other_recipe_is_used_when_chosen(state, source):
    result = run(state, source)
    state.choose(preset="morelli2021")
    result.relabel(state.settings)
    expected = segment(result.probability, min_size=200, preset="morelli2021")
    assert np.array_equal(result.labels, expected)


def test_every_computer_has_a_cpu():
    assert drain(iter_devices())[-1] == ("cpu", "CPU")

"""A network learns, a seed repeats it, and nothing is lost on the way."""

import csv
import json
import math
import threading
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from tests.training.squares import quick, squares

from napari_cresunet import load_model, predict
from napari_cresunet.errors import EngineError, InputError, LossError
from napari_cresunet.models import VARIANTS
from napari_cresunet.steps import drain
from napari_cresunet.training import iter_train, read_config, read_log
from napari_cresunet.weights import read_card, save_weights

TRAINING = [squares(seed) for seed in range(3)]
VALIDATION = [squares(10)]


def train(config, **options):
    """Train to the end; return model and steps."""
    steps = []
    generator = iter_train(config, TRAINING, VALIDATION, device="cpu", **options)
    return drain(generator, steps.append), steps


def same(one, other):
    """Tell whether two networks have equal weights."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_it_learns_to_find_squares():
    model, steps = train(quick(epochs=5, samples=96))
    records = [step.record for step in steps if step.record]
    assert records[-1].loss < 0.5 * records[0].loss
    assert max(record.f1 for record in records) > 0.9
    image = squares(20)
    probability = predict(image.image, model)
    cells = image.labels > 0
    assert probability[cells].mean() > probability[~cells].mean() + 0.4


def test_it_tells_of_every_batch_and_epoch():
    _, steps = train(quick(epochs=2, samples=12))
    assert [step.done for step in steps] == [1, 2, 3, 4, 5, 6]
    assert {step.total for step in steps} == {6}
    assert [step.epoch for step in steps] == [1, 1, 1, 2, 2, 2]
    assert [step.record is not None for step in steps] == [False, False, True] * 2
    assert steps[2].preview.shape == VALIDATION[0].labels.shape
    assert 0 <= steps[2].preview.min() <= steps[2].preview.max() <= 1
    assert steps[2].is_best


def test_a_seed_repeats_a_training_bit_for_bit():
    config = quick(rotation=180.0, elastic=1.0, noise=0.05, averaging=0.9)
    (one, first), (other, second) = (train(config) for _ in "ab")
    assert same(one.network, other.network)
    assert [step.loss for step in first] == [step.loss for step in second]
    different, _ = train(replace(config, seed=1))
    assert not same(one.network, different.network)


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "sgd", "learning_rate": 0.003},
        {"averaging": 0.9, "schedule": "decay"},
        {"monitor": "f1"},
    ],
)
@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    tmp_path, change, stop_after
):
    config = quick(epochs=3, samples=12, flip=True, noise=0.1, **change)
    whole, steps = train(config)
    generator = iter_train(config, TRAINING, VALIDATION, folder=tmp_path, device="cpu")
    before = [next(generator) for _ in range(stop_after)]
    generator.close()
    resumed, after = train(config, folder=tmp_path)
    assert same(whole.network, resumed.network)
    told = [(step.done, step.loss) for step in before + after]
    assert told == [(step.done, step.loss) for step in steps]
    records = [step.record for step in before + after if step.record]
    for record, expected in zip(
        records, [step.record for step in steps if step.record], strict=True
    ):
        assert replace(record, seconds=0.0) == replace(expected, seconds=0.0)


def test_a_finished_training_is_not_repeated(tmp_path):
    config = quick(epochs=1)
    model, _ = train(config, folder=tmp_path)
    again, steps = train(config, folder=tmp_path)
    assert steps == []
    assert same(model.network, again.network)
    assert again.card.threshold == model.card.threshold
    _, steps = train(replace(config, epochs=2), folder=tmp_path)
    assert {step.epoch for step in steps} == {2}


def test_the_folder_tells_all(tmp_path):
    config = quick(name="mine", title="Mine", data="squares", license="CC0-1.0")
    model, steps = train(config, folder=tmp_path / "new" / "run")
    folder = tmp_path / "new" / "run"
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "checkpoint.safetensors",
        "config.json",
        "curves.png",
        "log.csv",
        "model.safetensors",
    ]
    assert read_config(folder) == config
    with (folder / "log.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    records = [step.record for step in steps if step.record]
    assert [float(row["loss"]) for row in rows] == [record.loss for record in records]
    assert read_log(folder) == tuple(records)
    assert list(rows[0]) == [
        *("epoch", "loss", "validation_loss", "f1", "threshold", "learning_rate"),
        "seconds",
    ]
    assert iio.imread(folder / "curves.png").shape[2] in (3, 4)
    card = json.loads((folder / "card.json").read_text())
    assert (card["name"], card["title"], card["data"]) == ("mine", "Mine", "squares")
    assert card["license"] == "CC0-1.0"
    assert card["settings"]["samples"] == 8
    assert card["settings"]["training_images"] == 3
    loaded = load_model(folder / "model.safetensors", device="cpu")
    assert same(loaded.network, model.network)
    assert loaded.card.weights_hash == card["weights_hash"]


def test_the_card_recommends_what_validation_found():
    model, steps = train(quick(epochs=3, samples=24))
    best = [step.record for step in steps if step.record and step.is_best][-1]
    assert model.card.settings["best_epoch"] == best.epoch
    assert model.card.scores["validation F1"] >= round(best.f1, 4)
    assert model.card.diameter == pytest.approx(TRAINING[0].diameter, abs=0.01)
    assert model.card.min_size == round(0.2 * np.pi / 4 * model.card.diameter**2)


def test_it_stops_when_nothing_gets_better():
    config = quick(epochs=30, learning_rate=0.0, stop_patience=2, monitor="f1")
    _, steps = train(config)
    best = [step.epoch for step in steps if step.is_best][-1]
    assert steps[-1].epoch == best + 2


def test_the_rate_falls_on_a_plateau():
    # Running statistics of batch norm alone would still change the validation loss.
    config = quick(epochs=9, samples=4, learning_rate=1e-6, averaging=0.99999)
    _, steps = train(config)
    rates = [step.record.learning_rate for step in steps if step.record]
    assert rates[:7] == [1e-6] * 7  # the first epoch is the best, six are patient
    assert rates[7:] == pytest.approx([0.7e-6] * 2)


def test_the_rate_decays_to_nothing():
    _, steps = train(quick(epochs=2, samples=16, schedule="decay"))
    rates = [step.record.learning_rate for step in steps if step.record]
    first = quick().learning_rate
    assert rates == pytest.approx([first * (1 - 3 / 8), first * (1 - 7 / 8)])


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A trained model's file."""
    folder = tmp_path_factory.mktemp("earlier")
    train(quick(epochs=1), folder=folder)
    return folder / "model.safetensors"


def test_it_can_start_from_a_model(earlier):
    model, _ = train(quick(start=str(earlier), learning_rate=0.0, epochs=1))
    before = load_model(earlier, device="cpu").network
    for (name, a), b in zip(
        before.named_parameters(), model.network.parameters(), strict=True
    ):
        assert torch.equal(a, b), name


def test_a_frozen_encoder_stays_as_it_was(earlier):
    config = quick(start=str(earlier), freeze_encoder=True)
    model, _ = train(config)
    before = load_model(earlier, device="cpu").network.state_dict()
    for name, value in model.network.state_dict().items():
        is_encoder = name.startswith(("color", "encoder"))
        if is_encoder:
            assert torch.equal(value, before[name]), name
    changed = [
        name
        for name, value in model.network.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert any(name.startswith("bridge") for name in changed)
    assert any(name.startswith("head") for name in changed)


def test_a_model_of_another_network_is_no_start(earlier):
    with pytest.raises(InputError) as caught:
        train(quick(variant="attention-elu", start=str(earlier)))
    assert str(caught.value) == (
        "my-model is a simple-c-resunet, not a attention-elu; start from a model of "
        "that network, or train a simple-c-resunet."
    )


@pytest.mark.parametrize(
    "variant", [name for name in VARIANTS if name not in ("unet", "small-unet")]
)
def test_every_network_can_be_trained(variant):
    model, _ = train(quick(variant=variant, epochs=1, samples=4))
    assert model.card.variant == variant


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["small-unet"])
def test_large_networks_too(variant):
    model, _ = train(quick(variant=variant, epochs=1, samples=4))
    assert model.card.variant == variant


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_in_16_bits_too(precision):
    _, steps = train(quick(precision=precision, epochs=2, samples=12))
    assert all(math.isfinite(step.loss) for step in steps)
    assert steps[-1].loss < steps[0].loss


@pytest.mark.parametrize(
    "losses",
    [
        {"cross_entropy": 0.0, "dice": 1.0},
        {"cross_entropy": 0.0, "focal": 1.0},
        {"cross_entropy": 0.5, "dice": 0.2, "focal_tversky": 0.5},
    ],
)
def test_it_learns_with_every_loss(losses):
    _, steps = train(quick(epochs=3, samples=24, **losses))
    records = [step.record for step in steps if step.record]
    assert records[-1].loss < records[0].loss


def test_a_loss_that_is_no_number_stops_it_and_keeps_the_best(tmp_path):
    config = quick(epochs=3)
    train(replace(config, epochs=1), folder=tmp_path)
    kept = (tmp_path / "model.safetensors").read_bytes()
    ruined = [replace(pair, image=pair.image.astype(np.float32)) for pair in TRAINING]
    generator = iter_train(config, ruined, VALIDATION, folder=tmp_path, device="cpu")
    before = set(threading.enumerate())
    with pytest.raises(LossError) as caught:
        _poisoned(generator)
    assert str(caught.value).startswith(
        "The loss is not a number in epoch 2, batch 1 (crops of squares "
    )
    assert str(caught.value).endswith(
        "); the model of epoch 1 is kept: try a smaller learning rate, or check these "
        "images."
    )
    assert (tmp_path / "model.safetensors").read_bytes() == kept
    assert set(threading.enumerate()) <= before  # though the error is still there
    # What was not a number went nowhere: the training goes on.
    _, steps = train(config, folder=tmp_path)
    assert steps[0].epoch == 2


def _poisoned(generator):
    """Run a training whose first batch meets weights that are not numbers."""
    from napari_cresunet.training import _learner

    with pytest.MonkeyPatch.context() as patch:
        whole = _learner.total_loss
        patch.setattr(_learner, "total_loss", lambda *a: whole(*a) * float("nan"))
        drain(generator)


def test_a_wrong_start_does_not_spoil_the_folder(earlier, tmp_path):
    wrong = quick(variant="attention-elu", start=str(earlier))
    with pytest.raises(InputError):
        train(wrong, folder=tmp_path)
    train(quick(epochs=1), folder=tmp_path)
    assert len(read_log(tmp_path)) == 1


def test_a_folder_of_another_training_is_refused(tmp_path):
    train(quick(epochs=1), folder=tmp_path)
    with pytest.raises(InputError) as caught:
        train(quick(epochs=1, seed=5), folder=tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds a training with other settings: choose another folder, or "
        "go on with its own settings."
    )


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train(quick(epochs=1), folder=tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError) as caught:
        train(quick(epochs=2), folder=tmp_path)
    assert str(caught.value).startswith(f"{path} cannot be used to go on (")
    assert str(caught.value).endswith("): delete it to begin anew.")


def test_a_full_disk_keeps_what_was_written(tmp_path):
    config = quick(epochs=3)
    train(replace(config, epochs=1), folder=tmp_path)
    kept = {
        path.name: path.read_bytes()
        for path in tmp_path.iterdir()
        if path.name != "config.json"
    }
    import errno
    import os

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        generator = iter_train(
            config, TRAINING, VALIDATION, folder=tmp_path, device="cpu"
        )
        next(generator)
        patch.setattr(os, "fsync", full)
        with pytest.raises(Exception, match="No space left on device") as caught:
            drain(generator)
    assert "\n" not in str(caught.value)
    for name, content in kept.items():
        assert (tmp_path / name).read_bytes() == content, name
    assert read_card(tmp_path / "model.safetensors").variant == config.variant


def test_without_images_there_is_nothing_to_do():
    with pytest.raises(InputError) as caught:
        drain(iter_train(quick(), [], VALIDATION))
    assert str(caught.value) == (
        "There are 0 training and 1 validation images; give at least one of each."
    )


def test_the_random_state_of_torch_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(quick(epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_a_trained_network_can_be_saved_under_another_name(tmp_path):
    model, _ = train(quick(epochs=1))
    card = save_weights(
        tmp_path / "a.safetensors", model.network, replace(model.card, name="a")
    )
    assert read_card(tmp_path / "a.safetensors").weights_hash == card.weights_hash


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("learn", "take fewer than 4 crops in a batch, or crops smaller than 32 px"),
        ("validate", "validate on smaller images, or cut them into parts"),
        (
            "_prepare_one",
            "train on fewer images than 3, or give a smaller cell diameter",
        ),
    ],
)
def test_missing_memory_is_told_with_advice(monkeypatch, where, advice):
    from napari_cresunet.training import _loop, _prepare

    def out_of_memory(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    owner = {
        "learn": _loop.Learner,
        "validate": _loop,
        "_prepare_one": _prepare,
    }[where]
    monkeypatch.setattr(owner, where, out_of_memory)
    with pytest.raises(EngineError) as caught:
        train(quick(epochs=1))
    assert str(caught.value) == f"There is not enough memory: {advice}."


def test_a_log_that_is_missing_or_damaged(tmp_path):
    assert read_log(tmp_path) == ()
    (tmp_path / "log.csv").write_text("epoch,loss\n1,a\n")
    with pytest.raises(InputError) as caught:
        read_log(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'log.csv'} cannot be read (")


def test_every_process_needs_a_crop_of_each_batch():
    from napari_cresunet.training._distributed import Processes
    from napari_cresunet.training._loop import _begin

    with pytest.raises(InputError) as caught:
        _begin(quick(), TRAINING, VALIDATION, None, Processes(0, 5, "cpu"))
    assert str(caught.value) == (
        "5 processes cannot share batches of 4 crops: take a larger batch_size, or "
        "start fewer processes."
    )

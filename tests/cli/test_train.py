"""The command `train`."""

import csv
import json
import os
import signal
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest
from tests.training.squares import squares

from napari_cresunet import load_model
from napari_cresunet.training import PRESETS, read_config

SMALL = ("--set", "crop_size=32", "--set", "crop_step=32", "--set", "batch_size=4")
QUICK = (*SMALL, "--set", "samples=8", "--set", "diameter=0", "--device", "cpu")


@pytest.fixture
def data(tmp_path):
    """A folder with images/ and masks/ of four images."""
    folder = tmp_path / "data"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for seed in range(4):
        pair = squares(seed)
        iio.imwrite(folder / "images" / f"{seed}.png", pair.image)
        mask = (255 * (pair.labels > 0)).astype(np.uint8)
        iio.imwrite(folder / "masks" / f"{seed}.png", mask)
    return folder


def test_a_folder_becomes_a_model(run, data, tmp_path):
    folder = tmp_path / "run"
    outcome = run("train", data, "-o", folder, "--name", "mine", "--epochs", 2, *QUICK)
    assert outcome.status == 0, outcome.err
    lines = outcome.err.splitlines()
    assert lines[0] == (
        "Learning from 3 images with 18 cells; 1 images with 6 cells held out."
    )
    assert lines[1].startswith("Epoch 1: loss ")
    assert lines[1].endswith(" s, the best so far")
    assert lines[2].startswith("Epoch 2: loss ")
    model = folder / "model.safetensors"
    assert outcome.out.startswith(f"{model}: threshold ")
    assert f"Use it with: --model {model}" in outcome.out
    card = load_model(model, device="cpu").card
    assert (card.name, card.variant) == ("mine", "c-resunet")
    with (folder / "log.csv").open(newline="") as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["1", "2"]
    assert json.loads((folder / "data.json").read_text()) == [str(data)]


def test_two_folders_and_another_system(run, data, tmp_path):
    folder = tmp_path / "run"
    outcome = run(
        "train", data / "images", data / "masks", "-o", folder,
        *("--system", "simple-c-resunet", "--epochs", 1, "--json"), *QUICK,
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    card = json.loads(outcome.out)
    assert card["variant"] == "simple-c-resunet"
    assert card["settings"]["batch_size"] == 4
    assert card["source"] == str(folder / "model.safetensors")


def test_going_on_from_a_model(run, data, tmp_path, model):
    folder = tmp_path / "run"
    outcome = run(
        "train", data, "-o", folder, "--start", model, "--freeze-encoder",
        *("--epochs", 1), *QUICK,
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    config = read_config(folder)
    assert (config.start, config.variant, config.scaling) == (
        "tiny",
        "c-resunet",
        "unit",
    )
    assert config.freeze_encoder
    assert config.name == "tiny-tuned"


def test_the_same_command_or_resume_goes_on(run, data, tmp_path):
    folder = tmp_path / "run"
    run("train", data, "-o", folder, "--epochs", 1, *QUICK)
    outcome = run("train", data, "-o", folder, "--epochs", 2, *QUICK)
    assert "Epoch 2: " in outcome.err
    assert "Epoch 1: " not in outcome.err
    outcome = run("train", "--resume", folder, "--device", "cpu")
    assert outcome.status == 0
    assert "Epoch" not in outcome.err
    assert outcome.out.startswith(f"{folder / 'model.safetensors'}: threshold ")


def _start(data, folder):
    command = [sys.executable, "-m", "napari_cresunet", "train", str(data), "-o"]
    command += [str(folder), "--epochs", "400", *QUICK, "--set", "stop_patience=400"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True)


def _wait_for(process, word):
    for line in process.stderr:
        if line.startswith(word):
            return
    raise AssertionError(f"{word!r} never came")


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_and_says_how_to_go_on(run, data, tmp_path):
    folder = tmp_path / "run"
    process = _start(data, folder)
    _wait_for(process, "Epoch 2")
    process.send_signal(signal.SIGINT)
    said = process.stderr.read().splitlines()
    assert process.wait() == 130
    assert said[-2] == (
        f"Stopped. The best model so far is {folder / 'model.safetensors'}. Go on "
        f"with: napari-cresunet train --resume {folder}"
    )
    assert said[-1] == "Error: Interrupted."
    assert load_model(folder / "model.safetensors", device="cpu")
    done = len((folder / "log.csv").read_text().splitlines()) - 1
    outcome = run(
        "train", data, "-o", folder, "--epochs", done + 1, *QUICK,
        *("--set", "stop_patience=400"),
    )  # fmt: skip
    assert outcome.status == 0
    assert f"Epoch {done + 1}: " in outcome.err


@pytest.mark.slow
def test_a_killed_process_goes_on_with_the_next_start(run, data, tmp_path):
    folder = tmp_path / "run"
    process = _start(data, folder)
    _wait_for(process, "Epoch 2")
    process.kill()
    process.communicate()
    outcome = run(
        "train", data, "-o", folder, "--epochs", 3, *QUICK,
        *("--set", "stop_patience=400"),
    )  # fmt: skip
    assert outcome.status == 0
    epochs = [
        line.split(":")[0]
        for line in outcome.err.splitlines()
        if line.startswith("Epoch")
    ]
    assert epochs[-1:] in (["Epoch 3"], [])  # or the third was done before the kill
    assert "Epoch 1" not in epochs


def test_systems_are_listed(run):
    outcome = run("train", "--systems")
    assert outcome.status == 0
    for name in PRESETS:
        assert name in outcome.out
    listed = json.loads(run("train", "--systems", "--json").out)
    assert [config["name"] for config in listed] == list(PRESETS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give one or two folders (images with truth) and -o RUN"),
        (("a", "b", "c", "-o", "r"), "Give one or two folders (images with truth) and"),
        (("--resume", "r", "a"), "--resume takes no images; it knows them"),
        (("a", "-o", "r", "--system", "nope"), "Unknown system 'nope'; did you mean"),
        (("a", "-o", "r", "--set", "epochs"), "Write 'epochs' as NAME=VALUE"),
        (("a", "-o", "r", "--set", "speed=3"), "There is no setting 'speed'; choose"),
        (("a", "-o", "r", "--set", "epochs=x"), "`epochs` must be a whole number, got"),
        (("a", "-o", "r", "--set", "dice=x"), "`dice` must be a number, got 'x'"),
        (("a", "-o", "r", "--set", "flip=7"), "`flip` is true or false, not '7'"),
        (("a", "-o", "r", "--set", "zoom=9"), "`zoom` must be between 1 and 4, got 9"),
    ],
)
def test_wrong_arguments_are_told_apart(run, arguments, message):
    outcome = run("train", *arguments)
    assert outcome.status == 2
    assert outcome.err.startswith("Error: ")
    assert message in outcome.err


def test_bad_data_is_told_in_one_line(run, tmp_path, data):
    outcome = run("train", tmp_path / "nowhere", "-o", tmp_path / "run")
    assert outcome.status == 1
    assert outcome.err == f"Error: There is no folder {tmp_path / 'nowhere'}.\n"
    for path in (data / "masks").iterdir():
        iio.imwrite(path, np.zeros((96, 112), np.uint8))
    outcome = run("train", data, "-o", tmp_path / "run")
    assert outcome.status == 1
    assert outcome.err == (
        "Error: No cell is marked in any of the 4 images (0, 1, 2 and 1 more): choose "
        "masks that have some.\n"
    )
    outcome = run("train", "--resume", tmp_path / "run")
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: {tmp_path / 'run'} holds no training: give the folder that `train` "
        "wrote.\n"
    )


def test_another_training_in_the_folder_is_not_touched(run, data, tmp_path):
    folder = tmp_path / "run"
    run("train", data, "-o", folder, "--epochs", 1, *QUICK)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    outcome = run("train", data, "-o", folder, "--epochs", 1, *QUICK, "--set", "seed=9")
    assert outcome.status == 1
    assert "holds a training with other settings" in outcome.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept

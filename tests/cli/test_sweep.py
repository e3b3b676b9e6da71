import csv
import json

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from tests.export.evaluations import SHAPE, squares

import napari_cresunet as ncr
from napari_cresunet.evaluation import MatchRule, best_row
from napari_cresunet.inference import write_probability

TRUTHS = {"a": squares((10, 10), (10, 40)), "b": squares((30, 30))}
RECORD = {"model": "tiny", "min_size": 9, "min_distance": 5, "diameter": 8.0}


def probability(name):
    """True cells are likely, and one small thing is likelier than one of them."""
    values = np.zeros(SHAPE, np.float32)
    values[TRUTHS[name] > 0] = 0.9
    values[10:18, 40:48] *= 0.5
    values[40:46, 60:66] = 0.6
    return values


@pytest.fixture
def folders(tmp_path):
    """Write probability as `count` does, and truths named as the images."""
    (tmp_path / "true").mkdir()
    for name, truth in TRUTHS.items():
        path = tmp_path / "pred" / f"{name}_probability.tif"
        write_probability(path, probability(name), RECORD)
        iio.imwrite(tmp_path / "true" / f"{name}.png", truth.astype(np.uint16))
    return tmp_path / "pred", tmp_path / "true"


FOUND = "2 probability images found and used: no model is run (--model M runs one).\n"
OPTIONS = ("--thresholds", "0.3,0.5,0.7", "--distances", "5,2", "--min-sizes", "9,40")


def by_hand():
    return ncr.sweep(
        [probability(name) for name in TRUTHS],
        list(TRUTHS.values()),
        thresholds=[0.3, 0.5, 0.7],
        distances=[2.0, 5.0],
        min_sizes=[9, 40],
        segmentation={"min_distance": 5},
    )


def plain(row):
    return {
        name: None if value != value else value for name, value in row.to_dict().items()
    }


def sweep_json(run, *arguments, err=FOUND):
    outcome = run("sweep", *arguments, "--json")
    assert (outcome.status, outcome.err) == (0, err)
    return json.loads(outcome.out)


def test_all_settings_are_scored_over_all_images(run, folders):
    found = sweep_json(run, *folders, *OPTIONS)
    rows = by_hand()
    assert found["rows"] == [plain(row) for row in rows]
    assert len(rows) == 3 * 2 * 2
    assert (found["n_images"], found["failed"]) == (2, [])


def test_the_best_is_that_at_the_largest_distance(run, folders):
    found = sweep_json(run, *folders, *OPTIONS)
    best = best_row([row for row in by_hand() if row.max_distance == 5])
    assert found["best"] == plain(best)
    assert (best.threshold, best.min_size) == (0.3, 40)


def test_another_score_may_decide(run, folders):
    found = sweep_json(run, *folders, *OPTIONS, "--by", "precision")
    rows = [row for row in by_hand() if row.max_distance == 5]
    assert found["best"] == plain(best_row(rows, "precision"))


def test_sizes_and_recipe_come_from_what_count_wrote(run, folders):
    found = sweep_json(run, *folders, "--thresholds", "0.5")
    (row,) = found["rows"]
    assert (row["min_size"], row["max_distance"]) == (9, 40.0)
    (expected,) = ncr.sweep(
        [probability(name) for name in TRUTHS],
        list(TRUTHS.values()),
        thresholds=[0.5],
        min_sizes=[9],
        rule=MatchRule(),
        segmentation={"min_distance": 5},
    )
    assert row == plain(expected)


def test_different_sizes_must_be_decided(run, folders):
    pred, true = folders
    write_probability(
        pred / "a_probability.tif", probability("a"), RECORD | {"min_size": 10}
    )
    outcome = run("sweep", pred, true)
    assert outcome.status == 1
    assert outcome.err == FOUND + (
        "Error: The probability images were counted with different smallest sizes: "
        "give --min-sizes.\n"
    )


def test_the_command_that_uses_the_best_is_printed(run, folders):
    outcome = run("sweep", *folders, *OPTIONS)
    assert (outcome.status, outcome.err) == (0, FOUND)
    decided, warning, command = outcome.out.splitlines()[-3:]
    assert decided == (
        "By f1 the best of 6 settings at each distance; the last row is taken."
    )
    assert warning == (
        "Chosen on these 2 images, it looks better on them than it is: report the "
        "scores of others."
    )
    assert command == (
        "Use it with: napari-cresunet count IMAGE --threshold 0.3 --min-size 40 "
        "--model tiny --diameter 8"
    )
    rows = [line for line in outcome.out.splitlines() if line.startswith("│")]
    assert [row.split()[1] for row in rows] == ["2", "5"]


def test_files_hold_every_setting_and_how_it_was_made(run, folders, tmp_path):
    out = tmp_path / "out"
    found = sweep_json(run, *folders, *OPTIONS, "-o", out)
    assert sorted(path.name for path in out.iterdir()) == [
        *("sweep.csv", "sweep.json", "sweep.png")
    ]
    with (out / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["threshold"]) for row in rows] == [
        row["threshold"] for row in found["rows"]
    ]
    known = json.loads((out / "sweep.json").read_text("utf-8"))
    assert known["best"] == found["best"]
    assert known["how"] | {"model": "tiny", "by": "f1"} == known["how"]
    assert known["how"]["version"] == ncr.__version__
    assert [one["name"] for one in known["files"]] == ["a", "b"]
    assert (out / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_images_are_predicted_by_the_model(run, model, image, tmp_path):
    labels = squares((16, 16), shape=(72, 88))
    iio.imwrite(tmp_path / "cells_mask.png", labels.astype(np.uint8))
    found = sweep_json(
        *(run, image, tmp_path / "cells_mask.png", "--model", model),
        *("--thresholds", "0.45,0.46", "--diameter", 24, "--distances", 20),
        err="",
    )
    network = ncr.load_model("tiny")
    card = network.card
    rows = ncr.sweep(
        [ncr.predict(iio.imread(image), network, diameter=24)],
        [labels],
        thresholds=[0.45, 0.46],
        distances=[20],
        min_sizes=[card.min_size_at(24)],
        segmentation={"min_distance": card.min_distance_at(24)},
    )
    assert found["rows"] == [plain(row) for row in rows]


def test_a_named_model_is_run_even_where_there_are_probabilities(
    run, model, pixels, folders
):
    pred, true = folders
    iio.imwrite(pred / "a.png", pixels[: SHAPE[0]])
    iio.imwrite(true / "a.png", squares(shape=(60, 88)).astype(np.uint16))
    outcome = run("sweep", pred, true, "--model", model, "--thresholds", "0.46")
    assert outcome.err.startswith("Truth without image: b.png.\n")


def test_a_bad_image_spoils_only_itself(run, folders, tmp_path):
    pred, true = folders
    (pred / "b_probability.tif").write_bytes(b"II*\0 no more")
    outcome = run(
        "sweep", pred, true, "--min-sizes", 9, "-o", tmp_path / "out", "--json"
    )
    assert outcome.status == 1
    assert outcome.err == FOUND + (
        f"Error: {pred / 'b_probability.tif'} is damaged or no image: copy or export "
        "it again.\n"
    )
    found = json.loads(outcome.out)
    assert found["n_images"] == 1
    assert [row["name"] for row in found["failed"]] == ["b"]
    assert (tmp_path / "out" / "sweep.csv").exists()


def test_without_any_cell_no_setting_is_best(run, tmp_path):
    tifffile.imwrite(tmp_path / "a_probability.tif", np.zeros(SHAPE, np.float32))
    iio.imwrite(tmp_path / "a.png", squares().astype(np.uint16))
    outcome = run("sweep", tmp_path / "a_probability.tif", tmp_path / "a.png")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.splitlines()[1] == (
        "Error: The score f1 is undefined at all settings: the truth needs at least "
        "one cell, or the probability must give one."
    )


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--thresholds", "0.1:0.9", "'0.1:0.9' is neither a list such as 10,20 nor "),
        ("--thresholds", "0.9:0.1:0.1", "'0.9:0.1:0.1' is neither a list such as "),
        ("--thresholds", "0.5,1.5", "1.5 is not from 0 to 1; see "),
        ("--distances", "ten", "'ten' is neither a list such as 10,20 nor from, to "),
        ("--distances", "-3", "-3 is not at least 0; see "),
        ("--distances", "nan", "'nan' is neither a list such as 10,20 nor from, to "),
        ("--distances", "", "Give at least one number; see "),
        ("--min-sizes", "2.5", "Sizes are whole numbers of px; see "),
        ("--by", "f2", "'f2' is not one of f1, precision, recall, accuracy, mae, "),
        ("--device", "gpu", "'gpu' is not one of auto, cpu, cuda, cuda:1, mps; see "),
    ],
)
def test_wrong_arguments_are_told(run, folders, option, value, said):
    outcome = run("sweep", *folders, option, value)
    assert outcome.status == 2
    assert outcome.err.startswith(f"Error: Invalid value for '{option}': {said}")


def test_a_range_has_both_ends(run, folders):
    found = sweep_json(run, *folders, "--thresholds", "0.1:0.9:0.1")
    assert [row["threshold"] for row in found["rows"]] == [
        *(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    ]

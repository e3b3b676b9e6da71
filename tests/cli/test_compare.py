import csv
import json
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
from tests.export.evaluations import squares

import napari_cresunet as ncr
from napari_cresunet.weights import save_weights

TRUTH = squares((12, 12), (42, 22), (28, 58), side=16, shape=(72, 88))


@pytest.fixture
def models(model, stored_model, tmp_path, monkeypatch):
    """Two models: the stored one, and the same with another threshold."""
    folder = tmp_path / "models"
    tiny = ncr.load_model(stored_model)
    folder.mkdir()
    for name, threshold in (("tiny", 0.46), ("other", 0.45)):
        card = replace(tiny.card, name=name, threshold=threshold, source="user")
        save_weights(folder / f"{name}.safetensors", tiny.network, card)
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(folder))
    return "tiny,other"


@pytest.fixture
def folders(pixels, tmp_path):
    """Two images with their truth, and one without."""
    for folder in ("images", "true"):
        (tmp_path / folder).mkdir()
    for name, values in (("a", pixels), ("b", pixels[::-1]), ("c", pixels)):
        iio.imwrite(tmp_path / "images" / f"{name}.png", values)
    for name, values in (("a", TRUTH), ("b", TRUTH[::-1])):
        iio.imwrite(tmp_path / "true" / f"{name}.png", values.astype(np.uint16))
    return tmp_path / "images", tmp_path / "true"


def count_by_hand(path, name):
    model = ncr.load_model(name)
    card = model.card
    return ncr.segment(
        ncr.predict(iio.imread(path), model),
        threshold=card.threshold,
        min_size=card.min_size_at(None),
        min_distance=card.min_distance_at(None),
    )


def compare_json(run, *arguments, err=""):
    outcome = run("compare", *arguments, "--json")
    assert (outcome.status, outcome.err) == (0, err)
    return json.loads(outcome.out)


def test_without_truth_models_are_counted_with(run, models, folders):
    images, _ = folders
    found = compare_json(run, images, "--models", models)
    paths = sorted(images.iterdir())
    for row, name in zip(found["models"], ("tiny", "other"), strict=True):
        counts = [int(count_by_hand(path, name).max()) for path in paths]
        assert (row["model"], row["count"]) == (name, sum(counts))
        assert set(row) == {"model", "count", "n_images", "seconds"}
        assert counts == [
            one["count"] for one in found["images"] if one["model"] == name
        ]
    assert found["models"][0]["count"] != found["models"][1]["count"]
    assert compare_json(run, images, "-", "--models", models)["failed"] == []


def test_with_truth_models_are_scored(run, models, folders):
    images, true = folders
    err = "Without truth and left out: c.png.\n"
    found = compare_json(
        *(run, images, true, "--models", models, "--max-distance", 9), err=err
    )
    for row, name in zip(found["models"], ("tiny", "other"), strict=True):
        scores = [
            ncr.evaluate(
                count_by_hand(images / f"{one}.png", name), truth, max_distance=9
            )
            for one, truth in (("a", TRUTH), ("b", TRUTH[::-1]))
        ]
        expected = ncr.aggregate(scores).to_dict()
        assert {key: row[key] for key in expected} == {
            key: None if value != value else value for key, value in expected.items()
        }


def test_files_hold_what_is_printed(run, models, folders, tmp_path):
    images, true = folders
    out = tmp_path / "out"
    outcome = run("compare", images, true, "--models", models, "-o", out)
    assert outcome.status == 0
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith("│")]
    assert [row[1] for row in rows if row[1] != "│"] == ["tiny", "other"]
    assert sorted(path.name for path in out.iterdir()) == [
        *("compare.csv", "compare.json", "compare.png", "report.html")
    ]
    with (out / "compare.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["name"], row["model"]) for row in table] == [
        (name, model) for name in ("a", "b", "all") for model in ("tiny", "other")
    ]
    known = json.loads((out / "compare.json").read_text("utf-8"))
    assert known["models"][1]["how"]["threshold"] == 0.45
    assert known["how"]["max_distance"] == 40.0
    assert [one["name"] for one in known["files"]] == ["a", "b"]
    report = (out / "report.html").read_text("utf-8")
    assert "heatmap of other" in report
    assert "disagreement" in report


def test_a_bad_image_spoils_only_itself(run, models, folders):
    images, _ = folders
    (images / "b.png").write_bytes(b"")
    outcome = run("compare", images, "--models", models, "--json")
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: {images / 'b.png'} is empty (0 bytes): copy or export it again.\n"
    )
    found = json.loads(outcome.out)
    assert [row["n_images"] for row in found["models"]] == [2, 2]
    assert [row["name"] for row in found["failed"]] == ["b"]


@pytest.mark.parametrize("models_given", ["", "tiny", "tiny,"])
def test_one_model_is_nothing_to_compare(run, models, folders, models_given):
    outcome = run("compare", folders[0], "--models", models_given)
    assert outcome.status == 2
    assert outcome.err == (
        "Error: Invalid value for '--models': Name at least two models, with commas; "
        "see 'napari-cresunet compare --help'.\n"
    )


def test_a_model_named_twice_is_refused(run, models, folders):
    outcome = run("compare", folders[0], "--models", "tiny,other,tiny,tiny")
    assert outcome.status == 1
    assert outcome.err == "Error: The model tiny is named twice: name it once.\n"


def test_an_unknown_model_is_told(run, models, folders):
    outcome = run("compare", folders[0], "--models", "tiny,othr")
    assert outcome.status == 1
    assert outcome.err == "Error: There is no model 'othr'; did you mean other?\n"

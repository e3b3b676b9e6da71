import json

import imageio.v3 as iio
import numpy as np
import pytest

from napari_cresunet.weights import list_models, read_card


def test_list_names_every_model(run, model):
    outcome = run("models", "list")
    assert outcome.status == 0
    for card in list_models():
        assert card.name in outcome.out


def test_list_as_json_is_the_cards(run, model):
    rows = json.loads(run("models", "list", "--json").out)
    assert rows == [card.to_dict() for card in list_models()]
    assert "tiny" in [row["name"] for row in rows]


def test_info_tells_threshold_sizes_and_scores(run, model):
    outcome = run("models", "info", model)
    assert outcome.status == 0
    for words in ("Untrained", "30 px", "0.46", "Scores, test, f1", "0.1235"):
        assert words in outcome.out


def test_info_as_json_is_the_card_also_for_a_file(run, stored_model):
    outcome = run("models", "info", stored_model, "--json")
    assert json.loads(outcome.out) == read_card(stored_model).to_dict()


def test_info_of_an_unknown_model_names_near_ones(run, model):
    outcome = run("models", "info", "tyni")
    assert outcome.status == 1
    assert outcome.err == "Error: There is no model 'tyni'; did you mean tiny?\n"


def test_import_makes_a_file_known_by_name(run, stored_model):
    outcome = run("models", "import", stored_model, "--name", "mine")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == "Imported as mine; use it with: --model mine\n"
    assert "mine" in [card.name for card in list_models()]


@pytest.mark.parametrize(("flags", "status"), [((), 1), (("--overwrite",), 0)])
def test_import_replaces_only_when_told(run, stored_model, flags, status):
    run("models", "import", stored_model)
    assert run("models", "import", stored_model, *flags).status == status


def test_import_of_a_pickle_is_refused_in_one_line(run, tmp_path):
    (tmp_path / "model.pth").write_bytes(b"\x80\x04N.")
    outcome = run("models", "import", tmp_path / "model.pth")
    assert outcome.status == 1
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert list_models() == [card for card in list_models() if card.source == "bundled"]


@pytest.mark.slow
def test_quantize_says_what_changes_and_info_says_it_again(
    run, model, tmp_path, monkeypatch
):
    pytest.importorskip("nncf")
    monkeypatch.setenv("NAPARI_CRESUNET_CACHE", str(tmp_path / "networks"))
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        image = rng.integers(0, 256, (64, 72, 3), dtype=np.uint8)
        iio.imwrite(tmp_path / f"{name}.png", image)
    truth = np.zeros((64, 72), np.uint8)
    truth[20:30, 20:30] = 1
    (tmp_path / "truth").mkdir()
    iio.imwrite(tmp_path / "truth" / "a.png", truth)
    outcome = run(
        *("models", "quantize", model, tmp_path / "a.png", tmp_path / "b.png"),
        *("--truth", tmp_path / "truth", "--json"),
    )
    assert outcome.status == 0, outcome.err
    said = json.loads(outcome.out)
    assert (said["model"], said["n_images"], said["is_bundled"]) == ("tiny", 2, False)
    assert 0 <= said["f1"] <= 1
    assert said["speed"] > 0
    info = json.loads(run("models", "info", model, "--json").out)
    assert {"model": "tiny"} | info["quantized"] == said
    text = run("models", "info", model).out
    assert "8 bits on 2 calibration images: " in " ".join(text.split())
    again = run("models", "quantize", model)
    assert again.out.startswith("8 bits on 2 calibration images: ")
    assert again.out.endswith("Use it with: --model tiny --precision int8\n")
    counted = run("count", tmp_path / "a.png", "--model", model, "--precision", "int8")
    assert counted.status == 0, counted.err


@pytest.mark.parametrize("option", [("--truth", "."), ("--diameter", "12")])
def test_quantize_wants_the_images_that_an_option_is_for(run, option):
    outcome = run("models", "quantize", "fluorescent-cells", *option)
    assert outcome.status == 1
    assert outcome.err == (
        "Error: --truth and --diameter are for images of yours: name the images, too.\n"
    )


@pytest.mark.parametrize("option", ["--backend", "--precision"])
def test_an_unknown_way_to_run_a_network_is_a_wrong_argument(run, option):
    outcome = run("count", "a.png", option, "quick")
    assert outcome.status == 2
    assert "'quick' is not one of auto, " in outcome.err

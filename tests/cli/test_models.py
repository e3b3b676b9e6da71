import json

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

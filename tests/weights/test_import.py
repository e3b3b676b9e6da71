import re
from dataclasses import replace

import pytest
from tests.weights.keras_file import random_layers, write_keras_file

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights import (
    find_weights,
    import_model,
    list_models,
    load_network,
    read_card,
)


def refuses(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}$")


def test_an_imported_keras_model_is_found_by_its_name(tmp_path, user_folder):
    path = write_keras_file(tmp_path / "mine.h5", random_layers())

    card = import_model(path)

    assert card.name == "mine"
    assert card in list_models()
    assert find_weights("mine") == user_folder / "mine.safetensors"
    assert load_network(find_weights("mine"))[0] == card
    assert card.weights_hash == load_network(path)[0].weights_hash


def test_a_safetensors_file_is_imported_with_its_card(saved, card):
    imported = import_model(saved)

    assert imported == replace(read_card(saved), source="user")
    assert imported.scores == card.scores


def test_a_model_can_be_given_another_name(saved, user_folder):
    card = import_model(saved, name="blue_2")

    assert card.name == "blue_2"
    assert read_card(user_folder / "blue_2.safetensors") == card


def test_a_taken_name_is_refused_and_nothing_changes(saved, user_folder):
    import_model(saved)
    target = user_folder / "yellow-1.safetensors"
    before = (target.stat().st_mtime_ns, target.read_bytes())

    with refuses(
        f"There is already a model 'yellow-1' ({target}); "
        "give another name or allow it to be overwritten."
    ):
        import_model(saved)

    assert (target.stat().st_mtime_ns, target.read_bytes()) == before


def test_a_taken_name_can_be_overwritten_wherever_its_file_is(
    tmp_path, add_user_model, user_folder
):
    present = add_user_model("mine", stem="other")
    path = write_keras_file(tmp_path / "mine.h5", random_layers())

    card = import_model(path, overwrite=True)

    assert list(user_folder.iterdir()) == [present]
    assert read_card(present) == card


@pytest.mark.parametrize("name", ["a b", "../a", "a/b", ".a", "", "ä"])
def test_a_name_that_is_not_simple_is_refused(saved, user_folder, name):
    with refuses(
        f"A model cannot be called {name!r}; use letters, digits, '-', '_' and '.', "
        "beginning with a letter or digit."
    ):
        import_model(saved, name=name)

    assert not user_folder.exists()


def test_a_damaged_file_is_not_imported(saved, user_folder):
    saved.write_bytes(saved.read_bytes()[:-1])

    with pytest.raises(WeightsError):
        import_model(saved)

    assert not user_folder.exists()

import logging
import re
from pathlib import Path

import pytest

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights import (
    find_weights,
    list_models,
    user_model_folder,
)


def refuses(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}$")


def user_names():
    return [card.name for card in list_models() if card.source == "user"]


def test_the_environment_variable_puts_the_folder_elsewhere(user_folder):
    assert user_model_folder() == user_folder
    assert not user_folder.exists()


def test_without_it_the_folder_is_in_the_users_data_folder(monkeypatch):
    monkeypatch.delenv("NAPARI_CRESUNET_MODELS")

    folder = user_model_folder()

    assert folder.parts[-2:] == ("napari-cresunet", "models")
    assert folder.is_absolute()


def test_the_users_models_are_listed_by_name_after_the_bundled(add_user_model):
    add_user_model("zebra")
    add_user_model("ant")

    sources = [card.source for card in list_models()]

    assert user_names() == ["ant", "zebra"]
    assert sources == sorted(sources)


def test_a_model_is_found_by_the_name_on_its_card(add_user_model):
    path = add_user_model("yellow.v2", stem="whatever")

    assert find_weights("yellow.v2") == path


def test_a_damaged_file_is_left_out_with_a_warning(add_user_model, caplog):
    add_user_model("good")
    bad = add_user_model("bad")
    bad.write_bytes(b"nonsense")

    with caplog.at_level(logging.WARNING):
        names = user_names()

    assert names == ["good"]
    assert caplog.messages == [
        (
            f"Left out {bad}: bad.safetensors is damaged or no weight file; give a "
            "safetensors or Keras HDF5 (.h5) file, or copy it again."
        )
    ]


def test_the_second_of_one_name_is_left_out_with_a_warning(add_user_model, caplog):
    first = add_user_model("twin", stem="a")
    second = add_user_model("twin", stem="b")

    with caplog.at_level(logging.WARNING):
        names = user_names()

    assert names == ["twin"]
    assert find_weights("twin") == first
    assert caplog.messages[0] == (
        f"Left out {second}: the name twin is that of {first}"
    )


def test_other_files_in_the_folder_are_no_models(add_user_model):
    add_user_model("good")
    (user_model_folder() / "notes.txt").write_text("hello")
    (user_model_folder() / "a.h5").write_text("hello")

    assert user_names() == ["good"]


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_path_is_taken_as_it_is(saved, as_type):
    assert find_weights(as_type(saved)) == saved


def test_a_bare_file_name_in_the_working_folder_is_found(saved, monkeypatch):
    monkeypatch.chdir(saved.parent)

    assert find_weights("yellow.safetensors") == Path("yellow.safetensors")


def test_a_missing_path_is_said_to_be_missing(tmp_path):
    path = tmp_path / "none.h5"

    with refuses(f"There is no file {path}; check the path, or give a model's name."):
        find_weights(str(path))


def test_a_path_to_a_folder_is_said_to_be_one(tmp_path):
    with refuses(f"{tmp_path} is a folder; give a weight file inside it."):
        find_weights(tmp_path)


def test_an_unknown_name_is_answered_with_near_ones(add_user_model):
    add_user_model("quokka-red")
    add_user_model("quokka-green")

    with refuses(
        "There is no model 'quokka-rad'; did you mean quokka-red or quokka-green?"
    ):
        find_weights("quokka-rad")


def test_a_name_like_no_other_is_answered_with_all(add_user_model):
    add_user_model("quokka-red")
    names = " or ".join(card.name for card in list_models())

    with refuses(f"There is no model '!!!'; did you mean {names}?"):
        find_weights("!!!")

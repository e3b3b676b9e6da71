import re

import pytest
import torch

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights import (
    DEFAULT_MODEL,
    find_weights,
    import_model,
    list_models,
    load_network,
    read_card,
)

PAPER_SYSTEMS = ["attention-elu", "attention-relu", "c-resunet", "simple-c-resunet"]


def test_the_default_model_is_bundled_and_comes_first(add_user_model):
    add_user_model("a-first-in-the-alphabet")

    first = list_models()[0]

    assert first.name == DEFAULT_MODEL
    assert first.source == "bundled"


def test_the_systems_of_the_paper_are_bundled():
    names = [card.name for card in list_models()]

    assert names == [DEFAULT_MODEL, *PAPER_SYSTEMS]


@pytest.mark.parametrize("name", [DEFAULT_MODEL, *PAPER_SYSTEMS])
def test_every_bundled_card_is_filled_in(name):
    card = read_card(find_weights(name))

    assert card.source == "bundled"
    assert card.license == "CC-BY-SA-4.0"
    assert all((card.data, card.citation, card.settings, card.scores))
    assert any(score.startswith("validation F1") for score in card.scores)


def test_bundled_models_are_small_together():
    sizes = [find_weights(card.name).stat().st_size for card in list_models()]

    assert sum(sizes) < 40e6


def test_every_bundled_model_loads_and_predicts():
    for card in list_models():
        loaded, network = load_network(find_weights(card.name))
        with torch.inference_mode():
            probability = network(torch.zeros(1, 3, 16, 16))

        assert loaded == card
        assert probability.isfinite().all()


def test_a_users_model_cannot_take_the_name_of_a_bundled_one(saved, user_folder):
    message = (
        f"The name {DEFAULT_MODEL!r} is that of a bundled model; "
        "give the model another name."
    )

    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        import_model(saved, name=DEFAULT_MODEL, overwrite=True)

    assert not user_folder.exists()

import json
import re
from dataclasses import replace

import pytest

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights import ModelCard


def test_a_card_survives_json(card):
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_equal_cards_hash_alike_though_they_hold_dicts(card):
    assert hash(card) == hash(replace(card))


@pytest.mark.parametrize(
    ("diameter", "size", "distance"),
    [(None, 200, 20), (36.5, 200, 20), (73.0, 800, 40), (18.25, 50, 10), (0.5, 1, 1)],
)
def test_sizes_scale_with_area_and_distances_with_length(
    card, diameter, size, distance
):
    assert card.min_size_at(diameter) == size
    assert card.min_distance_at(diameter) == distance


@pytest.mark.parametrize(
    ("largest", "diameter", "zoom", "text"),
    [
        (0, 18.25, 2.0, "36.5 px"),
        (0, 73.0, 0.5, "36.5 px"),
        (73.0, 18.25, 2.0, "36.5 to 73 px"),
        (73.0, 36.5, 1.0, "36.5 to 73 px"),
        (73.0, 50.0, 1.0, "36.5 to 73 px"),
        (73.0, 146.0, 0.5, "36.5 to 73 px"),
    ],
)
def test_images_are_resampled_into_the_range_of_known_cells(
    card, largest, diameter, zoom, text
):
    card = replace(card, largest_diameter=largest)
    assert card.zoom_at(diameter) == pytest.approx(zoom)
    assert card.diameters_text == text
    assert card.min_size_at(diameter) == round(200 / zoom**2)
    assert card.min_distance_at(diameter) == round(20 * diameter / 36.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"name": "../../evil"},
            (
                "A model cannot be called '../../evil'; use letters, digits, '-', '_' "
                "and '.', beginning with a letter or digit."
            ),
        ),
        (
            {"name": ""},
            (
                "A model cannot be called ''; use letters, digits, '-', '_' and '.', "
                "beginning with a letter or digit."
            ),
        ),
        (
            {"scaling": "log"},
            "A model card's `scaling` must be 'unit' or 'adaptive', got 'log'.",
        ),
        (
            {"channels": "hsv"},
            "A model card's `channels` must be 'rgb' or 'brightest', got 'hsv'.",
        ),
        (
            {"threshold": 1.5},
            "A model card's `threshold` must be between 0 and 1, got 1.5.",
        ),
        (
            {"diameter": 0.0},
            "A model card's `diameter` must be positive, got 0.",
        ),
        (
            {"diameter": float("nan")},
            "A model card's `diameter` must be positive, got nan.",
        ),
        (
            {"largest_diameter": 30.0},
            (
                "A model card's `largest_diameter` must be 0 or at least the "
                "`diameter`, got 30."
            ),
        ),
        ({"min_size": -1}, "A model card's `min_size` must be at least 0, got -1."),
        (
            {"min_distance": -2},
            "A model card's `min_distance` must be at least 0, got -2.",
        ),
        (
            {"threshold": "0.5"},
            (
                "A model card's `threshold` cannot be '0.5'; correct the card and save "
                "the weights again."
            ),
        ),
        (
            {"scores": [1]},
            (
                "A model card's `scores` cannot be [1]; correct the card and save the "
                "weights again."
            ),
        ),
    ],
)
def test_a_card_with_an_impossible_value_is_refused(card, change, message):
    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        replace(card, **change)


def test_an_unknown_field_is_refused(card):
    message = (
        "A model card has no field 'colour'; "
        "a newer version of napari-cresunet may know it."
    )

    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        ModelCard.from_dict(card.to_dict() | {"colour": "red"})


def test_a_missing_field_is_named(card):
    values = card.to_dict()
    del values["threshold"]
    message = (
        "The model card lacks the field 'threshold'; add it and save the weights again."
    )

    with pytest.raises(WeightsError, match=f"^{re.escape(message)}$"):
        ModelCard.from_dict(values)

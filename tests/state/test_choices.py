import re

import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.state import Choices
from napari_cresunet.state._choices import resolve
from napari_cresunet.weights import ModelCard

CARD = ModelCard(
    name="a",
    title="A",
    variant="c-resunet",
    scaling="unit",
    diameter=40.0,
    threshold=0.3,
    min_size=200,
    min_distance=20,
)


def test_what_is_left_open_follows_the_model():
    settings = resolve(Choices(), CARD)
    assert (settings.threshold, settings.min_size) == (0.3, 200)
    assert (settings.preset, settings.min_distance) == ("tashfeen2025", 20)


def test_sizes_follow_the_diameter_as_area_and_as_length():
    settings = resolve(Choices(diameter=20.0), CARD)
    assert (settings.min_size, settings.min_distance) == (50, 10)


def test_what_the_user_chose_stays():
    choices = Choices(diameter=20.0, threshold=0.7, min_size=3, min_distance=5)
    settings = resolve(choices, CARD)
    assert (settings.threshold, settings.min_size, settings.min_distance) == (0.7, 3, 5)


def test_a_recipe_with_its_own_windows_has_no_distance():
    choices = Choices(preset="morelli2021", min_distance=5)
    assert resolve(choices, CARD).min_distance is None


def test_a_threshold_above_1_is_refused():
    message = "`threshold` must be between 0 and 1, got 1.5."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Choices(threshold=1.5)

"""Options check their own bounds."""

import re
from dataclasses import dataclass

import pytest

from napari_cresunet.config import Options, check_bounds, option
from napari_cresunet.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample(Options):
    size: int = option(4, "A size.", unit="px", low=1, high=9)
    share: float = option(0.5, "A share.", low=0)


def test_options_survive_a_round_trip_through_a_dict():
    sample = Sample(size=7)
    assert sample.to_dict() == {"size": 7, "share": 0.5}
    assert Sample.from_dict(sample.to_dict()) == sample


def test_an_unknown_option_names_the_known_ones():
    message = "Unknown option 'sise' for Sample; choose from size, share."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Sample.from_dict({"sise": 3})


@pytest.mark.parametrize(
    ("value", "low", "high", "message"),
    [
        (10, 1, 9, "`size` must be between 1 and 9, got 10."),
        (0.5, 1, None, "`size` must be at least 1, got 0.5."),
        (3, None, 2, "`size` must be at most 2, got 3."),
        (float("nan"), None, None, "`size` must be a number, got nan."),
        (float("inf"), 0, None, "`size` must be finite, got inf."),
        (float("inf"), 0, 9, "`size` must be between 0 and 9, got inf."),
        (float("-inf"), None, None, "`size` must be finite, got -inf."),
        (float("nan"), 0, 1, "`size` must be between 0 and 1, got nan."),
    ],
)
def test_a_number_out_of_bounds_is_refused_in_one_sentence(value, low, high, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_bounds("size", value, low, high)


@pytest.mark.parametrize("value", [1, 5, 9])
def test_bounds_are_inclusive(value):
    assert Sample(size=value).size == value

import numpy as np
import pytest

from napari_cresunet.state import Source


def make(image, **more):
    return Source(identity="a", name="a", image=image, **more)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (
            np.zeros((4, 4), complex),
            "The image has complex values: pass its magnitude, `numpy.abs(image)`.",
        ),
        (
            np.zeros(7),
            "The image must have at least the axes (Y, X), got the shape (7,).",
        ),
        (
            np.zeros((0, 7)),
            "The image is empty, its shape is (0, 7): choose another.",
        ),
    ],
    ids=["complex", "1-D", "empty"],
)
def test_an_image_that_cannot_be_used_says_why(image, reason):
    assert make(image).why_unusable == reason


def test_a_usable_image_has_nothing_against_it():
    assert make(np.zeros((5, 4, 3), np.uint8), is_rgb=True).why_unusable == ""
    assert make(np.zeros((5, 4, 3), np.uint8)).why_unusable == ""


def test_a_pixel_that_is_no_square_counts_by_its_area():
    assert make(np.zeros((4, 4)), pixel_um=(4.0, 1.0)).um_per_px == 2.0
    assert make(np.zeros((4, 4))).um_per_px is None

"""How cells were counted, in words for a paper."""

from importlib.metadata import version

import numpy as np
import pytest
from tests.export.counts import LOG, PIXEL_SIZE, RECORD, counted, left_half

from napari_cresunet.export import count_methods, count_methods_text
from napari_cresunet.export._methods import MORELLI, TASHFEEN
from napari_cresunet.weights import list_models

UNKNOWN = (
    f"Cells were counted with napari-cresunet {version('napari-cresunet')}; how they "
    "were outlined is not recorded."
)


def text_of(**changed):
    (found,) = count_methods([counted(**changed)])
    return found.text


def test_of_labels_of_unknown_origin_nothing_is_claimed():
    assert count_methods_text(counted()) == UNKNOWN
    assert text_of(record={"threshold": 0.3, "min_size": 4}) == UNKNOWN


def test_what_a_model_did_is_told_with_all_parameters():
    assert count_methods_text(counted(record=RECORD)) == (
        "Cells were found with napari-cresunet 9.8 and its model tiny (weights SHA-256 "
        "abababababab). For it, images were divided by the largest value of their type "
        "and resampled by a factor of 0.5, as cells were 20 px wide. A pixel was part "
        "of a cell where the probability was above 0.4; parts of fewer than 30 px were "
        "removed; touching cells were divided by watershed (recipe tashfeen2025 [1], "
        f"centers at least 7 px apart).\n\n[1] {TASHFEEN}"
    )


def test_a_bundled_model_is_cited_with_its_data():
    card = list_models()[0]
    record = {"model": card.name, "weights_hash": card.weights_hash, "version": "1"}
    (found,) = count_methods([counted(record=record)])
    assert found.text == (
        f"Cells were found with napari-cresunet 1 and its model {card.name} "
        f"({card.title} [1]; weights SHA-256 {card.weights_hash[:12]}). It was trained "
        f"on {card.data} [2]."
    )
    assert found.references == (MORELLI, card.citation)


def test_attention_models_cite_their_paper_too():
    card = next(one for one in list_models() if one.name == "attention-elu")
    record = {"model": card.name, "weights_hash": card.weights_hash}
    (found,) = count_methods([counted(record=record)])
    assert found.references == (MORELLI, TASHFEEN, card.citation)
    assert f"({card.title} [1] [2];" in found.text


def test_other_weights_of_the_same_name_are_not_taken_for_it():
    record = {"model": list_models()[0].name, "weights_hash": "00" * 32}
    (found,) = count_methods([counted(record=record)])
    assert found.references == ()


@pytest.mark.parametrize(
    ("record", "end"),
    [
        ({"preset": "morelli2021", "min_distance": None}, "(recipe morelli2021 [1])."),
        ({"preset": "own", "min_distance": None}, "(recipe own)."),
        ({"preset": None}, "parts of fewer than 30 px were removed."),
        ({"preset": None, "min_size": 0}, "where the probability was above 0.4."),
        ({"threshold": None}, "as cells were 20 px wide."),
        ({"threshold": None, "zoom": 1.0}, "the largest value of their type."),
        ({"threshold": None, "zoom": 1, "scaling": None}, "SHA-256 abababababab)."),
    ],
)
def test_what_is_not_known_is_left_out(record, end):
    assert text_of(record=RECORD | record).endswith(end)


def test_corrections_by_hand_are_told():
    said = text_of(log=LOG, n_pinned=2).removeprefix(UNKNOWN)
    assert said == (
        " Cells were corrected by hand: 3 cells merged into 1, 2 cells deleted, 1 cell "
        "added. 2 of 3 cells were changed, added or accepted by hand."
    )
    said = text_of(n_pinned=1).removeprefix(UNKNOWN)
    assert said == " 1 of 3 cells was changed, added or accepted by hand."
    assert text_of(log=LOG[:1]).endswith("by hand: 3 cells merged into 1.")


def test_that_nobody_corrected_is_said_only_if_it_is_known():
    record = {"model": "tiny"}
    assert text_of(record=record, n_pinned=0).endswith("No cell was corrected by hand.")
    assert "hand" not in text_of(record=record)
    assert text_of(n_pinned=0) == UNKNOWN


def test_regions_and_the_size_of_a_pixel_are_explained():
    said = text_of(pixel_size=PIXEL_SIZE, regions=[left_half()]).removeprefix(UNKNOWN)
    assert said == (
        " A pixel is 0.25 µm wide and 0.5 µm high. A cell belongs to the region in "
        "which its centroid lies; where regions overlap, it counts in each. Density is "
        "the count over the area of the region within the image."
    )
    assert text_of(regions=[left_half()]).endswith("it counts in each.")


def test_planes_are_counted_one_by_one_or_followed():
    labels = np.zeros((2, 4, 4), np.int32)
    labels[0, 0, 0], labels[1, 2, 2] = 1, 2
    one_by_one = text_of(labels=labels, image=None)
    assert one_by_one.endswith(
        "Each plane was counted by itself, and the counts were summed."
    )
    labels[1, 2, 2] = 1
    followed = text_of(labels=labels, image=None)
    assert followed.endswith(
        "A cell that is on several planes was counted once, seen from above."
    )


def test_images_that_were_counted_alike_share_a_paragraph():
    others = [
        counted(name="slice 2", record=RECORD, log=LOG[:1]),
        counted(name="slice 3", record=RECORD | {"threshold": 0.7}),
        counted(name="slice 4", record=RECORD | {"time": "later"}, log=LOG[1:2]),
    ]
    first, second = count_methods(others)
    assert first.names == ("slice 2", "slice 4")
    assert "3 cells merged into 1, 2 cells deleted." in first.text
    assert second.names == ("slice 3",)
    assert "above 0.7" in second.text
    assert count_methods_text(*others).startswith("slice 2, slice 4: Cells were found")

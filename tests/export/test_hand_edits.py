"""What was done by hand, in numbers and words."""

import pytest
from tests.export.counts import LOG

from napari_cresunet.correction import LogEntry
from napari_cresunet.export import edits_in_words, hand_edits
from napari_cresunet.export._hand_edits import joined_edits


def steps(*kinds):
    return [LogEntry(kind=kind, before=(1,), after=(1, 2)) for kind in kinds]


def numbers(edits):
    return {one.kind: (one.n_steps, one.n_before, one.n_after) for one in edits}


def test_steps_that_were_undone_do_not_count():
    assert numbers(hand_edits(LOG)) == {
        "merge": (1, 3, 1),
        "delete": (1, 2, 0),
        "add": (1, 0, 1),
    }


@pytest.mark.parametrize(
    ("kinds", "left"),
    [
        (["add", "split", "undo"], ["add"]),
        (["add", "split", "undo", "undo", "redo"], ["add"]),
        (["add", "undo", "split", "redo"], ["split"]),  # nothing to redo any more
        (["undo", "redo", "add"], ["add"]),
        (["accept", "release", "new labels", "relabel"], []),
        (["add", "accept", "undo"], []),
    ],
)
def test_undo_takes_back_the_last_step_and_redo_brings_it_again(kinds, left):
    assert [one.kind for one in hand_edits(steps(*kinds))] == left


@pytest.mark.parametrize(
    ("kind", "before", "after", "words"),
    [
        ("merge", (1, 2, 3), (1,), "3 cells merged into 1"),
        ("split", (4,), (4, 5), "1 cell split into 2"),
        ("trim", (4, 5), (4, 5), "parts of 2 cells cut off"),
        ("delete", (1,), (), "1 cell deleted"),
        ("add", (), (9,), "1 cell added"),
        ("fill holes", (1, 2), (1, 2), "holes of 2 cells filled"),
        ("smooth", (1,), (1,), "outlines of 1 cell smoothed"),
        ("paint", (1,), (1,), "1 stroke of a brush, an eraser or the like"),
        ("shear", (1,), (1,), "1 step (shear)"),
    ],
)
def test_each_kind_has_its_words(kind, before, after, words):
    (one,) = hand_edits([LogEntry(kind=kind, before=before, after=after)])
    assert one.words == words


def test_edits_of_several_images_are_summed():
    joined = joined_edits([hand_edits(LOG), hand_edits(steps("paint", "add"))])
    assert edits_in_words(joined) == (
        "3 cells merged into 1, 2 cells deleted, 3 cells added, 1 stroke of a brush, "
        "an eraser or the like"
    )
    assert edits_in_words([]) == ""

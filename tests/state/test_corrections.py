import numpy as np
import pytest

from napari_cresunet.correction import Edit, Erased, Pins
from napari_cresunet.state import Corrections
from napari_cresunet.state._label_areas import (
    areas_of_cells,
    areas_of_planes,
    differing_places,
)


@pytest.fixture
def labels():
    """Three square cells of 16 px, numbered 1, 2, 3."""
    labels = np.zeros((20, 30), np.int32)
    for number, column in enumerate((2, 12, 22), 1):
        labels[8:12, column : column + 4] = number
    return labels


@pytest.fixture
def told(labels):
    """Corrections, and a list to which each signal adds."""
    corrections, signals = Corrections(labels), []
    corrections.changed.connect(lambda: signals.append(1))
    corrections.signals = signals
    return corrections


def step(labels, **changes):
    """Return a copy in which slices, given as a_b_c_d, have another label."""
    changed = labels.copy()
    for name, label in changes.items():
        top, bottom, left, right = map(int, name.removeprefix("at_").split("_"))
        changed[top:bottom, left:right] = label
    return changed


def test_labels_that_nobody_touched_have_no_pins_and_no_log(told, labels):
    assert told.look(labels).is_empty
    assert told.count == 3
    assert told.plane_counts == (3,)
    assert told.cells.tolist() == [1, 2, 3]
    assert told.log == told.signals == []
    assert not told.has_steps


def test_painting_is_noticed_logged_and_told(told, labels):
    painted = step(labels, at_8_12_6_8=1)
    assert told.look(painted).cells == {1: "edited"}
    (entry,) = told.log
    assert (entry.kind, entry.before, entry.after) == ("paint", (1,), (1,))
    assert (entry.plane, entry.row, entry.column, entry.changed_px) == (0, 9.5, 6.5, 8)
    assert told.signals == [1]
    assert told.look(painted).cells == {1: "edited"}
    assert told.signals == [1]


def test_the_labels_that_were_given_may_be_changed_afterwards(labels):
    corrections = Corrections(labels)
    labels[8:12, 2:6] = 0
    assert corrections.look(labels).erased[0].is_whole


def test_our_edits_are_logged_by_their_own_name(told, labels):
    told.look(step(labels, at_8_12_12_16=0), "delete")
    assert told.log[0].kind == "delete"
    assert told.log[0].before == (2,)
    assert told.log[0].after == ()
    assert told.n_pinned == 1
    assert told.count == 2


def test_undo_takes_pins_back_and_redo_brings_them_again(told, labels):
    one = step(labels, at_8_12_12_16=0)
    two = step(one, at_0_4_0_4=4)
    told.look(one, "delete")
    told.look(two, "add")
    assert told.n_pinned == 2
    told.look(one)
    assert told.n_pinned == 1
    told.look(labels)
    assert told.pins.is_empty
    told.look(two)
    assert told.pins.cells == {4: "added"}
    kinds = [entry.kind for entry in told.log]
    assert kinds == ["delete", "add", "undo", "undo", "redo"]
    assert told.count == 3
    assert told.cells.tolist() == [1, 3, 4]


def test_a_step_after_undo_forgets_what_could_be_redone(told, labels):
    first = step(labels, at_8_12_12_16=0)
    told.look(first)
    told.look(labels)
    told.look(step(labels, at_0_4_0_4=4))
    told.look(first)
    assert [entry.kind for entry in told.log] == ["paint", "undo", "paint", "paint"]
    told.look(labels)
    assert told.log[-1].kind == "undo"
    assert told.pins.is_empty


def test_an_accepted_cell_is_pinned_reviewed_and_logged(told, labels):
    told.accept(2)
    assert told.pins.cells == {2: "accepted"}
    assert told.reviewed == {2}
    (entry,) = told.log
    assert (entry.kind, entry.before, entry.after) == ("accept", (2,), (2,))
    assert (entry.row, entry.column, entry.changed_px) == (9.5, 13.5, 0)
    assert not told.has_steps
    told.look(step(labels, at_8_12_12_16=0))
    assert told.pins.cells == {}
    assert told.reviewed == set()


def test_an_edited_cell_stays_edited_when_it_is_accepted(told, labels):
    told.look(step(labels, at_8_12_6_8=1))
    told.accept(1)
    assert told.pins.cells == {1: "edited"}


def test_a_cell_can_be_reviewed_without_being_pinned(told):
    told.review(3)
    assert told.reviewed == {3}
    assert told.pins.is_empty
    assert told.signals == [1]


# New labels


def test_pinned_cells_survive_new_labels_and_are_the_only_ones_reviewed(told, labels):
    edited = step(labels, at_8_12_12_16=0, at_8_12_6_8=1)
    told.look(edited)
    told.review(3)
    told.accept(1)
    automatic = np.where(labels == 3, 0, labels)
    made, pins = told.renewed(automatic, 5)
    assert pins is told.pins
    assert np.array_equal(made, np.where(edited == 1, 1, 0))
    told.renew(made, automatic, 5)
    assert told.labels is made
    assert told.reviewed == {1}
    assert told.n_pinned == 2
    assert told.count == 1
    assert not told.has_steps
    assert told.log[-1].kind == "new labels"


def test_a_slider_that_is_dragged_is_one_line_of_the_log(told, labels):
    told.accept(1)
    for _ in range(3):
        made, _ = told.renewed(labels, 5)
        told.renew(made, labels, 5)
    assert [entry.kind for entry in told.log] == ["accept", "new labels"]


def test_new_labels_that_nobody_touched_are_not_logged(told, labels):
    made, _ = told.renewed(labels, 5)
    told.renew(made, labels, 5)
    assert told.log == []


def test_pins_are_kept_through_many_thresholds(told, labels):
    told.look(step(labels, at_8_12_12_16=0))
    for automatic in (labels * 0, labels, labels * 0, labels):
        made, _ = told.renewed(automatic, 5)
        told.renew(made, automatic, 5)
    assert told.cells.tolist() == [1, 2]
    assert not told.labels[8:12, 12:16].any()


# Letting go of them


def test_a_released_cell_is_again_as_the_network_has_it(told, labels):
    made, _ = told.renewed(labels, 5)
    told.renew(made, labels, 5)
    edited = step(labels, at_8_12_6_8=1)
    told.look(edited)
    shown = told.release([1])
    assert np.array_equal(shown, labels)
    assert told.pins.is_empty
    assert told.log[-1].kind == "release"
    assert told.log[-1].before == (1,)
    # The viewer takes it back.
    told.look(edited)
    assert told.pins.cells == {1: "edited"}
    assert told.log[-1].kind == "undo"


def test_a_deleted_cell_comes_back_when_it_is_released(told, labels):
    made, _ = told.renewed(labels, 5)
    told.renew(made, labels, 5)
    told.look(step(labels, at_8_12_12_16=0))
    shown = told.release(erased=told.pins.erased)
    assert np.array_equal(np.unique(shown), [0, 1, 2, 3])
    assert told.pins.is_empty


def test_releasing_a_cell_releases_what_was_rubbed_out_of_it(told, labels):
    made, _ = told.renewed(labels, 5)
    told.renew(made, labels, 5)
    told.look(step(labels, at_8_9_2_6=0, at_8_12_12_16=0))
    told.release([1])
    assert told.pins.cells == {}
    assert [one.label for one in told.pins.erased] == [2]


def test_labels_that_were_not_made_here_stay_when_they_are_released(told, labels):
    edited = step(labels, at_8_12_6_8=1)
    told.look(edited)
    assert np.array_equal(told.release([1]), edited)
    assert told.pins.is_empty


# Other numbers


def test_new_numbers_pin_nothing_and_pinned_cells_stay_pinned(told, labels):
    edited = step(labels, at_8_12_12_16=0, at_8_9_2_6=0, at_0_4_0_4=9)
    told.look(edited)
    told.accept(3)
    anew = edited.copy()
    anew[edited == 3], anew[edited == 9] = 2, 3
    told.renumber(anew, "relabel")
    assert told.pins.cells == {1: "edited", 2: "accepted", 3: "added"}
    assert [(one.label, one.is_whole) for one in told.pins.erased] == [
        (1, False),
        (4, True),
    ]
    assert told.reviewed == {2}
    assert told.count == 3
    entry = told.log[-1]
    assert (entry.kind, entry.before, entry.after) == ("relabel", (1, 3, 9), (1, 2, 3))
    assert told.look(anew) is told.pins


def test_what_was_rubbed_out_follows_its_cell_to_its_new_number(labels):
    part = Erased(label=3, pixels=np.arange(2), is_whole=False)
    gone = Erased(label=3, pixels=np.arange(4, 8), is_whole=True)
    corrections = Corrections(labels, pins=Pins(erased=(part, gone)))
    corrections.renumber(np.where(labels > 0, 4 - labels, 0), "relabel")
    found = [(one.label, one.is_whole) for one in corrections.pins.erased]
    assert found == [(1, False), (3, True)]


def test_new_numbers_can_be_undone_and_done_again(told, labels):
    edited = step(labels, at_8_12_2_6=0)
    told.look(edited)
    anew = np.where(edited > 0, edited - 1, 0)
    told.renumber(anew, "relabel")
    told.look(edited)
    assert told.log[-1].kind == "undo"
    assert told.pins.cells == {}
    told.look(labels)
    assert told.pins.is_empty
    told.look(anew)
    assert told.log[-1].kind == "redo"
    assert told.pins.cells == {}
    assert [one.is_whole for one in told.pins.erased] == [True]


def test_a_cell_with_a_new_number_is_edited_by_a_brush_like_any_other(told, labels):
    anew = np.where(labels > 0, 4 - labels, 0)
    told.renumber(anew, "relabel")
    told.look(step(anew, at_8_12_6_8=3))
    assert told.pins.cells == {3: "edited"}


def test_undoing_a_release_pins_the_cell_as_it_was(told, labels):
    made, _ = told.renewed(labels, 5)
    told.renew(made, labels, 5)
    added = step(labels, at_0_4_0_4=9)
    told.look(added)
    told.accept(2)
    told.release([9])
    assert told.pins.cells == {2: "accepted"}
    told.look(added)
    assert told.pins.cells == {2: "accepted", 9: "added"}


# What is known of a study


def test_what_was_saved_goes_on(labels):
    gone = Erased(label=9, pixels=np.arange(3), is_whole=True)
    pins = Pins(cells={2: "edited"}, erased=(gone,))
    first = Corrections(labels)
    first.accept(3)
    again = Corrections(labels, pins=pins, log=first.log, reviewed=[2, 3])
    assert again.pins is pins
    assert again.n_pinned == 2
    assert again.reviewed == {2, 3}
    assert [entry.kind for entry in again.log] == ["accept"]
    again.look(step(labels, at_0_4_0_4=4))
    assert again.pins.cells == {2: "edited", 4: "added"}
    assert again.pins.erased == (gone,)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.uint64])
def test_labels_of_any_type_can_be_corrected(labels, dtype):
    corrections = Corrections(labels.astype(dtype))
    corrections.look(step(labels, at_0_4_0_4=200).astype(dtype))
    assert corrections.pins.cells == {200: "added"}
    assert corrections.count == 4
    shown = corrections.release([200])
    assert shown.dtype == dtype


def test_a_stack_is_counted_plane_by_plane(labels):
    stack = np.stack([labels, np.where(labels > 1, labels + 2, 0)])
    corrections = Corrections(stack)
    assert corrections.plane_counts == (3, 2)
    changed = stack.copy()
    changed[1, :4, :4] = 9
    corrections.look(changed)
    assert corrections.plane_counts == (3, 3)
    assert corrections.log[0].plane == 1
    assert corrections.log[0].before == ()
    assert corrections.log[0].after == (9,)


def test_an_edit_and_its_reverse_leave_no_pin(told, labels):
    pixels = np.flatnonzero(labels == 2)
    edit = Edit(
        kind="delete",
        pixels=pixels,
        values=np.zeros(len(pixels), np.int32),
        before=(2,),
        after=(),
    )
    told.look(edit.applied_to(labels), edit.kind)
    told.look(labels)
    assert told.pins.is_empty


@pytest.mark.parametrize("most", [None, 0, 2, 3, 9])
def test_places_that_differ_are_found_unless_there_are_more(most):
    labels = np.zeros((700, 1000), np.int32)
    others = labels.copy()
    others.ravel()[[5, 400_000, 699_999]] = 1
    found = differing_places(labels, others, most)
    if most is not None and most < 3:
        assert found is None
    else:
        assert found.tolist() == [5, 400_000, 699_999]


def test_areas_of_cells_are_those_counted_in_the_labels():
    labels = np.zeros((3, 4, 5), np.int32)
    labels[0, 0, :3], labels[0, 2, 2], labels[2, 1] = 1, 2, 3
    known = areas_of_cells(
        [np.array([3, 1]), np.array([], int), np.array([5])], labels[0].size
    )
    for found, expected in zip(known, areas_of_planes(labels), strict=True):
        assert found.tolist() == expected.tolist()


def test_without_pins_new_labels_are_not_copied():
    corrections = Corrections(np.zeros((9, 9), np.int32))
    automatic = np.ones((9, 9), np.int32)
    assert corrections.renewed(automatic, 5)[0] is automatic

"""What the dock Correct cells knows: tools, and what they wait for."""

import numpy as np
import pytest

from napari_cresunet.correction import delete
from napari_cresunet.errors import InputError
from napari_cresunet.state import TOOLS, Corrections, CorrectState


def squares():
    """Three cells of 100 px; the first two are 2 px apart."""
    labels = np.zeros((60, 90), np.int32)
    for number, (row, column) in enumerate(((10, 10), (10, 22), (40, 60)), start=1):
        labels[row : row + 10, column : column + 10] = number
    return labels


@pytest.fixture
def labels():
    return squares()


@pytest.fixture
def state(labels):
    state = CorrectState()
    state.choose_labels("layer", Corrections(labels))
    return state


def blob(shape=(60, 90), at=(45, 20), sigma=3.0, height=0.8):
    """A landscape with one smooth peak."""
    rows, columns = np.indices(shape)
    distance = (rows - at[0]) ** 2 + (columns - at[1]) ** 2
    return height * np.exp(-distance / (2 * sigma**2))


# In words


def test_without_labels_the_hint_says_where_they_come_from():
    state = CorrectState()
    assert state.headline == "No cells yet"
    assert not state.can_edit
    assert state.hint == (
        "There are no cells to correct: press Run in Segment and count to find some, "
        "or choose a labels layer."
    )
    state.choose_tool("join")
    assert state.tool == ""


def test_labels_that_cannot_be_corrected_say_why():
    state = CorrectState()
    state.choose_labels("layer", why_not="It is locked: unlock it.")
    assert state.hint == "It is locked: unlock it."
    assert not state.can_edit


def test_counts_pins_and_progress_follow_what_is_done(state, labels):
    assert (state.headline, state.pinned_words) == ("3 cells", "")
    assert state.progress_words == "0 of 3 reviewed"
    state.corrections.accept(2)
    edit = delete(labels, [1])
    state.corrections.look(edit.applied_to(labels), edit.kind)
    assert (state.headline, state.pinned_words) == ("2 cells", "2 pinned")
    assert state.progress_words == "2 of 3 reviewed"  # the deleted one, too


def test_what_was_touched_counts_as_reviewed(state, labels):
    painted = labels.copy()
    painted[20, 10] = 1
    state.corrections.look(painted)
    assert state.reviewed == {1}
    state.corrections.look(labels)
    assert state.reviewed == set()


def test_every_tool_says_what_to_do(state):
    for name, tool in TOOLS.items():
        state.choose_tool(name)
        assert state.hint == tool.hint
    keys = [tool.key for tool in TOOLS.values()]
    # Those that napari leaves free on layers of labels.
    assert set(keys) <= set("ACDGHIJKNOQRSTUWY")
    assert len(set(keys)) == len(keys)


# Strokes


@pytest.mark.parametrize(
    ("tool", "path", "expected"),
    [
        ("join", [[15, 12], [15, 28]], [1, 3]),
        ("split", [[5, 15], [25, 15]], [1, 2, 3, 4]),
        ("delete", [[5, 5], [25, 40]], [3]),
        ("outline", [[40, 10], [40, 20], [50, 20], [50, 10]], [1, 2, 3, 4]),
    ],
)
def test_a_stroke_does_what_the_tool_is_for(state, labels, tool, path, expected):
    state.choose_tool(tool)
    edit = state.stroke(labels, np.array(path, float))
    after = edit.applied_to(labels)
    assert sorted(set(np.unique(after)) - {0}) == expected
    assert np.array_equal(after == 3, labels == 3)


def test_a_stroke_trims_the_smaller_part(state, labels):
    state.choose_tool("trim")
    after = state.stroke(labels, np.array([[5.0, 12], [25, 12]])).applied_to(labels)
    assert 60 < np.count_nonzero(after == 1) < 100
    assert not after[10:20, 10].any()


@pytest.mark.parametrize(
    ("tool", "path", "message"),
    [
        (
            "delete",
            [[30, 30], [35, 35]],
            "No cell has its center in this box: drag it around the centers.",
        ),
    ],
)
def test_a_stroke_that_meets_nothing_is_an_error(state, labels, tool, path, message):
    state.choose_tool(tool)
    with pytest.raises(InputError, match=f"^{message}$"):
        state.stroke(labels, np.array(path, float))


@pytest.mark.parametrize("tool", ["join", "split", "trim", "delete", "outline"])
def test_a_stroke_outside_of_the_labels_changes_nothing_and_says_so(
    state, labels, tool
):
    state.choose_tool(tool)
    assert state.stroke(labels, np.array([[-20.0, 5], [-20, 30]])) is None
    assert state.hint == "This is outside of the labels: nothing was changed."


def test_a_stroke_that_should_be_a_click_says_so(state, labels):
    state.choose_tool("add")
    assert state.stroke(labels, np.array([[40.0, 10], [45, 30]])) is None
    assert state.hint == TOOLS["add"].hint


# Clicks


@pytest.mark.parametrize("tool", list(TOOLS))
@pytest.mark.parametrize("place", [(-1, 5), (5, 90), (60, 0)])
def test_a_click_outside_of_the_labels_says_so(state, labels, tool, place):
    state.choose_tool(tool)
    assert state.click(labels, place) is None
    assert state.hint == "This is outside of the labels: nothing was changed."
    assert not state.marks


def test_a_click_deletes_a_cell(state, labels):
    state.choose_tool("delete")
    edit = state.click(labels, (15, 15))
    assert np.array_equal(edit.applied_to(labels), np.where(labels == 1, 0, labels))


@pytest.mark.parametrize("tool", ["join", "split", "delete"])
def test_a_click_on_background_says_that_there_is_no_cell(state, labels, tool):
    state.choose_tool(tool)
    assert state.click(labels, (35, 35)) is None
    assert state.hint == "There is no cell here: click into one."


def test_cells_that_were_clicked_are_joined(state, labels):
    state.choose_tool("join")
    for place in ((15, 15), (15, 25), (45, 65)):
        assert state.click(labels, place) is None
    assert state.hint == "3 cells marked: Enter joins them, Esc drops the marks."
    assert state.click(labels, (48, 68)) is None  # takes the third one back
    assert len(state.drawing) == 2
    after = state.finish(labels).applied_to(labels)
    assert after[15, 25] == 1
    assert after[45, 65] == 3


def test_one_mark_is_too_few_to_join_and_stays(state, labels):
    state.choose_tool("join")
    state.click(labels, (15, 15))
    with pytest.raises(
        InputError, match=r"^Only cells, at least two, can be merged: choose another"
    ):
        state.finish(labels)
    assert state.marks == ((15, 15),)


def test_parts_that_were_clicked_are_split(state):
    labels = squares()
    labels[10:20, 20:22] = labels[10:20, 22:32] = 1  # one wide cell
    state.choose_labels("wide", Corrections(labels))
    state.choose_tool("split")
    state.click(labels, (15, 12))
    state.click(labels, (45, 65))
    assert state.hint == (
        "This is another cell: click the parts of one, then press Enter."
    )
    state.click(labels, (15, 29))
    assert state.hint == "2 parts marked: Enter splits the cell, Esc drops the marks."
    after = state.finish(labels).applied_to(labels)
    assert after[15, 12] != after[15, 29]
    assert np.array_equal(after > 0, labels > 0)


def test_dropping_takes_back_marks_first_and_then_the_tool(state, labels):
    state.choose_tool("join")
    state.click(labels, (15, 15))
    state.drop()
    assert (state.tool, state.marks) == ("join", ())
    state.drop()
    assert state.tool == ""


def test_marks_go_when_the_labels_change(state, labels):
    state.choose_tool("join")
    state.click(labels, (15, 15))
    state.corrections.look(np.where(labels == 3, 0, labels))
    assert state.marks == ()
    assert state.tool == "join"


def test_nothing_is_finished_that_was_not_begun(state, labels):
    state.choose_tool("join")
    assert state.finish(labels) is None


# Cells that are found


def test_a_click_finds_a_cell_that_can_be_made_larger(state, labels):
    state.choose_tool("add")
    assert state.click(labels, (44, 21), [blob()]) is None
    best = state.grown.edit().applied_to(labels)
    assert np.array_equal(state.finish(labels).applied_to(labels), best)
    smaller = state.size_words
    state.choose_level(state.level + 3)
    after = state.finish(labels).applied_to(labels)
    assert np.count_nonzero(after) > np.count_nonzero(best)
    assert state.size_words == f"{np.count_nonzero(after == 4)} px" != smaller


def test_the_outline_of_the_cell_to_add_is_drawn(state, labels):
    state.choose_tool("add")
    state.click(labels, (44, 21), [blob()])
    (line,) = state.drawing
    assert np.allclose(line.mean(axis=0), (45, 20), atol=0.5)
    area = 0.5 * abs(np.sum(line[:-1, 0] * line[1:, 1] - line[1:, 0] * line[:-1, 1]))
    assert area == pytest.approx(state.grown.areas[state.level], rel=0.2)


def test_the_size_is_told_in_micrometers_where_they_are_known(labels):
    state = CorrectState()
    state.choose_labels("layer", Corrections(labels), um2_per_px=0.25)
    state.choose_tool("add")
    state.click(labels, (44, 21), [blob()])
    px = state.grown.areas[state.level]
    assert state.size_words == f"{px} px, {px / 4:.0f} µm²"


@pytest.mark.parametrize(
    "first", [np.zeros((60, 90)), blob(height=0.01)], ids=["flat", "faint"]
)
def test_the_image_counts_where_the_probability_shows_nothing(state, labels, first):
    state.choose_tool("add")
    state.click(labels, (44, 21), [first, blob(sigma=4)])
    alone = CorrectState()
    alone.choose_labels("layer", Corrections(labels))
    alone.choose_tool("add")
    alone.click(labels, (44, 21), [blob(sigma=4)])
    assert np.array_equal(state.grown.areas, alone.grown.areas)


def test_a_faint_cell_is_found_where_there_is_nothing_else(state, labels):
    state.choose_tool("add")
    state.click(labels, (44, 21), [blob(height=0.01), np.zeros((60, 90))])
    assert state.grown is not None


def test_the_image_is_not_looked_at_where_the_probability_will_do(state, labels):
    def landscapes():
        yield blob()
        raise AssertionError

    state.choose_tool("add")
    state.click(labels, (44, 21), landscapes())
    assert state.grown is not None


def test_where_nothing_stands_out_there_is_an_error(state, labels):
    state.choose_tool("add")
    state.click(labels, (44, 21), [blob()])
    with pytest.raises(
        InputError,
        match=(
            r"^Nothing stands out at this place: draw the outline of the cell "
            r"instead\.$"
        ),
    ):
        state.click(labels, (44, 80), [np.zeros((60, 90))])
    assert state.grown is None


def test_without_anything_to_look_at_an_outline_is_proposed(state, labels):
    state.choose_tool("add")
    with pytest.raises(
        InputError,
        match=(
            r"^There is neither a probability nor an image to find a cell in: draw "
            r"its outline \(O\)\.$"
        ),
    ):
        state.click(labels, (44, 80))


# Other labels


def test_other_labels_put_the_tool_away_and_are_followed(state, labels):
    state.choose_tool("join")
    state.click(labels, (15, 15))
    before = state.corrections
    others = Corrections(np.where(labels == 2, 0, labels))
    state.choose_labels("other", others)
    assert (state.tool, state.marks, state.headline) == ("", (), "2 cells")
    told = []
    state.cells_changed.connect(lambda: told.append(1))
    before.accept(1)
    assert not told
    others.accept(1)
    assert told


def test_planes_of_a_stack_are_corrected_one_by_one():
    labels = np.stack([squares(), squares() * 10])
    state = CorrectState()
    state.choose_labels("stack", Corrections(labels))
    state.choose_tool("join")
    path = np.array([[1.0, 15, 12], [1.0, 15, 28]])
    after = state.stroke(labels, path).applied_to(labels)
    assert np.array_equal(after[0], labels[0])
    assert set(np.unique(after[1])) == {0, 10, 30}
    state.choose_tool("add")
    landscape = np.stack([blob(), blob()])
    state.click(labels, (1, 45, 20), [landscape])
    assert all((line[:, 0] == 1).all() for line in state.drawing)
    state.choose_tool("delete")
    assert state.click(labels, (2, 15, 15)) is None

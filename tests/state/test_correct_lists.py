"""What the dock Correct cells lists, draws and writes."""

import csv
import re

import numpy as np
import pytest
from skimage.draw import polygon2mask

from napari_cresunet.correction import LogEntry
from napari_cresunet.errors import InputError
from napari_cresunet.state import PIN_COLORS, Corrections, CorrectState, save_log
from napari_cresunet.state._correct_drawing import cross, outlines_of_pixels


@pytest.fixture
def labels():
    labels = np.zeros((2, 30, 40), np.int32)
    labels[0, 5:9, 5:15] = 3
    labels[1, 10:20, 20:30] = 8
    labels[1, 22:26, 2:4] = 9
    return labels


@pytest.fixture
def state(labels):
    state = CorrectState()
    state.choose_labels("layer", Corrections(labels))
    return state


# Pins


def test_nothing_is_pinned_that_nobody_touched(state):
    assert state.pinned == []
    assert CorrectState().pinned == []


def test_pinned_cells_are_listed_with_their_reason_and_place(state, labels):
    state.corrections.accept(8)
    changed = labels.copy()
    changed[0, 9, 5:15] = 3
    changed[1, 22:26, 2:4] = 0
    changed[0, 20:22, 30:32] = 10
    state.corrections.look(changed)
    listed = [(one.label, one.reason, one.spot.text) for one in state.pinned]
    assert listed == [
        (3, "edited", "#3: edited, 50 px, plane 1"),
        (8, "accepted", "#8: accepted, 100 px, plane 2"),
        (10, "added", "#10: added, 4 px, plane 1"),
        (9, "deleted", "was #9: deleted, 8 px, plane 2"),
    ]
    places = [(one.spot.plane, one.spot.row, one.spot.column) for one in state.pinned]
    assert places == [(0, 7, 9.5), (1, 14.5, 24.5), (0, 20.5, 30.5), (1, 23.5, 2.5)]
    assert all(one.spot.color == PIN_COLORS[one.reason] for one in state.pinned)
    assert [one.erased is None for one in state.pinned] == [True, True, True, False]


def test_a_part_that_was_erased_is_no_deleted_cell(state, labels):
    changed = labels.copy()
    changed[1, 10:12, 20:30] = 0
    state.corrections.look(changed)
    assert [(one.label, one.reason) for one in state.pinned] == [(8, "edited")]


# Lines


@pytest.mark.parametrize("hole", [False, True])
def test_outlines_enclose_the_pixels(hole):
    mask = np.zeros((3, 20, 30), bool)
    mask[1, 0:9, 3:12] = True
    if hole:
        mask[1, 3:5, 5:8] = False
    lines = outlines_of_pixels(np.flatnonzero(mask), mask.shape)
    assert len(lines) == 1 + hole
    inside = np.zeros((20, 30), bool)
    for line in lines:
        assert (line[:, 0] == 1).all()
        inside ^= polygon2mask(inside.shape, line[:, 1:])
    # The drawing of a polygon may differ from the mask on the border alone.
    assert np.array_equal(inside[1:8, 4:11], mask[1, 1:8, 4:11])
    assert not inside[~mask[1]].any()


def test_no_pixels_have_no_outline():
    assert outlines_of_pixels(np.array([], np.intp), (5, 5)) == []


def test_a_cross_is_as_wide_as_it_is_high():
    line = cross((2, 10, 20), 3)
    assert np.ptp(line, axis=0).tolist() == [0, 6, 6]
    assert line.mean(axis=0).tolist() == [2, 10, 20]


# The log


LOG = (
    LogEntry(kind="merge", before=(1, 2), after=(1,), row=4.5, column=8, changed_px=60),
    LogEntry(kind="delete", before=(3,), plane=2, row=1, column=2, changed_px=12),
)


def test_each_step_is_a_line_of_the_log(tmp_path):
    path = save_log(tmp_path / "edits", LOG)
    assert path == tmp_path / "edits.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "kind": "merge",
        "cells_before": "1 2",
        "cells_after": "1",
        "plane": "0",
        "row": "4.5",
        "column": "8",
        "changed_px": "60",
    }
    assert (rows[1]["kind"], rows[1]["cells_after"], rows[1]["plane"]) == (
        "delete",
        "",
        "2",
    )


def test_an_empty_log_is_a_table_without_lines(tmp_path):
    path = save_log(tmp_path / "edits.csv", ())
    assert path.read_text() == (
        "kind,cells_before,cells_after,plane,row,column,changed_px\n"
    )


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "edits.csv"
    with pytest.raises(
        InputError,
        match=(
            rf"^The log cannot be written to {re.escape(str(path))} \(.*\): choose "
            r"another place\.$"
        ),
    ):
        save_log(path, LOG)

"""The table of a batch, against plain lists."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.batch import Entry
from napari_cresunet.state import BATCH_COLUMNS, BATCH_STATES, BatchTable, batch_cell


def entry(number, state="waiting", **fields):
    name = f"slice_{number}"
    return Entry(name=name, path=Path(f"/slices/{name}.tif"), state=state, **fields)


def names(table):
    return [table.entry_at(row).name for row in range(len(table))]


ENTRIES = st.builds(
    entry,
    st.integers(0, 30),
    st.sampled_from(BATCH_STATES),
    count=st.none() | st.integers(0, 9),
    corrected=st.none() | st.integers(0, 9),
    error=st.sampled_from(["", "It is empty."]),
)


@given(
    st.lists(ENTRIES, unique_by=lambda x: x.name),
    st.lists(ENTRIES, max_size=40),
    st.sampled_from(["", *BATCH_COLUMNS]),
    st.booleans(),
    st.sampled_from(["", *BATCH_STATES]),
    st.sampled_from(["", "1", "EMPTY"]),
)
@settings(max_examples=60, deadline=None)
def test_a_table_that_follows_a_run_is_the_one_made_anew(
    first, changes, column, is_descending, state, text
):
    table, known = BatchTable(), {one.name: one for one in first}
    table.show(first)
    table.sort(column, is_descending=is_descending)
    table.filter(state=state, text=text)
    for change in changes:
        shown = [table.entry_at(row) for row in range(len(table))]
        rows = table.update([change])
        known[change.name] = change
        now = [table.entry_at(row) for row in range(len(table))]
        if rows is not None:
            differing = [
                n
                for n, pair in enumerate(zip(shown, now, strict=True))
                if pair[0] != pair[1]
            ]
            assert set(differing) <= set(rows)
    anew = BatchTable()
    anew.show(known.values())
    anew.sort(column, is_descending=is_descending)
    anew.filter(state=state, text=text)
    assert names(table) == names(anew)
    assert table.numbers == anew.numbers
    wanted = [
        x.corrected if x.corrected is not None else x.count for x in known.values()
    ]
    assert table.count == sum(one or 0 for one in wanted)
    assert [table.row_of(name) for name in names(table)] == list(range(len(table)))


def test_numbers_in_names_count_and_what_is_unknown_comes_last():
    table = BatchTable()
    table.show([entry(10, count=3), entry(2), entry(1, count=7)])
    table.sort("name")
    assert names(table) == ["slice_1", "slice_2", "slice_10"]
    table.sort("count")
    assert names(table) == ["slice_10", "slice_1", "slice_2"]
    table.sort("count", is_descending=True)
    assert names(table) == ["slice_1", "slice_10", "slice_2"]
    table.sort("")
    assert names(table) == ["slice_10", "slice_2", "slice_1"]


def test_rows_are_found_by_state_name_group_and_problem():
    table = BatchTable()
    failed = entry(3, "failed", error="It is empty.")
    table.show([entry(1, "done", group="Sham"), entry(2), failed])
    table.filter(state="done")
    assert names(table) == ["slice_1"]
    table.filter(state="", text=" sham")
    assert names(table) == ["slice_1"]
    table.filter(text="EMPTY")
    assert names(table) == ["slice_3"]
    assert table.row_of("slice_1") == -1
    table.filter(text="")
    assert len(table) == 3
    assert table.find("slice_2") == entry(2)
    assert table.find("slice_9") is None


def test_an_image_that_got_another_name_keeps_its_row():
    table = BatchTable()
    table.show([entry(1), entry(2)])
    renamed = replace(entry(1, "done", count=4), name="other_slice_1")
    assert table.update([renamed]) == [0]
    assert names(table) == ["other_slice_1", "slice_2"]
    assert table.find("other_slice_1") == renamed


def test_the_next_image_goes_round_and_leaves_out_the_present_one():
    table = BatchTable()
    table.show([entry(1, "done"), entry(2), entry(3, "done"), entry(4, "reviewed")])
    assert table.next("", ("done",)).name == "slice_1"
    assert table.next("slice_1", ("done",)).name == "slice_3"
    assert table.next("slice_3", ("done",)).name == "slice_1"
    assert table.next("", ("done", "reviewed"), -1).name == "slice_4"
    assert table.next("slice_1", ("done", "reviewed"), -1).name == "slice_4"
    assert table.next("slice_4", ("reviewed",)) is None
    assert table.next("", ("failed",)) is None


def test_the_table_is_copied_as_it_is_shown():
    table = BatchTable()
    done = entry(1, "done", count=12, seconds=0.25)
    table.show([entry(2, "failed", error="It is empty."), done])
    table.sort("name")
    assert table.content() == (
        "Image\tState\tCells\tCorrected\tSeconds\tProblem\n"
        "slice_1\tdone\t12\t\t0.2\t\n"
        "slice_2\tfailed\t\t\t\tIt is empty.\n"
    )
    assert "group" not in table.columns
    table.show([entry(1, group="sham")])
    assert "group" in table.columns
    assert batch_cell(table.entry_at(0), "group") == "sham"


@pytest.mark.parametrize("path", ["/images/a folder/b.tif", "a folder/b.tif", "b.tif"])
def test_a_problem_is_told_without_folders(path):
    error = f"There is no file {Path(path)}."
    failed = Entry(name="b", path=Path("/images/a folder/b.tif"), error=error)
    assert batch_cell(failed, "error") == "There is no file b.tif."


@pytest.mark.parametrize("column", BATCH_COLUMNS)
def test_every_column_has_a_title_and_an_explanation(column):
    title, text = BATCH_COLUMNS[column]
    assert title
    assert text.endswith(".")

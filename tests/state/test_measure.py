"""What the dock Measure and export knows and says, without Qt."""

import csv
import json
import math
import re
from pathlib import Path

import dask.array
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import regionprops

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.measurement import CountingFrame, Region, measure
from napari_cresunet.state import (
    COUNT_EXPORTS,
    MeasureChoices,
    MeasureLayers,
    MeasureSource,
    MeasureState,
    RegionLine,
    cell_text,
    column_text,
    column_title,
    iter_cells,
    iter_count_export,
    iter_tally,
    sorted_rows,
    table_text,
)
from napari_cresunet.state._measure_work import quick_cells
from napari_cresunet.steps import drain

SIZE = (0.5, 0.5)  # µm


def squares(*corners, side=4, shape=(40, 60)):
    """Return labels of squares whose upper left corners are given."""
    labels = np.zeros(shape, np.int32)
    for number, (row, column) in enumerate(corners, start=1):
        labels[row : row + side, column : column + side] = number
    return labels


LABELS = squares((2, 2), (2, 30), (20, 2), (30, 50))


def box(name, top, left, bottom, right, plane=None):
    corners = np.array([(top, left), (top, right), (bottom, right), (bottom, left)])
    return Region(name=name, polygons=(corners.astype(float),), plane=plane)


def source(labels=LABELS, **changes):
    given = {"identity": "a", "name": "slice cells", "labels": labels}
    return MeasureSource(**given | changes)


def tallied(labels=LABELS, *, choices=None, **changes):
    steps = iter_tally(source(labels, **changes), choices or MeasureChoices())
    return drain(steps)


@pytest.fixture
def state():
    """A state to which labels were given."""
    state = MeasureState()
    state.choose_layers(MeasureLayers(labels="a"))
    return state


def told(state, labels=LABELS, **changes):
    state.count(tallied(labels, **changes))
    return state


# What is counted


@settings(max_examples=40, deadline=None)
@given(arrays(np.int32, (3, 5, 6), elements=st.integers(0, 4)))
def test_the_quick_columns_are_those_of_the_full_measures(labels):
    cells, n_through = quick_cells(labels)
    full = measure(labels)
    for name, column in cells.items():
        np.testing.assert_allclose(column, full[name])
    assert n_through == np.count_nonzero(full["planes"] > 1)


def test_high_labels_are_counted_like_low_ones():
    quick, high = quick_cells(LABELS)[0], quick_cells(LABELS * 100_000_000)[0]
    np.testing.assert_array_equal(high["label"], quick["label"] * 100_000_000)
    for name in ("plane", "area_px", "centroid_y_px", "centroid_x_px"):
        np.testing.assert_array_equal(high[name], quick[name])


def test_the_quick_columns_are_those_of_scikit_image():
    cells, _ = quick_cells(LABELS)
    for row, one in enumerate(regionprops(LABELS)):
        assert cells["label"][row] == one.label
        assert cells["area_px"][row] == one.area
        place = (cells["centroid_y_px"][row], cells["centroid_x_px"][row])
        np.testing.assert_allclose(place, one.centroid)


def test_no_cells_are_no_cells(state):
    told(state, np.zeros((9, 9), int), pixel_um=SIZE)
    assert state.headline == "0 cells, 0.00 per mm²"


def test_the_headline_has_the_density_where_a_pixel_has_a_size(state):
    told(state, pixel_um=(0.5, 2.0))
    area = 40 * 60 * 1.0 / 1e6
    assert state.headline == f"4 cells, {4 / area:,.0f} per mm²"
    assert state.detail == "in the whole image of 0.00240 mm²"
    assert state.why_no_density == ""


def test_without_a_pixel_size_counts_stand_alone(state):
    told(state)
    assert state.headline == "4 cells"
    assert state.detail == "in the whole image"
    assert state.why_no_density == (
        "No density: type the size of a pixel above and press Set."
    )


def test_regions_count_by_centroids(state):
    regions = (box("left", -0.5, -0.5, 39.5, 29.5), box("top", -0.5, -0.5, 9.5, 59.5))
    told(state, regions=regions, pixel_um=SIZE)
    lines = state.region_lines
    assert [(one.name, one.count) for one in lines] == [
        ("left", "2"),
        ("top", "2"),
        ("whole image", "4"),
    ]
    assert lines[0].density == f"{2 / (40 * 30 * 0.25 / 1e6):,.0f}"
    assert [one.is_whole for one in lines] == [False, False, True]


def test_regions_have_their_area_in_px_where_a_pixel_has_no_size(state):
    told(state, regions=(box("CA1", 0.5, 0.5, 10.5, 20.5),))
    assert state.region_lines[0] == RegionLine(
        name="CA1", count="1", area="200 px", density=""
    )


def test_regions_that_overlap_or_leave_the_image_are_told(state):
    regions = (box("CA1", -9, 2, 20, 20), box("CA3", 10, 10, 30, 30))
    told(state, regions=regions)
    assert state.region_words == (
        "'CA1' and 'CA3' overlap: cells in both count in each. 'CA1' reaches beyond "
        "the image: only what is inside counts as area."
    )


def test_a_frame_counts_what_does_not_touch_its_solid_line(state):
    frame = CountingFrame(10.5, 3.5, 25.5, 40.5)  # its left side cuts the third cell
    told(state, frames=(frame,), pixel_um=SIZE)
    assert state.frame_words.startswith("0 of 4 cells are counted in the frame, 0.00")
    frame = CountingFrame(3.5, 20.5, 25.5, 40.5)  # its top side cuts the second
    told(state, frames=(frame,), pixel_um=SIZE)
    area = 22 * 20 * 0.25 / 1e6
    assert state.frame_words == (
        f"1 of 4 cells are counted in the frame, {1 / area:,.0f} per mm² "
        "(0.000110 mm²)."
    )


def test_several_frames_are_summed(state):
    frames = (CountingFrame(0, 0, 10, 20), CountingFrame(0, 20, 10, 40))
    told(state, frames=frames)
    assert state.frame_words == "2 of 4 cells are counted in 2 frames."


def test_labels_in_files_that_would_fill_the_memory_are_refused():
    zeros = dask.array.zeros((10_000, 40_000), np.int32, chunks=1000)
    with pytest.raises(InputError) as caught:
        tallied(zeros)
    assert str(caught.value) == (
        "'slice cells' has 400 million px, more than are measured in memory: use the "
        "table of cells beside its file, or choose the labels of a part."
    )
    assert tallied(dask.array.from_array(LABELS)).count == 4


def test_negative_labels_are_refused():
    with pytest.raises(
        InputError,
        match=r"^'slice cells' has negative labels: cells are numbered from 1\.$",
    ):
        tallied(-LABELS)


# Stacks


@pytest.fixture
def stack():
    """A cell that goes through two planes of three, and one that does not."""
    stack = np.zeros((3, 20, 20), np.int32)
    stack[0, 2:8, 2:8] = 1
    stack[1, 3:8, 2:8] = 2
    stack[2, 12:16, 12:16] = 3
    return stack


def test_cells_count_in_each_plane_unless_they_are_linked(state, stack):
    told(state, stack, pixel_um=SIZE)
    area = 400 * 0.25 / 1e6
    assert state.headline == f"3 cells, {3 / (3 * area):,.0f} per mm²"
    assert state.stack_words == (
        "Cells are counted in each plane: one that goes through three planes counts "
        "three times."
    )
    told(state, stack, pixel_um=SIZE, choices=MeasureChoices(is_linked=True))
    assert state.headline == f"2 cells, {2 / area:,.0f} per mm²"
    assert state.stack_words == (
        "Cells are linked through planes, each counts once: 1 of them is in more than "
        "one plane."
    )
    assert state.detail == "in 3 planes of 0.000100 mm²"


def test_linked_cells_of_each_point_in_time_are_cells_on_the_same_area(stack):
    series = np.stack([stack, np.where(stack, stack + 10, 0)])
    choices = MeasureChoices(is_linked=True)
    one, two = (
        tallied(labels, pixel_um=SIZE, choices=choices).regions[-1]
        for labels in (stack, series)
    )
    assert (one["count"], two["count"]) == (2, 4)
    assert two["density_per_mm2"] == one["density_per_mm2"]


def test_labels_that_go_through_planes_count_once(state, stack):
    stack[stack == 2] = 1
    told(state, stack, pixel_um=SIZE)
    assert state.headline.startswith("2 cells, ")
    assert state.stack_words == (
        "Each label counts once: 1 of them is in more than one plane."
    )


def test_a_linked_cell_is_known_by_the_labels_of_its_planes(stack):
    tally = tallied(stack, choices=MeasureChoices(is_linked=True))
    for shown in (1, 2, 3):
        place = tuple(np.argwhere(stack == shown)[0])
        assert tally.counted_label(shown) == tally.labels[place]
    # It is called as on its first plane.
    assert tally.shown_label(tally.counted_label(2)) == 1
    assert tally.cell_at(tally.counted_label(2))[0] == 0
    assert tally.counted_label(9) == tally.shown_label(9) == 0


def test_linking_takes_the_overlap_that_was_chosen(stack):
    stack[1] = np.roll(stack[1], 3, axis=1)  # half of it still lies on the other
    for least, count in ((0.4, 2), (0.6, 3)):
        choices = MeasureChoices(is_linked=True, min_overlap=least)
        assert tallied(stack, choices=choices).count == count


def test_an_overlap_that_is_none_is_refused(state):
    with pytest.raises(
        InputError,
        match=r"^The overlap of linked cells is 0: give a part of the smaller outline, "
        r"above 0 and up to 1\.$",
    ):
        state.choose(min_overlap=0)
    assert state.choices == MeasureChoices()


# What follows what


def test_measures_of_counts_that_are_gone_are_dropped(state):
    old = drain(iter_cells(tallied()))
    told(state)
    state.learn(old)
    assert state.table is None
    assert not state.is_measured
    state.learn(drain(iter_cells(state.tally)))
    assert state.is_measured
    np.testing.assert_array_equal(state.columns["area_px"], [16] * 4)


def test_a_mark_goes_with_its_cell(state):
    told(state)
    state.mark(3)
    told(state)
    assert state.cell == 3
    told(state, np.where(LABELS == 3, 0, LABELS))
    assert state.cell == 0


def test_other_layers_begin_anew(state):
    told(state)
    state.mark(2)
    state.choose_layers(MeasureLayers(labels="a", image="b"))
    assert state.tally is not None
    state.choose_layers(MeasureLayers(labels="c"))
    assert state.tally is None
    assert state.cell == 0
    assert not state.can_run
    assert state.detail.startswith("Choose a labels layer with cells")


def test_what_cannot_be_counted_is_told_and_forgotten_again(state):
    state.refuse("The labels are none: take others.")
    assert state.headline == "No count yet"
    assert state.detail == "The labels are none: take others."
    told(state)
    assert state.detail == "in the whole image"


# The table


def test_the_shown_table_has_sizes_in_one_unit_and_says_first_which_cell(state):
    told(state, pixel_um=SIZE, regions=(box("CA1", 0, 0, 20, 20),))
    state.learn(drain(iter_cells(state.tally)))
    names = list(state.columns)
    assert names[:3] == ["label", "region", "area_um2"]
    assert not [name for name in names if name.endswith("_px")]


@given(
    st.lists(st.floats(allow_infinity=False) | st.just(math.nan), max_size=12),
    st.booleans(),
)
def test_rows_are_sorted_by_number_and_the_unknown_comes_last(values, is_descending):
    columns = {"label": np.arange(len(values)), "a": np.array(values, float)}
    rows = sorted_rows(columns, "a", is_descending=is_descending).tolist()
    known = [k for k, value in enumerate(values) if not math.isnan(value)]
    known.sort(key=lambda k: -values[k] if is_descending else values[k])
    assert rows == known + [k for k, value in enumerate(values) if math.isnan(value)]


def test_names_are_sorted_by_letters_and_none_comes_last():
    columns = {"label": np.arange(4), "region": np.array(["b", "", "a", "b"])}
    assert sorted_rows(columns, "region").tolist() == [2, 0, 3, 1]
    assert sorted_rows(columns, "region", is_descending=True).tolist() == [0, 3, 2, 1]
    assert sorted_rows(columns, "gone").tolist() == [0, 1, 2, 3]
    assert sorted_rows({}, "").tolist() == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.bool_(True), "yes"),
        (np.bool_(False), ""),
        (np.int64(12345), "12345"),
        (np.float64(0.123456), "0.1235"),
        (np.float64(98765.4), "98765"),
        (np.float64(np.nan), "–"),
        (np.str_("CA1"), "CA1"),
    ],
)
def test_values_are_shown_as_people_write_them(value, text):
    assert cell_text(value) == text


def test_columns_have_short_titles_and_say_what_they_are():
    assert column_title("area_um2") == "area µm²"
    assert column_title("mean_intensity_red") == "mean red"
    assert column_title("my_own") == "my own"
    assert column_text("background_2") == (
        "Brightness of the surroundings of the cell. Channel: 2. In files: "
        "background_2."
    )


def test_a_copied_table_has_plain_numbers():
    columns = {"label": np.array([7, 8]), "a": np.array([0.25, np.nan])}
    assert table_text(columns, np.array([1, 0])) == "label\ta\n8\t\n7\t0.25"


# Files


def exported(kind, path, **changes):
    return drain(iter_count_export(kind, path, source(**changes), MeasureChoices()))


def test_tables_of_cells_and_regions_are_written_with_their_record(tmp_path):
    path = tmp_path / "a.csv"
    written = exported(
        "csv",
        path,
        regions=(box("CA1", 0, 0, 20, 20),),
        pixel_um=SIZE,
        record={"model": "c-resunet"},
    )
    assert path in written
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["region"] for row in rows] == ["CA1", "", "", ""]
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["model"] == "c-resunet"
    assert record["labels_layer"] == "slice cells"


def test_regions_are_written_as_they_are_shown(tmp_path):
    path = tmp_path / "regions.csv"
    exported("regions", path, regions=(box("CA1", 0, 0, 20, 20),), pixel_um=SIZE)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["region"], row["count"]) for row in rows] == [
        ("CA1", "1"),
        ("whole image", "4"),
    ]


def test_linked_labels_are_written_linked(tmp_path, stack):
    path = tmp_path / "a.ome.tif"
    choices = MeasureChoices(is_linked=True)
    drain(iter_count_export("ome-tiff", path, source(stack), choices))
    assert len(np.unique(tifffile.imread(path))) == 3
    assert "is_linked" in tifffile.tiffcomment(path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    for kind in ("csv", "ome-tiff", "regions", "report"):
        path = COUNT_EXPORTS[kind].completed(blocked / "a")
        with pytest.raises(
            EngineError,
            match=rf"^{re.escape(str(path))} cannot be written \(.*\): choose another "
            r"folder or free some space\.$",
        ):
            exported(kind, path)


@pytest.mark.parametrize(
    ("kind", "typed", "wanted"),
    [
        ("csv", "a", "a.csv"),
        ("csv", "a.CSV", "a.CSV"),
        ("ome-tiff", "slice 1.5", "slice 1.5.ome.tif"),
        ("ome-tiff", "a.tiff", "a.tiff"),
        ("overlay", "a.svg", "a.svg"),
        ("training", "folder", "folder"),
    ],
)
def test_a_file_gets_the_suffix_of_its_format_once(kind, typed, wanted):
    assert COUNT_EXPORTS[kind].completed(Path(typed)) == Path(wanted)


def test_a_training_pair_needs_an_image(tmp_path):
    with pytest.raises(
        InputError,
        match=r"^A training pair needs the image of the cells: choose the image "
        r"layer\.$",
    ):
        exported("training", tmp_path)

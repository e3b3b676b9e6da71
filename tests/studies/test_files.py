"""The folder of a study: what comes back, and what happens on bad days."""

import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.studies.contents import assert_same, is_same_array, small_study

from napari_cresunet.correction import Erased, LogEntry, Pins
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.measurement import Region
from napari_cresunet.studies import (
    ImageReference,
    StudyContent,
    peek_study,
    read_study,
    write_study,
)

NUMBERS = st.integers(0, 2**31)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SIDES = st.floats(0, exclude_min=True, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner),
    max_leaves=5,
)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=4, max_side=4)
LABEL_DTYPES = arrays.integer_dtypes() | arrays.unsigned_integer_dtypes()


@st.composite
def erased(draw, size):
    pixels = draw(st.sets(st.integers(0, size - 1)))
    return Erased(
        label=draw(NUMBERS),
        pixels=np.array(sorted(pixels), np.intp),
        is_whole=draw(st.booleans()),
    )


@st.composite
def regions(draw):
    corners = arrays.arrays(np.float64, (draw(st.integers(0, 4)), 2), elements=FLOATS)
    masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=4))
    return Region(
        name=draw(TEXTS),
        polygons=tuple(draw(st.lists(corners, max_size=2))),
        mask=draw(st.none() | masks),
        plane=draw(st.none() | NUMBERS),
    )


@st.composite
def studies(draw):
    dtype = draw(LABEL_DTYPES).newbyteorder("=")
    labels = draw(arrays.arrays(dtype, SHAPES))
    numbers = st.lists(NUMBERS, max_size=3).map(tuple)
    entries = st.builds(
        LogEntry,
        kind=TEXTS,
        before=numbers,
        after=numbers,
        plane=NUMBERS,
        row=FLOATS,
        column=FLOATS,
        changed_px=NUMBERS,
    )
    images = st.builds(
        ImageReference,
        name=TEXTS,
        path=st.none() | TEXTS.map(Path),
        sample=st.none() | st.tuples(TEXTS, TEXTS),
        hash=TEXTS,
        shape=numbers,
        dtype=TEXTS,
    )
    return StudyContent(
        name=draw(TEXTS),
        image=draw(st.none() | images),
        labels=labels,
        pins=Pins(
            cells=draw(st.dictionaries(NUMBERS, TEXTS)),
            erased=tuple(draw(st.lists(erased(labels.size), max_size=3))),
        ),
        log=tuple(draw(st.lists(entries, max_size=3))),
        reviewed=draw(numbers),
        record=draw(st.dictionaries(TEXTS, JSON, max_size=3)),
        pixel_size=draw(st.none() | st.tuples(SIDES, SIDES)),
        offset=draw(st.tuples(NUMBERS, NUMBERS)),
        regions=tuple(draw(st.lists(regions(), max_size=2))),
        metrics=draw(st.dictionaries(TEXTS, JSON, max_size=3)),
    )


@given(content=studies())
def test_what_is_written_comes_back_bit_for_bit(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, content)
    assert_same(read_study(folder), content)
    assert_same(read_study(folder / "study.json"), content)


def test_other_programs_can_read_labels_masks_and_the_rest(tmp_path):
    content = small_study(labels=small_study().labels.astype(np.int64))
    write_study(tmp_path, content)
    document = json.loads((tmp_path / "study.json").read_text())
    labels = tifffile.imread(tmp_path / document["labels"]["file"])
    assert is_same_array(labels, content.labels.astype(np.int32))
    ca1, right = document["regions"]["features"]
    assert ca1["properties"] == {"name": "CA1", "plane": 2}
    outlines = ca1["geometry"]["coordinates"]
    ring = [[0, -1.5], [0.1, 5], [1 / 3, 5], [0, -1.5]]
    assert outlines[0] == [ring]
    mask = tifffile.imread(tmp_path / right["properties"]["mask"]["file"])
    assert np.array_equal(mask > 0, content.regions[1].mask)
    assert document["pins"]["erased"][0]["runs"] == [[0, 3], [40, 1], [42, 1]]


def test_labels_beyond_32_bits_come_back(tmp_path):
    labels = np.array([[0, 2**40], [2**62, 5]])
    write_study(tmp_path, small_study(labels=labels, pins=Pins()))
    assert is_same_array(read_study(tmp_path).labels, labels)


def test_what_json_cannot_hold_becomes_plain(tmp_path):
    record = {
        "f1": np.float64(0.5),
        "mpe": float("nan"),
        "threshold": np.float32("inf"),
        "sizes": np.arange(3),
        "path": Path("a"),
        7: (True, np.bool_(False)),
    }
    write_study(tmp_path, small_study(record=record))
    assert read_study(tmp_path).record == {
        "f1": 0.5,
        "mpe": None,
        "threshold": None,
        "sizes": [0, 1, 2],
        "path": "a",
        "7": [True, False],
    }


def test_only_what_changed_is_written_and_what_is_old_is_deleted(tmp_path):
    write_study(tmp_path, small_study())
    before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert len(before) == 3
    write_study(tmp_path, small_study(reviewed=()))
    after = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert set(before) == set(after)
    assert {name for name in after if before[name] == after[name]} == {
        name for name in after if name.endswith(".tif")
    }
    write_study(tmp_path, small_study(labels=small_study().labels + 1, regions=()))
    assert len(list(tmp_path.iterdir())) == 2


def test_files_of_others_in_the_folder_stay(tmp_path):
    others = ("notes.txt", "labels.tif", "labels-1.tif", ".hidden.tmp", "region-a.tif")
    for name in others:
        (tmp_path / name).write_text(name)
    left_by_a_kill = tmp_path / f".labels-{'0' * 32}.tif.0a1b2c3d.tmp"
    left_by_a_kill.write_text("half")
    write_study(tmp_path, small_study())
    assert all((tmp_path / name).read_text() == name for name in others)
    assert not left_by_a_kill.exists()


def refusal(folder):
    with pytest.raises(InputError) as caught:
        read_study(folder)
    return str(caught.value)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_without_a_study_is_refused(tmp_path):
    message = f"{tmp_path} holds no study: choose a folder with a study.json."
    assert refusal(tmp_path) == refusal(tmp_path / "study.json") == message
    gone = tmp_path / "gone"
    assert refusal(gone) == f"{gone} holds no study: choose a folder with a study.json."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b"\xff\xfe", "byte 0 is no UTF-8"),
        (b"[" * 100_000, "nested too deep or too long"),
        (b"1" * 5000, "nested too deep or too long"),
    ],
)
def test_a_damaged_document_is_refused(tmp_path, text, reason):
    write_study(tmp_path, small_study())
    path = tmp_path / "study.json"
    path.write_bytes(text)
    before = contents(tmp_path)
    message = (
        f"{path} is damaged ({reason}): take it from a backup, or open the label image "
        "beside it by itself."
    )
    assert refusal(tmp_path) == message
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        peek_study(tmp_path)
    assert contents(tmp_path) == before


def test_a_document_cut_off_anywhere_is_refused(tmp_path):
    write_study(tmp_path, small_study())
    path = tmp_path / "study.json"
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert refusal(tmp_path).startswith(f"{path} is damaged (line ")


@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"format": "other", "version": 1}'])
def test_a_document_of_another_program_is_refused(tmp_path, text):
    path = tmp_path / "study.json"
    path.write_text(text)
    assert refusal(tmp_path) == (
        f"{path} is of another program: choose the folder of a study."
    )


def change(folder, change_it):
    path = folder / "study.json"
    document = json.loads(path.read_text())
    change_it(document)
    path.write_text(json.dumps(document))
    return path


def test_a_newer_version_is_refused(tmp_path):
    write_study(tmp_path, small_study())
    path = change(tmp_path, lambda document: document.update(version=2, labels=None))
    before = contents(tmp_path)
    assert refusal(tmp_path) == (
        f"{path} was written by a newer version (format 2): update napari-cresunet to "
        "open it."
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("name", None, "`name` is missing or no str"),
        ("version", True, "`version` is missing or no int"),
        ("labels", [], "`labels` is missing or no dict"),
        ("labels", {"shape": [1]}, "`dtype` is missing or no str"),
        (
            "labels",
            {"shape": [1, 1], "dtype": "O"},
            "the dtype of `labels` is not of whole numbers",
        ),
        (
            "labels",
            {"shape": [1], "dtype": "int8"},
            "`labels` has no rows and columns",
        ),
        (
            "labels",
            {"shape": [1, 1], "dtype": "int8", "file": "../a.tif"},
            "'../a.tif' is no file of a study",
        ),
        ("reviewed", [1.5], "`reviewed` holds something else than whole numbers"),
        ("reviewed", [True], "`reviewed` holds something else than whole numbers"),
        ("offset", [1], "`offset` is no pair"),
        ("pixel_size", "ab", "`pixel_size` is no pair"),
        ("pixel_size", 3, "`pixel_size` is no pair"),
        ("pixel_size", [0, 1], "`pixel_size` is no size"),
        ("pixel_size", [1, float("nan")], "`pixel_size` is no size"),
        ("image", {"name": 1}, "`name` is missing or no str"),
        ("image", 5, "`name` is missing or no str"),
        ("log", [{"kind": "a"}], "`before` is missing or no list"),
        ("pins", {"cells": [3]}, "`label` is missing or no int"),
        ("regions", {"features": [0]}, "`properties` is missing or no dict"),
    ],
)
def test_a_part_that_cannot_be_is_named(tmp_path, part, value, reason):
    write_study(tmp_path, small_study())
    path = change(tmp_path, lambda document: document.update({part: value}))
    assert refusal(tmp_path) == (
        f"{path} is damaged ({reason}): take it from a backup, or open the label image "
        "beside it by itself."
    )


@pytest.mark.parametrize(
    "runs", [[[3, 0]], [[-1, 1]], [[0, 49]], [[4, 2], [5, 1]], [[1]], [[0.5, 1]], ["a"]]
)
def test_erased_places_that_cannot_be_are_refused(tmp_path, runs):
    write_study(tmp_path, small_study())

    def change_runs(document):
        document["pins"]["erased"][0]["runs"] = runs

    path = change(tmp_path, change_runs)
    assert refusal(tmp_path) == (
        f"{path} is damaged (`runs` are no places of the labels, in their order): take "
        "it from a backup, or open the label image beside it by itself."
    )


@pytest.mark.parametrize("ring", [5, [], [[[1, 2, 3]]], [["a"]], [[[1, 2]], [[1, 2]]]])
def test_a_region_that_cannot_be_is_refused(tmp_path, ring):
    write_study(tmp_path, small_study())

    def change_ring(document):
        geometry = document["regions"]["features"][0]["geometry"]
        geometry["coordinates"][0] = ring

    path = change(tmp_path, change_ring)
    assert refusal(tmp_path) == (
        f"{path} is damaged (a region is no ring of corners): take it from a backup, "
        "or open the label image beside it by itself."
    )


def test_corners_of_a_region_that_are_no_numbers_are_refused(tmp_path):
    write_study(tmp_path, small_study())

    def change_corner(document):
        geometry = document["regions"]["features"][0]["geometry"]
        geometry["coordinates"][0][0][0][0] = None

    path = change(tmp_path, change_corner)
    assert refusal(tmp_path) == (
        f"{path} is damaged (a region has corners that are no numbers): take it from a "
        "backup, or open the label image beside it by itself."
    )


def test_whole_numbers_are_places_in_a_log_too(tmp_path):
    write_study(tmp_path, small_study())
    change(tmp_path, lambda document: document["log"][0].update(row=3, column=4))
    entry = read_study(tmp_path).log[0]
    assert (entry.row, entry.column) == (3.0, 4.0)


@pytest.mark.parametrize("kind", ["labels", "region"])
def test_a_missing_or_damaged_file_is_named(tmp_path, kind):
    write_study(tmp_path, small_study())
    (path,) = tmp_path.glob(f"{kind}-*.tif")
    whole = path.read_bytes()
    damaged = f"{path} is damaged: take the folder of the study from a backup."
    for content in (b"", whole[:50], whole[:-30], b"II*\0" + bytes(200)):
        path.write_bytes(content)
        assert refusal(tmp_path) == damaged
    with tifffile.TiffWriter(path) as tif:
        tif.write(np.zeros((6, 8), np.uint8))  # whole, but of something else
    assert refusal(tmp_path) == damaged
    path.unlink()
    assert refusal(tmp_path) == (
        f"{path} is missing: copy the whole folder of the study, not only study.json."
    )


def test_a_region_without_numbers_is_refused_before_anything_is_written(tmp_path):
    write_study(tmp_path, small_study())
    before = contents(tmp_path)
    region = Region(name="CA3", polygons=(np.array([[0, np.nan]]),))
    with pytest.raises(InputError) as caught:
        write_study(tmp_path, small_study(regions=(region,)))
    assert str(caught.value) == (
        "The region 'CA3' has corners that are no numbers: draw it anew."
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize("n_done", range(4))
def test_a_disk_that_fills_up_at_any_moment_leaves_a_whole_study(tmp_path, n_done):
    write_study(tmp_path, small_study())
    later = small_study(labels=small_study().labels[::-1].copy(), reviewed=(3,))
    sync, left = os.fsync, [n_done]

    def full(descriptor):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1
        sync(descriptor)

    message = (
        f"{tmp_path} cannot be written (No space left on device): free some space, or "
        "save the study in another folder."
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
            write_study(tmp_path, later)
    # Only the last one comes after the rename.
    assert_same(read_study(tmp_path), small_study() if n_done < 3 else later)
    write_study(tmp_path, later)
    assert_same(read_study(tmp_path), later)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_where_the_folder_should_be_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        write_study(tmp_path / "file", small_study())
    assert str(caught.value) == (
        f"{tmp_path / 'file'} cannot be written (File exists): free some space, or "
        "save the study in another folder."
    )

import csv
import errno
import json
import os
import re
import shutil
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_cresunet._images import read_image
from napari_cresunet.batch import (
    CountOptions,
    ListedImage,
    iter_batch,
    iter_count,
    plan_batch,
    read_batch,
    read_entry,
)
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.inference import load_model
from napari_cresunet.steps import drain


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(paths, output, options, on_step=None):
    return drain(iter_batch(paths, output, options), on_step)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*_*.tif")}


def by_hand(path, options):
    """Count one image without the batch."""
    spec = options.model
    model = load_model(spec.name_or_path, spec.device, backend=spec.backend)
    return drain(iter_count(read_image(path), model, options.count))


# What is written


def test_files_and_rows_hold_what_counting_one_by_one_gives(
    write_images, tmp_path, options
):
    paths = write_images("a.tif", "b.tif", "c.tif")
    result = run(paths, tmp_path / "out", options)
    rows = table(tmp_path / "out" / "counts.csv")
    for path, row, entry in zip(paths, rows, result.entries, strict=True):
        count = by_hand(path, options)
        labels = tifffile.imread(tmp_path / "out" / row["labels"])
        probability = tifffile.imread(tmp_path / "out" / row["probability"])
        assert np.array_equal(labels, count.labels)
        assert np.array_equal(probability, count.probability)
        assert row["image"] == str(path)
        assert int(row["count"]) == entry.count == count.labels.max()
        assert (row["state"], row["error"], row["corrected"]) == ("done", "", "")
    assert (result.n_counted, result.n_skipped, result.n_failed) == (3, 0, 0)
    assert max(entry.count for entry in result.entries) > 0


def test_regions_csv_has_a_row_for_each_whole_image(write_images, tmp_path, options):
    (path,) = write_images("a.tif")
    pixels = tifffile.imread(path)
    inch = 25_400 / 0.5
    tifffile.imwrite(
        path, pixels, photometric="rgb", resolution=(inch, inch), resolutionunit=2
    )
    (entry,) = run([path], tmp_path / "out", options).entries
    (row,) = table(tmp_path / "out" / "regions.csv")
    area = 40 * 48 * 0.5**2 / 1e6
    assert (row["region"], int(row["count"])) == ("whole image", entry.count)
    assert int(row["area_px"]) == 40 * 48
    assert float(row["area_mm2"]) == pytest.approx(area)
    assert float(row["density_per_mm2"]) == pytest.approx(entry.count / area)


def test_what_is_not_wanted_is_not_written(write_images, tmp_path, options):
    run(write_images("a.tif"), tmp_path / "out", replace(options, probability=False))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        ".batch", "a_labels.tif", "counts.csv", "counts.json", "regions.csv",
    }  # fmt: skip


def test_overlay_cells_and_report_are_written_where_asked_for(
    write_images, tmp_path, options
):
    wanted = replace(options, overlay=True, cells=True, report=True)
    result = run(write_images("a.tif"), tmp_path / "out", wanted)
    (entry,) = result.entries
    cells = table(tmp_path / "out" / entry.record["cells"])
    assert len(cells) == entry.count
    assert (tmp_path / "out" / entry.record["overlay"]).read_bytes()[1:4] == b"PNG"
    assert result.report == tmp_path / "out" / "report.html"
    assert "a_overlay.png" in result.report.read_text()


def test_without_a_folder_nothing_is_written(write_images, tmp_path, options):
    paths = write_images("a.tif")
    before = sorted(tmp_path.rglob("*"))
    (entry,) = run(paths, None, options).entries
    assert entry.count == by_hand(paths[0], options).record["count"]
    assert sorted(tmp_path.rglob("*")) == before


def test_steps_tell_of_every_change_and_of_the_time_left(
    write_images, tmp_path, options
):
    steps = []
    run(
        write_images("a.tif", "b.tif", "c.tif"), tmp_path / "out", options, steps.append
    )
    states = [
        (step.entry.name, step.entry.state) for step in steps if step.entry is not None
    ]
    assert [one for one in states if one[1] == "running"] == [
        ("a", "running"), ("b", "running"), ("c", "running"),
    ]  # fmt: skip
    assert {one for one in states if one[1] == "done"} == {
        ("a", "done"), ("b", "done"), ("c", "done"),
    }  # fmt: skip
    last = steps[-1]
    assert (last.done, last.total, last.seconds_left) == (3, 3, 0)
    assert last.rate > 0


def test_a_list_says_how_some_images_are_counted(write_images, tmp_path, options):
    first, second = write_images("a.tif", "b.tif")
    images = [
        ListedImage(path=first, diameter=45.0, threshold=0.47, group="control"),
        ListedImage(path=second),
    ]
    run(images, tmp_path / "out", options)
    own, other = table(tmp_path / "out" / "counts.csv")
    assert (own["diameter"], own["threshold"], own["group"]) == (
        "45.0", "0.47", "control",
    )  # fmt: skip
    assert (other["diameter"], other["threshold"], other["group"]) == ("", "0.46", "")
    wanted = replace(options, count=CountOptions(diameter=45.0, threshold=0.47))
    assert int(own["count"]) == by_hand(first, wanted).record["count"]


# Doing nothing twice


def test_what_is_done_is_skipped(write_images, tmp_path, options):
    paths = write_images("a.tif", "b.tif")
    first = run(paths, tmp_path / "out", options)
    before = times(tmp_path / "out")
    second = run(paths, tmp_path / "out", options)
    assert (second.n_counted, second.n_skipped) == (0, 2)
    assert times(tmp_path / "out") == before
    assert second.entries == first.entries


def test_only_an_image_whose_content_changed_is_counted_again(
    write_images, tmp_path, options
):
    paths = write_images("a.tif", "b.tif")
    run(paths, tmp_path / "out", options)
    write_images("b.tif", seed=9)
    os.utime(paths[0], (1e9, 1e9))
    result = run(paths, tmp_path / "out", options)
    assert (result.n_counted, result.n_skipped) == (1, 1)
    count = by_hand(paths[1], options)
    labels = tifffile.imread(tmp_path / "out" / "b_labels.tif")
    assert np.array_equal(labels, count.labels)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 0.47},
        {"min_size": 5},
        {"diameter": 31.0},
        {"preset": "morelli2021"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_parameters_count_again(write_images, tmp_path, options, change):
    paths = write_images("a.tif")
    run(paths, tmp_path / "out", options)
    changed = replace(options, count=CountOptions(**change))
    assert run(paths, tmp_path / "out", changed).n_counted == 1
    assert run(paths, tmp_path / "out", changed).n_skipped == 1


def test_images_count_again_if_asked_or_if_their_labels_are_gone(
    write_images, tmp_path, options
):
    paths = write_images("a.tif", "b.tif")
    run(paths, tmp_path / "out", options)
    assert run(paths, tmp_path / "out", replace(options, again=True)).n_counted == 2
    (tmp_path / "out" / "a_labels.tif").unlink()
    assert run(paths, tmp_path / "out", options).n_counted == 1


def test_pictures_that_are_wanted_later_need_no_network(
    write_images, tmp_path, options
):
    paths = write_images("a.tif")
    run(paths, tmp_path / "out", options)
    before = times(tmp_path / "out")
    wanted = replace(options, overlay=True, cells=True)
    result = run(paths, tmp_path / "out", wanted)
    assert (result.n_counted, result.n_skipped) == (0, 1)
    assert times(tmp_path / "out") == before
    assert (tmp_path / "out" / "a_overlay.png").exists()
    (entry,) = result.entries
    assert len(table(tmp_path / "out" / "a_cells.csv")) == entry.count


def test_images_that_were_moved_together_are_not_counted_again(
    write_images, tmp_path, options
):
    run(write_images("a.tif", "b.tif"), tmp_path / "out", options)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "images", tmp_path / "elsewhere")
    moved = sorted((tmp_path / "elsewhere" / "images").iterdir())
    result = run(moved, tmp_path / "out", options)
    assert (result.n_counted, result.n_skipped) == (0, 2)
    assert [entry.path for entry in result.entries] == moved


def test_an_image_keeps_its_name_when_others_come(write_images, tmp_path, options):
    (first,) = write_images("one/x.tif")
    run([first], tmp_path / "out", options)
    first, second = write_images("one/x.tif", "two/x.tif")
    result = run([second, first], tmp_path / "out", options)
    assert [entry.name for entry in result.entries] == ["two_x", "x"]
    assert (result.n_counted, result.n_skipped) == (1, 1)
    names = [entry.name for entry in plan_batch([first, second], tmp_path / "out")]
    assert names == ["x", "two_x"]


def test_an_image_that_is_named_twice_is_counted_once(
    write_images, tmp_path, options, monkeypatch
):
    (path,) = write_images("a.tif")
    monkeypatch.chdir(path.parent)
    result = run([path, path.relative_to(path.parent)], tmp_path / "out", options)
    assert len(result.entries) == len(table(tmp_path / "out" / "counts.csv")) == 1


def test_results_of_images_that_are_not_given_stay_but_have_no_row(
    write_images, tmp_path, options
):
    first, second = write_images("a.tif", "b.tif")
    run([first, second], tmp_path / "out", options)
    messages = []
    run([second], tmp_path / "out", options, lambda step: messages.append(step.message))
    assert messages[0] == (
        "The folder has results of another image that were not given this time; the "
        "tables leave them out."
    )
    assert [row["name"] for row in table(tmp_path / "out" / "counts.csv")] == ["b"]
    assert run([first, second], tmp_path / "out", options).n_skipped == 2


# Bad days


def test_bad_images_become_rows_with_their_error(write_images, tmp_path, options):
    good, empty, damaged, black = write_images("a.tif", "b.tif", "c.tif", "d.tif")
    empty.write_bytes(b"")
    damaged.write_bytes(damaged.read_bytes()[:999])
    tifffile.imwrite(black, np.full((40, 48), np.nan, np.float32))
    missing, text = good.with_name("e.tif"), good.with_name("f.txt")
    text.write_text("no image")
    last = good.with_name("g.tif")
    shutil.copy(good, last)
    paths = [good, empty, damaged, black, missing, text, last]
    result = run(paths, tmp_path / "out", options)
    assert (result.n_counted, result.n_failed) == (2, 5)
    errors = {
        row["name"]: row["error"] for row in table(tmp_path / "out" / "counts.csv")
    }
    assert errors == {
        "a": "",
        "b": f"{empty} is empty (0 bytes): copy or export it again.",
        "c": f"{damaged} is damaged or no image: copy or export it again.",
        "d": f"{black} holds no finite number: export it again.",
        "e": f"There is no file {missing}.",
        "f": f"{text} is no image that can be read here: use TIFF, PNG, JPEG or BMP.",
        "g": "",
    }
    failed = json.loads((tmp_path / "out" / "counts.json").read_text())["failed"]
    assert [one["image"] for one in failed] == [str(path) for path in paths[1:6]]


def test_a_diameter_that_cannot_be_used_fails_only_its_image(
    write_images, tmp_path, options
):
    first, second = write_images("a.tif", "b.tif")
    images = [ListedImage(path=first, diameter=0.5), ListedImage(path=second)]
    bad, good = run(images, tmp_path / "out", options).entries
    assert bad.error == (
        "`diameter` must be between 1.875 and 480 px for this model, got 0.5."
    )
    assert good.state == "done"


def test_an_image_that_comes_back_is_not_counted_again(write_images, tmp_path, options):
    (path,) = write_images("a.tif")
    run([path], tmp_path / "out", options)
    path.rename(path.with_suffix(".away"))
    (gone,) = run([path], tmp_path / "out", options).entries
    assert (gone.state, gone.error) == ("failed", f"There is no file {path}.")
    assert table(tmp_path / "out" / "counts.csv")[0]["count"] == ""
    path.with_suffix(".away").rename(path)
    result = run([path], tmp_path / "out", options)
    assert (result.n_counted, result.n_skipped) == (0, 1)
    assert result.entries[0].state == "done"


def test_a_full_disk_stops_the_whole_and_says_so_once(
    write_images, tmp_path, options, monkeypatch
):
    paths = write_images(*(f"{number}.tif" for number in range(6)))
    run(paths[:2], tmp_path / "out", options)
    before = times(tmp_path / "out")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    steps = iter_batch(paths, tmp_path / "out", options)
    next(steps)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EngineError, match="No space left on device") as caught:
        drain(steps)
    assert re.fullmatch(
        r"\S+/out/\S+\.tif could not be written \(No space left on device\): free some "
        r"space or choose another folder\.",
        str(caught.value),
    )
    monkeypatch.undo()
    assert times(tmp_path / "out") == before
    result = run(paths, tmp_path / "out", options)
    assert (result.n_counted, result.n_skipped, result.n_failed) == (4, 2, 0)


def test_a_second_run_into_one_folder_is_refused(write_images, tmp_path, options):
    paths = write_images("a.tif", "b.tif")
    message = (
        f"Another run is counting into {tmp_path / 'out'}: wait for it, or choose "
        "another folder."
    )
    with closing(iter_batch(paths, tmp_path / "out", options)) as steps:
        next(steps)
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            run(paths, tmp_path / "out", options)
    assert run(paths, tmp_path / "out", options).n_failed == 0


def test_results_never_overwrite_an_image(write_images, options):
    first, second = write_images("x.tif", "x_labels.tif")
    before = second.read_bytes()
    message = f"The results would overwrite the image {second}; choose another folder."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        run([first, second], first.parent, options)
    assert second.read_bytes() == before


# Stopping at any step


def test_a_run_may_be_closed_at_any_step_and_goes_on(write_images, tmp_path, options):
    paths = write_images(*(f"{number}.tif" for number in range(4)))
    whole = run(paths, tmp_path / "whole", options)
    n_steps = 0
    finished = False
    while not finished:
        out = tmp_path / f"out{n_steps}"
        steps = iter_batch(paths, out, options)
        finished = not all(_advances(steps) for _ in range(n_steps))
        steps.close()
        _check_whole(out)
        assert _threads() == []
        n_steps += 3
    entries = run(paths, out, options).entries
    assert [one.count for one in entries] == [one.count for one in whole.entries]


def _advances(steps):
    return next(steps, None) is not None


def _threads():
    return [one.name for one in threading.enumerate() if one.name.startswith("ncr-")]


def _check_whole(out):
    """Check that what is in the tables is there, and nothing else but whole files."""
    if not (out / "counts.csv").exists():
        return
    rows = table(out / "counts.csv")
    for row in rows:
        labels = tifffile.imread(out / row["labels"])
        assert labels.max() == int(row["count"])
        assert (out / row["probability"]).exists()
    records = {path.stem for path in (out / ".batch" / "records").glob("*.json")}
    assert {row["name"] for row in rows} == records
    assert list(out.rglob("*.tmp")) == []


def test_read_batch_tells_what_there_is_and_what_is_left(
    write_images, tmp_path, options
):
    paths = write_images("a.tif", "b.tif", "c.tif")
    paths[1].write_bytes(b"")
    result = run(paths, tmp_path / "out", options)
    (tmp_path / "out" / ".batch" / "records" / "c.json").write_text("{ damaged")
    batch = read_batch(tmp_path / "out")
    assert [entry.state for entry in batch.entries] == ["done", "failed", "waiting"]
    assert batch.entries[:2] == result.entries[:2]
    assert replace(batch.options, model=options.model) == options
    assert [image.path for image in batch.images] == paths


def test_read_entry_tells_what_is_noted_of_one_image(write_images, tmp_path, options):
    paths = write_images("a.tif", "b.tif", "c.tif")
    paths[1].write_bytes(b"")
    result = run(paths, tmp_path / "out", options)
    (tmp_path / "out" / ".batch" / "records" / "c.json").write_text("{ damaged")
    assert read_entry(tmp_path / "out", "a") == result.entries[0]
    assert read_entry(tmp_path / "out", "b") == result.entries[1]
    assert read_entry(tmp_path / "out", "c") is None
    assert read_entry(tmp_path, "a") is None


def test_a_folder_without_a_batch_is_told(tmp_path):
    message = (
        f"There is no batch in {tmp_path}: choose the folder that an earlier run wrote "
        "to, or begin a new one."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_batch(tmp_path)

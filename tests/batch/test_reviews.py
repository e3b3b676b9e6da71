import csv
import json
import re
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_cresunet.batch import (
    CountOptions,
    iter_batch,
    open_review,
    read_batch,
    save_review,
)
from napari_cresunet.correction import LogEntry, Pins
from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region
from napari_cresunet.steps import drain


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(paths, output, options, on_step=None):
    return drain(iter_batch(paths, output, options), on_step)


@pytest.fixture
def batch(write_images, tmp_path, options):
    """Count two images; return the folder and the images."""
    paths = write_images("a.tif", "b.tif")
    run(paths, tmp_path / "out", options)
    return tmp_path / "out", paths


def corrected(shape=(40, 48)):
    """Return labels of three squares, two of them in the left half."""
    labels = np.zeros(shape, np.int32)
    for number, (row, column) in enumerate(((5, 5), (25, 8), (10, 35)), start=1):
        labels[row : row + 6, column : column + 6] = number
    return labels


CORNERS = np.array([[-1, -1], [-1, 24.5], [40, 24.5], [40, -1]])
LEFT = Region(name="left", polygons=(CORNERS,))


def review(**changes):
    content = {
        "labels": corrected(),
        "pins": Pins(cells={2: "added"}),
        "log": (
            LogEntry(kind="add", after=(2,), row=27.5, column=10.5, changed_px=36),
        ),
        "regions": (LEFT,),
        "pixel_size": (0.5, 0.5),
    }
    return content | changes


def reviewed(output, name, **changes):
    return replace(open_review(output, name), **review(**changes))


def test_an_image_opens_with_its_automatic_labels(batch):
    output, _ = batch
    opened = open_review(output, "a")
    assert np.array_equal(opened.labels, tifffile.imread(output / "a_labels.tif"))
    assert (opened.pins.is_empty, opened.log, opened.regions) == (True, (), ())
    assert opened.record["model"] == "tiny"


def test_what_is_saved_opens_again(batch):
    output, _ = batch
    saved = reviewed(output, "a")
    save_review(output, "a", saved)
    opened = open_review(output, "a")
    assert np.array_equal(opened.labels, saved.labels)
    assert (opened.pins.cells, opened.log) == (saved.pins.cells, saved.log)
    assert [region.name for region in opened.regions] == ["left"]
    assert opened.pixel_size == (0.5, 0.5)


def test_saving_updates_row_regions_and_labels(batch):
    output, _ = batch
    automatic = read_batch(output).entries[0].count
    entry = save_review(output, "a", reviewed(output, "a"))
    assert (entry.state, entry.count, entry.corrected) == ("reviewed", automatic, 3)
    first, second = table(output / "counts.csv")
    assert (first["state"], first["corrected"]) == ("reviewed", "3")
    assert first["count"] == str(automatic)
    assert second["state"] == "done"
    assert np.array_equal(tifffile.imread(output / "a_labels.tif"), corrected())
    rows = [row for row in table(output / "regions.csv") if row["name"] == "a"]
    assert [(row["region"], row["count"]) for row in rows] == [
        ("left", "2"), ("whole image", "3"),
    ]  # fmt: skip
    left = 25 * 40 * 0.25 / 1e6
    assert float(rows[0]["area_mm2"]) == pytest.approx(left)
    assert float(rows[0]["density_per_mm2"]) == pytest.approx(2 / left)
    known = json.loads((output / "counts.json").read_text())["images"][0]
    assert known["review"]["edits"] == {"add": 1}
    assert read_batch(output).entries[0] == entry


def test_a_review_outlives_another_run_whatever_it_asks_for(batch, options):
    output, paths = batch
    save_review(output, "a", reviewed(output, "a"))
    messages = []
    changed = replace(options, count=CountOptions(threshold=0.47))
    result = run(paths, output, changed, lambda step: messages.append(step.message))
    assert [entry.state for entry in result.entries] == ["reviewed", "done"]
    assert (result.n_counted, result.n_skipped) == (1, 1)
    assert messages[0] == (
        "a: reviewed with another model or other settings, which stays; --again counts "
        "anew and keeps a copy of the review."
    )
    assert np.array_equal(tifffile.imread(output / "a_labels.tif"), corrected())


def test_a_changed_image_is_told_but_its_review_stays(batch, options, write_images):
    output, paths = batch
    save_review(output, "a", reviewed(output, "a"))
    write_images("a.tif", seed=5)
    messages = []
    result = run(paths, output, options, lambda step: messages.append(step.message))
    assert result.entries[0].corrected == 3
    assert f"{paths[0]}: its image has changed since its review" in messages


def test_counting_again_keeps_a_copy_of_the_review(batch, options):
    output, paths = batch
    automatic = tifffile.imread(output / "a_labels.tif")
    save_review(output, "a", reviewed(output, "a"))
    result = run(paths, output, replace(options, again=True))
    assert [entry.state for entry in result.entries] == ["done", "done"]
    assert np.array_equal(tifffile.imread(output / "a_labels.tif"), automatic)
    assert (output / ".batch" / "earlier" / "a-1" / "study.json").exists()
    assert not (output / ".batch" / "reviews" / "a").exists()


def test_an_image_may_be_reviewed_while_others_are_counted(
    write_images, tmp_path, options
):
    paths = write_images("a.tif", "b.tif", "c.tif", "d.tif")
    with closing(iter_batch(paths, tmp_path / "out", options)) as steps:
        while (step := next(steps)).entry is None or step.entry.state != "done":
            pass
        name = step.entry.name
        save_review(tmp_path / "out", name, reviewed(tmp_path / "out", name))
        drain(steps)
    rows = {row["name"]: row for row in table(tmp_path / "out" / "counts.csv")}
    assert (rows[name]["state"], rows[name]["corrected"]) == ("reviewed", "3")
    assert len(rows) == 4


def test_pictures_that_are_drawn_later_leave_a_review_of_the_meantime(batch, options):
    output, paths = batch
    steps = iter_batch(paths, output, replace(options, overlay=True))
    with closing(steps):
        next(steps)  # the run has read what is known of "b", but not come to it
        save_review(output, "b", reviewed(output, "b"))
        drain(steps)
    rows = {row["name"]: row for row in table(output / "counts.csv")}
    assert (rows["b"]["state"], rows["b"]["corrected"]) == ("reviewed", "3")
    assert read_batch(output).entries[1].record["overlay"] == "b_overlay.png"
    assert [row["region"] for row in table(output / "regions.csv")].count("left") == 1


def test_a_review_during_the_report_is_in_the_result(batch, options, monkeypatch):
    from napari_cresunet.batch import write_batch_report

    output, paths = batch

    def write(folder):
        path = write_batch_report(folder)
        save_review(output, "a", reviewed(output, "a"))
        return path

    monkeypatch.setattr("napari_cresunet.batch._batch.write_batch_report", write)
    result = run(paths, output, replace(options, report=True))
    assert result.entries == read_batch(output).entries
    assert [entry.state for entry in result.entries] == ["reviewed", "done"]


def test_a_failure_leaves_a_review_of_the_meantime(batch, options):
    output, paths = batch
    paths[1].write_bytes(b"damaged")
    with closing(iter_batch(paths, output, replace(options, overlay=True))) as steps:
        while (step := next(steps)).entry is None:
            pass
        assert step.entry.name == "a"
        save_review(output, "b", reviewed(output, "b"))
        result = drain(steps)
    assert result.n_failed + result.n_skipped == 2
    assert open_review(output, "b").labels.max() == 3
    document = json.loads((output / ".batch/records/b.json").read_bytes())
    assert document["review"]["count"] == 3


@pytest.mark.parametrize("loss", ["record", "labels"])
def test_saving_that_was_interrupted_is_finished_by_the_next_run(batch, options, loss):
    output, paths = batch
    save_review(output, "a", reviewed(output, "a"))
    if loss == "record":
        (output / ".batch" / "records" / "a.json").unlink()
    else:
        # As if the process had been killed after it wrote the study.
        (output / ".batch" / "reviews" / "a.saving").touch()
        tifffile.imwrite(output / "a_labels.tif", np.zeros((40, 48), np.int32))
    (entry, _) = run(paths, output, options).entries
    assert (entry.state, entry.corrected) == ("reviewed", 3)
    assert np.array_equal(tifffile.imread(output / "a_labels.tif"), corrected())


def test_labels_of_another_shape_are_refused(batch):
    output, _ = batch
    wrong = reviewed(output, "a", labels=np.zeros((40, 40), np.int32))
    message = (
        "The labels of a must have the shape of its image, (40, 48); got (40, 40)."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        save_review(output, "a", wrong)


def test_what_is_not_counted_cannot_be_reviewed(batch, options):
    output, paths = batch
    paths[1].write_bytes(b"")
    run(paths, output.with_name("other"), options)
    message = f"There is no image 'z' in the batch {output}: choose one of its list."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_review(output, "z")
    with pytest.raises(InputError, match=r"^b has no labels yet: count it first\.$"):
        open_review(output.with_name("other"), "b")
